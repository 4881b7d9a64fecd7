//! Moments and spans, as they are printed.

use jiff::Timestamp;
use std::time::Duration;

/// A moment in UTC, to the second: `2026-11-24T13:12:28Z`; empty without one.
pub(crate) fn moment(at: Option<&prost_types::Timestamp>) -> String {
    at.and_then(read).map(|at| format!("{at:.0}")).unwrap_or_default()
}

/// A moment in UTC, to the millisecond.
pub(crate) fn fine_moment(at: Option<&prost_types::Timestamp>) -> String {
    at.and_then(read).map(|at| format!("{at:.3}")).unwrap_or_default()
}

/// How long ago a moment was: `4 min`; empty without one.
pub(crate) fn since(at: Option<&prost_types::Timestamp>, now: Timestamp) -> String {
    at.and_then(read).map(|at| span(between(at, now))).unwrap_or_default()
}

/// How long it took; empty while it has not begun or ended.
pub(crate) fn took(from: Option<&prost_types::Timestamp>, to: Option<&prost_types::Timestamp>) -> String {
    match (from.and_then(read), to.and_then(read)) {
        (Some(from), Some(to)) => span(between(from, to)),
        (None, _) | (_, None) => String::new(),
    }
}

/// A span of the API; empty without one.
pub(crate) fn duration(duration: Option<&prost_types::Duration>) -> String {
    let seconds = duration.map(|duration| u64::try_from(duration.seconds).unwrap_or(0));
    seconds.map(|seconds| span(Duration::from_secs(seconds))).unwrap_or_default()
}

/// A span in its two largest units: `12 s`, `4 min`, `1 h 5 min`, `3 d 2 h`.
fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |large: u64, unit: &str, small: u64, smaller: &str| match small {
        0 => format!("{large} {unit}"),
        small => format!("{large} {unit} {small} {smaller}"),
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, 1..=9) => two(minutes, "min", seconds % 60, "s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => two(hours, "h", minutes % 60, "min"),
        (_, _, _) => two(days, "d", hours % 24, "h"),
    }
}

fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

fn read(at: &prost_types::Timestamp) -> Option<Timestamp> {
    Timestamp::new(at.seconds, at.nanos).ok()
}

/// A moment for the API.
pub(crate) fn wire(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() }
}

/// A moment on the command line: in full (`2026-11-24T13:00:00Z`), or so long ago (`15m`, `2h`, `3d`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// This moment.
    At(Timestamp),
    /// So long before the call.
    Ago(Duration),
}

impl When {
    /// Reads it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(Self::At(at));
        }
        humantime::parse_duration(text).map(Self::Ago).map_err(|_| {
            "expected a moment such as `2026-11-24T13:00:00Z`, or how long ago, such as `15m` or `2h`"
                .to_owned()
        })
    }

    /// As the API wants it.
    pub(crate) fn wire(self, now: Timestamp) -> prost_types::Timestamp {
        wire(match self {
            Self::At(at) => at,
            Self::Ago(span) => now.checked_sub(span).unwrap_or(Timestamp::UNIX_EPOCH),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_their_two_largest_units() {
        for (seconds, told) in [
            (0, "0 s"),
            (59, "59 s"),
            (61, "1 min 1 s"),
            (240, "4 min"),
            (3599, "59 min"),
            (3900, "1 h 5 min"),
            (86_400, "1 d"),
            (93_600, "1 d 2 h"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), told);
        }
    }

    #[test]
    fn a_moment_is_given_in_full_or_as_how_long_ago() {
        let now: Timestamp = "2026-11-24T13:00:00Z".parse().unwrap();
        let seconds = |text| When::parse(text).unwrap().wire(now).seconds;
        assert_eq!(seconds("2026-11-24T12:45:00Z"), now.as_second() - 900);
        assert_eq!(seconds("15m"), now.as_second() - 900);
        assert!(When::parse("yesterday").unwrap_err().contains("15m"));
    }
}
