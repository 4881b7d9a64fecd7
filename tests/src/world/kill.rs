//! Ending processes at exactly the wrong moment.

use super::{Inner, PATIENCE, World};
use stackwave_github_sim::{DispatchPhase, Endpoint, Moment, Then};
use std::sync::{
    Arc, Mutex, PoisonError, Weak,
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

    /// Waits until it is dead (true), or until something else ended (false).
    pub async fn happened_or(self, other: impl Future<Output = ()>) -> bool {
        tokio::select! {
            dead = self.0 => dead.is_ok(),
            () = other => false,
        }
    }
}

impl World {
    /// Kills the process with this role while GitHub works at a dispatch request: the `nth` (from 1, counted from here
    /// on) that comes to this phase. The request waits until the process is dead; then it goes on as `then` says.
    pub fn kill_in_dispatch(&self, role: &'static str, nth: u64, phase: DispatchPhase, then: Then) -> Killed {
        let (trap, killed) = self.trap(role, nth, then);
        self.github.on_dispatch(move |_, now_in| trap.clone().spring(now_in == phase));
        killed
    }

    /// Kills the process with this role when GitHub has created a comment and before it says so.
    pub fn kill_in_comment(&self, role: &'static str) -> Killed {
        let (trap, killed) = self.trap(role, 1, Then::Proceed);
        self.github.on_request(move |request, moment| {
            let created = request.endpoint == Endpoint::CreateComment && moment == Moment::AfterAccept;
            trap.clone().spring(created)
        });
        killed
    }

    fn trap(&self, role: &'static str, nth: u64, then: Then) -> (Trap, Killed) {
        let (dead, killed) = oneshot::channel();
        let trap = Trap {
            world: Arc::downgrade(&self.inner),
            role,
            left: Arc::new(AtomicU64::new(nth)),
            dead: Arc::new(Mutex::new(Some(dead))),
            then,
        };
        (trap, Killed(killed))
    }
}

/// Waits in a hook for its moment.
#[derive(Clone)]
struct Trap {
    /// The simulated GitHub keeps the hook, and the world keeps GitHub: it must not keep the world.
    world: Weak<Inner>,
    role: &'static str,
    /// How often the moment has to come.
    left: Arc<AtomicU64>,
    dead: Arc<Mutex<Option<oneshot::Sender<()>>>>,
    then: Then,
}

impl Trap {
    async fn spring(self, is_moment: bool) -> Then {
        let is_it = is_moment && self.left.fetch_sub(1, Ordering::Relaxed) == 1;
        let Some(world) = self.world.upgrade().filter(|_| is_it) else { return Then::Proceed };
        world.servers.kill(self.role).await;
        if let Some(dead) = self.dead.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // The scenario may have ended for another reason.
            let _ = dead.send(());
        }
        self.then
    }
}
