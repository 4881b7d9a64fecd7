//! Records as JSON values, with events that this version does not know in their place.

use serde_json::{Map, Value};
use stackwave_domain::{
    Event, Record,
    codec::{self, CodecError},
};

/// A record as a value. Serialising what the log holds cannot fail: every key is a text.
pub(crate) fn of_record(record: &Record) -> Value {
    let envelope = Record { events: Vec::new(), ..record.clone() };
    let mut value = serde_json::to_value(&envelope).unwrap_or_default();
    value["events"] = Value::Array(record.events.iter().map(of_event).collect());
    value
}

/// An event as `{"<name>": {…}}`.
pub(crate) fn of_event(event: &Event) -> Value {
    match event {
        Event::Unknown { name, json } => {
            let content = serde_json::from_str(json).unwrap_or_else(|_| Value::String(json.clone()));
            Value::Object(Map::from_iter([(name.clone(), content)]))
        }
        event => serde_json::to_value(event).unwrap_or_default(),
    }
}

/// A record from its value.
pub(crate) fn to_record(value: &Value) -> Result<Record, CodecError> {
    codec::decode(value.to_string().as_bytes())
}

/// A record as text, its fields in the order in which every log has them.
pub(crate) fn text_of(record: &Record) -> String {
    let envelope = Record { events: Vec::new(), ..record.clone() };
    let envelope = serde_json::to_string(&envelope).unwrap_or_default();
    let events: Vec<String> = record
        .events
        .iter()
        .map(|event| match event {
            Event::Unknown { .. } => of_event(event).to_string(),
            event => serde_json::to_string(event).unwrap_or_default(),
        })
        .collect();
    // The events are the last field.
    let begin = envelope.strip_suffix("[]}").unwrap_or(&envelope);
    format!("{begin}[{}]}}", events.join(","))
}
