//! A caller's own code in the middle of requests.

use crate::{
    faults::Moment,
    handle::GitHub,
    hook::{DispatchPhase, Then},
    state::{Dispatch, Request},
};

/// While a hook works, the request waits: a test can end a process at exactly that moment. GitHub goes on with a
/// request whose sender is gone. A hook may also let the request fail, by returning [`Then::Fail`].
impl GitHub {
    /// Calls the hook in every dispatch, in the [phases](DispatchPhase) of its life.
    pub fn on_dispatch<F, R>(&self, hook: F)
    where
        F: Fn(Dispatch, DispatchPhase) -> R + Send + Sync + 'static,
        R: Future<Output: Into<Then>> + Send + 'static,
    {
        self.shared.dispatch_hook.set(hook);
    }

    /// Calls the hook in every request: before anything is done, and when what it asks for is done and not answered
    /// yet (not at all, if GitHub refuses it).
    pub fn on_request<F, R>(&self, hook: F)
    where
        F: Fn(Request, Moment) -> R + Send + Sync + 'static,
        R: Future<Output: Into<Then>> + Send + 'static,
    {
        self.shared.request_hook.set(hook);
    }

    /// Calls no hook any more.
    pub fn remove_hooks(&self) {
        self.shared.dispatch_hook.remove();
        self.shared.request_hook.remove();
    }
}
