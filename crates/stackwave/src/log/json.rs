//! An event for programs: one JSON object a line. The shape is part of the command line.

use super::index::Index;
use serde::Serialize;
use serde_json::Value;
use stackwave_domain::{Entry, Event, Position, RecordId, RepositoryId, Timestamp};

#[derive(Serialize)]
struct Line<'a> {
    at: Timestamp,
    stream: String,
    position: Position,
    subject: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<Repository>,
    record: &'a RecordId,
    actor: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<Position>,
    event: &'a str,
    data: Value,
}

#[derive(Serialize)]
struct Repository {
    id: RepositoryId,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

pub(super) fn render(index: &Index, entry: &Entry, event: &Event) -> String {
    let repository = entry
        .subject
        .repository()
        .map(|id| Repository { id, name: index.config().repository(id).map(|known| known.name.to_string()) });
    let line = Line {
        at: entry.record.at,
        stream: entry.subject.stream().name(),
        position: entry.position,
        subject: entry.subject.as_str(),
        repository,
        record: &entry.record.id,
        actor: &entry.record.actor,
        cause: entry.record.cause,
        event: event.name(),
        data: data(event),
    };
    // Texts and numbers only: nothing in it can fail.
    serde_json::to_string(&line).unwrap_or_default() + "\n"
}

/// The event without its name.
fn data(event: &Event) -> Value {
    if let Event::Unknown { json, .. } = event {
        return serde_json::from_str(json).unwrap_or_default();
    }
    match serde_json::to_value(event) {
        Ok(Value::Object(named)) => named.into_iter().next().map(|(_, data)| data).unwrap_or_default(),
        Ok(other) => other,
        Err(_) => Value::Null,
    }
}
