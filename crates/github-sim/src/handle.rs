//! The handle that callers hold, and the shell that carries out what the state asks for.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{net::TcpListener, runtime::Handle, sync::watch, task::JoinHandle};

use crate::{
    config::SimConfig,
    error::{Error, Result},
    faults::Moment,
    hook::{DispatchPhase, Hook},
    keys,
    server::{self, Gate},
    state::{Dispatch, Effect, Request, State},
    urls::Urls,
    webhooks::Sender,
};

/// How long a shutdown waits for requests that are being answered.
const DRAIN_WITHIN: Duration = Duration::from_secs(2);

/// A simulated GitHub. Cheap to clone; all clones are the same GitHub. It ends with [`shutdown`](Self::shutdown) or with
/// the runtime that it was started on.
#[derive(Clone)]
pub struct GitHub {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    state: Mutex<State>,
    pub(crate) version: watch::Sender<u64>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) sender: Sender,
    pub(crate) dispatch_hook: Hook<Dispatch, DispatchPhase>,
    pub(crate) request_hook: Hook<Request, Moment>,
    url: String,
    runtime: Handle,
    server: Mutex<Option<JoinHandle<()>>>,
}

impl GitHub {
    /// Binds 127.0.0.1 and serves on the current tokio runtime.
    ///
    /// # Errors
    /// [`Error::Bind`] when the port cannot be had.
    pub async fn start(config: SimConfig) -> Result<Self> {
        let port = config.port;
        let bind = |source| Error::Bind { port, source };
        let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(bind)?;
        let url = format!("http://{}{}", listener.local_addr().map_err(bind)?, config.host.api_prefix());
        let urls = Urls { rest: url.clone(), web: config.web_url.trim_end_matches('/').to_owned() };
        let gate = Arc::new(Gate::default());
        let shared = Shared {
            sender: Sender::new(config.webhooks.connections),
            state: Mutex::new(State::new(config, urls)),
            version: watch::Sender::new(0),
            gate: gate.clone(),
            dispatch_hook: Hook::default(),
            request_hook: Hook::default(),
            url,
            runtime: Handle::current(),
            server: Mutex::new(None),
        };
        let github = Self { shared: Arc::new(shared) };
        let server = tokio::spawn(server::serve(github.clone(), listener, gate));
        *github.shared.server.lock().unwrap_or_else(PoisonError::into_inner) = Some(server);
        Ok(github)
    }

    /// Base URL of the REST API, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// The App's private key, PKCS#1 in PEM as GitHub hands it out. It is the same in every simulation.
    #[must_use]
    pub fn private_key_pem(&self) -> &'static str {
        keys::PRIVATE_KEY_PEM
    }

    /// Closes every connection and stops sending webhooks.
    pub async fn shutdown(&self) {
        self.shared.gate.close();
        // A hook may hold a clone of this handle, and would keep it alive.
        self.remove_hooks();
        let server = self.shared.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut server) = server
            && tokio::time::timeout(DRAIN_WITHIN, &mut server).await.is_err()
        {
            server.abort();
        }
    }

    /// Looks at the state. Do not call the simulation from inside.
    pub fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.lock())
    }

    /// Changes the state and carries out what follows.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let result = change(&mut state);
        let effects = state.take_effects();
        self.perform(&mut state, effects);
        drop(state);
        self.notify();
        result
    }

    /// Changes the state; what follows has to be [released](Self::release).
    pub(crate) fn change_and_hold<T>(&self, change: impl FnOnce(&mut State) -> T) -> (T, Vec<Effect>) {
        let mut state = self.lock();
        let result = change(&mut state);
        let effects = state.take_effects();
        drop(state);
        self.notify();
        (result, effects)
    }

    pub(crate) fn release(&self, effects: Vec<Effect>) {
        if !effects.is_empty() {
            self.perform(&mut self.lock(), effects);
            self.notify();
        }
    }

    pub(crate) fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.shared.runtime.spawn(task)
    }

    /// Effects are carried out under the lock: webhooks enter their lanes in the order in which things happened.
    fn perform(&self, state: &mut State, effects: Vec<Effect>) {
        let mut queue = VecDeque::from(effects);
        while let Some(effect) = queue.pop_front() {
            match effect {
                Effect::Deliver { delivery, lane, after } if after.is_zero() => self.enqueue(delivery, lane),
                Effect::Deliver { delivery, lane, after } => {
                    self.later(after, move |github| github.enqueue(delivery, lane))
                }
                Effect::Step { run, attempt, step, after } if after.is_zero() => {
                    state.step(run, attempt, step);
                    queue.extend(state.take_effects());
                }
                Effect::Step { run, attempt, step, after } => {
                    self.later(after, move |github| github.change(|state| state.step(run, attempt, step)));
                }
                Effect::ReleaseReordered { lane, after } => {
                    self.later(after, move |github| github.change(|state| state.release_reordered(&lane)));
                }
            }
        }
    }

    fn later(&self, after: Duration, act: impl FnOnce(&Self) + Send + 'static) {
        let github = self.clone();
        self.spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(after) => act(&github),
                () = github.shared.gate.closed() => {}
            }
        });
    }

    fn notify(&self) {
        self.shared.version.send_modify(|version| *version += 1);
    }

    /// A panic in a caller's closure leaves the state as it is; others may go on.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for GitHub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GitHub").field("url", &self.shared.url).finish_non_exhaustive()
    }
}
