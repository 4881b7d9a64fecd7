//! The orchestrator: asks the state which decisions are due, and records them.
//!
//! It does nothing outside the log. All that is due in a repository goes out as one record on its ledger, which lands
//! only if nobody decided or claimed anything since the state that it was decided from (design §3.2).

mod trace;

use crate::trace::Decisions;
use stackwave_domain::{
    Event, Position, Record, Subject, Timestamp,
    record::{Basis, MAX_RECORD_BYTES},
};
use stackwave_engine::{ENGINE_VERSION, due::due_decisions};
use stackwave_event_log::LogError;
use stackwave_runtime::{
    Actor, Core, Turn,
    ledger::{LedgerError, Permit},
    stow,
};

/// Its name in records, logs and health.
pub const ROLE: &str = "orchestrator";

/// A plan larger than this goes to the blob store, in bytes of its JSON.
const INLINE_PLAN: usize = 128 * 1024;
/// A record is filled up to this, in bytes of its events' JSON; the rest is due again from the state after it.
const FULL: usize = MAX_RECORD_BYTES - 64 * 1024;

/// How long to wait before deciding again when the blob store is out of reach.
const TRY_AGAIN: std::time::Duration = std::time::Duration::from_millis(500);

/// The orchestrator of one process.
#[must_use]
pub fn actor(core: Core) -> Box<dyn Actor> {
    Box::new(Orchestrator { core })
}

struct Orchestrator {
    core: Core,
}

impl Actor for Orchestrator {
    fn name(&self) -> &'static str {
        ROLE
    }

    fn act(&mut self, turn: &Turn<'_>) -> Option<Timestamp> {
        if !turn.ledger.is_free(turn.repository) {
            // An append of ours is outstanding: the repository is asked about again after it.
            return None;
        }
        let due = due_decisions(turn.repository, turn.config, turn.now);
        if due.now.is_empty() {
            return due.again_at;
        }
        let subject = Subject::ledger(turn.stream, turn.repository.id);
        if let Some(permit) = turn.ledger.permit(turn.repository, subject) {
            let basis = Basis { engine: ENGINE_VERSION, now: turn.now, config: turn.config.position() };
            let cause = turn.repository.last_position();
            let decisions = Decisions::begin(turn.repository, &due.now);
            tokio::spawn(decide(self.core.clone(), permit, due.now, decisions, cause, basis));
        }
        due.again_at
    }
}

async fn decide(
    core: Core,
    permit: Permit,
    events: Vec<Event>,
    decisions: Decisions,
    cause: Position,
    basis: Basis,
) {
    match record(&core, events, cause, basis).await {
        Ok(mut record) => {
            record.trace = decisions.first.as_deref().map(str::to_owned);
            match permit.append(record).await {
                Ok(receipt) => decisions.end(receipt.position.0),
                Err(error @ LedgerError::Moved(_)) => tracing::debug!(%error, "decided again"),
                Err(error) => tracing::error!(%error, "a decision cannot be recorded; trying again"),
            }
        }
        Err(error) => {
            tracing::error!(%error, "a run's plan cannot be stored; trying again");
            // Dropping the permit asks for another turn: not at once.
            tokio::time::sleep(TRY_AGAIN).await;
            drop(permit);
        }
    }
}

/// As many of the decisions as one record holds, with large plans put aside.
async fn record(core: &Core, due: Vec<Event>, cause: Position, basis: Basis) -> Result<Record, LogError> {
    let mut events = Vec::new();
    let mut bytes = 0;
    for mut event in due {
        if let Event::RunOpened(opened) = &mut event {
            opened.plan = stow::stow(&core.log, opened.plan.clone(), INLINE_PLAN).await?;
        }
        // Serialising into memory cannot fail: every key is a string.
        let size = serde_json::to_vec(&event).map_or(0, |json| json.len());
        if !events.is_empty() && bytes + size > FULL {
            break;
        }
        bytes += size;
        events.push(event);
    }
    Ok(core.record(ROLE, events).caused_by(cause).decided_from(basis))
}
