//! The table: what was measured, what was aimed at, and whether it was reached.

use std::time::Duration;

/// Times of one kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    pub(crate) fn push(&mut self, sample: Duration) {
        self.0.push(sample);
    }

    /// The value below which so many of a thousand lie.
    pub(crate) fn per_mille(&self, per_mille: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort();
        let index = (sorted.len() * per_mille).div_ceil(1000).saturating_sub(1);
        sorted.get(index).copied().unwrap_or_default()
    }

    pub(crate) fn p50(&self) -> Duration {
        self.per_mille(500)
    }

    pub(crate) fn p99(&self) -> Duration {
        self.per_mille(990)
    }
}

/// What a value should be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Aim {
    /// Nothing in particular.
    None,
    AtMost(f64),
    Above(f64),
}

/// One line.
struct Row {
    what: String,
    value: f64,
    unit: &'static str,
    aim: Aim,
}

/// A table under a title.
pub(crate) struct Table {
    title: String,
    rows: Vec<Row>,
}

impl Table {
    pub(crate) fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, what: impl Into<String>, value: f64, unit: &'static str, aim: Aim) {
        self.rows.push(Row { what: what.into(), value, unit, aim });
    }

    pub(crate) fn time(&mut self, what: impl Into<String>, value: Duration, aim: Aim) {
        self.row(what, value.as_secs_f64() * 1000.0, "ms", aim);
    }

    pub(crate) fn print(&self) {
        println!("\n{}", self.title);
        println!("  {:<58} {:>14}      {:>12}", "", "measured", "aim");
        for row in &self.rows {
            let (aim, verdict) = match row.aim {
                Aim::None => (String::new(), ""),
                Aim::AtMost(most) => (format!("≤ {}", number(most)), verdict(row.value <= most)),
                Aim::Above(least) => (format!("> {}", number(least)), verdict(row.value > least)),
            };
            println!("  {:<58} {:>14} {:<4} {:>12}  {}", row.what, number(row.value), row.unit, aim, verdict);
        }
    }
}

const fn verdict(reached: bool) -> &'static str {
    if reached { "pass" } else { "MISS" }
}

/// Three digits are enough to compare; large numbers get their thousands apart.
fn number(value: f64) -> String {
    if value < 100.0 {
        return format!("{value:.2}");
    }
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
