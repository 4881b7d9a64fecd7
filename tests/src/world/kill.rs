//! Ending processes at exactly the wrong moment.

use super::{PATIENCE, World};
use stackwave_github_sim::{DispatchPhase, Then};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::oneshot;

/// A process that is going to be killed.
#[derive(Debug)]
pub struct Killed(oneshot::Receiver<()>);

impl Killed {
    /// Waits until it is dead.
    ///
    /// # Panics
    /// Its moment does not come.
    pub async fn happened(self) {
        let dead = tokio::time::timeout(PATIENCE, self.0).await;
        assert!(matches!(dead, Ok(Ok(()))), "the moment of the kill did not come");
    }
}

impl World {
    /// Kills the process with this role while GitHub works at a dispatch request: the `nth` (from 1, counted from here
    /// on) that comes to this phase. The request waits until the process is dead; then it goes on as `then` says.
    pub fn kill_in_dispatch(&self, role: &'static str, nth: u64, phase: DispatchPhase, then: Then) -> Killed {
        let (dead, killed) = oneshot::channel();
        let dead = Arc::new(Mutex::new(Some(dead)));
        let count = Arc::new(AtomicU64::new(0));
        // The simulated GitHub keeps the hook, and the world keeps GitHub: it must not keep the world.
        let world = Arc::downgrade(&self.inner);
        self.github.on_dispatch(move |_, now_in| {
            let is_it = now_in == phase && count.fetch_add(1, Ordering::Relaxed) + 1 == nth;
            let (world, dead, then) = (world.clone(), Arc::clone(&dead), then.clone());
            async move {
                let Some(world) = world.upgrade().filter(|_| is_it) else { return Then::Proceed };
                world.servers.kill(role).await;
                let told = dead.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(told) = told {
                    // The scenario may have ended for another reason.
                    let _ = told.send(());
                }
                then
            }
        });
        Killed(killed)
    }
}
