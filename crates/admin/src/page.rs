//! Pages of lists that this crate makes itself. A page hangs on what its last item is, and not on a count: what is added
//! meanwhile neither shifts a page nor repeats.

use crate::errors::invalid;
use stackwave_domain::Digest;
use tonic::Status;

/// Items on a page when the caller does not say.
const DEFAULT_PAGE: usize = 50;
/// And never more than this.
pub(crate) const MAX_PAGE: usize = 500;

/// How many characters of the filters' digest a token holds.
const DIGEST: usize = 8;

/// How many items a page may hold.
pub(crate) fn page_size(size: i32) -> Result<usize, Status> {
    match usize::try_from(size) {
        Ok(0) => Ok(DEFAULT_PAGE),
        Ok(size) => Ok(size.min(MAX_PAGE)),
        Err(_) => Err(invalid("page_size", "it must not be negative")),
    }
}

/// One call's page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    size: usize,
    after: Option<String>,
    digest: String,
}

impl Page {
    /// What a call asks for. A token is good for the list and the filters of the call that gave it.
    pub(crate) fn read(list: &str, filters: &[&str], size: i32, token: &str) -> Result<Self, Status> {
        let parts: Vec<&str> = std::iter::once(list).chain(filters.iter().copied()).collect();
        let digest = Digest::of_parts(&parts).prefix(DIGEST).to_owned();
        let size = page_size(size)?;
        if token.is_empty() {
            return Ok(Self { size, after: None, digest });
        }
        let (given, key) = token
            .strip_prefix("1.")
            .and_then(|rest| rest.split_once('.'))
            .filter(|(given, key)| given.len() == DIGEST && !key.is_empty())
            .ok_or_else(|| invalid("page_token", "this server gave no such token"))?;
        if given != digest {
            return Err(invalid("page_token", "it belongs to a list with other filters"));
        }
        Ok(Self { size, after: Some(key.to_owned()), digest })
    }

    /// The key of the last item of the page before.
    pub(crate) fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// The key of the last item of the page before, as a number.
    pub(crate) fn after_number(&self) -> Result<Option<u64>, Status> {
        let number = self.after().map(str::parse::<u64>).transpose();
        number.map_err(|_| invalid("page_token", "this server gave no such token"))
    }

    /// Cuts a page from items that follow the page before, in their order, and says where the next begins.
    pub(crate) fn cut<T>(
        &self,
        items: impl Iterator<Item = T>,
        key: impl Fn(&T) -> String,
    ) -> (Vec<T>, String) {
        let mut items = items.peekable();
        let page: Vec<T> = items.by_ref().take(self.size).collect();
        let next = match (items.peek(), page.last()) {
            (Some(_), Some(last)) => format!("1.{}.{}", self.digest, key(last)),
            _ => String::new(),
        };
        (page, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(filters: &[&str], token: &str) -> Result<Page, Status> {
        Page::read("keys", filters, 2, token)
    }

    #[test]
    fn pages_follow_each_other_and_the_last_one_names_no_next() {
        let items = [9_u64, 7, 5, 3, 1];
        let (mut seen, mut token) = (Vec::new(), String::new());
        loop {
            let page = page(&[], &token).unwrap();
            let after = page.after_number().unwrap();
            let rest = items.into_iter().filter(|item| after.is_none_or(|last| *item < last));
            let (cut, next) = page.cut(rest, ToString::to_string);
            seen.extend(cut);
            token = next;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(seen, items);
    }

    #[test]
    fn a_token_is_good_for_its_own_list_and_filters_only() {
        let (_, token) = page(&["default"], "").unwrap().cut([1, 2, 3].into_iter(), ToString::to_string);
        assert!(page(&["default"], &token).is_ok());
        assert!(page(&["other"], &token).unwrap_err().message().contains("other filters"));
        assert!(Page::read("tokens", &["default"], 2, &token).is_err());
    }

    #[test]
    fn a_made_up_token_or_size_is_refused_with_its_field() {
        for token in ["x", "1.", "1.abc.", "2.12345678.k", "1.12345678."] {
            let error = page(&[], token).unwrap_err();
            assert_eq!(error.code(), tonic::Code::InvalidArgument, "{token}");
            assert!(error.message().contains("`page_token`"), "{error}");
        }
        assert!(page_size(-1).unwrap_err().message().contains("`page_size`"));
        assert_eq!((page_size(0).unwrap(), page_size(10_000).unwrap()), (DEFAULT_PAGE, MAX_PAGE));
    }
}
