//! Lists that come in pages.

use crate::{
    call::{Caller, not_json},
    client::Inner,
    http::Ask,
};
use serde_json::Value;
use stackwave_github::port::CallError;

/// One page of a list.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) elements: Vec<Value>,
    pub(crate) etag: Option<String>,
    /// The path of the next page.
    pub(crate) next: Option<String>,
}

impl Inner {
    /// The elements of a list: those under `key`, or those of the answer itself when `key` is empty. At most `pages`.
    pub(crate) async fn list(
        &self,
        caller: Caller,
        path: String,
        key: &str,
        pages: u32,
    ) -> Result<Vec<Value>, CallError> {
        let mut elements = Vec::new();
        let mut next = Some(path);
        for _ in 0..pages {
            let Some(path) = next else { break };
            let page =
                self.page(caller, Ask::get(path.clone()), key).await?.ok_or_else(|| not_json(&path))?;
            elements.extend(page.elements);
            next = page.next;
        }
        Ok(elements)
    }

    /// One page; `None` when it is still the one of the `ETag` that was asked with.
    pub(crate) async fn page(
        &self,
        caller: Caller,
        ask: Ask<'_>,
        key: &str,
    ) -> Result<Option<Page>, CallError> {
        let answer = self.call(caller, &ask).await?;
        if answer.status == 304 {
            return Ok(None);
        }
        let mut body = answer.json().unwrap_or_default();
        let list = if key.is_empty() { Some(&mut body) } else { body.get_mut(key) };
        let Some(Value::Array(elements)) = list.map(Value::take) else { return Err(not_json(&ask.path)) };
        let below = ask.path.split('?').next().unwrap_or_default();
        let next = answer.header("link").and_then(next_query).map(|query| format!("{below}?{query}"));
        Ok(Some(Page { elements, etag: answer.etag(), next }))
    }
}

/// The query of the next page in a `Link` header. The rest of its URL is left aside: a host behind a proxy may call
/// itself otherwise than we do.
fn next_query(link: &str) -> Option<&str> {
    link.split('<').skip(1).find_map(|part| {
        let (url, parameters) = part.split_once('>')?;
        let next = parameters
            .split([';', ','])
            .any(|parameter| matches!(parameter.trim(), r#"rel="next""# | "rel=next"));
        next.then(|| url.split_once('?').map(|(_, query)| query)).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_read_from_the_link_header() {
        let link = concat!(
            r#"<https://api.github.com/x?page=1&a=b,c>; rel="prev", "#,
            r#"<https://api.github.com/x?page=3&a=b,c>; rel="next", "#,
            r#"<https://api.github.com/x?page=9>; rel="last""#
        );
        assert_eq!(next_query(link), Some("page=3&a=b,c"));
        assert_eq!(next_query(r#"<https://api.github.com/x?page=1>; rel="first""#), None);
        assert_eq!(next_query("nonsense"), None);
    }
}
