//! A request, read and written down.

use std::time::Instant;

use axum::http::{HeaderMap, Method, header, request};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    endpoint::{Endpoint, RepositoryRef, Target},
    handle::GitHub,
    state::{Credential, Reply, Request, State},
};

/// When a request arrived.
pub(super) struct Arrival(Instant);

impl Arrival {
    pub(super) fn now() -> Self {
        Self(Instant::now())
    }
}

/// A request, as the rest of the server sees it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) target: Target,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) arrived: Instant,
    /// Index in the log of requests.
    pub(super) number: usize,
    /// Number in the log of dispatches, if it is one.
    pub(super) dispatch: Option<u64>,
}

impl Call {
    pub(super) fn log(github: &GitHub, arrival: Arrival, head: request::Parts, body: Bytes) -> Self {
        github.change(|state| {
            let now = state.now();
            let prefix = state.config.host.api_prefix();
            let path = head.uri.path().strip_prefix(prefix).unwrap_or("/outside-of-the-api").to_owned();
            let query = head.uri.query().unwrap_or_default();
            let target = Target::parse(&head.method, &path);
            let mut call = Self {
                query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
                method: head.method,
                headers: head.headers,
                arrived: arrival.0,
                number: state.requests.len(),
                dispatch: None,
                body,
                target,
                path,
            };
            let logged = call.logged(state, now, query);
            state.requests.push(logged);
            if call.target.endpoint == Endpoint::Dispatch {
                let repository = match &call.target.repository {
                    Some(RepositoryRef::Name(name)) => name.clone(),
                    Some(RepositoryRef::Id(id)) => {
                        state.repository(*id).map(|found| found.full_name()).unwrap_or_default()
                    }
                    None => String::new(),
                };
                let workflow = call.target.argument.clone();
                call.dispatch = Some(state.log_dispatch(repository, workflow, &call.body, call.arrived));
            }
            call
        })
    }

    pub(crate) fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The secret of `Authorization`.
    pub(crate) fn secret(&self) -> Option<&str> {
        let value = self.header(header::AUTHORIZATION)?;
        let (scheme, secret) = value.split_once(' ')?;
        (scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token"))
            .then_some(secret.trim())
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `null` when it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Whether the caller asked for API version 2026-03-10.
    pub(crate) fn is_version_2026(&self) -> bool {
        self.header("x-github-api-version") == Some("2026-03-10")
    }

    /// What the request says, for dice that must not depend on the order of arrival.
    pub(super) fn key(&self) -> String {
        format!("{} {} {}", self.method, self.path, String::from_utf8_lossy(&self.body))
    }

    fn logged(&self, state: &State, at: Timestamp, query: &str) -> Request {
        let text = |name: &str| self.header(name).map(str::to_owned);
        let credential = match self.secret() {
            None => Credential::None,
            Some(secret) => match state.tokens.get(secret) {
                Some(token) => Credential::Token(token.number),
                None if secret.split('.').count() == 3 => Credential::Jwt,
                None => Credential::Unknown,
            },
        };
        Request {
            at,
            arrived: self.arrived,
            method: self.method.to_string(),
            path: self.path.clone(),
            query: query.to_owned(),
            endpoint: self.target.endpoint,
            credential,
            user_agent: text("user-agent"),
            api_version: text("x-github-api-version"),
            if_none_match: text("if-none-match"),
            body: self.body.clone(),
            reply: Reply::Pending,
        }
    }
}
