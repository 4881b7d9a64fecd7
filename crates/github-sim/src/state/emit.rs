//! From something that happened to the webhooks that tell of it.

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use super::{Delivery, Effect, Fate, RepositoryId, State, User};
use crate::{config::DeliveryOrder, json::Json, shapes};

/// How long an overtaken webhook waits for one that overtakes it.
const OVERTAKE_WITHIN: Duration = Duration::from_secs(1);

/// A webhook without the fields that all have in common.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) event: &'static str,
    pub(crate) action: Option<&'static str>,
    pub(crate) repository: Option<RepositoryId>,
    pub(crate) subject: String,
    pub(crate) sender: User,
    pub(crate) body: Json,
}

impl State {
    /// Writes the webhook down, asks the faults, and has it sent.
    pub(crate) fn emit(&mut self, draft: Draft) {
        if !self.is_subscribed(draft.event) {
            return;
        }
        let id = self.deliveries.len() as u64;
        let payload = self.payload(&draft);
        let guid = self.seed.guid(&["delivery", &id.to_string()]);
        let mut delivery = Delivery {
            id,
            guid,
            event: draft.event,
            action: draft.action,
            repository_id: draft.repository,
            subject: draft.subject,
            payload: Bytes::from(payload.into_string()),
            fate: Fate::Nowhere,
            redelivery: false,
            at: self.now(),
            sent: None,
            answered: None,
            answer: None,
            settled: false,
        };
        if self.config.webhooks.url.is_some() {
            delivery.fate = self.faults.webhooks.fate(self.seed, &delivery);
        }
        let (fate, lane) = (delivery.fate, self.lane(&delivery));
        self.unsettled += 1;
        self.deliveries.push(delivery);
        self.forget_old_payloads();
        self.send_as(id, lane, fate);
    }

    /// Webhooks of one lane go one after the other.
    pub(crate) fn lane(&self, delivery: &Delivery) -> String {
        let repository = delivery.repository_id.unwrap_or_default();
        match self.config.webhooks.order {
            DeliveryOrder::Repository => repository.to_string(),
            DeliveryOrder::Subject => format!("{repository}/{}", delivery.subject),
        }
    }

    pub(crate) fn deliver(&mut self, delivery: u64, lane: String, after: Duration) {
        self.effect(Effect::Deliver { delivery, lane, after });
    }

    pub(crate) fn release_reordered(&mut self, lane: &str) {
        for held in self.reordered.remove(lane).unwrap_or_default() {
            self.deliver(held, lane.to_owned(), Duration::ZERO);
        }
    }

    fn send_as(&mut self, id: u64, lane: String, fate: Fate) {
        match fate {
            Fate::Lost | Fate::Nowhere => self.settle_delivery(id),
            Fate::Late(after) => self.deliver(id, lane, after),
            Fate::Overtaken => {
                self.reordered.entry(lane.clone()).or_default().push(id);
                self.effect(Effect::ReleaseReordered { lane, after: OVERTAKE_WITHIN });
            }
            Fate::Sent => {
                self.deliver(id, lane.clone(), Duration::ZERO);
                self.release_reordered(&lane);
            }
            Fate::Repeated(times) => {
                self.deliver(id, lane.clone(), Duration::ZERO);
                for _ in 0..times {
                    let again = self.repeat_delivery(id);
                    self.deliver(again, lane.clone(), Duration::ZERO);
                }
                self.release_reordered(&lane);
            }
        }
    }

    fn is_subscribed(&self, event: &str) -> bool {
        matches!(event, "installation" | "installation_repositories" | "ping")
            || self.config.webhooks.events.iter().any(|subscribed| subscribed == event)
    }

    fn payload(&self, draft: &Draft) -> Json {
        let mut body = draft.body.clone();
        if let Some(action) = draft.action {
            body = body.with("action", &json!(action).into());
        }
        if let Some(repository) = draft.repository.and_then(|id| self.repositories.get(&id)) {
            let rendered = repository.rendered(&self.urls);
            body = body
                .with("repository", if draft.event == "push" { &rendered.in_push } else { &rendered.full });
            if let Some(installation) = repository.installation {
                let node_id = shapes::node_id("Integration Installation", installation);
                body = body.with("installation", &json!({ "id": installation, "node_id": node_id }).into());
            }
            body = body.with("organization", &shapes::user::organization(&self.urls, &repository.owner));
        }
        body.with("sender", &shapes::user::user(&self.urls, &draft.sender).into())
    }

    fn forget_old_payloads(&mut self) {
        let kept = self.config.webhooks.payloads_kept;
        if let Some(index) = self.deliveries.len().checked_sub(kept + 1)
            && self.deliveries[index].settled
        {
            self.deliveries[index].payload = Bytes::new();
        }
    }
}
