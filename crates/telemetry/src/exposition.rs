//! Metrics as text: Prometheus's own format, and OpenMetrics for whoever asks for it.
//!
//! Source: Prometheus "Exposition formats", text format 0.0.4; OpenMetrics 1.0.

use crate::metrics::{Kind, Metrics};
use prometheus_client::encoding::text::encode;
use std::{collections::HashMap, fmt::Write as _};

/// The content type of OpenMetrics.
pub const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The content type of Prometheus's text format.
pub const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Everything in OpenMetrics.
#[must_use]
pub fn open_metrics(metrics: &Metrics) -> String {
    let mut text = String::new();
    // Writing into a text does not fail.
    let _ = encode(&mut text, metrics.registry());
    // Families without labels are written with empty ones, which is allowed and looks odd.
    text.replace("{} ", " ")
}

/// Everything in Prometheus's text format. It differs in how counters are announced, and knows no units.
#[must_use]
pub fn prometheus(metrics: &Metrics) -> String {
    let counters: HashMap<&str, &str> = metrics
        .described()
        .iter()
        .filter(|described| described.kind == Kind::Counter)
        .filter_map(|described| Some((described.name.strip_suffix("_total")?, described.name.as_str())))
        .collect();
    let mut text = String::new();
    for line in open_metrics(metrics).lines() {
        let Some(comment) = line.strip_prefix("# ") else {
            text.push_str(line);
            text.push('\n');
            continue;
        };
        let mut words = comment.splitn(3, ' ');
        let (Some(word @ ("HELP" | "TYPE")), Some(name), Some(rest)) =
            (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let name = counters.get(name).copied().unwrap_or(name);
        // Writing into a text does not fail.
        let _ = writeln!(text, "# {word} {name} {rest}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Build;

    #[test]
    fn counters_are_announced_by_the_names_of_their_samples() {
        let metrics = Metrics::new(&Build::default());
        let text = prometheus(&metrics);
        assert!(text.contains("# TYPE stackwave_uploads_total counter\n"), "{text}");
        assert!(text.contains("\nstackwave_uploads_total{outcome=\"stored\"} 0\n"), "{text}");
        assert!(text.contains("# TYPE stackwave_hop_duration_seconds histogram\n"), "{text}");
        assert!(!text.contains("# UNIT") && !text.contains("# EOF"), "{text}");
        assert!(open_metrics(&metrics).ends_with("# EOF\n"));
    }
}
