//! What an answer says about limits.
//!
//! Source: GitHub Docs "Best practices for using the REST API" and "Rate limits for the REST API".

use crate::http::Answer;
use stackwave_domain::Timestamp;
use stackwave_github::refusal::speaks_of_limit;
use std::time::Duration;

/// The wait when GitHub names none; it doubles with each such answer in a row.
pub(crate) const UNTOLD_WAIT: Duration = Duration::from_secs(60);

/// An answer that is a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// GitHub says how long to wait.
    Told(Duration),
    /// A secondary limit that names no time.
    Untold,
}

/// The limit that an answer tells. Any other 403 is a permission error.
pub(crate) fn of_answer(answer: &Answer, now: Timestamp) -> Option<Limit> {
    if !matches!(answer.status, 403 | 429) {
        return None;
    }
    if let Some(seconds) = answer.header("retry-after").and_then(|text| text.trim().parse::<u64>().ok()) {
        return Some(Limit::Told(Duration::from_secs(seconds.max(1))));
    }
    if let Some(wait) = exhausted(answer, now) {
        return Some(Limit::Told(wait));
    }
    (answer.status == 429 || speaks_of_limit(&answer.message())).then_some(Limit::Untold)
}

/// How long until calls are allowed again, when an answer used up the last of them.
pub(crate) fn exhausted(answer: &Answer, now: Timestamp) -> Option<Duration> {
    if answer.header("x-ratelimit-remaining")?.trim() != "0" {
        return None;
    }
    // Searches and GraphQL have limits of their own.
    if answer.header("x-ratelimit-resource").is_some_and(|resource| resource != "core") {
        return None;
    }
    let reset: i64 = answer.header("x-ratelimit-reset")?.trim().parse().ok()?;
    // GitHub's clock against GitHub's clock, where it tells the time.
    let now = answer
        .header("date")
        .and_then(|date| jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).ok())
        .unwrap_or(now);
    let seconds = reset.saturating_sub(now.as_second()).max(1);
    Some(Duration::from_secs(seconds.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    fn answer(status: u16, headers: &[(&'static str, &'static str)], message: &str) -> Answer {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        Answer { status, headers, body: serde_json::json!({ "message": message }).to_string().into_bytes() }
    }

    fn limit(status: u16, headers: &[(&'static str, &'static str)], message: &str) -> Option<Limit> {
        of_answer(&answer(status, headers, message), Timestamp::from_second(1_000).unwrap())
    }

    #[test]
    fn each_kind_of_limit_has_its_wait() {
        let told = |seconds| Some(Limit::Told(Duration::from_secs(seconds)));
        let zero = ("x-ratelimit-remaining", "0");
        let reset = ("x-ratelimit-reset", "1030");
        assert_eq!(limit(403, &[("retry-after", "17"), zero, reset], ""), told(17));
        assert_eq!(limit(429, &[zero, reset], ""), told(30));
        assert_eq!(limit(403, &[zero, ("x-ratelimit-reset", "10")], ""), told(1));
        assert_eq!(limit(403, &[zero, reset, ("date", "Thu, 01 Jan 1970 00:17:00 GMT")], ""), told(10));
        assert_eq!(limit(403, &[], "You have exceeded a secondary rate limit"), Some(Limit::Untold));
        assert_eq!(limit(429, &[], ""), Some(Limit::Untold));
    }

    #[test]
    fn a_permission_error_is_no_limit() {
        assert_eq!(
            limit(403, &[("x-ratelimit-remaining", "4999")], "Resource not accessible by integration"),
            None
        );
        assert_eq!(limit(404, &[("retry-after", "17")], ""), None);
    }

    #[test]
    fn the_last_allowed_call_tells_when_the_next_is() {
        let now = Timestamp::from_second(1_000).unwrap();
        let last = |resource| {
            exhausted(
                &answer(
                    200,
                    &[
                        ("x-ratelimit-remaining", "0"),
                        ("x-ratelimit-reset", "1060"),
                        ("x-ratelimit-resource", resource),
                    ],
                    "",
                ),
                now,
            )
        };
        assert_eq!(last("core"), Some(Duration::from_secs(60)));
        assert_eq!(last("search"), None);
    }
}
