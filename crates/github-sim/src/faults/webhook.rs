//! Webhooks that are lost, late, repeated or out of order.

use std::{collections::HashMap, time::Duration};

use crate::{
    seed::Seed,
    state::{Delivery, Fate},
};

/// Chances, `0.0..=1.0` each, tried in this order. Which webhooks are hit follows from the seed and from what they are
/// about, not from the order in which they happen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WebhookFaults {
    /// Never sent.
    pub lost: f64,
    /// Sent `late_by` later.
    pub late: f64,
    /// How much later.
    pub late_by: Duration,
    /// Sent twice, with the same GUID.
    pub repeated: f64,
    /// Sent after the next one of its lane.
    pub overtaken: f64,
}

/// Which webhooks a fault hits.
#[derive(Clone, Debug)]
pub struct WebhookSelector {
    kind: String,
    about: Option<String>,
}

impl WebhookSelector {
    /// By `event` or `event.action`, for instance `pull_request.closed`.
    #[must_use]
    pub fn kind(kind: &str) -> Self {
        Self { kind: kind.to_owned(), about: None }
    }

    /// Only those whose [subject](Delivery::subject) holds this text: the title of a run, `component=eks`, `pull/7`.
    #[must_use]
    pub fn about(self, text: &str) -> Self {
        Self { about: Some(text.to_owned()), ..self }
    }

    /// Whether it means this webhook.
    #[must_use]
    pub fn selects(&self, delivery: &Delivery) -> bool {
        (self.kind == delivery.event || self.kind == delivery.kind())
            && self.about.as_ref().is_none_or(|text| delivery.subject.contains(text))
    }
}

/// What is set for webhooks to come.
#[derive(Debug, Default)]
pub(crate) struct Webhooks {
    pub(crate) next: Vec<(WebhookSelector, Fate)>,
    pub(crate) chances: WebhookFaults,
    seen: HashMap<String, u64>,
}

impl Webhooks {
    pub(crate) fn fate(&mut self, seed: Seed, delivery: &Delivery) -> Fate {
        if let Some(index) = self.next.iter().position(|(selector, _)| selector.selects(delivery)) {
            return self.next.remove(index).1;
        }
        let chances = self.chances;
        if chances == WebhookFaults::default() {
            return Fate::Sent;
        }
        let key = format!("{} {}", delivery.kind(), delivery.subject);
        let nth = {
            let seen = self.seen.entry(key.clone()).or_default();
            *seen += 1;
            seen.to_string()
        };
        let hit =
            |fault: &str, chance: f64| chance > 0.0 && seed.chance(&["webhook", fault, &key, &nth]) < chance;
        if hit("lost", chances.lost) {
            Fate::Lost
        } else if hit("late", chances.late) {
            Fate::Late(chances.late_by)
        } else if hit("repeated", chances.repeated) {
            Fate::Repeated(1)
        } else if hit("overtaken", chances.overtaken) {
            Fate::Overtaken
        } else {
            Fate::Sent
        }
    }
}
