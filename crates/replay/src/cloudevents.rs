//! Events as CloudEvents 1.0 (JSON format), for tools that take those: one JSON object a line, in the order of the log.
//!
//! They are for reading elsewhere; `replay` reads the other format, which has what folding needs.

use crate::{Recording, json};
use serde::Serialize;
use serde_json::Value;
use stackwave_domain::{Entry, Event, Timestamp, record::HydrateError};
use std::io::{self, Write};

/// One event. Attributes are named as the specification has them; those that it does not know (`actor`, `position`,
/// `recordid`, `traceparent`) are extensions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CloudEvent {
    /// Always `1.0`.
    pub specversion: &'static str,
    /// The record's id and the event's place in it: unique in its source.
    pub id: String,
    /// `urn:stackwave:<stream>:<repository>`.
    pub source: String,
    /// `dev.stackwave.<event>.v1`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The dispatch, run or pull request that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When the record was written.
    pub time: Timestamp,
    /// Always `application/json`.
    pub datacontenttype: &'static str,
    /// Who wrote it.
    pub actor: String,
    /// The record's place in its stream, as text: an attribute is an integer of 32 bits at most.
    pub position: String,
    /// The record, whose events belong together.
    pub recordid: String,
    /// W3C trace context.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// What the event says.
    pub data: Value,
}

/// The events of a recording, those of the configuration first.
///
/// # Errors
/// A content is missing or cannot be read.
pub fn cloud_events(recording: &Recording) -> Result<Vec<CloudEvent>, HydrateError> {
    let entries = recording.hydrated()?;
    let all = recording.config.iter().chain(&entries);
    let source = |entry: &Entry| {
        let stream = entry.subject.stream().name().to_lowercase();
        format!("urn:stackwave:{stream}:{}", recording.about.repository)
    };
    Ok(all
        .flat_map(|entry| {
            let source = source(entry);
            let events = entry.record.events.iter().enumerate();
            events.map(move |(index, event)| of(entry, index, event, &source))
        })
        .collect())
}

fn of(entry: &Entry, index: usize, event: &Event, source: &str) -> CloudEvent {
    let record = &entry.record;
    let data = match json::of_event(event) {
        Value::Object(event) => event.into_iter().next().map(|(_, content)| content).unwrap_or_default(),
        other => other,
    };
    CloudEvent {
        specversion: "1.0",
        id: format!("{}/{index}", record.id),
        source: source.to_owned(),
        kind: format!("dev.stackwave.{}.v1", event.name()),
        subject: subject(&data),
        time: record.at,
        datacontenttype: "application/json",
        actor: record.actor.clone(),
        position: entry.position.to_string(),
        recordid: record.id.to_string(),
        traceparent: record.trace.clone(),
        data,
    }
}

fn subject(data: &Value) -> Option<String> {
    let text = |name: &str| data.get(name).and_then(Value::as_str).map(str::to_owned);
    let number = |name: &str| data.get(name).and_then(Value::as_u64);
    text("dispatch")
        .or_else(|| text("run"))
        .or_else(|| number("run").map(|run| format!("workflow run {run}")))
        .or_else(|| number("number").map(|number| format!("#{number}")))
        .or_else(|| text("head_sha"))
        .filter(|subject| !subject.is_empty())
}

/// Writes the events of a recording; `compressed` by gzip.
///
/// # Errors
/// Writing failed, or a content is missing.
pub fn write_cloud_events(recording: &Recording, out: impl Write, compressed: bool) -> io::Result<()> {
    let events = cloud_events(recording).map_err(io::Error::other)?;
    let write = |out: &mut dyn Write| -> io::Result<()> {
        for event in &events {
            let mut line = serde_json::to_vec(event)?;
            line.push(b'\n');
            out.write_all(&line)?;
        }
        Ok(())
    };
    if compressed {
        let mut encoder = flate2::GzBuilder::new().mtime(0).write(out, flate2::Compression::default());
        write(&mut encoder)?;
        return encoder.finish()?.flush();
    }
    let mut out = io::BufWriter::new(out);
    write(&mut out)?;
    out.flush()
}
