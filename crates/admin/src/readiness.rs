//! What the process says of itself, as gRPC's health service says it.

use stackwave_admin_proto::v1::{
    commands_server, credentials_server, events_server, inventory_server, runs_server, system_server,
};
use stackwave_runtime::{Core, Health};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use tonic_health::{ServingStatus, server::HealthReporter};

/// How often the process is asked. Load balancers look every few seconds.
const LOOK: Duration = Duration::from_millis(200);

/// Whether the state has ever been whole: before that a run that exists may seem not to.
#[derive(Clone)]
pub(crate) struct Readiness {
    health: Health,
    reached: Arc<AtomicBool>,
}

impl Readiness {
    /// Starts to report; not serving until everything is ready, and again once the process drains.
    pub(crate) async fn follow(core: &Core, reporter: HealthReporter) -> Self {
        let readiness = Self { health: core.health.clone(), reached: Arc::default() };
        readiness.report(&reporter).await;
        tokio::spawn(readiness.clone().run(core.shutdown.clone(), reporter));
        readiness
    }

    /// Whether the log has been read to its end since the process began.
    pub(crate) fn was_reached(&self) -> bool {
        self.reached.load(Ordering::Relaxed) || self.look()
    }

    fn look(&self) -> bool {
        let ready = self.health.is_ready();
        if ready {
            self.reached.store(true, Ordering::Relaxed);
        }
        ready
    }

    async fn run(self, shutdown: CancellationToken, reporter: HealthReporter) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = tokio::time::sleep(LOOK) => self.report(&reporter).await,
            }
        }
        set(&reporter, ServingStatus::NotServing).await;
    }

    async fn report(&self, reporter: &HealthReporter) {
        let status = if self.look() { ServingStatus::Serving } else { ServingStatus::NotServing };
        set(reporter, status).await;
    }
}

/// The process (the empty name, by gRPC's convention) and its services.
const NAMES: [&str; 7] = [
    "",
    runs_server::SERVICE_NAME,
    events_server::SERVICE_NAME,
    commands_server::SERVICE_NAME,
    credentials_server::SERVICE_NAME,
    inventory_server::SERVICE_NAME,
    system_server::SERVICE_NAME,
];

async fn set(reporter: &HealthReporter, status: ServingStatus) {
    for name in NAMES {
        reporter.set_service_status(name, status).await;
    }
}
