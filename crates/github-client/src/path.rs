//! Paths below the base URL.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use stackwave_domain::RepositoryName;
use std::fmt::Display;

/// Everything but what RFC 3986 leaves as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One segment of a path, or one value of a query.
pub(crate) fn segment(text: &str) -> impl Display + '_ {
    utf8_percent_encode(text, SEGMENT)
}

/// `/repos/OWNER/NAME` and what follows.
pub(crate) fn repository(name: &RepositoryName, rest: &str) -> String {
    format!("/repos/{}/{}{rest}", segment(&name.owner), segment(&name.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_segment() {
        assert_eq!(
            repository(&RepositoryName::new("acme", "in/fra?x"), "/pulls"),
            "/repos/acme/in%2Ffra%3Fx/pulls"
        );
        assert_eq!(segment(">=2026-11-03T10:00:00Z").to_string(), "%3E%3D2026-11-03T10%3A00%3A00Z");
    }
}
