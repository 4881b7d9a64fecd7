//! A caller's own code in the middle of a request.

use std::{
    pin::Pin,
    sync::{Arc, PoisonError, RwLock},
};

use crate::faults::Failure;

/// Where in the life of a dispatch request a hook is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DispatchPhase {
    /// The whole request has arrived and nothing has been done.
    BeforeAccept,
    /// The run exists; none of its webhooks has left.
    AfterAccept,
    /// The answer is about to be written. Its webhooks have left if they go first, else they follow the answer.
    BeforeAnswer,
}

/// What a hook wants to happen next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Then {
    /// What would happen anyway.
    #[default]
    Proceed,
    /// The request fails like this. Before the acceptance, no run is made.
    Fail(Failure),
}

impl From<()> for Then {
    fn from((): ()) -> Self {
        Self::Proceed
    }
}

type Answer = Pin<Box<dyn Future<Output = Then> + Send>>;
type Callback<S, P> = Arc<dyn Fn(S, P) -> Answer + Send + Sync>;

/// A place for a hook that is told of a subject in a phase.
pub(crate) struct Hook<S, P>(RwLock<Option<Callback<S, P>>>);

impl<S, P> Default for Hook<S, P> {
    fn default() -> Self {
        Self(RwLock::new(None))
    }
}

impl<S, P> Hook<S, P> {
    pub(crate) fn set<F, R>(&self, hook: F)
    where
        F: Fn(S, P) -> R + Send + Sync + 'static,
        R: Future<Output: Into<Then>> + Send + 'static,
    {
        self.put(Some(Arc::new(move |subject, phase| {
            let answer = hook(subject, phase);
            Box::pin(async move { answer.await.into() })
        })));
    }

    pub(crate) fn remove(&self) {
        self.put(None);
    }

    /// Asks the hook, if there is one. `subject` is then looked up, outside of any lock.
    pub(crate) async fn ask(&self, phase: P, subject: impl FnOnce() -> Option<S>) -> Option<Failure> {
        let hook = self.0.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        match hook(subject()?, phase).await {
            Then::Proceed => None,
            Then::Fail(failure) => Some(failure),
        }
    }

    fn put(&self, hook: Option<Callback<S, P>>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = hook;
    }
}
