//! A record of decisions against what follows from the state that it was decided from.

use super::line;
use stackwave_domain::{Event, Timestamp, record::MAX_RECORD_BYTES};
use stackwave_engine::{Config, due::due_decisions, state::RepositoryState};

/// A record of decisions is filled up to this many bytes; what is left over is due again after it.
const FULL: usize = MAX_RECORD_BYTES - 64 * 1024;

/// What a record of decisions or claims comes to.
#[derive(Debug)]
pub(super) enum Judgement {
    /// So many decisions came out the same.
    Same(usize),
    /// So many claims were due.
    Due(usize),
    /// Another version decided.
    OtherVersion,
    /// What it was decided from is not known.
    OutOfReach,
    /// It does not follow.
    Differs {
        /// In a sentence.
        what: String,
        /// What the log says.
        recorded: Vec<String>,
        /// What follows from the state.
        recomputed: Vec<String>,
    },
}

pub(super) fn judge(
    state: &RepositoryState,
    config: &Config,
    now: Timestamp,
    recorded: &[Event],
) -> Judgement {
    let due = due_decisions(state, config, now).now;
    if recorded == due.as_slice() {
        return Judgement::Same(recorded.len());
    }
    let recorded: Vec<String> = recorded.iter().map(line).collect();
    let recomputed: Vec<String> = due.iter().map(line).collect();
    if is_full_prefix(&recorded, &recomputed) {
        return Judgement::Same(recorded.len());
    }
    let first = recorded.iter().zip(&recomputed).position(|(one, other)| one != other);
    let first = first.unwrap_or_else(|| recorded.len().min(recomputed.len()));
    let what = match (recorded.get(first), recomputed.get(first)) {
        (Some(_), Some(_)) => format!("decision {} is another one", first + 1),
        (Some(_), None) => format!("decision {} was not due", first + 1),
        (None, _) => format!("decision {} was due and is missing", first + 1),
    };
    Judgement::Differs {
        what,
        recorded: recorded.into_iter().skip(first).take(5).collect(),
        recomputed: recomputed.into_iter().skip(first).take(5).collect(),
    }
}

/// Whether the record holds as many of the decisions as go into one.
fn is_full_prefix(recorded: &[String], recomputed: &[String]) -> bool {
    let prefix = recomputed.get(..recorded.len());
    let bytes: usize = recomputed.iter().take(recorded.len() + 1).map(String::len).sum();
    !recorded.is_empty() && prefix == Some(recorded) && bytes > FULL
}
