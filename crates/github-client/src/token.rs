//! Installation tokens: minted once for all who wait, kept for most of their hour, renewed when GitHub takes one no more.
//!
//! Source: GitHub Docs "Generating an installation access token for a GitHub App". The format of a token is opaque.

use secrecy::SecretString;
use stackwave_domain::{InstallationId, Timestamp};
use stackwave_github::port::CallError;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// A token is renewed this long before it ends, so that none ends while it is under way.
const RENEW_BEFORE: Duration = Duration::from_secs(5 * 60);

/// While renewal fails, an old token is used up to this long before its end.
const LAST_USE_BEFORE: Duration = Duration::from_secs(15);

/// Those who waited for a sign-in that failed share the failure; they do not try one after another.
const FAILURE_SHARED: Duration = Duration::from_secs(1);

/// A token, and which one it is: a caller whose token was refused names it.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) secret: SecretString,
    pub(crate) number: u64,
    pub(crate) expires_at: Timestamp,
}

/// A token as GitHub minted it.
pub(crate) struct Minted {
    pub(crate) secret: SecretString,
    pub(crate) expires_at: Timestamp,
}

#[derive(Debug, Default)]
pub(crate) struct Tokens {
    slots: Mutex<BTreeMap<InstallationId, Arc<tokio::sync::Mutex<Slot>>>>,
}

#[derive(Debug, Default)]
struct Slot {
    token: Option<Token>,
    minted: u64,
    failure: Option<(Instant, CallError)>,
}

impl Tokens {
    /// The installation's token: the one that is kept, unless it is `refused` or near its end; else a new one of `mint`.
    pub(crate) async fn get<F>(
        &self,
        installation: InstallationId,
        refused: Option<u64>,
        now: Timestamp,
        mint: impl FnOnce() -> F + Send,
    ) -> Result<Token, CallError>
    where
        F: Future<Output = Result<Minted, CallError>> + Send,
    {
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(slots.entry(installation).or_default())
        };
        let mut slot = slot.lock().await;
        let usable = |token: &&Token, margin: Duration| {
            refused != Some(token.number)
                && token.expires_at.duration_since(now).unsigned_abs() > margin
                && token.expires_at > now
        };
        if let Some(token) = slot.token.as_ref().filter(|token| usable(token, RENEW_BEFORE)) {
            return Ok(token.clone());
        }
        if let Some((_, failure)) = slot.failure.as_ref().filter(|(at, _)| at.elapsed() < FAILURE_SHARED) {
            return Err(failure.clone());
        }
        match mint().await {
            Ok(minted) => {
                slot.minted += 1;
                slot.failure = None;
                let token =
                    Token { secret: minted.secret, number: slot.minted, expires_at: minted.expires_at };
                slot.token = Some(token.clone());
                Ok(token)
            }
            Err(error) => {
                if let Some(token) = slot.token.as_ref().filter(|token| usable(token, LAST_USE_BEFORE)) {
                    return Ok(token.clone());
                }
                slot.failure = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }
}
