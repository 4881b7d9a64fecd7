//! A caller's own code in the middle of a dispatch.

use std::{pin::Pin, sync::Arc};

use crate::{faults::Failure, state::Dispatch};

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

/// See [`on_dispatch`](crate::GitHub::on_dispatch).
#[derive(Clone)]
pub(crate) struct DispatchHook(Arc<dyn Fn(Dispatch, DispatchPhase) -> Answer + Send + Sync>);

impl DispatchHook {
    pub(crate) fn new<F, R>(hook: F) -> Self
    where
        F: Fn(Dispatch, DispatchPhase) -> R + Send + Sync + 'static,
        R: Future<Output: Into<Then>> + Send + 'static,
    {
        Self(Arc::new(move |dispatch, phase| {
            let answer = hook(dispatch, phase);
            Box::pin(async move { answer.await.into() })
        }))
    }

    pub(crate) async fn call(&self, dispatch: Dispatch, phase: DispatchPhase) -> Then {
        (self.0)(dispatch, phase).await
    }
}
