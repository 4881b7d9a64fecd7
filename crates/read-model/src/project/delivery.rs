//! Deliveries of webhooks: one row for each event that a webhook told.

use crate::{changes::DeliveryChange, rows::DeliveryRow};
use stackwave_domain::{Entry, Event, StreamId, event::Source};

/// Adds the deliveries of a record.
pub(crate) fn collect(stream: StreamId, entry: &Entry, deliveries: &mut Vec<DeliveryChange>) {
    for (ordinal, event) in entry.record.events.iter().enumerate() {
        let Some((Source::Webhook { delivery }, name, action)) = observed(event) else { continue };
        deliveries.push(DeliveryChange {
            ordinal: u8::try_from(ordinal).unwrap_or(u8::MAX),
            row: DeliveryRow {
                id: delivery.clone(),
                event: name.to_owned(),
                action: action.map(str::to_owned),
                repository: entry.subject.repository(),
                received_at: entry.record.at,
                stream,
                record: entry.position,
            },
        });
    }
}

/// From where an event came, and what GitHub calls it.
fn observed(event: &Event) -> Option<(&Source, &'static str, Option<&str>)> {
    Some(match event {
        Event::PullRequestObserved(it) => (&it.source, "pull_request", it.action.as_deref()),
        // A workflow run's action is the status that it came to.
        Event::WorkflowRunObserved(it) => (&it.source, "workflow_run", Some(it.status.as_str())),
        Event::WorkflowJobWaiting(it) => (&it.source, "workflow_job", Some("waiting")),
        Event::WorkflowDispatchObserved(it) => (&it.source, "workflow_dispatch", None),
        Event::PushObserved(it) => (&it.source, "push", None),
        Event::MergeGroupObserved(it) => (&it.source, "merge_group", Some(it.action.as_str())),
        Event::ReleaseObserved(it) => (&it.source, "release", it.action.as_deref()),
        Event::CheckRunObserved(it) => (&it.source, "check_run", Some(it.action.as_str())),
        Event::IssueCommentObserved(it) => (&it.source, "issue_comment", Some(it.action.as_str())),
        Event::InstallationObserved(it) => (&it.source, "installation", Some(it.action.as_str())),
        Event::InstallationRepositoriesObserved(it) => {
            let action = if it.added.is_empty() { "removed" } else { "added" };
            (&it.source, "installation_repositories", Some(action))
        }
        Event::PingObserved(it) => (&it.source, "ping", None),
        _ => return None,
    })
}
