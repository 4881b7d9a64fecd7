//! Calls in the name of the App or of an installation: sign-in, limits, and what an answer means.

use crate::{
    budget::Lane,
    client::Inner,
    http::{Answer, Ask, Failure},
    limit,
    observe::{self, Exchange, RateLimit},
    token::{Minted, Token},
};
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};
use stackwave_domain::InstallationId;
use stackwave_github::port::CallError;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use tracing::{Instrument as _, field::Empty};

/// In whose name a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The App itself, by JWT.
    App,
    /// An installation, by its token.
    Installation(InstallationId),
}

/// No answer that is the call's own.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// There is no token; nothing was sent.
    SignIn(CallError),
    /// A limit holds; nothing was taken.
    Limited(Duration),
    /// The exchange failed.
    Failed(Failure),
}

impl From<Trouble> for CallError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::SignIn(error) => error,
            Trouble::Limited(wait) => Self::RateLimited { wait },
            Trouble::Failed(Failure::Redirected { status, message }) => Self::Refused { status, message },
            Trouble::Failed(Failure::NotSent(text) | Failure::Unknown(text)) => Self::Unavailable(text),
        }
    }
}

impl Inner {
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.call_timeout
    }

    /// A call whose answer is a success or 304; everything else is an error.
    pub(crate) async fn call(&self, caller: Caller, ask: &Ask<'_>) -> Result<Answer, CallError> {
        let answer = Box::pin(self.exchange(caller, ask, self.deadline())).await?;
        match answer.status {
            200..300 | 304 => Ok(answer),
            401 => Err(unauthorized(caller, &answer)),
            404 | 410 => Err(CallError::NotFound(format!("{} ({})", ask.path, answer.message()))),
            408 | 500.. => {
                Err(CallError::Unavailable(format!("it answered {}: {}", answer.status, answer.message())))
            }
            status => Err(CallError::Refused { status, message: answer.message() }),
        }
    }

    /// A call whose answer is JSON.
    pub(crate) async fn json(&self, caller: Caller, ask: &Ask<'_>) -> Result<Value, CallError> {
        self.call(caller, ask).await?.json().ok_or_else(|| not_json(&ask.path))
    }

    /// One exchange, signed in. A token that is refused is renewed once. Limits are noted for the whole installation.
    pub(crate) async fn exchange(
        &self,
        caller: Caller,
        ask: &Ask<'_>,
        deadline: Instant,
    ) -> Result<Answer, Trouble> {
        let Caller::Installation(installation) = caller else {
            let jwt = self.jwt().map_err(Trouble::SignIn)?;
            return self.within_limits(None, ask, &jwt, deadline).await;
        };
        let token = self.token(installation, None, deadline).await?;
        let answer = self.within_limits(Some(installation), ask, &token.secret, deadline).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let token = self.token(installation, Some(token.number), deadline).await?;
        self.within_limits(Some(installation), ask, &token.secret, deadline).await
    }

    /// One exchange when no limit holds and a place is free; a limit that it meets holds for all that follow.
    async fn within_limits(
        &self,
        installation: Option<InstallationId>,
        ask: &Ask<'_>,
        credential: &SecretString,
        deadline: Instant,
    ) -> Result<Answer, Trouble> {
        let lane = self.budgets.lane(installation);
        if let Some(wait) = lane.blocked() {
            return Err(Trouble::Limited(wait));
        }
        let _place = timeout_at(deadline, lane.enter())
            .await
            .map_err(|_| Trouble::Failed(Failure::NotSent("too many calls are in flight".to_owned())))?;
        let answer = self.observed(installation, ask, credential, deadline).await.map_err(Trouble::Failed)?;
        self.note_limits(&lane, &answer)?;
        Ok(answer)
    }

    /// One exchange, as a span and for whoever counts.
    async fn observed(
        &self,
        installation: Option<InstallationId>,
        ask: &Ask<'_>,
        credential: &SecretString,
        deadline: Instant,
    ) -> Result<Answer, Failure> {
        let (route, began) = (observe::route(&ask.path), Instant::now());
        let span = tracing::info_span!(
            "github",
            otel.name = format!("{} {route}", ask.method),
            otel.kind = "client",
            otel.status = Empty,
            http.method = ask.method.as_str(),
            http.route = route,
            http.status = Empty,
        );
        let result = self.http.send(ask, Some(credential), deadline).instrument(span.clone()).await;
        match &result {
            Ok(answer) => span.record("http.status", answer.status),
            Err(_) => span.record("otel.status", "error"),
        };
        if let Some(observer) = &self.observer {
            let answer = result.as_ref().ok();
            observer.ended(&Exchange {
                method: ask.method.as_str().to_owned(),
                route,
                installation,
                status: answer.map(|answer| answer.status),
                took: began.elapsed(),
                limit: answer.and_then(RateLimit::of),
            });
        }
        result
    }

    fn note_limits(&self, lane: &Lane, answer: &Answer) -> Result<(), Trouble> {
        let now = (self.clock)();
        if let Some(told) = RateLimit::of(answer).filter(|told| told.resource == "core") {
            lane.told(told);
        }
        if let Some(limit) = limit::of_answer(answer, now) {
            let wait = lane.block(limit);
            tracing::warn!(http.status = answer.status, wait_s = wait.as_secs(), "GitHub limits our calls");
            return Err(Trouble::Limited(wait));
        }
        if let Some(wait) = limit::exhausted(answer, now) {
            lane.block(limit::Limit::Told(wait));
            tracing::warn!(wait_s = wait.as_secs(), "the last call that GitHub allows for now was made");
        }
        Ok(())
    }

    fn jwt(&self) -> Result<SecretString, CallError> {
        let key = self
            .key
            .as_ref()
            .map_err(|setting| CallError::Unauthorized(format!("`{setting}` is not set")))?;
        key.jwt((self.clock)())
            .ok_or_else(|| CallError::Unauthorized("signing failed: no randomness".to_owned()))
    }

    async fn token(
        &self,
        installation: InstallationId,
        refused: Option<u64>,
        deadline: Instant,
    ) -> Result<Token, Trouble> {
        let get =
            self.tokens.get(installation, refused, (self.clock)(), || self.mint(installation, deadline));
        timeout_at(deadline, Box::pin(get))
            .await
            .unwrap_or_else(|_| Err(CallError::Unavailable("no token in time".to_owned())))
            .map_err(Trouble::SignIn)
    }

    async fn mint(&self, installation: InstallationId, deadline: Instant) -> Result<Minted, CallError> {
        let nothing = json!({});
        let path = format!("/app/installations/{installation}/access_tokens");
        let ask = Ask::write(Method::POST, path, &nothing);
        let jwt = self.jwt()?;
        let answer = self.within_limits(None, &ask, &jwt, deadline).await?;
        match answer.status {
            200..300 => {}
            401 => return Err(unauthorized(Caller::App, &answer)),
            403 | 404 => {
                return Err(CallError::Unauthorized(format!(
                    "installation {installation} gives no token: {}",
                    answer.message()
                )));
            }
            408 | 500.. => {
                return Err(CallError::Unavailable(format!(
                    "asked for a token, it answered {}: {}",
                    answer.status,
                    answer.message()
                )));
            }
            status => return Err(CallError::Refused { status, message: answer.message() }),
        }
        let json = answer.json().unwrap_or_default();
        let (Some(token), Some(expires_at)) =
            (json["token"].as_str(), json["expires_at"].as_str().and_then(|text| text.parse().ok()))
        else {
            return Err(CallError::Unavailable("its answer holds no token".to_owned()));
        };
        Ok(Minted { secret: token.into(), expires_at })
    }
}

/// A success whose body is not what it should be.
pub(crate) fn not_json(path: &str) -> CallError {
    CallError::Unavailable(format!("its answer to `{path}` cannot be read"))
}

fn unauthorized(caller: Caller, answer: &Answer) -> CallError {
    let message = answer.message();
    CallError::Unauthorized(match caller {
        Caller::App => format!(
            "{message}; check `STACKWAVE_GITHUB_APP_ID`, that the private key belongs to it, and this machine's clock"
        ),
        Caller::Installation(installation) => format!("the token of installation {installation}: {message}"),
    })
}
