//! What API keys and tokens have in common: how they are created, listed and revoked.

use super::reason;
use crate::{
    access::Caller,
    context::Context,
    errors::{self, invalid},
    page::Page,
    time::end_of,
};
use jiff::Timestamp;
use stackwave_auth::{NewSecret, SecretKind};
use stackwave_domain::{CredentialId, Event, Subject};
use stackwave_engine::config::{Credential, Standing};
use stackwave_runtime::registry;
use tonic::Status;

/// What tells one kind of credential from the other.
pub(super) struct Kind {
    /// What its secrets look like.
    pub(super) secret: SecretKind,
    /// The kind of its subjects in the log.
    pub(super) subject: &'static str,
    /// Its name in refusals.
    pub(super) name: &'static str,
    /// The field of a request that holds its id.
    pub(super) field: &'static str,
    /// Whether an event revoked one.
    pub(super) is_revoked: fn(&Event) -> bool,
    /// The event that revokes one.
    pub(super) revoked: fn(CredentialId, String, Timestamp) -> Event,
}

/// When a credential begins and ends.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) at: Timestamp,
    pub(super) expires_at: Option<Timestamp>,
}

impl Span {
    /// From now on, for as long as a request asks.
    pub(super) fn from_now(
        context: &Context,
        valid_for: Option<prost_types::Duration>,
    ) -> Result<Self, Status> {
        let at = context.core.clock.now();
        let expires_at = valid_for.map(|span| end_of("valid_for", at, &span)).transpose()?;
        Ok(Self { at, expires_at })
    }
}

impl Kind {
    fn subject(&self, id: &CredentialId) -> Subject {
        Subject::config(self.subject, id.as_str())
    }

    /// Makes a secret, and writes the event that registers it.
    pub(super) async fn create(
        &self,
        context: &Context,
        caller: &Caller,
        event: impl FnOnce(&NewSecret) -> Event,
    ) -> Result<NewSecret, Status> {
        let new = self.secret.generate().map_err(|error| Status::internal(error.to_string()))?;
        let registering = registry::register(&context.core, &caller.name, self.subject(&new.id), event(&new));
        context.write(registering).await?;
        Ok(new)
    }

    /// Revokes one that is there and not revoked.
    pub(super) async fn revoke(
        &self,
        context: &Context,
        caller: &Caller,
        id: &str,
        why: &str,
    ) -> Result<CredentialId, Status> {
        if id.is_empty() {
            return Err(invalid(self.field, "it is missing"));
        }
        let (id, reason, at) = (CredentialId::new(id), reason(why)?, context.core.clock.now());
        let mut exists = false;
        let revise = registry::revise(&context.core, &caller.name, self.subject(&id), |last| {
            // Asked from the leader: another replica may have created it a moment ago.
            let last = last.and_then(|record| record.events.last());
            exists = last.is_some();
            last.filter(|last| !(self.is_revoked)(last))
                .map(|_| (self.revoked)(id.clone(), reason.clone(), at))
        });
        context.write(revise).await?;
        if !exists {
            return Err(self.not_found(&id));
        }
        Ok(id)
    }

    pub(super) fn not_found(&self, id: &CredentialId) -> Status {
        errors::not_found(self.name, id.as_str())
    }
}

/// Which credentials a page shows.
pub(super) struct Wanted {
    /// Only those before this position.
    pub(super) before: Option<u64>,
    /// Only those that are valid at this moment.
    pub(super) valid_at: Option<Timestamp>,
}

impl Wanted {
    /// What a request's page asks for.
    pub(super) fn of(context: &Context, page: &Page, valid_only: bool) -> Result<Self, Status> {
        let valid_at = valid_only.then(|| context.core.clock.now());
        Ok(Self { before: page.after_number()?, valid_at })
    }

    fn takes(&self, credential: &Credential) -> bool {
        self.before.is_none_or(|before| credential.position.0 < before)
            && self.valid_at.is_none_or(|now| credential.standing(now) == Standing::Valid)
    }

    /// Those that are wanted, newest first, each with its position.
    pub(super) fn newest<'a, T: 'a>(
        &self,
        all: impl Iterator<Item = &'a T>,
        credential: impl Fn(&T) -> &Credential,
    ) -> impl Iterator<Item = (u64, &'a T)> {
        let position = |known: &'a T| (credential(known).position.0, known);
        let mut wanted: Vec<_> = all.filter(|known| self.takes(credential(known))).map(position).collect();
        wanted.sort_by_key(|(position, _)| std::cmp::Reverse(*position));
        wanted.into_iter()
    }
}
