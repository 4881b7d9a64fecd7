//! Whether the simulation can be reached.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

/// Shared by the listener and all connections.
#[derive(Debug)]
pub(crate) struct Gate {
    reachable: AtomicBool,
    closed: watch::Sender<bool>,
}

impl Default for Gate {
    fn default() -> Self {
        Self { reachable: AtomicBool::new(true), closed: watch::Sender::new(false) }
    }
}

impl Gate {
    pub(crate) fn set_reachable(&self, reachable: bool) {
        self.reachable.store(reachable, Ordering::SeqCst);
    }

    pub(crate) fn is_reachable(&self) -> bool {
        self.reachable.load(Ordering::SeqCst) && !self.is_closed()
    }

    pub(crate) fn close(&self) {
        self.closed.send_replace(true);
    }

    pub(crate) fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    pub(crate) async fn closed(&self) {
        // An error means that the sender is gone, which `self` holds.
        let _ = self.closed.subscribe().wait_for(|closed| *closed).await;
    }
}
