//! The token of a call.

use super::gate::{expired, revoked};
use stackwave_domain::{CredentialId, event::AdminRole};
use stackwave_engine::config::{AdminToken, Standing};
use stackwave_runtime::Core;
use std::time::Duration;
use tonic::{Extensions, Status};

/// The id, name and actor of the token from the configuration.
pub(crate) const BOOTSTRAP: &str = "bootstrap";

/// Who is calling.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// Its token; none for the one from the configuration.
    pub(crate) credential: Option<CredentialId>,
    /// For people, and the actor of what the call appends.
    pub(crate) name: String,
    /// What it may do.
    pub(crate) role: AdminRole,
}

impl Caller {
    pub(super) fn bootstrap() -> Self {
        Self { credential: None, name: BOOTSTRAP.to_owned(), role: AdminRole::Admin }
    }

    pub(super) fn of(token: &AdminToken) -> Self {
        Self {
            credential: Some(token.credential.id.clone()),
            name: token.credential.name.clone(),
            role: token.role,
        }
    }

    /// Of a call that came through the gate.
    ///
    /// # Errors
    /// It did not: a service was added beside the gate.
    pub(crate) fn from(extensions: &Extensions) -> Result<Self, Status> {
        extensions.get::<Self>().cloned().ok_or_else(|| Status::internal("the call was not authenticated"))
    }

    /// Returns when the token is not valid any more, with what to tell the caller: for calls that last.
    pub(crate) async fn ended(&self, core: &Core) -> Status {
        let Some(id) = &self.credential else { return std::future::pending().await };
        let mut changes = core.config.changes();
        loop {
            changes.mark_unchanged();
            let now = core.clock.now();
            let token = core.config.read(|config| config.find_admin_token(id).cloned());
            let Some(token) = token else { return revoked() };
            match token.credential.standing(now) {
                Standing::Valid => {}
                Standing::Expired(_) => return expired(),
                Standing::Revoked(_) => return revoked(),
            }
            let left = token.credential.expires_at.map(|at| at.duration_since(now));
            let left = left.and_then(|left| Duration::try_from(left).ok());
            tokio::select! {
                changed = changes.changed() => {
                    if changed.is_err() {
                        // Nobody folds any more: the process drains.
                        return std::future::pending().await;
                    }
                },
                () = sleep_or_for_ever(left) => {},
            }
        }
    }
}

async fn sleep_or_for_ever(time: Option<Duration>) {
    match time {
        // A little more, so that the clock has passed it.
        Some(time) => tokio::time::sleep(time + Duration::from_millis(1)).await,
        None => std::future::pending().await,
    }
}
