//! Page tokens: the place of a page's last row, and for which listing it is good. Pages hang on places, which rows keep,
//! and not on counts: what is added meanwhile comes before the first page.

use super::keys::Key;
use crate::{codec, error::TokenError};
use std::fmt::Debug;

/// Which listing: its name and its filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listing(u32);

impl Listing {
    pub(crate) fn of(name: &str, filters: &impl Debug) -> Self {
        let hash = codec::hash(&[name, &format!("{filters:?}")]);
        Self(u32::try_from(hash >> 32).unwrap_or_default())
    }

    /// Names the last row of a page.
    pub(crate) fn token(self, last: Key) -> String {
        format!("1.{:08x}.{}.{}", self.0, last.0, last.1)
    }

    /// The place that a token names: the list goes on below it. For the first page it is above everything.
    pub(crate) fn read(self, token: &str) -> Result<Key, TokenError> {
        if token.is_empty() {
            return Ok(Key::TOP);
        }
        let (listing, last) = parse(token).ok_or(TokenError::Unknown)?;
        if listing == self { Ok(last) } else { Err(TokenError::OtherFilters) }
    }
}

fn parse(token: &str) -> Option<(Listing, Key)> {
    let mut parts = token.splitn(4, '.');
    let (version, listing) = (parts.next()?, parts.next()?);
    let last = Key(parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let listing = Listing(u32::from_str_radix(listing, 16).ok()?);
    (version == "1").then_some((listing, last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::RunsQuery;
    use stackwave_domain::RepositoryId;

    #[test]
    fn a_token_reads_back_and_is_good_for_its_own_filters_only() {
        let any = Listing::of("runs", &RunsQuery::default());
        let some = RunsQuery { repository: Some(RepositoryId(7)), ..RunsQuery::default() };
        let token = any.token(Key(17, -3));
        assert_eq!(any.read(&token), Ok(Key(17, -3)));
        assert_eq!(any.read(""), Ok(Key::TOP));
        assert_eq!(Listing::of("runs", &some).read(&token), Err(TokenError::OtherFilters));
        assert_eq!(Listing::of("stacks", &RunsQuery::default()).read(&token), Err(TokenError::OtherFilters));
    }

    #[test]
    fn a_made_up_token_is_refused() {
        let any = Listing::of("runs", &RunsQuery::default());
        for token in ["x", "1.2.3", "2.00000000.1.1", "1.zz.1.1", "1.00000000.x.1", "1.00000000.1."] {
            assert_eq!(any.read(token), Err(TokenError::Unknown), "{token}");
        }
    }
}
