//! Log lines as JSON with names that stay: one object a line.

use super::{
    fields::Fields,
    layer::{Place, is_about_the_span},
};
use serde_json::{Map, Value};
use std::{
    io::Write as _,
    sync::{Mutex, PoisonError},
};
use tracing::{Event, Subscriber};
use tracing_subscriber::{Layer, fmt::MakeWriter, layer::Context, registry::LookupSpan};

/// Writes each event as one line. Needs a [`super::SpanLayer`] before it, which collects what spans say.
///
/// `timestamp`, `level`, `target` and `message` are always there; then what is known of the event and of the spans
/// around it, the inner ones first: `run`, `stack`, `dispatch`, `repository`, `delivery`, `position`, `trace_id`,
/// `span_id`, and other fields under their own names, with dots as underscores.
pub struct JsonLines<W> {
    writer: W,
    clock: Box<dyn Fn() -> String + Send + Sync>,
    /// A line goes out whole, also where the writer is no file.
    turn: Mutex<()>,
}

impl<W> JsonLines<W> {
    /// Lines with the clock's time, as RFC 3339.
    pub fn new(writer: W, clock: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self { writer, clock: Box::new(clock), turn: Mutex::new(()) }
    }
}

/// The name of a field in a line.
fn name(field: &str) -> String {
    match field {
        "run.id" => "run".to_owned(),
        "dispatch.id" => "dispatch".to_owned(),
        "repository.id" => "repository".to_owned(),
        "delivery.id" => "delivery".to_owned(),
        "upload.id" => "upload".to_owned(),
        "workflow_run.id" => "workflow_run".to_owned(),
        other => other.replace('.', "_"),
    }
}

fn add(line: &mut Map<String, Value>, fields: &Fields) {
    for (field, value) in fields.iter() {
        // Of a delivery without an id there is nothing to be found by it.
        let says_nothing = value.as_str() == Some("");
        if !is_about_the_span(field) && !field.starts_with("log.") && !says_nothing {
            // The inner one counts: it is nearer to what happened.
            line.entry(name(field)).or_insert_with(|| value.clone());
        }
    }
}

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut line = Map::new();
        line.insert("timestamp".to_owned(), (self.clock)().into());
        line.insert("level".to_owned(), event.metadata().level().as_str().to_ascii_lowercase().into());
        line.insert("target".to_owned(), event.metadata().target().into());
        line.insert("message".to_owned(), fields.get("message").cloned().unwrap_or_else(|| "".into()));
        add(&mut line, &fields);
        for span in context.event_scope(event).into_iter().flatten() {
            let extensions = span.extensions();
            if let Some(fields) = extensions.get::<Fields>() {
                add(&mut line, fields);
            }
            if let Some(place) = extensions.get::<Place>() {
                line.entry("trace_id").or_insert_with(|| place.own.trace_id().into());
                line.entry("span_id").or_insert_with(|| place.own.span_id().into());
            }
        }
        let mut text = Value::Object(line).to_string();
        text.push('\n');
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        // Where lines cannot be written, nobody can be told.
        let _ = self.writer.make_writer_for(event.metadata()).write_all(text.as_bytes());
    }
}
