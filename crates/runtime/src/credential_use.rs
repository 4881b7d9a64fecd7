//! Tells the log that credentials are used, so that people see which ones nobody needs any more.
//!
//! Best effort: it delays nobody, and what cannot be written is forgotten.

use crate::core::Core;
use jiff::SignedDuration;
use stackwave_domain::{CredentialId, Subject, Timestamp, event::CredentialUsed};
use stackwave_engine::Config;
use stackwave_event_log::Append;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// How much later a use has to be than the last one that was told.
const EVERY: SignedDuration = SignedDuration::from_mins(5);

/// What this process told. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct CredentialUse {
    told: Arc<Mutex<BTreeMap<CredentialId, Timestamp>>>,
}

impl CredentialUse {
    /// A credential was used now. Writes it in the background, at the first use and then every five minutes at most,
    /// over all processes.
    pub fn tell(&self, core: &Core, actor: &'static str, credential: &CredentialId) {
        let now = core.clock.now();
        let in_log = core.config.read(|config| last_used(config, credential));
        {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            let last = told.get(credential).copied().max(in_log);
            if last.is_some_and(|last| now.duration_since(last) < EVERY) {
                return;
            }
            told.insert(credential.clone(), now);
        }
        let (core, credential) = (core.clone(), credential.clone());
        tokio::spawn(async move {
            let used = CredentialUsed { credential, at: now };
            let record = core.record(actor, vec![used.into()]);
            if let Err(error) = core.log.append(Append::any(Subject::config_credential(), record)).await {
                tracing::debug!(%error, "the use of a credential was not written");
            }
        });
    }
}

fn last_used(config: &Config, id: &CredentialId) -> Option<Timestamp> {
    let key = config.find_api_key(id).map(|key| &key.credential);
    let credential = key.or_else(|| config.find_admin_token(id).map(|token| &token.credential));
    credential?.last_used_at
}
