//! What differs between two runs: stacks, edges, settings, decisions, statuses and how long each step took.
//!
//! Runs are compared by what their stacks are called. Ids, positions and moments always differ and are left out; of
//! durations only a difference that matters is told.

mod sequence;
mod story;
mod text;

pub use story::{Stack, Story, Timings};

use jiff::SignedDuration;
use serde::Serialize;
use std::collections::BTreeSet;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The first.
    A,
    /// The second.
    B,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// Something about the run itself: trigger, commit, ref, status.
    Run {
        /// What.
        field: &'static str,
        /// In the first.
        a: String,
        /// In the second.
        b: String,
    },
    /// A stack is in one of them only.
    Stack {
        /// Which stack.
        stack: String,
        /// In which run.
        only_in: Side,
    },
    /// A dependency between stacks that are in both is in one of them only.
    Edge {
        /// The stack that goes first.
        parent: String,
        /// The stack that waits.
        child: String,
        /// In which run.
        only_in: Side,
    },
    /// What is planned for a stack: whether it runs, which workflows, which inputs.
    Settings {
        /// Which stack.
        stack: String,
        /// What.
        field: String,
        /// In the first; nothing when it has none.
        a: Option<String>,
        /// In the second.
        b: Option<String>,
    },
    /// How a stack stands.
    Status {
        /// Which stack.
        stack: String,
        /// In the first.
        a: String,
        /// In the second.
        b: String,
    },
    /// A decision that one of them has and the other has not, or has elsewhere in its order.
    Decision {
        /// What was decided.
        decision: String,
        /// In which run.
        only_in: Side,
        /// Its place among that run's decisions; the first is 1.
        place: usize,
    },
    /// How long a step took.
    Timing {
        /// Which stack.
        stack: String,
        /// Which step: `release_to_claim`, `claim_to_answer`, `answer_to_start`, `start_to_end`.
        step: &'static str,
        /// In the first, in seconds; nothing when it did not come to it.
        a_s: Option<i64>,
        /// In the second.
        b_s: Option<i64>,
    },
}

/// All differences of two runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// The first run's id.
    pub a: String,
    /// The second's.
    pub b: String,
    /// What differs, in the order in which it is told.
    pub changes: Vec<Change>,
}

/// Compares two runs. Durations differ when they do by more than `within`.
#[must_use]
pub fn diff(a: &Story, b: &Story, within: SignedDuration) -> Diff {
    let mut changes = Vec::new();
    for ((field, one), (_, other)) in a.fields.iter().zip(&b.fields) {
        if one != other {
            changes.push(Change::Run { field, a: one.clone(), b: other.clone() });
        }
    }
    let names = |story: &Story| story.stacks.keys().cloned().collect::<BTreeSet<String>>();
    let (in_a, in_b) = (names(a), names(b));
    let only = |one: &BTreeSet<String>, other: &BTreeSet<String>, only_in| {
        let only = one.difference(other).cloned();
        only.map(|stack| Change::Stack { stack, only_in }).collect::<Vec<_>>()
    };
    changes.extend(only(&in_a, &in_b, Side::A));
    changes.extend(only(&in_b, &in_a, Side::B));
    let both: BTreeSet<&String> = in_a.intersection(&in_b).collect();
    changes.extend(edges(a, b, Side::A, &both));
    changes.extend(edges(b, a, Side::B, &both));
    for stack in &both {
        let (Some(one), Some(other)) = (a.stacks.get(*stack), b.stacks.get(*stack)) else { continue };
        let fields: BTreeSet<&String> = one.settings.keys().chain(other.settings.keys()).collect();
        for field in fields {
            let (a, b) = (one.settings.get(field).cloned(), other.settings.get(field).cloned());
            if a != b {
                changes.push(Change::Settings { stack: (*stack).clone(), field: field.clone(), a, b });
            }
        }
    }
    changes.extend(sequence::changes(&a.decisions, &b.decisions));
    for stack in &both {
        let (Some(one), Some(other)) = (a.stacks.get(*stack), b.stacks.get(*stack)) else { continue };
        if one.status != other.status {
            let (a, b) = (one.status.clone(), other.status.clone());
            changes.push(Change::Status { stack: (*stack).clone(), a, b });
        }
        for ((step, a_s), (_, b_s)) in one.timings.steps().into_iter().zip(other.timings.steps()) {
            if differ(a_s, b_s, within.as_secs()) {
                changes.push(Change::Timing { stack: (*stack).clone(), step, a_s, b_s });
            }
        }
    }
    Diff { a: a.run.clone(), b: b.run.clone(), changes }
}

fn differ(a: Option<i64>, b: Option<i64>, within: i64) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() > within,
        (None, None) => false,
        (Some(_), None) | (None, Some(_)) => true,
    }
}

fn edges(one: &Story, other: &Story, only_in: Side, both: &BTreeSet<&String>) -> Vec<Change> {
    let only = one.edges.difference(&other.edges).filter(|(a, b)| both.contains(a) && both.contains(b));
    only.map(|(parent, child)| Change::Edge { parent: parent.clone(), child: child.clone(), only_in })
        .collect()
}
