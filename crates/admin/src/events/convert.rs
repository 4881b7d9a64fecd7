//! A record as the API tells it.

use crate::{convert, sources::Narrator, time::timestamp};
use serde_json::Value;
use stackwave_admin_proto::v1;
use stackwave_domain::{Entry, Event};

/// A record with some of its events.
pub(super) fn record<'a>(
    narrator: &dyn Narrator,
    entry: &Entry,
    events: impl Iterator<Item = &'a Event>,
) -> v1::EventRecord {
    let record = &entry.record;
    let event = |event: &Event| v1::EventEntry {
        name: event.name().to_owned(),
        summary: narrator.summary(entry, event),
        json: json(event),
    };
    v1::EventRecord {
        position: Some(convert::record(entry.subject.stream(), entry.position)),
        subject: entry.subject.to_string(),
        record_id: record.id.to_string(),
        at: Some(timestamp(record.at)),
        actor: record.actor.clone(),
        cause: record.cause.map_or(0, |cause| cause.0),
        correlation: record.correlation.clone().unwrap_or_default(),
        trace: record.trace.clone().unwrap_or_default(),
        events: events.map(event).collect(),
    }
}

/// The event without its name. A credential's hash stays in the log: a key that somebody chose could be guessed by it.
fn json(event: &Event) -> String {
    if let Event::Unknown { json, .. } = event {
        return json.clone();
    }
    let mut data = match serde_json::to_value(event) {
        Ok(Value::Object(named)) => named.into_iter().next().map(|(_, data)| data).unwrap_or_default(),
        Ok(_) | Err(_) => Value::Null,
    };
    if matches!(event, Event::ApiKeyRegistered(_) | Event::AdminTokenRegistered(_))
        && let Some(fields) = data.as_object_mut()
    {
        fields.remove("hash");
    }
    data.to_string()
}
