//! Who is calling, and whether he may.

use super::{
    caller::Caller,
    roles::{Needed, needed},
};
use crate::errors;
use http::HeaderMap;
use secrecy::{ExposeSecret as _, SecretString};
use stackwave_auth::{SecretKind, bearer_token, hash_admin_token, tokens_match};
use stackwave_engine::config::Standing;
use stackwave_runtime::{Core, CredentialUse};
use tonic::Status;

/// Lets calls through whose token is strong enough.
pub(crate) struct Gate {
    core: Core,
    bootstrap: Option<SecretString>,
    uses: CredentialUse,
}

impl Gate {
    pub(crate) fn new(core: Core, bootstrap: Option<SecretString>) -> Self {
        Self { core, bootstrap, uses: CredentialUse::default() }
    }

    /// Whether the token of the configuration is there.
    pub(crate) const fn has_bootstrap(&self) -> bool {
        self.bootstrap.is_some()
    }

    /// The caller of a path; none for what anybody may call.
    pub(super) fn admit(&self, path: &str, headers: &HeaderMap) -> Result<Option<Caller>, Status> {
        let needed = needed(path);
        if needed == Needed::Nothing {
            return Ok(None);
        }
        let caller = self.authenticate(headers)?;
        let method = path.trim_start_matches('/');
        match needed {
            Needed::Role(role) if caller.role < role => {
                Err(errors::too_weak(method, role.as_str(), caller.role.as_str()))
            }
            Needed::Unknown => Err(Status::unimplemented(format!("there is no method `{method}`"))),
            Needed::Nothing | Needed::Role(_) => {
                if let Some(id) = &caller.credential {
                    self.uses.tell(&self.core, crate::ACTOR, id);
                }
                Ok(Some(caller))
            }
        }
    }

    fn authenticate(&self, headers: &HeaderMap) -> Result<Caller, Status> {
        let given = bearer_token(headers.get("authorization").map(http::HeaderValue::as_bytes));
        let known = self.bootstrap.is_some()
            || self.core.config.read(|config| config.admin_tokens().next().is_some());
        if !known {
            return Err(errors::unauthenticated(
                "NO_TOKEN_CONFIGURED",
                "this server has no admin token, so nobody may ask: set STACKWAVE_ADMIN_TOKEN or \
                 STACKWAVE_ADMIN_TOKEN_FILE where it runs",
            ));
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
            return Err(unknown(&given));
        };
        match token.credential.standing(self.core.clock.now()) {
            Standing::Valid => Ok(Caller::of(&token)),
            Standing::Expired(_) => Err(expired()),
            Standing::Revoked(_) => Err(revoked()),
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
