//! The one place that makes up ids.

use stackwave_domain::{ProcessId, RecordId, TraceContext};

/// Makes ids that nobody has made before. They sort by the time at which they were made.
#[derive(Clone, Debug)]
pub struct Ids {
    process: ProcessId,
}

impl Default for Ids {
    fn default() -> Self {
        let id = uuid::Uuid::now_v7().simple().to_string();
        Self { process: ProcessId::new(id) }
    }
}

impl Ids {
    /// This process, from its start to its end.
    #[must_use]
    pub const fn process(&self) -> &ProcessId {
        &self.process
    }

    /// A new record's name.
    #[must_use]
    pub fn record(&self) -> RecordId {
        RecordId::new(uuid::Uuid::now_v7().simple().to_string())
    }

    /// A new trace id, as answers carry it: 32 hex digits, as W3C trace context has them.
    #[must_use]
    pub fn trace(&self) -> String {
        uuid::Uuid::new_v4().simple().to_string()
    }

    /// A new span: of the caller's trace where there is one, else of a new trace.
    #[must_use]
    pub fn span(&self, caller: Option<TraceContext>) -> TraceContext {
        loop {
            let (trace, span) = (uuid::Uuid::new_v4().into_bytes(), uuid::Uuid::new_v4().into_bytes());
            // The last eight bytes of a version 4 UUID hold 62 random bits.
            let span = span.last_chunk().copied().unwrap_or_default();
            let context = match caller {
                Some(caller) => caller.with_span(span),
                None => TraceContext::new(trace, span, true),
            };
            // All zeros is no id.
            if let Some(context) = context {
                return context;
            }
        }
    }
}
