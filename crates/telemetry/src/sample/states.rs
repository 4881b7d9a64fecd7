//! What the states hold: runs, stacks by status, holds, claims without a result.

use crate::metrics::{Metrics, clamped};
use stackwave_domain::{Position, RepositoryId, RunId, Timestamp};
use stackwave_engine::{
    due::hold_on,
    state::{Answer, RepositoryState, Run},
    view::{Status, run_view},
};
use stackwave_runtime::PartitionView;
use std::collections::{BTreeMap, HashMap};

/// Every status, so that one that no stack has any more goes to zero.
const STATUSES: [Status; 16] = [
    Status::Failed,
    Status::Cancelled,
    Status::DispatchRefused,
    Status::CannotRun,
    Status::Undecidable,
    Status::Blocked,
    Status::AwaitingApproval,
    Status::Running,
    Status::Queued,
    Status::Dispatching,
    Status::Released,
    Status::Held,
    Status::Waiting,
    Status::Stopped,
    Status::Succeeded,
    Status::Skipped,
];
/// Every kind of reason to hold a stack that could go. The first three are the engine's [`stackwave_engine::due::Hold`].
const REASONS: [&str; 7] = [
    "in_flight_elsewhere",
    "earlier_merge",
    "newer_merge_failed",
    // Released, and not claimed yet: GitHub, the budget, or an earlier dispatch of its workflow.
    "awaiting_dispatch",
    "awaiting_approval",
    "undecidable",
    "retry_waits",
];
const UNRESOLVED: [&str; 4] = ["claimed", "unknown", "delayed", "undecidable"];

/// What was counted, kept as long as nothing about it changed.
#[derive(Default)]
pub(super) struct States {
    runs: HashMap<(RepositoryId, RunId), (Position, RunCounts)>,
}

#[derive(Clone, Debug, Default)]
struct RunCounts {
    statuses: BTreeMap<&'static str, i64>,
    held: BTreeMap<&'static str, i64>,
}

/// All partitions together.
#[derive(Default)]
struct Totals {
    plans: i64,
    applies: i64,
    stacks: BTreeMap<&'static str, i64>,
    held: BTreeMap<&'static str, i64>,
    unresolved: BTreeMap<&'static str, i64>,
    oldest: f64,
    in_flight: u64,
    refused: u64,
    violations: u64,
    halted: u64,
}

impl States {
    pub(super) fn look(&mut self, views: &[PartitionView], now: Timestamp, metrics: &Metrics) {
        let mut totals = Totals::default();
        let mut seen = HashMap::new();
        for view in views {
            let ids: Vec<RepositoryId> =
                view.read(|state| state.repositories().map(|repository| repository.id).collect());
            for id in ids {
                let runs = view.read(|state| {
                    let repository = state.repository(id)?;
                    totals.add_repository(repository, now);
                    let runs = repository.active_runs().into_iter().map(|run| run.id.clone());
                    Some(runs.collect::<Vec<_>>())
                });
                for run in runs.into_iter().flatten() {
                    let known = self.runs.remove(&(id, run.clone()));
                    let counted = view.read(|state| count(state.repository(id)?, &run, known));
                    let Some((mutating, counted)) = counted else { continue };
                    totals.add_run(mutating, &counted.1);
                    seen.insert((id, run), counted);
                }
            }
        }
        self.runs = seen;
        totals.tell(metrics);
    }
}

/// Counts a run's stacks, unless nothing in its repository changed since.
fn count(
    state: &RepositoryState,
    id: &RunId,
    known: Option<(Position, RunCounts)>,
) -> Option<(bool, (Position, RunCounts))> {
    let run = state.runs.get(id).filter(|run| run.is_active())?;
    let position = state.last_position();
    let counted = match known {
        Some(known) if known.0 == position => known,
        Some(_) | None => (position, count_run(state, run)),
    };
    Some((run.is_mutating(), counted))
}

fn count_run(state: &RepositoryState, run: &Run) -> RunCounts {
    let mut counts = RunCounts::default();
    for (index, stack) in run_view(state, run).stacks.iter().enumerate() {
        *counts.statuses.entry(stack.status.as_str()).or_default() += 1;
        let held = match stack.status {
            Status::Held => Some(hold_on(state, run, index).map_or("retry_waits", |hold| hold.kind())),
            Status::Released => Some("awaiting_dispatch"),
            Status::AwaitingApproval => Some("awaiting_approval"),
            Status::Undecidable => Some("undecidable"),
            _ => None,
        };
        if let Some(reason) = held {
            *counts.held.entry(reason).or_default() += 1;
        }
    }
    counts
}

impl Totals {
    fn add_repository(&mut self, state: &RepositoryState, now: Timestamp) {
        for dispatch in state.open_claims() {
            let kind = match &dispatch.answer {
                Answer::None => "claimed",
                Answer::Unknown { .. } => "unknown",
                Answer::Delayed { .. } => "delayed",
                Answer::Undecidable { .. } => "undecidable",
                Answer::Accepted | Answer::Refused { .. } => continue,
            };
            *self.unresolved.entry(kind).or_default() += 1;
            if matches!(kind, "claimed" | "unknown") {
                self.oldest = self.oldest.max(now.duration_since(dispatch.at.0).as_secs_f64());
            }
        }
        self.in_flight += state.in_flight().count() as u64;
        self.refused += state.comments.values().filter(|comment| comment.refused.is_some()).count() as u64;
        self.violations += state.violations.len() as u64;
        self.halted += u64::from(state.halted.is_some());
    }

    fn add_run(&mut self, mutating: bool, counts: &RunCounts) {
        if mutating {
            self.applies += 1;
        } else {
            self.plans += 1;
        }
        for (status, count) in &counts.statuses {
            *self.stacks.entry(status).or_default() += count;
        }
        for (reason, count) in &counts.held {
            *self.held.entry(reason).or_default() += count;
        }
    }

    fn tell(&self, metrics: &Metrics) {
        for (kind, count) in [("plan", self.plans), ("apply", self.applies)] {
            metrics.runs_active.get_or_create(&vec![("kind", kind.to_owned())]).set(count);
        }
        let of =
            |counts: &BTreeMap<&'static str, i64>, name: &str| counts.get(name).copied().unwrap_or_default();
        for status in STATUSES.map(|status| status.as_str()) {
            let label = vec![("status", status.replace(' ', "_"))];
            metrics.stacks.get_or_create(&label).set(of(&self.stacks, status));
        }
        for reason in REASONS {
            let label = vec![("reason", reason.to_owned())];
            metrics.stacks_held.get_or_create(&label).set(of(&self.held, reason));
        }
        for state in UNRESOLVED {
            let label = vec![("state", state.to_owned())];
            metrics.unresolved.get_or_create(&label).set(of(&self.unresolved, state));
        }
        let none = Vec::new();
        metrics.oldest_unresolved.get_or_create(&none).set(self.oldest.max(0.0));
        metrics.in_flight.get_or_create(&none).set(clamped(self.in_flight));
        metrics.comments_refused.get_or_create(&none).set(clamped(self.refused));
        metrics.violations.get_or_create(&none).set(clamped(self.violations));
        metrics.halted.get_or_create(&none).set(clamped(self.halted));
    }
}
