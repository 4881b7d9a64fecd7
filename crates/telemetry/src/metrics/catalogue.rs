//! Registering a metric and describing it are one step, so that no metric goes without.

use super::{Counters, Durations, Integers, Labels, Numbers};
use prometheus_client::{
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::{Metric, Registry, Unit},
};
use std::sync::atomic::AtomicU64;

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Goes up.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts in buckets.
    Histogram,
}

impl Kind {
    /// Its name in the exposition.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// One metric, for documents and tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// Its name as Prometheus has it: a counter's ends in `_total`.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it tells.
    pub help: String,
}

#[derive(Default)]
pub(super) struct Catalogue {
    pub(super) registry: Registry,
    pub(super) described: Vec<Described>,
}

impl Catalogue {
    pub(super) fn counters(&mut self, name: &str, labels: &'static [&'static str], help: &str) -> Counters {
        let family = Counters::default();
        self.add(name, Kind::Counter, None, labels, help, family.clone());
        family
    }

    pub(super) fn float_counters(
        &mut self,
        name: &str,
        labels: &'static [&'static str],
        help: &str,
    ) -> Family<Labels, Counter<f64, AtomicU64>> {
        let family = Family::default();
        self.add(name, Kind::Counter, None, labels, help, family.clone());
        family
    }

    pub(super) fn integers(&mut self, name: &str, labels: &'static [&'static str], help: &str) -> Integers {
        let family = Integers::default();
        self.add(name, Kind::Gauge, None, labels, help, family.clone());
        family
    }

    pub(super) fn numbers(&mut self, name: &str, labels: &'static [&'static str], help: &str) -> Numbers {
        let family = Numbers::default();
        self.add(name, Kind::Gauge, None, labels, help, family.clone());
        family
    }

    pub(super) fn durations(
        &mut self,
        name: &str,
        labels: &'static [&'static str],
        help: &str,
        make: fn() -> Histogram,
    ) -> Durations {
        let family = Family::new_with_constructor(make);
        self.add(name, Kind::Histogram, Some(Unit::Seconds), labels, help, family.clone());
        family
    }

    fn add(
        &mut self,
        name: &str,
        kind: Kind,
        unit: Option<Unit>,
        labels: &'static [&'static str],
        help: &str,
        metric: impl Metric,
    ) {
        let full = match (kind, &unit) {
            (Kind::Counter, _) => format!("{name}_total"),
            (_, Some(unit)) => format!("{name}_{}", unit.as_str()),
            (_, None) => name.to_owned(),
        };
        self.described.push(Described { name: full, kind, labels, help: help.to_owned() });
        match unit {
            Some(unit) => self.registry.register_with_unit(name, help, unit, metric),
            None => self.registry.register(name, help, metric),
        }
    }
}
