//! From what is to be answered to bytes on the connection, or to none.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use http_body_util::BodyExt as _;

use super::{
    answer::Answer,
    call::Call,
    enter::{Caller, limited},
    listener::Peer,
    process::{Afterwards, Finished, Refused},
};
use crate::{
    faults::Failure,
    handle::GitHub,
    seed::Seed,
    state::{Reply, State},
};

pub(super) async fn respond(github: &GitHub, peer: &Peer, call: &Call, finished: Finished) -> Response {
    let Finished { result, caller, afterwards } = finished;
    let failure = match result {
        Ok(answer) => {
            let mut response = github.change(|state| write(state, call, caller.as_ref(), answer));
            note(github, call, Reply::Status(response.status().as_u16()));
            release_with_body(&mut response, afterwards);
            return response;
        }
        Err(Refused::ByGitHub(error)) => {
            let mut headers = HeaderMap::new();
            set(&mut headers, "x-accepted-github-permissions", error.wanted.as_deref());
            Failed { status: error.status, body: error.body(), headers, without_limits: false }
        }
        Err(Refused::ByFault(Failure::Answer { status, message, headers: extra, without_limits })) => {
            let mut headers = HeaderMap::new();
            for (name, value) in &extra {
                set(&mut headers, name, Some(value));
            }
            Failed { status, body: super::ApiError::new(status, message).body(), headers, without_limits }
        }
        Err(Refused::ByFault(Failure::Reset)) => {
            note(github, call, Reply::Reset);
            drop(afterwards);
            peer.reset();
            return Response::default();
        }
        Err(Refused::ByFault(Failure::Hang)) => {
            note(github, call, Reply::Hung);
            drop(afterwards);
            github.shared.gate.closed().await;
            peer.reset();
            return Response::default();
        }
    };
    note(github, call, Reply::Status(failure.status));
    let mut response = github.read(|state| failure.write(state, call, caller.as_ref()));
    release_with_body(&mut response, afterwards);
    response
}

struct Failed {
    status: u16,
    body: String,
    headers: HeaderMap,
    without_limits: bool,
}

impl Failed {
    fn write(self, state: &State, call: &Call, caller: Option<&Caller>) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = status(self.status);
        let headers = response.headers_mut();
        set(headers, "content-type", Some("application/json; charset=utf-8"));
        usual_headers(headers, state, call);
        if !self.without_limits {
            let spent = caller.and_then(Caller::installation).or_else(|| installation_of(state, call));
            limit_headers(headers, state, spent);
        }
        headers.extend(self.headers);
        response
    }
}

/// The installation of the token that a refused request came with.
fn installation_of(state: &State, call: &Call) -> Option<u64> {
    state.valid_token(call.secret()?).map(|token| token.installation)
}

fn write(state: &mut State, call: &Call, caller: Option<&Caller>, answer: Answer) -> Response {
    let installation = caller.and_then(Caller::installation);
    let mut headers = HeaderMap::new();
    let mut response = Response::default();
    *response.status_mut() = status(answer.status);
    if call.method == http::Method::GET && answer.status == 200 {
        let tag = etag(call, &answer.body);
        let known = call
            .header(header::IF_NONE_MATCH)
            .is_some_and(|known| known.split(',').any(|one| one.trim() == tag));
        set(&mut headers, "etag", Some(&tag));
        set(&mut headers, "cache-control", Some("private, max-age=60, s-maxage=60"));
        set(&mut headers, "vary", Some("Accept, Authorization, Cookie, X-GitHub-OTP"));
        if known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            // A 304 costs nothing.
            if let Some(spent) = installation.and_then(|id| state.installations.get_mut(&id)) {
                spent.used = spent.used.saturating_sub(1);
            }
        }
    }
    let has_body = ![StatusCode::NOT_MODIFIED, StatusCode::NO_CONTENT].contains(&response.status());
    if has_body {
        set(&mut headers, "content-type", Some(answer.content_type));
        *response.body_mut() = Body::from(answer.body);
    }
    set(&mut headers, "link", answer.link.as_deref());
    set(&mut headers, "location", answer.location.as_deref());
    usual_headers(&mut headers, state, call);
    limit_headers(&mut headers, state, installation);
    *response.headers_mut() = headers;
    response
}

/// GitHub's ETags depend on the token: they change when it is renewed.
fn etag(call: &Call, body: &str) -> String {
    let accept = call.header(header::ACCEPT).unwrap_or_default();
    let hash = Seed(0).bytes(&["etag", call.secret().unwrap_or_default(), accept, body]);
    format!("W/\"{}\"", hex::encode(hash))
}

fn usual_headers(headers: &mut HeaderMap, state: &State, call: &Call) {
    let id = state.seed.bytes(&["request", &call.number.to_string()]);
    set(headers, "x-github-request-id", Some(&hex::encode_upper(&id[..12])));
    set(headers, "x-github-media-type", Some("github.v3; format=json"));
    set(
        headers,
        "x-github-api-version-selected",
        Some(call.header("x-github-api-version").unwrap_or("2022-11-28")),
    );
    set(headers, "x-github-enterprise-version", state.config.host.enterprise_version());
    set(headers, "server", Some("github.com"));
}

fn limit_headers(headers: &mut HeaderMap, state: &State, installation: Option<u64>) {
    let installation = installation.unwrap_or(state.config.installation_id);
    let Some(installation) = state.installation(installation).filter(|_| limited(state)) else { return };
    let mut number = |name: &str, value: i64| set(headers, name, Some(&value.to_string()));
    number("x-ratelimit-limit", installation.limit.into());
    number("x-ratelimit-remaining", installation.remaining().into());
    number("x-ratelimit-used", installation.used.into());
    number("x-ratelimit-reset", installation.resets_at.as_second());
    set(headers, "x-ratelimit-resource", Some("core"));
}

fn set(headers: &mut HeaderMap, name: &str, value: Option<&str>) {
    let value = value.and_then(|value| HeaderValue::from_str(value).ok());
    if let (Ok(name), Some(value)) = (HeaderName::from_bytes(name.as_bytes()), value) {
        headers.insert(name, value);
    }
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn note(github: &GitHub, call: &Call, reply: Reply) {
    github.change(|state| {
        if let Some(request) = state.requests.get_mut(call.number) {
            request.reply = reply;
        }
        if let Some(dispatch) = call.dispatch.and_then(|number| state.dispatch_mut(number)) {
            dispatch.reply = reply;
        }
    });
}

/// Lets follow what follows once the server is through with the body, that is, when the answer is on its way.
fn release_with_body(response: &mut Response, afterwards: Afterwards) {
    if afterwards.is_nothing() {
        return;
    }
    let body = std::mem::take(response.body_mut());
    *response.body_mut() = Body::new(body.map_frame(move |frame| {
        let _held = &afterwards;
        frame
    }));
}
