//! What the routes share.

use crate::{ACTOR, batches::RecentBatches, config::Config, envelope, error::Error, upload::upload};
use axum::{
    Router,
    extract::{OriginalUri, Request},
    http::HeaderMap,
    middleware,
    routing::{any, post},
};
use secrecy::{ExposeSecret as _, SecretString};
use stackwave_auth::SecretKind;
use stackwave_engine::config::{ApiKey, Standing};
use stackwave_github::port::Repositories;
use stackwave_runtime::{Core, CredentialUse};
use std::sync::{Arc, Mutex};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The unit in which memory is counted, so that its permits fit into a `u32`.
const MEMORY_UNIT: usize = 1024;

pub(crate) struct Api {
    pub(crate) core: Core,
    pub(crate) config: Config,
    /// None when no GitHub App is configured: then nothing can be looked up.
    pub(crate) repositories: Option<Arc<dyn Repositories>>,
    pub(crate) batches: Mutex<RecentBatches>,
    /// Reading is work for a processor, so more readers than processors only cost memory.
    pub(crate) readers: Arc<Semaphore>,
    memory: Arc<Semaphore>,
    uses: CredentialUse,
}

impl Api {
    pub(crate) fn new(core: Core, config: Config, repositories: Option<Arc<dyn Repositories>>) -> Self {
        let readers = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            core,
            config,
            repositories,
            batches: Mutex::default(),
            readers: Arc::new(Semaphore::new(readers)),
            memory: Arc::new(Semaphore::new(config.memory.div_ceil(MEMORY_UNIT))),
            uses: CredentialUse::default(),
        }
    }

    /// Who is calling.
    pub(crate) fn authenticate(&self, headers: &HeaderMap) -> Result<ApiKey, Error> {
        let header = headers.get(axum::http::header::AUTHORIZATION);
        let key: SecretString = stackwave_auth::bearer_token(header.map(|value| value.as_bytes()))?;
        let hash = stackwave_auth::hash_api_key(&key);
        let Some(known) = self.core.config.read(|config| config.api_key(&hash).cloned()) else {
            return Err(match SecretKind::ApiKey.is_mistyped(key.expose_secret()) {
                true => Error::MistypedKey,
                false => Error::UnknownKey,
            });
        };
        let ApiKey { credential, .. } = &known;
        match credential.standing(self.core.clock.now()) {
            Standing::Valid => {}
            Standing::Expired(at) => return Err(Error::ExpiredKey { name: credential.name.clone(), at }),
            Standing::Revoked(at) => return Err(Error::RevokedKey { name: credential.name.clone(), at }),
        }
        self.uses.tell(&self.core, ACTOR, &credential.id);
        Ok(known)
    }

    /// A request's share of the memory for bodies; given back when the permit is dropped.
    pub(crate) async fn reserve(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Error> {
        let units = bytes.min(self.config.memory).div_ceil(MEMORY_UNIT);
        let permits = u32::try_from(units).unwrap_or(u32::MAX);
        let waiting = Arc::clone(&self.memory).acquire_many_owned(permits);
        let permit =
            tokio::time::timeout(self.config.memory_patience, waiting).await.map_err(|_| Error::Busy)?;
        permit.map_err(|_| Error::Busy)
    }
}

/// The routes under `/api/v1`, to be merged with those of other roles. Wrap the merged router in
/// [`normalize_slashes`](crate::normalize_slashes).
pub fn router(core: Core, config: Config, repositories: Option<Arc<dyn Repositories>>) -> Router {
    let api = Arc::new(Api::new(core, config, repositories));
    Router::new()
        .route("/api/v1/affected-stacks", post(upload).fallback(wrong_method))
        .route("/api/v1", any(unknown_path))
        .route("/api/v1/", any(unknown_path))
        .route("/api/v1/{*path}", any(unknown_path))
        .layer(middleware::from_fn_with_state(Arc::clone(&api), envelope::wrap))
        .with_state(api)
}

async fn unknown_path(OriginalUri(uri): OriginalUri) -> Error {
    Error::UnknownPath { path: uri.path().chars().take(200).collect() }
}

async fn wrong_method(request: Request) -> Error {
    Error::Method { method: request.method().as_str().chars().take(20).collect() }
}
