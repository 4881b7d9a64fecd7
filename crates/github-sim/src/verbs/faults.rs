//! What goes wrong.

use std::time::Duration;

use crate::{
    faults::{Faults, HttpFault, ListingFault, WebhookFaults, WebhookSelector},
    handle::GitHub,
    state::{Fate, Listed},
};

impl GitHub {
    /// Lets requests fail.
    pub fn fail(&self, fault: HttpFault) {
        self.change(|state| state.faults.http.add(fault));
    }

    /// Whether GitHub can be reached. Out of reach, it resets every connection, old or new. Webhooks still leave.
    pub fn set_reachable(&self, reachable: bool) {
        self.shared.gate.set_reachable(reachable);
    }

    /// The next runs appear late in lists, one fault each.
    pub fn list_late(&self, faults: impl IntoIterator<Item = ListingFault>) {
        self.change(|state| state.faults.listing.next.extend(faults));
    }

    /// All runs to come appear late in lists, or at once again.
    pub fn always_list_late(&self, fault: Option<ListingFault>) {
        self.change(|state| state.faults.listing.always = fault);
    }

    /// Shows every run in lists.
    pub fn list_hidden_runs(&self) {
        self.change(|state| state.runs.values_mut().for_each(|run| run.listed = Listed::Now));
    }

    /// Sets the chances of webhooks to be lost, late, repeated or overtaken.
    pub fn disturb_webhooks(&self, chances: WebhookFaults) {
        self.change(|state| state.faults.webhooks.chances = chances);
    }

    /// The next webhook that the selector means has this fate.
    pub fn next_webhook(&self, selector: WebhookSelector, fate: Fate) {
        self.change(|state| state.faults.webhooks.next.push((selector, fate)));
    }

    /// The next webhook of this kind (`event` or `event.action`) is lost.
    pub fn lose_next(&self, kind: &str) {
        self.next_webhook(WebhookSelector::kind(kind), Fate::Lost);
    }

    /// The next webhook of this kind is sent twice.
    pub fn repeat_next(&self, kind: &str) {
        self.next_webhook(WebhookSelector::kind(kind), Fate::Repeated(1));
    }

    /// The next webhook of this kind is sent so much later.
    pub fn delay_next(&self, kind: &str, by: Duration) {
        self.next_webhook(WebhookSelector::kind(kind), Fate::Late(by));
    }

    /// Whether the webhooks of a dispatch are delivered before it is answered. Usually they follow the answer.
    pub fn send_webhooks_first(&self, first: bool) {
        self.change(|state| state.faults.webhooks_first = first);
    }

    /// Takes every fault back and shows every run in lists. What was lost stays lost.
    pub fn heal(&self) {
        self.set_reachable(true);
        self.change(|state| {
            state.faults = Faults::default();
            let lanes: Vec<_> = state.reordered.keys().cloned().collect();
            lanes.iter().for_each(|lane| state.release_reordered(lane));
        });
        self.list_hidden_runs();
    }
}
