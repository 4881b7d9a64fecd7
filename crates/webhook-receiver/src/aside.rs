//! Raw bodies, kept aside for people (`STACKWAVE_RAW_WEBHOOKS`): best effort, never in the way of an answer.

use bytes::Bytes;
use stackwave_domain::DeliveryId;
use stackwave_event_log::{Aside, MAX_ASIDE_BYTES};
use stackwave_runtime::Core;
use std::time::Duration;
use tokio::sync::mpsc;

/// The kind under which they are kept.
pub const KIND: &str = "webhook";

/// Bodies that wait to be kept; more are left out.
const WAITING: usize = 256;

/// Keeps bodies, one after the other. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Keeper(mpsc::Sender<Aside>);

impl Keeper {
    /// Starts to keep, each for so long.
    pub(crate) fn start(core: &Core, ttl: Duration) -> Self {
        let (sender, mut waiting) = mpsc::channel::<Aside>(WAITING);
        let (log, shutdown) = (core.log.clone(), core.shutdown.clone());
        tokio::spawn(async move {
            loop {
                let aside = tokio::select! {
                    () = shutdown.cancelled() => return,
                    aside = waiting.recv() => aside,
                };
                let Some(aside) = aside else { return };
                let delivery = aside.id.clone();
                if let Err(error) = log.asides().put(aside, ttl).await {
                    tracing::debug!(%error, delivery.id = delivery, "a raw body was not kept");
                }
            }
        });
        Self(sender)
    }

    /// Keeps a body whose signature was right.
    pub(crate) fn keep(&self, core: &Core, delivery: &DeliveryId, event: &str, outcome: &str, body: &Bytes) {
        if body.len() > MAX_ASIDE_BYTES {
            tracing::debug!(delivery.id = %delivery, bytes = body.len(), "a raw body is too large to be kept");
            return;
        }
        let aside = Aside {
            kind: KIND.to_owned(),
            id: delivery.to_string(),
            at: core.clock.now(),
            note: format!("{event} {outcome}"),
            bytes: body.clone(),
        };
        // Whoever waits for the log's disk already has the newer ones.
        if self.0.try_send(aside).is_err() {
            tracing::debug!(delivery.id = %delivery, "too many raw bodies wait; this one is left out");
        }
    }
}
