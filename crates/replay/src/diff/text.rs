//! Differences for people: `-` is the first run's, `+` the second's.

use super::{Change, Diff, Side};
use jiff::SignedDuration;
use stackwave_engine::words::lasted;
use std::fmt;

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.changes.is_empty() {
            return writeln!(f, "{} and {} do not differ", self.a, self.b);
        }
        writeln!(f, "--- {}\n+++ {}", self.a, self.b)?;
        let mut heading = "";
        for change in &self.changes {
            let title = title(change);
            if title != heading {
                writeln!(f, "\n{title}")?;
                heading = title;
            }
            change.write(f)?;
        }
        Ok(())
    }
}

const fn title(change: &Change) -> &'static str {
    match change {
        Change::Run { .. } => "Run",
        Change::Stack { .. } => "Stacks",
        Change::Edge { .. } => "Edges",
        Change::Settings { .. } => "Settings",
        Change::Decision { .. } => "Decisions",
        Change::Status { .. } | Change::Timing { .. } => "Statuses and timings",
    }
}

const fn sign(side: Side) -> char {
    match side {
        Side::A => '-',
        Side::B => '+',
    }
}

impl Change {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run { field, a, b } => writeln!(f, "  {field}: {a} → {b}"),
            Self::Stack { stack, only_in } => writeln!(f, "{} {stack}", sign(*only_in)),
            Self::Edge { parent, child, only_in } => writeln!(f, "{} {parent} → {child}", sign(*only_in)),
            Self::Settings { stack, field, a, b } => {
                let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
                writeln!(f, "  {stack}: {field}: {} → {}", value(a), value(b))
            }
            Self::Decision { decision, only_in, place } => {
                writeln!(f, "{} {place}. {decision}", sign(*only_in))
            }
            Self::Status { stack, a, b } => writeln!(f, "  {stack}: {a} → {b}"),
            Self::Timing { stack, step, a_s, b_s } => {
                let took = |seconds: &Option<i64>| {
                    seconds.map_or_else(|| "never".to_owned(), |s| lasted(SignedDuration::from_secs(s)))
                };
                writeln!(f, "  {stack}: {}: {} → {}", step.replace('_', " "), took(a_s), took(b_s))
            }
        }
    }
}
