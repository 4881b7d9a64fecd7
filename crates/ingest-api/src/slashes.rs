//! `https://host/` as base URL makes Atmos ask for `//api/v1/…` (contract §1.1).

use axum::http::{Request, Uri, uri::PathAndQuery};

/// Replaces repeated slashes in the path by one. To be wrapped around a whole router, since routing comes before a
/// router's own layers: `tower::util::MapRequest::new(router, normalize_slashes)`.
#[must_use]
pub fn normalize_slashes<B>(mut request: Request<B>) -> Request<B> {
    if request.uri().path().contains("//")
        && let Some(uri) = normalized(request.uri())
    {
        *request.uri_mut() = uri;
    }
    request
}

fn normalized(uri: &Uri) -> Option<Uri> {
    let mut path = String::with_capacity(uri.path().len());
    for c in uri.path().chars() {
        if c != '/' || !path.ends_with('/') {
            path.push(c);
        }
    }
    if let Some(query) = uri.query() {
        path.push('?');
        path.push_str(query);
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_slashes_become_one_and_the_query_stays() {
        for (uri, expected) in [
            ("//api/v1//affected-stacks", "/api/v1/affected-stacks"),
            ("/api/v1/x?next=//y", "/api/v1/x?next=//y"),
            ("///a////b/?q=//", "/a/b/?q=//"),
            ("http://host//api", "http://host/api"),
            ("/", "/"),
        ] {
            let request = Request::builder().uri(uri).body(()).unwrap();
            assert_eq!(normalize_slashes(request).uri(), expected);
        }
    }
}
