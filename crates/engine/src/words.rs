//! How long something took, in words.

use jiff::SignedDuration;
use stackwave_domain::Timestamp;

/// A span as people say it, in one or two units: `12 s`, `4 min`, `2 h 5 min`, `3 d 4 h`. Less than nothing is `0 s`.
#[must_use]
pub fn lasted(span: SignedDuration) -> String {
    let seconds = u64::try_from(span.as_secs()).unwrap_or(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let two = |large: u64, unit: &str, small: u64, of: &str| match small {
        0 => format!("{large} {unit}"),
        small => format!("{large} {unit} {small} {of}"),
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => two(hours, "h", minutes % 60, "min"),
        (days, hours, _) => two(days, "d", hours % 24, "h"),
    }
}

/// How long it is from one moment to a later one; nothing when the clocks disagree.
#[must_use]
pub fn between(from: Timestamp, to: Timestamp) -> SignedDuration {
    to.duration_since(from).max(SignedDuration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_one_or_two_units() {
        for (seconds, words) in [
            (-5, "0 s"),
            (12, "12 s"),
            (240, "4 min"),
            (299, "4 min"),
            (3_600, "1 h"),
            (7_500, "2 h 5 min"),
            (270_000, "3 d 3 h"),
        ] {
            assert_eq!(lasted(SignedDuration::from_secs(seconds)), words);
        }
    }
}
