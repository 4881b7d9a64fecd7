//! W3C trace context: which trace a record belongs to, and which span of it wrote the record.
//!
//! Source: W3C "Trace Context", section 3.2 (`traceparent`).

use crate::Digest;
use std::fmt;

/// A span's place: `00-<trace id>-<span id>-<flags>`. Neither id is ever all zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceContext {
    trace: [u8; 16],
    span: [u8; 8],
    sampled: bool,
}

impl TraceContext {
    /// A context of these ids; none when one of them is all zeros.
    #[must_use]
    pub fn new(trace: [u8; 16], span: [u8; 8], sampled: bool) -> Option<Self> {
        (trace != [0; 16] && span != [0; 8]).then_some(Self { trace, span, sampled })
    }

    /// Reads a `traceparent`. Later versions than 00 may carry more after the flags, which is ignored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let more = parts.next().is_some();
        let [version] = bytes::<1>(version)?;
        let [flags] = bytes::<1>(flags)?;
        if version == 0xff || (version == 0 && more) {
            return None;
        }
        Self::new(bytes(trace)?, bytes(span)?, flags & 1 == 1)
    }

    /// 32 hex digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        hex::encode(self.trace)
    }

    /// 16 hex digits.
    #[must_use]
    pub fn span_id(&self) -> String {
        hex::encode(self.span)
    }

    /// The trace id's bytes.
    #[must_use]
    pub const fn trace_bytes(&self) -> [u8; 16] {
        self.trace
    }

    /// The span id's bytes.
    #[must_use]
    pub const fn span_bytes(&self) -> [u8; 8] {
        self.span
    }

    /// Whether somebody keeps the trace.
    #[must_use]
    pub const fn is_sampled(&self) -> bool {
        self.sampled
    }

    /// The same place with another decision about keeping the trace.
    #[must_use]
    pub const fn sampled(self, sampled: bool) -> Self {
        Self { sampled, ..self }
    }

    /// Another span of the same trace.
    #[must_use]
    pub fn with_span(self, span: [u8; 8]) -> Option<Self> {
        Self::new(self.trace, span, self.sampled)
    }

    /// The span that a name stands for within this trace: whoever makes it, and however often, it is the same one.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        let digest = Digest::of_parts(&[&self.trace_id(), name]);
        bytes(digest.prefix(16)).and_then(|span| self.with_span(span)).unwrap_or(self)
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace_id(), self.span_id(), u8::from(self.sampled))
    }
}

/// Exactly so many bytes in lower-case hex, as the standard has them.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    #[test]
    fn a_traceparent_is_read_and_written_as_it_was() {
        for flags in ["00", "01"] {
            let text = format!("00-{TRACE}-{SPAN}-{flags}");
            let context = TraceContext::parse(&text).unwrap();
            assert_eq!(context.to_string(), text);
            assert_eq!(context.is_sampled(), flags == "01");
        }
        let later = TraceContext::parse(&format!("cc-{TRACE}-{SPAN}-03-what-comes")).unwrap();
        assert_eq!(later.to_string(), format!("00-{TRACE}-{SPAN}-01"));
    }

    #[test]
    fn what_is_no_traceparent_is_none() {
        let zeros = |n| "0".repeat(n);
        for text in [
            String::new(),
            "00".to_owned(),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{}-{SPAN}-01", zeros(32)),
            format!("00-{TRACE}-{}-01", zeros(16)),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}0-{SPAN}-01"),
            format!("00-{}-{SPAN}-01", "é".repeat(16)),
        ] {
            assert_eq!(TraceContext::parse(&text), None, "{text}");
        }
    }

    #[test]
    fn a_named_span_is_the_same_whoever_makes_it() {
        let context = TraceContext::parse(&format!("00-{TRACE}-{SPAN}-01")).unwrap();
        assert_eq!(context.named("a"), context.named("a"));
        assert_ne!(context.named("a"), context.named("b"));
        assert_eq!(context.named("a").trace_id(), TRACE);
    }
}
