//! The log of webhooks.

use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use super::{RepositoryId, State};
use crate::error::{Error, Result};

/// A webhook: one row of GitHub's list of deliveries. A repeat or redelivery is a row of its own with the same GUID.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Counts the rows from 0.
    pub id: u64,
    /// Names the event: the same for all its deliveries.
    pub guid: String,
    /// `X-GitHub-Event`.
    pub event: &'static str,
    /// `action` of the payload.
    pub action: Option<&'static str>,
    /// Repository of the payload.
    pub repository_id: Option<RepositoryId>,
    /// What it is about, in words that do not depend on the order of arrival.
    pub subject: String,
    /// The JSON payload; empty for old deliveries (see [`crate::WebhookConfig::payloads_kept`]).
    pub payload: Bytes,
    /// What the faults made of it.
    pub fate: Fate,
    /// Whether it repeats an earlier row.
    pub redelivery: bool,
    /// When the event happened.
    pub at: Timestamp,
    /// When the last byte was handed to the connection.
    pub sent: Option<Instant>,
    /// When the answer was there.
    pub answered: Option<Instant>,
    /// Status of the answer, or why there is none.
    pub answer: Option<Result<u16, String>>,
    pub(crate) settled: bool,
}

impl Delivery {
    /// `event` or `event.action`, as documentation writes it.
    #[must_use]
    pub fn kind(&self) -> String {
        self.action.map_or_else(|| self.event.to_owned(), |action| format!("{}.{action}", self.event))
    }

    /// The payload, parsed; `null` when it is not kept any more.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).unwrap_or_default()
    }

    /// Whether nothing more will happen to it.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.settled
    }

    /// Whether the receiver answered with a 2xx.
    #[must_use]
    pub fn was_taken(&self) -> bool {
        matches!(self.answer, Some(Ok(200..=299)))
    }
}

/// What the faults make of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is sent.
    Sent,
    /// It is never sent.
    Lost,
    /// It is sent so much later.
    Late(Duration),
    /// It is sent this many times more.
    Repeated(u32),
    /// It is sent after the next one of its lane.
    Overtaken,
    /// There is no receiver.
    Nowhere,
}

impl State {
    pub(crate) fn delivery_mut(&mut self, id: u64) -> Option<&mut Delivery> {
        self.deliveries.get_mut(usize::try_from(id).ok()?)
    }

    /// A row with the same GUID and payload as an earlier one.
    pub(crate) fn repeat_delivery(&mut self, id: u64) -> u64 {
        let number = self.deliveries.len() as u64;
        if let Some(first) = self.delivery_mut(id).cloned() {
            self.unsettled += 1;
            self.deliveries.push(Delivery {
                id: number,
                fate: Fate::Sent,
                redelivery: true,
                sent: None,
                answered: None,
                answer: None,
                settled: false,
                ..first
            });
        }
        number
    }

    /// Sends the event of this GUID again, as `POST /app/hook/deliveries/{id}/attempts` does.
    pub(crate) fn redeliver(&mut self, guid: &str) -> Result<u64> {
        let first =
            self.deliveries.iter().find(|delivery| delivery.guid == guid && !delivery.payload.is_empty());
        let first = first.ok_or_else(|| Error::unknown(format!("delivery {guid} whose payload is kept")))?;
        let (id, lane) = (first.id, self.lane(first));
        let again = self.repeat_delivery(id);
        self.deliver(again, lane, Duration::ZERO);
        Ok(again)
    }

    pub(crate) fn settle_delivery(&mut self, id: u64) {
        let newest = self.deliveries.len() as u64;
        let is_old = id + (self.config.webhooks.payloads_kept as u64) < newest;
        if let Some(delivery) = self.delivery_mut(id)
            && !delivery.settled
        {
            delivery.settled = true;
            if is_old {
                delivery.payload = Bytes::new();
            }
            self.unsettled -= 1;
        }
    }
}
