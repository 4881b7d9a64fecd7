//! Appending decisions and claims to a repository's ledger, one at a time.
//!
//! Whoever decides does so from a state, and the append holds only if the ledger's last record is the last that this
//! state has folded (design §3.2). Two actors of one process would only conflict with each other, so they take turns:
//! a [`Permit`] is given while no append of this process is outstanding and everything that it appended has been folded.

use crate::core::Core;
use stackwave_domain::{Position, Receipt, Record, RepositoryId, Subject};
use stackwave_engine::state::RepositoryState;
use stackwave_event_log::{Append, AppendError};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::mpsc;

/// The ledgers of one partition, as this process appends to them.
#[derive(Clone)]
pub struct Ledger {
    core: Core,
    gates: Arc<Mutex<HashMap<RepositoryId, Gate>>>,
    poke: mpsc::UnboundedSender<RepositoryId>,
}

#[derive(Clone, Copy, Debug)]
enum Gate {
    /// An append is under way.
    Busy,
    /// Open once the fold has reached this.
    Until(Position),
}

/// The turn to append to one ledger.
#[must_use = "a permit that is dropped without an append gives the turn back"]
pub struct Permit {
    ledger: Ledger,
    repository: RepositoryId,
    subject: Subject,
    expected: Position,
    done: bool,
}

/// A decision or claim did not land.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Somebody wrote first: decide again from the state that has folded it.
    #[error("the ledger has moved on since position {0}")]
    Moved(Position),
    /// The log cannot take it.
    #[error(transparent)]
    Append(#[from] AppendError),
}

/// How long to wait before asking the log what became of an append.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

impl Ledger {
    pub(crate) fn new(core: Core, poke: mpsc::UnboundedSender<RepositoryId>) -> Self {
        Self { core, gates: Arc::default(), poke }
    }

    /// The turn to append, decided from this state; none while another append of this process is outstanding. The
    /// repository is asked again when that has been folded.
    pub fn permit(&self, state: &RepositoryState, subject: Subject) -> Option<Permit> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_open(gates.get(&state.id), state) {
            return None;
        }
        gates.insert(state.id, Gate::Busy);
        Some(Permit {
            ledger: self.clone(),
            repository: state.id,
            subject,
            expected: state.ledger,
            done: false,
        })
    }

    /// Whether a permit would be given: what is due need not be worked out before.
    #[must_use]
    pub fn is_free(&self, state: &RepositoryState) -> bool {
        is_open(self.gates.lock().unwrap_or_else(PoisonError::into_inner).get(&state.id), state)
    }

    fn set(&self, repository: RepositoryId, gate: Option<Gate>) {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        match gate {
            Some(gate) => gates.insert(repository, gate),
            None => gates.remove(&repository),
        };
        drop(gates);
        // The loop has ended when nobody listens; then there is nothing left to ask.
        let _ = self.poke.send(repository);
    }
}

fn is_open(gate: Option<&Gate>, state: &RepositoryState) -> bool {
    match gate {
        Some(Gate::Busy) => false,
        Some(Gate::Until(position)) => state.ledger >= *position,
        None => true,
    }
}

impl Permit {
    /// Appends, and returns once it is certain whether the record lies in the log.
    ///
    /// # Errors
    /// [`LedgerError::Moved`] when somebody wrote first. The turn is given back either way.
    pub async fn append(mut self, record: Record) -> Result<Receipt, LedgerError> {
        let id = record.id.clone();
        let append = Append::after(self.subject.clone(), record, self.expected);
        let result = self.ledger.core.log.append(append).await;
        self.done = true;
        match result {
            Ok(appended) => {
                self.ledger.set(self.repository, Some(Gate::Until(appended.receipt.position)));
                Ok(appended.receipt)
            }
            Err(AppendError::Conflict { .. } | AppendError::Unknown(_)) => self.resolve(&id).await,
            Err(error) => {
                // It did not land; ask again soon, but not at once.
                tokio::time::sleep(LOOK_AGAIN * 10).await;
                self.ledger.set(self.repository, None);
                Err(error.into())
            }
        }
    }

    /// Reads from the leader what the ledger's last record is: ours, or somebody's.
    async fn resolve(&self, id: &stackwave_domain::RecordId) -> Result<Receipt, LedgerError> {
        loop {
            match self.ledger.core.log.last(&self.subject).await {
                Ok(last) => {
                    let position = last.as_ref().map_or(Position::START, |entry| entry.position);
                    self.ledger.set(self.repository, Some(Gate::Until(position)));
                    return match last.filter(|entry| entry.record.id == *id) {
                        Some(entry) => Ok(Receipt { record: id.clone(), position: entry.position }),
                        None => Err(LedgerError::Moved(self.expected)),
                    };
                }
                Err(error) => {
                    tracing::warn!(%error, "the ledger's last record cannot be read; trying again");
                    if self.ledger.core.shutdown.is_cancelled() {
                        self.ledger.set(self.repository, None);
                        return Err(LedgerError::Moved(self.expected));
                    }
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
            }
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.done {
            self.ledger.set(self.repository, None);
        }
    }
}
