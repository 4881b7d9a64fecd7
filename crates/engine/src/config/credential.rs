//! Who may upload and who may ask: API keys and tokens of the admin API, known by their hashes.

use serde::{Deserialize, Serialize};
use stackwave_domain::{
    CredentialId, Digest, Position, Record, Timestamp, WorkspaceId,
    event::{AdminRole, AdminTokenRegistered, ApiKeyRegistered},
};
use std::collections::BTreeMap;

/// Whether a credential opens anything at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    Valid,
    /// It did until then.
    Expired(Timestamp),
    /// Somebody revoked it then.
    Revoked(Timestamp),
}

/// That a credential was revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub by: String,
    /// Why, for people; may be empty.
    pub reason: String,
}

/// What API keys and tokens have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Its name in the log.
    pub id: CredentialId,
    /// For people.
    pub name: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// Who created it.
    pub created_by: String,
    /// The record that created it.
    pub position: Position,
    /// From when on it is not valid; none when it does not end by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to within some minutes; none when it never was.
    pub last_used_at: Option<Timestamp>,
    /// That it was revoked.
    pub revoked: Option<Revoked>,
}

impl Credential {
    /// Whether it is valid at a moment.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> Standing {
        match (&self.revoked, self.expires_at) {
            (Some(revoked), _) => Standing::Revoked(revoked.at),
            (None, Some(at)) if at <= now => Standing::Expired(at),
            (None, _) => Standing::Valid,
        }
    }

    fn revoke(&mut self, revoked: Revoked) {
        // What is revoked stays so, as it was first.
        self.revoked.get_or_insert(revoked);
    }
}

/// An API key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// What it has in common with a token.
    pub credential: Credential,
    /// What it opens.
    pub workspace: WorkspaceId,
}

/// A token of the admin API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminToken {
    /// What it has in common with an API key.
    pub credential: Credential,
    /// What it may do.
    pub role: AdminRole,
}

/// All of one kind, found by their hash or their id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known<T> {
    by_id: BTreeMap<CredentialId, T>,
    by_hash: BTreeMap<Digest, CredentialId>,
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self { by_id: BTreeMap::new(), by_hash: BTreeMap::new() }
    }
}

impl<T> Known<T> {
    pub(super) fn by_hash(&self, hash: &Digest) -> Option<&T> {
        self.by_id.get(self.by_hash.get(hash)?)
    }

    pub(super) fn by_id(&self, id: &CredentialId) -> Option<&T> {
        self.by_id.get(id)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &T> {
        self.by_id.values()
    }

    /// A secret is registered once: what is known of it, a revocation above all, stays.
    fn register(&mut self, hash: &Digest, id: &CredentialId, make: impl FnOnce() -> T) {
        if !self.by_hash.contains_key(hash) && !self.by_id.contains_key(id) {
            self.by_hash.insert(hash.clone(), id.clone());
            self.by_id.insert(id.clone(), make());
        }
    }
}

/// Every credential.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Credentials {
    pub(super) keys: Known<ApiKey>,
    pub(super) tokens: Known<AdminToken>,
}

impl Credentials {
    pub(super) fn register_key(&mut self, position: Position, record: &Record, key: &ApiKeyRegistered) {
        let credential = || Credential {
            id: key.credential.clone(),
            name: key.name.clone(),
            created_at: key.at,
            created_by: record.actor.clone(),
            position,
            expires_at: key.expires_at,
            last_used_at: None,
            revoked: None,
        };
        let make = || ApiKey { credential: credential(), workspace: key.workspace.clone() };
        self.keys.register(&key.hash, &key.credential, make);
    }

    pub(super) fn register_token(
        &mut self,
        position: Position,
        record: &Record,
        token: &AdminTokenRegistered,
    ) {
        let credential = || Credential {
            id: token.credential.clone(),
            name: token.name.clone(),
            created_at: token.at,
            created_by: record.actor.clone(),
            position,
            expires_at: token.expires_at,
            last_used_at: None,
            revoked: None,
        };
        let make = || AdminToken { credential: credential(), role: token.role };
        self.tokens.register(&token.hash, &token.credential, make);
    }

