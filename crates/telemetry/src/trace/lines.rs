//! Which log lines are written, and how spans look in lines that people read.

use super::layer::is_about_the_span;
use std::fmt;
use tracing::{
    Level, Metadata, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};
use tracing_subscriber::{
    EnvFilter, Layer,
    field::RecordFields,
    fmt::{FormatFields, format::Writer},
    layer::{Context, Filter},
};

/// Lines by the operator's directives. Our own spans are always there, so that a warning names its run also where
/// nothing less is written.
pub struct LineFilter(EnvFilter);

impl LineFilter {
    /// By directives as `EnvFilter` has them.
    #[must_use]
    pub const fn new(directives: EnvFilter) -> Self {
        Self(directives)
    }
}

/// Whether it is a span that names something of ours.
pub(super) fn is_own_span(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && *metadata.level() <= Level::INFO && metadata.target().starts_with("stackwave")
}

impl<S: Subscriber> Filter<S> for LineFilter {
    fn enabled(&self, metadata: &Metadata<'_>, context: &Context<'_, S>) -> bool {
        is_own_span(metadata) || Filter::enabled(&self.0, metadata, context)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_own_span(metadata) {
            Interest::always()
        } else {
            Filter::<S>::callsite_enabled(&self.0, metadata)
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        // No hint means that everything may be wanted.
        Filter::<S>::max_level_hint(&self.0).map(|hint| hint.max(LevelFilter::INFO))
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        Filter::on_new_span(&self.0, attributes, id, context);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        Filter::on_record(&self.0, id, values, context);
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        Filter::on_enter(&self.0, id, context);
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        Filter::on_exit(&self.0, id, context);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        Filter::on_close(&self.0, id, context);
    }
}

/// How fields look in text: what a span is in its trace is left out, but for the context itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct TextFields;

impl<'writer> FormatFields<'writer> for TextFields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut text = Text { writer, is_first: true, result: Ok(()) };
        fields.record(&mut text);
        text.result
    }
}

struct Text<'writer> {
    writer: Writer<'writer>,
    is_first: bool,
    result: fmt::Result,
}

impl Visit for Text<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let name = match field.name() {
            "trace.context" => "trace",
            name if is_about_the_span(name) || name.starts_with("log.") => return,
            name => name,
        };
        let blank = if std::mem::take(&mut self.is_first) { "" } else { " " };
        self.result = self.result.and_then(|()| match name {
            "message" => write!(self.writer, "{blank}{value:?}"),
            name => write!(self.writer, "{blank}{name}={value:?}"),
        });
    }
}

/// The filter of the layer that makes spans: nothing but our own.
#[must_use]
pub(super) fn own_spans<S: Subscriber>() -> impl Filter<S> {
    tracing_subscriber::filter::filter_fn(is_own_span).with_max_level_hint(LevelFilter::INFO)
}

impl super::SpanLayer {
    /// The layer, seeing only what can be in a trace.
    pub fn filtered<S>(self) -> impl Layer<S>
    where
        S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    {
        self.with_filter(own_spans())
    }
}
