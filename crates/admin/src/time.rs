//! Moments and spans, to and from protobuf.

use crate::errors::invalid;
use prost_types::{Duration as ProtoDuration, Timestamp as ProtoTimestamp};
use stackwave_domain::Timestamp;
use tonic::Status;

/// A moment as protobuf has it.
pub(crate) fn timestamp(at: Timestamp) -> ProtoTimestamp {
    // A protobuf timestamp counts nanoseconds forward from the second, also before 1970.
    let nanos = i64::from(at.subsec_nanosecond());
    let (seconds, nanos) =
        if nanos < 0 { (at.as_second() - 1, nanos + 1_000_000_000) } else { (at.as_second(), nanos) };
    ProtoTimestamp { seconds, nanos: i32::try_from(nanos).unwrap_or_default() }
}

/// A span as protobuf has it.
pub(crate) fn duration(span: jiff::SignedDuration) -> ProtoDuration {
    ProtoDuration { seconds: span.as_secs(), nanos: span.subsec_nanos() }
}

/// A moment of a request.
pub(crate) fn moment(field: &str, at: &ProtoTimestamp) -> Result<Timestamp, Status> {
    let valid = (0..1_000_000_000).contains(&at.nanos);
    let moment = Timestamp::new(at.seconds, at.nanos).ok().filter(|_| valid);
    moment.ok_or_else(|| invalid(field, "it is no moment between the years 1 and 9999"))
}

/// The moment at which something ends that is valid for a span from now.
pub(crate) fn end_of(field: &str, now: Timestamp, span: &ProtoDuration) -> Result<Timestamp, Status> {
    let span = jiff::SignedDuration::new(span.seconds, span.nanos);
    if !span.is_positive() {
        return Err(invalid(field, "it must be longer than nothing"));
    }
    now.checked_add(span).map_err(|_| invalid(field, "it ends after the year 9999"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_before_1970_count_forward_from_their_second() {
        let at: Timestamp = "1969-12-31T23:59:58.25Z".parse().unwrap();
        assert_eq!(timestamp(at), ProtoTimestamp { seconds: -2, nanos: 250_000_000 });
        assert_eq!(moment("at", &timestamp(at)).unwrap(), at);
    }

    #[test]
    fn what_is_no_moment_or_no_span_is_refused_with_its_field() {
        for at in [ProtoTimestamp { seconds: i64::MAX, nanos: 0 }, ProtoTimestamp { seconds: 0, nanos: -1 }] {
            assert!(moment("from_time", &at).unwrap_err().message().contains("`from_time`"));
        }
        let now = Timestamp::UNIX_EPOCH;
        for seconds in [0, -1, i64::MAX] {
            assert!(end_of("valid_for", now, &ProtoDuration { seconds, nanos: 0 }).is_err(), "{seconds}");
        }
    }
}
