//! Requests that fail.

use std::collections::HashMap;

use crate::{endpoint::Endpoint, seed::Seed};

/// How a request fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It is answered, but not as it should be.
    Answer {
        /// Status of the answer.
        status: u16,
        /// `message` of the body.
        message: String,
        /// Headers, (name, value). They replace those of the same name.
        headers: Vec<(String, String)>,
        /// Whether the usual rate limit headers are left out.
        without_limits: bool,
    },
    /// The connection is reset.
    Reset,
    /// No answer ever comes; the connection stays open.
    Hang,
}

impl Failure {
    /// An answer with this status, in GitHub's error form.
    #[must_use]
    pub fn status(status: u16) -> Self {
        let message = match status {
            500 => "Server Error",
            502 => "Bad Gateway",
            503 => "Service Unavailable",
            504 => {
                "We couldn't respond to your request in time. Sorry about that. Please try resubmitting your request and contact us if the problem persists."
            }
            404 => "Not Found",
            _ => "Something went wrong",
        };
        Self::answer(status, message)
    }

    /// An answer with this status and message.
    #[must_use]
    pub fn answer(status: u16, message: &str) -> Self {
        Self::Answer { status, message: message.to_owned(), headers: Vec::new(), without_limits: false }
    }

    /// The secondary rate limit: 403 with `retry-after`.
    #[must_use]
    pub fn secondary_limit(retry_after_seconds: u64) -> Self {
        Self::answer(403, SECONDARY).header("retry-after", &retry_after_seconds.to_string())
    }

    /// A rate limit told by 429, with `retry-after`.
    #[must_use]
    pub fn too_many_requests(retry_after_seconds: u64) -> Self {
        Self::answer(429, SECONDARY).header("retry-after", &retry_after_seconds.to_string())
    }

    /// The secondary rate limit as GitHub tells it at its worst: 403 and no header that helps.
    #[must_use]
    pub fn limit_without_headers() -> Self {
        Self::Answer { status: 403, message: SECONDARY.into(), headers: Vec::new(), without_limits: true }
    }

    /// The primary rate limit: 403, nothing remaining until then (seconds since 1970).
    #[must_use]
    pub fn primary_limit(resets_at: i64) -> Self {
        Self::answer(403, "API rate limit exceeded for installation.")
            .header("x-ratelimit-remaining", "0")
            .header("x-ratelimit-reset", &resets_at.to_string())
    }

    /// The same answer with this header. Nothing, when there is no answer.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

const SECONDARY: &str =
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";

/// When a request fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before GitHub has done anything.
    BeforeAccept,
    /// When GitHub has done it: a run exists, a comment stands, and the answer gets lost.
    AfterAccept,
}

/// Requests that fail, and how.
#[derive(Clone, Debug)]
pub struct HttpFault {
    endpoint: Option<Endpoint>,
    failure: Failure,
    moment: Moment,
    times: Option<u32>,
    chance: f64,
}

impl HttpFault {
    /// The next request to this endpoint fails, before GitHub has done anything.
    #[must_use]
    pub fn at(endpoint: Endpoint, failure: Failure) -> Self {
        Self { endpoint: Some(endpoint), failure, moment: Moment::BeforeAccept, times: Some(1), chance: 1.0 }
    }

    /// The next request fails, whichever it is.
    #[must_use]
    pub fn anywhere(failure: Failure) -> Self {
        Self { endpoint: None, ..Self::at(Endpoint::Other, failure) }
    }

    /// It fails when GitHub has done what was asked.
    #[must_use]
    pub fn after_accept(self) -> Self {
        Self { moment: Moment::AfterAccept, ..self }
    }

    /// So many requests fail.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Requests fail until [`heal`](crate::GitHub::heal).
    #[must_use]
    pub fn until_healed(self) -> Self {
        Self { times: None, ..self }
    }

    /// Each request fails with this chance, `0.0..=1.0`. Which ones follows from the seed and from what they say.
    #[must_use]
    pub fn chance(self, chance: f64) -> Self {
        Self { chance, ..self }
    }
}

/// The faults of requests, in the order in which they were set.
#[derive(Debug, Default)]
pub(crate) struct HttpFaults {
    faults: Vec<HttpFault>,
    seen: HashMap<String, u64>,
}

impl HttpFaults {
    pub(crate) fn add(&mut self, fault: HttpFault) {
        self.faults.push(fault);
    }

    /// The failure of a request, used up. `key` says what the request says.
    pub(crate) fn take(
        &mut self,
        seed: Seed,
        endpoint: Endpoint,
        moment: Moment,
        key: &str,
    ) -> Option<Failure> {
        if self.faults.is_empty() {
            return None;
        }
        let nth = {
            let seen = self.seen.entry(format!("{moment:?} {key}")).or_default();
            *seen += 1;
            seen.to_string()
        };
        let index = self.faults.iter().enumerate().position(|(index, fault)| {
            fault.moment == moment
                && fault.times != Some(0)
                && fault.endpoint.is_none_or(|wanted| wanted == endpoint)
                && seed.chance(&["http", &index.to_string(), key, &nth]) < fault.chance
        })?;
        let fault = &mut self.faults[index];
        fault.times = fault.times.map(|times| times - 1);
        Some(fault.failure.clone())
    }
}
