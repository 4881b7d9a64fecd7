//! Who is calling, and whether he may.

use super::{
    caller::Caller,
    guesses::Guesses,
    roles::{Needed, needed},
};
use crate::errors;
use http::HeaderMap;
use secrecy::{ExposeSecret as _, SecretString};
use stackwave_auth::{SecretKind, bearer_token, hash_admin_token, tokens_match};
use stackwave_engine::config::Standing;
use stackwave_runtime::{Core, CredentialUse};
use std::{net::IpAddr, time::Duration};
use tonic::Status;

/// Lets calls through whose token is strong enough.
pub(crate) struct Gate {
    core: Core,
    bootstrap: Option<SecretString>,
    uses: CredentialUse,
    guesses: Guesses,
}

/// A call that goes no further.
pub(super) struct Refused {
    pub(super) status: Status,
    /// How long the answer is held back.
    pub(super) held: Duration,
}

impl From<Status> for Refused {
    fn from(status: Status) -> Self {
        Self { status, held: Duration::ZERO }
    }
}

impl Gate {
    pub(crate) fn new(core: Core, bootstrap: Option<SecretString>) -> Self {
        Self { core, bootstrap, uses: CredentialUse::default(), guesses: Guesses::default() }
    }

    /// Whether the token of the configuration is there.
    pub(crate) const fn has_bootstrap(&self) -> bool {
        self.bootstrap.is_some()
    }

    /// The caller of a path; none for what anybody may call.
    pub(super) fn admit(
        &self,
        path: &str,
        headers: &HeaderMap,
        peer: Option<IpAddr>,
    ) -> Result<Option<Caller>, Refused> {
        let needed = needed(path);
        if needed == Needed::Nothing {
            return Ok(None);
        }
        let caller = self.authenticate(headers, peer)?;
        let method = path.trim_start_matches('/');
        match needed {
            Needed::Role(role) if caller.role < role => {
                Err(errors::too_weak(method, role.as_str(), caller.role.as_str()).into())
            }
            Needed::Unknown => Err(Status::unimplemented(format!("there is no method `{method}`")).into()),
            Needed::Nothing | Needed::Role(_) => {
                if let Some(id) = &caller.credential {
                    self.uses.tell(&self.core, crate::ACTOR, id);
                }
                Ok(Some(caller))
            }
        }
    }

    fn authenticate(&self, headers: &HeaderMap, peer: Option<IpAddr>) -> Result<Caller, Refused> {
        let given = bearer_token(headers.get("authorization").map(http::HeaderValue::as_bytes));
        let known = self.bootstrap.is_some()
            || self.core.config.read(|config| config.admin_tokens().next().is_some());
        if !known {
            return Err(errors::unauthenticated(
                "NO_TOKEN_CONFIGURED",
                "this server has no admin token, so nobody may ask: set STACKWAVE_ADMIN_TOKEN or \
                 STACKWAVE_ADMIN_TOKEN_FILE where it runs",
            )
            .into());
        }
        let given = given.map_err(|error| match error {
            stackwave_auth::BearerError::Missing => errors::unauthenticated(
                "TOKEN_MISSING",
                "the call carries no token: send `authorization: Bearer <token>` as metadata",
            ),
            _ => errors::unauthenticated(
                "TOKEN_MALFORMED",
                "the call's `authorization` is malformed: send `authorization: Bearer <token>` as metadata",
            ),
        })?;
        if self.bootstrap.as_ref().is_some_and(|expected| tokens_match(expected, &given)) {
            return Ok(Caller::bootstrap());
        }
        let hash = hash_admin_token(&given);
        let Some(token) = self.core.config.read(|config| config.admin_token(&hash).cloned()) else {
            let held = self.guesses.count(peer, tokio::time::Instant::now());
            return Err(Refused { status: unknown(&given), held });
        };
        match token.credential.standing(self.core.clock.now()) {
            Standing::Valid => Ok(Caller::of(&token)),
            Standing::Expired(_) => Err(expired().into()),
            Standing::Revoked(_) => Err(revoked().into()),
        }
    }
}

fn unknown(given: &SecretString) -> Status {
    if SecretKind::AdminToken.is_mistyped(given.expose_secret()) {
        return errors::unauthenticated(
            "TOKEN_MALFORMED",
            "the token was cut or mistyped; check that it was copied whole",
        );
    }
    errors::unauthenticated("TOKEN_UNKNOWN", "the token is none that this server knows")
}

pub(super) fn revoked() -> Status {
    errors::unauthenticated("TOKEN_REVOKED", "the token was revoked; ask an admin for a new one")
}

pub(super) fn expired() -> Status {
    errors::unauthenticated("TOKEN_EXPIRED", "the token has expired; ask an admin for a new one")
}
