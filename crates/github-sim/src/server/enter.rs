//! What is checked before any endpoint: agent, version, credentials, limits, permissions.

use super::{answer::ApiError, call::Call};
use crate::{
    config::Host,
    endpoint::{Access, Endpoint},
    keys,
    state::{State, Token},
};

/// Who calls.
#[derive(Clone, Debug)]
pub(crate) enum Caller {
    /// The App itself.
    App,
    /// One of its installations.
    Installation(Token),
}

impl Caller {
    pub(crate) fn installation(&self) -> Option<u64> {
        match self {
            Self::App => None,
            Self::Installation(token) => Some(token.installation),
        }
    }
}

const NO_AGENT: &str = "Request forbidden by administrative rules. Please make sure your request has a User-Agent header (https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required).";

/// Lets a request in, or says why not.
pub(super) fn enter(state: &mut State, call: &Call) -> Result<Caller, ApiError> {
    if call.header("user-agent").is_none_or(str::is_empty) {
        return Err(ApiError::new(403, NO_AGENT));
    }
    check_version(state, call)?;
    match call.target.endpoint.access() {
        Access::App => {
            let secret =
                call.secret().ok_or_else(|| ApiError::new(401, "A JSON web token could not be decoded"))?;
            let now = state.now().as_second();
            keys::verify_jwt(secret, &state.config.app, now)
                .map_err(|message| ApiError::new(401, message))?;
            Ok(Caller::App)
        }
        Access::Installation(permission, level) => {
            let secret = call.secret().ok_or_else(|| ApiError::new(401, "Requires authentication"))?;
            let token =
                state.valid_token(secret).ok_or_else(|| ApiError::new(401, "Bad credentials"))?.clone();
            let installation = token.installation;
            let suspended =
                state.installation(installation).is_some_and(|found| found.suspended_at.is_some());
            if suspended {
                return Err(ApiError::new(403, "This installation has been suspended"));
            }
            if call.target.endpoint != Endpoint::RateLimit
                && limited(state)
                && !state.count_request(installation)
            {
                let message = format!("API rate limit exceeded for installation ID {installation}.");
                return Err(ApiError::new(403, message));
            }
            if !token.grants(permission, level) {
                return Err(ApiError::not_permitted(permission, level));
            }
            Ok(Caller::Installation(token))
        }
    }
}

/// Enterprise Servers come with their rate limits off.
pub(super) fn limited(state: &State) -> bool {
    match state.config.host {
        Host::Dotcom => true,
        Host::OldGhes => false,
    }
}

fn check_version(state: &State, call: &Call) -> Result<(), ApiError> {
    let Some(version) = call.header("x-github-api-version") else { return Ok(()) };
    let known = match state.config.host {
        Host::Dotcom => ["2022-11-28", "2026-03-10"].contains(&version),
        Host::OldGhes => version == "2022-11-28",
    };
    if known {
        return Ok(());
    }
    Err(ApiError::new(400, format!("API Version \"{version}\" is not supported.")))
}
