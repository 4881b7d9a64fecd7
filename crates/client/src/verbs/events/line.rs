//! Records as lines: one an event for people, as `stackwave log` prints them, one a record for programs.

use crate::{
    command::Session,
    common::Output,
    failure::Failure,
    json::Document as _,
    screen::{Tone, clean},
    time,
    verbs::{facts, places::record as place, places::some},
};
use serde_json::Value;
use stackwave_admin_proto::v1::EventRecord;

/// Prints a record of a stream.
pub(super) fn print(record: &EventRecord, session: &mut Session<'_, '_>) -> Result<(), Failure> {
    let screen = &mut *session.screen;
    if session.output == Output::Json {
        return Ok(screen.line(&json(record)?.to_string())?);
    }
    let (at, place) = (time::fine_moment(record.at.as_ref()), place(record.position.as_ref()));
    for event in &record.events {
        let name = screen.paint(&event.name, Tone::Bold).into_owned();
        let line = format!("{at}  {place:10}  {}  {name}  {}", kind(&record.subject), clean(&event.summary));
        screen.line(line.trim_end())?;
    }
    Ok(())
}

/// Prints a record with everything that it holds.
pub(super) fn whole(record: &EventRecord, session: &mut Session<'_, '_>) -> Result<(), Failure> {
    let screen = &mut *session.screen;
    if session.output == Output::Json {
        screen.line(&format!("{:#}", json(record)?))?;
        return Ok(screen.flush()?);
    }
    facts::print(
        screen,
        vec![
            ("record", place(record.position.as_ref()).into()),
            ("subject", record.subject.clone().into()),
            ("at", time::fine_moment(record.at.as_ref()).into()),
            ("by", record.actor.clone().into()),
            ("because of", some(record.cause).into()),
            ("belongs to", record.correlation.clone().into()),
            ("trace", record.trace.clone().into()),
            ("id", record.record_id.clone().into()),
        ],
    )?;
    for event in &record.events {
        let name = screen.paint(&event.name, Tone::Bold).into_owned();
        screen.line(&format!("\n{name}  {}", clean(&event.summary)))?;
        for line in format!("{:#}", data(&event.json)).lines() {
            screen.line(&format!("  {}", clean(line)))?;
        }
    }
    Ok(screen.flush()?)
}

/// As the API has it, but for the events' own JSON: it stands below `data` as what it is, not as a text.
fn json(record: &EventRecord) -> Result<Value, Failure> {
    let mut value = record.value()?;
    let events =
        value.get_mut("events").and_then(Value::as_array_mut).map(Vec::as_mut_slice).unwrap_or_default();
    for event in events {
        if let Value::Object(fields) = event
            && let Some(Value::String(text)) = fields.remove("json")
        {
            fields.insert("data".to_owned(), data(&text));
        }
    }
    Ok(value)
}

fn data(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|_| Value::String(json.to_owned()))
}

/// What follows the stream and the repository in a subject: `ledger`, `obs.upload`, `comment.default.7`.
fn kind(subject: &str) -> &str {
    let rest = subject.strip_prefix("sw.").unwrap_or(subject);
    match rest.strip_prefix("config.") {
        Some(kind) => kind,
        None => rest.splitn(3, '.').nth(2).unwrap_or(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_told_by_its_kind() {
        for (subject, told) in [
            ("sw.00.42.ledger", "ledger"),
            ("sw.00.42.obs.github.push", "obs.github.push"),
            ("sw.config.obs.upload", "obs.upload"),
            ("odd", "odd"),
        ] {
            assert_eq!(kind(subject), told);
        }
    }
}
