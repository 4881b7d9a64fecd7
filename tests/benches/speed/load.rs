//! Webhooks of other people's workflows, beside what is measured.

use crate::hook::{Hook, Payloads};
use anyhow::Result;
use std::{net::SocketAddr, time::Duration};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

/// How much goes on beside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    Idle,
    Webhooks200,
}

impl Load {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Webhooks200 => "under 200 webhooks/s",
        }
    }
}

/// So many connections share the load, each with its part of it.
const CONNECTIONS: u64 = 10;
const PER_SECOND: u64 = 200;
/// Signed beforehand, so that sending costs little; the same ones come again after that.
const DIFFERENT: u64 = 2_000;

/// Sends until it is dropped.
pub(crate) async fn start(to: SocketAddr, load: Load, payloads: &Payloads) -> Result<JoinSet<Result<()>>> {
    let mut senders = JoinSet::new();
    if load == Load::Idle {
        return Ok(senders);
    }
    for number in 0..CONNECTIONS {
        let mut hook = Hook::connect(to).await?;
        let deliveries: Vec<_> = (0..DIFFERENT / CONNECTIONS)
            .map(|each| payloads.background(each * CONNECTIONS + number))
            .collect();
        senders.spawn(async move {
            tokio::time::sleep(Duration::from_millis(1000 * number / PER_SECOND)).await;
            let mut ticks = interval(Duration::from_millis(1000 * CONNECTIONS / PER_SECOND));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            for delivery in deliveries.iter().cycle() {
                ticks.tick().await;
                hook.send(delivery).await?;
            }
            Ok(())
        });
    }
    Ok(senders)
}
