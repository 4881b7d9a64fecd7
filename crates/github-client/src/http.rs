//! One exchange with GitHub: headers, redirects, deadlines, and what a failure proves.

use crate::{config::ConfigError, deadline};
use reqwest::{
    Method,
    header::{
        ACCEPT, AUTHORIZATION, ETAG, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH, LOCATION, USER_AGENT,
    },
    redirect,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::{error::Error, time::Duration};
use tokio::time::Instant;
use url::Url;

/// The version of the REST API that is spoken.
const API_VERSION: &str = "2022-11-28";

/// The usual media type.
pub(crate) const JSON: &str = "application/vnd.github+json";

/// Renamed and transferred repositories answer with redirects, one after another at most a few times.
const MAX_REDIRECTS: u32 = 5;

/// Where a read goes on. GitHub answers 301, 302 and 307.
const REDIRECTS: [u16; 4] = [301, 302, 307, 308];

/// Where a write goes on: these ask for the same method and body again, and GitHub answers 307 for a renamed repository.
/// The others, which may ask for a `GET` instead, come from something before GitHub: a sign-in page, or the step from
/// http to https.
///
/// Source: GitHub Docs "Best practices for using the REST API", "Follow redirects"; RFC 9110, section 15.4.
const WRITE_REDIRECTS: [u16; 2] = [307, 308];

/// No answer that we ask for is larger.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// An idle connection is kept this long; GitHub closes it after about a minute.
const IDLE_TIMEOUT: Duration = Duration::from_secs(50);

/// What the other side has not acknowledged for so long is not sent again: else the kernel would go on for minutes after
/// the call was given up and its connection closed, and a dispatch could reach GitHub when it was searched for in vain.
///
/// Source: Linux `tcp(7)`, `TCP_USER_TIMEOUT`.
#[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
const UNACKNOWLEDGED_FOR: Duration = Duration::from_secs(10);

/// Enough idle connections for everything that may be in flight at once.
const IDLE_CONNECTIONS: usize = 128;

/// What is asked.
#[derive(Clone)]
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    /// Below the base URL, with a leading slash, already encoded.
    pub(crate) path: String,
    pub(crate) body: Option<&'a Value>,
    pub(crate) accept: &'static str,
    pub(crate) etag: Option<String>,
}

impl<'a> Ask<'a> {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), body: None, accept: JSON, etag: None }
    }

    pub(crate) fn write(method: Method, path: impl Into<String>, body: &'a Value) -> Self {
        Self { method, path: path.into(), body: Some(body), accept: JSON, etag: None }
    }
}

/// What GitHub answered, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn etag(&self) -> Option<String> {
        self.header(ETAG.as_str()).map(str::to_owned)
    }

    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// GitHub's `message` with what its `errors` add, for people and for [`stackwave_github::refusal`].
    pub(crate) fn message(&self) -> String {
        let Some(json) = self.json() else {
            let text = String::from_utf8_lossy(&self.body);
            return text.chars().take(200).collect::<String>().trim().to_owned();
        };
        let mut message = json["message"].as_str().unwrap_or_default().to_owned();
        for error in json["errors"].as_array().into_iter().flatten() {
            if let Some(text) = error.as_str().or_else(|| error["message"].as_str()) {
                message = format!("{message} ({text})");
            }
        }
        message
    }
}

/// No answer came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No connection was made: GitHub saw nothing of it.
    NotSent(String),
    /// GitHub may have acted on it.
    Unknown(String),
    /// A write was sent elsewhere, where it does not go: nothing was done.
    Redirected {
        /// HTTP status.
        status: u16,
        /// Where it should have gone, and which setting decides that.
        message: String,
    },
}

/// The connections to one host.
#[derive(Debug)]
pub(crate) struct Http {
    client: reqwest::Client,
    base: Url,
}

impl Http {
    pub(crate) fn new(
        api_url: &str,
        user_agent: &str,
        connect_timeout: Duration,
    ) -> Result<Self, ConfigError> {
        let base = base_url(api_url)?;
        let agent = HeaderValue::from_str(user_agent)
            .ok()
            .filter(|agent| !agent.is_empty())
            .ok_or_else(|| ConfigError::UserAgent(user_agent.to_owned()))?;
        let headers = [
            (USER_AGENT, agent),
            (HeaderName::from_static("x-github-api-version"), HeaderValue::from_static(API_VERSION)),
        ];
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(crate::tls::config(base.scheme() == "https")?)
            .default_headers(headers.into_iter().collect())
            .redirect(redirect::Policy::none())
            // A repeated write would be a second dispatch; reads are repeated by those who ask.
            .retry(reqwest::retry::never())
            .connect_timeout(connect_timeout)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .tcp_nodelay(true);
        #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
        {
            builder = builder.tcp_user_timeout(UNACKNOWLEDGED_FOR);
        }
        if is_this_machine(&base) {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| ConfigError::Tls(describe(&error)))?;
        Ok(Self { client, base })
    }

    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// Asks, follows redirects, and reads the whole answer, until the deadline. Nothing is sent after it.
    pub(crate) async fn send(
        &self,
        ask: &Ask<'_>,
        credential: Option<&SecretString>,
        deadline: Instant,
    ) -> Result<Answer, Failure> {
        if Instant::now() >= deadline {
            return Err(Failure::NotSent(format!("no time was left for `{}`", ask.path)));
        }
        deadline::until(deadline, Box::pin(self.follow(ask, credential)))
            .await
            .unwrap_or_else(|| Err(Failure::Unknown(format!("no answer to `{}` in time", ask.path))))
    }