    pub(super) fn revoke_key(&mut self, id: &CredentialId, revoked: Revoked) {
        if let Some(key) = self.keys.by_id.get_mut(id) {
            key.credential.revoke(revoked);
        }
    }

    pub(super) fn revoke_token(&mut self, id: &CredentialId, revoked: Revoked) {
        if let Some(token) = self.tokens.by_id.get_mut(id) {
            token.credential.revoke(revoked);
        }
    }

    pub(super) fn used(&mut self, id: &CredentialId, at: Timestamp) {
        let key = self.keys.by_id.get_mut(id).map(|key| &mut key.credential);
        let used = key.or_else(|| self.tokens.by_id.get_mut(id).map(|token| &mut token.credential));
        if let Some(credential) = used {
            credential.last_used_at = credential.last_used_at.max(Some(at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;
    use stackwave_domain::{
        Entry, Event, RecordId, Subject,
        event::{AdminTokenRevoked, ApiKeyRevoked, CredentialUsed},
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// A configuration that folded these events, each written by `actor` and its number.
    fn folded(events: Vec<Event>) -> Config {
        let mut config = Config::default();
        for (index, event) in (1..).zip(events) {
            let id = RecordId::new(format!("r{index}"));
            let record = Record::new(id, at(index), format!("actor-{index}"), vec![event]);
            let position = Position(u64::try_from(index).unwrap());
            config.apply(&Entry { position, subject: Subject::config_credential(), record });
        }
        config
    }

    fn key(id: &str, secret: &str, expires_at: Option<Timestamp>) -> Event {
        ApiKeyRegistered {
            credential: id.into(),
            workspace: WorkspaceId::default_workspace(),
            name: id.to_owned(),
            hash: Digest::of(secret.as_bytes()),
            at: at(0),
            expires_at,
        }
        .into()
    }

    fn revoked(id: &str, second: i64) -> Event {
        ApiKeyRevoked { credential: id.into(), reason: "leaked".to_owned(), at: at(second) }.into()
    }

    #[test]
    fn a_key_is_valid_until_its_end_and_not_at_it() {
        let config = folded(vec![key("k", "s", Some(at(10)))]);
        let known = &config.find_api_key(&"k".into()).unwrap().credential;
        assert_eq!(known.standing(at(9)), Standing::Valid);
        assert_eq!(known.standing(at(10)), Standing::Expired(at(10)));
        assert_eq!((known.created_by.as_str(), known.position), ("actor-1", Position(1)));
    }

    #[test]
    fn what_is_revoked_stays_so_as_it_was_first_also_when_it_is_registered_again() {
        let config = folded(vec![
            key("k", "s", None),
            revoked("k", 5),
            revoked("k", 6),
            key("k", "s", None),
            // The same secret under another name.
            key("k2", "s", None),
        ]);
        let known = &config.api_key(&Digest::of(b"s")).unwrap().credential;
        assert_eq!(known.standing(at(9)), Standing::Revoked(at(5)));
        assert_eq!(known.revoked.as_ref().unwrap().by, "actor-2");
        assert!(config.find_api_key(&"k2".into()).is_none());
    }

    #[test]
    fn uses_only_go_forward_and_what_nobody_registered_is_passed_over() {
        let used = |id: &str, second: i64| -> Event {
            CredentialUsed { credential: id.into(), at: at(second) }.into()
        };
        let token = AdminTokenRegistered {
            credential: "t".into(),
            name: "alice".to_owned(),
            role: AdminRole::Viewer,
            hash: Digest::of(b"t"),
            at: at(0),
            expires_at: None,
        };
        let gone = AdminTokenRevoked { credential: "none".into(), reason: String::new(), at: at(1) };
        let config = folded(vec![
            token.into(),
            used("t", 8),
            used("t", 7),
            used("none", 9),
            gone.into(),
            revoked("none", 9),
        ]);
        let known = config.admin_token(&Digest::of(b"t")).unwrap();
        assert_eq!((known.credential.last_used_at, known.role), (Some(at(8)), AdminRole::Viewer));
        assert_eq!(known.credential.standing(at(9)), Standing::Valid);
        assert_eq!((config.api_keys().count(), config.admin_tokens().count()), (0, 1));
    }
}