    async fn follow(&self, ask: &Ask<'_>, credential: Option<&SecretString>) -> Result<Answer, Failure> {
        let url = format!("{}{}", self.base.as_str().trim_end_matches('/'), ask.path);
        let mut url = Url::parse(&url)
            .map_err(|error| Failure::NotSent(format!("`{}` is no path: {error}", ask.path)))?;
        for left in (0..=MAX_REDIRECTS).rev() {
            let answer = self.exchange(ask, &url, credential).await?;
            let next = location(&answer, &url);
            if ask.method == Method::GET {
                let Some(next) = next.filter(|_| REDIRECTS.contains(&answer.status)) else {
                    return Ok(answer);
                };
                url = next;
                continue;
            }
            if !(300..400).contains(&answer.status) {
                return Ok(answer);
            }
            // A redirect was not acted on, so asking again there is safe; but a write goes to no other host.
            match next {
                Some(next)
                    if left > 0
                        && WRITE_REDIRECTS.contains(&answer.status)
                        && next.origin() == url.origin() =>
                {
                    url = next;
                }
                next => return Err(self.not_followed(&answer, next.as_ref())),
            }
        }
        Err(Failure::NotSent(format!("`{}` is redirected without end", ask.path)))
    }

    fn not_followed(&self, answer: &Answer, next: Option<&Url>) -> Failure {
        // Without its query, which may hold what nobody else should read.
        let next = next.map_or_else(
            || "nowhere".to_owned(),
            |next| format!("`{}{}`", next.origin().ascii_serialization(), next.path()),
        );
        Failure::Redirected {
            status: answer.status,
            message: format!(
                "a write to `{}` is redirected to {next} and was not done: check that `STACKWAVE_GITHUB_API_URL` is \
                 the address of the REST API itself",
                self.base
            ),
        }
    }

    async fn exchange(
        &self,
        ask: &Ask<'_>,
        url: &Url,
        credential: Option<&SecretString>,
    ) -> Result<Answer, Failure> {
        let mut request = self.client.request(ask.method.clone(), url.clone()).header(ACCEPT, ask.accept);
        if let Some(credential) = credential.filter(|_| url.origin() == self.base.origin()) {
            let mut bearer = HeaderValue::from_str(&format!("Bearer {}", credential.expose_secret()))
                .map_err(|_| Failure::NotSent("the token cannot be sent in a header".to_owned()))?;
            bearer.set_sensitive(true);
            request = request.header(AUTHORIZATION, bearer);
        }
        if let Some(etag) = &ask.etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        if let Some(body) = ask.body {
            request = request.json(body);
        }
        let mut response = request.send().await.map_err(|error| failure(&error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        let broken =
            |error: &reqwest::Error| Failure::Unknown(format!("the answer broke off: {}", describe(error)));
        while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error))? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_ANSWER_BYTES {
                return Err(Failure::Unknown(format!("the answer to `{}` is too large", ask.path)));
            }
        }
        Ok(Answer { status, headers, body })
    }
}

fn base_url(text: &str) -> Result<Url, ConfigError> {
    let refuse = |reason: &str| ConfigError::ApiUrl { url: text.to_owned(), reason: reason.to_owned() };
    let url = Url::parse(text).map_err(|error| refuse(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(refuse("it has another scheme or no host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        // Not repeated: it may be a password.
        return Err(ConfigError::ApiUrl {
            url: format!("{}://…", url.scheme()),
            reason: "it holds a user name or password".to_owned(),
        });
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("it has a query or fragment"));
    }
    Ok(url)
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn location(answer: &Answer, from: &Url) -> Option<Url> {
    from.join(answer.header(LOCATION.as_str())?).ok()
}

/// Only a connection that was never made proves that nothing was sent.
fn failure(error: &reqwest::Error) -> Failure {
    let text = describe(error);
    if error.is_connect() || error.is_builder() { Failure::NotSent(text) } else { Failure::Unknown(text) }
}

/// The error with its causes, without the URL.
fn describe(error: &reqwest::Error) -> String {
    let mut causes: Vec<String> = Vec::new();
    let mut next: Option<&dyn Error> = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    if causes.is_empty() { "the request failed".to_owned() } else { causes.join(": ") }
}
