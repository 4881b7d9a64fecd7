//! From folded records to rows: what they touched, as the state tells it now.
//!
//! The live loop and the catch-up use the same [`Projector`], each with its own state. A row is a function of the state,
//! so it does not matter how records are cut into batches.

mod command;
mod delivery;
mod dispatch;
mod held;
mod pull;
mod run;
mod touched;
mod upload;

pub(crate) use self::delivery::collect as collect_deliveries;
pub use self::{
    dispatch::row as dispatch_row,
    pull::row as pull_row,
    run::{row as run_row, stack_row},
};

use self::{command::Pending, held::Held, run::Sent, touched::Touched};
use crate::changes::Changes;
use stackwave_domain::{Entry, Position, RepositoryId, StreamId};
use stackwave_engine::{State, state::RepositoryState, view::standing};
use std::collections::BTreeMap;

/// Turns the records of one stream into rows.
pub(crate) struct Projector {
    stream: StreamId,
    /// Rows that were given out, so that a run of many stacks costs what changed in it.
    sent: Sent,
    /// Runs whose view depends on other runs.
    held: Held,
    /// Commands that have not come to their end.
    pending: Pending,
}

impl Projector {
    /// One that goes on from a state, of which nothing was given out.
    pub(crate) fn new(stream: StreamId, state: &State) -> Self {
        Self { stream, sent: Sent::default(), held: Held::of(state), pending: Pending::of(state) }
    }

    /// What these records change. The state holds everything up to the last of them.
    pub(crate) fn project<'a>(&mut self, state: &State, entries: impl Iterator<Item = &'a Entry>) -> Changes {
        let mut changes = Changes::default();
        let mut last_entry = None;
        let mut touched: BTreeMap<RepositoryId, (Position, Touched)> = BTreeMap::new();
        for entry in entries {
            changes.upto = entry.position;
            last_entry = Some(entry);
            delivery::collect(self.stream, entry, &mut changes.deliveries);
            let Some(repository) = entry.subject.repository().and_then(|id| state.repository(id)) else {
                continue;
            };
            upload::collect(self.stream, repository, entry, &mut changes);
            let (last, touched) = touched.entry(repository.id).or_default();
            *last = entry.position;
            touched.collect(repository, entry);
            self.pending.collect(repository.id, entry);
        }
        for late in self.held.take_late() {
            touched.entry(late).or_insert_with(|| (changes.upto, Touched::default()));
        }
        changes.tip = last_entry.map(|entry| entry.record.id.clone());
        for (id, (last, mut touched)) in touched {
            let Some(repository) = state.repository(id) else { continue };
            self.held.touch(repository, last, &mut touched);
            self.pending.report(self.stream, repository, last, &mut changes.commands);
            self.report(repository, &touched, &mut changes);
        }
        changes
    }

    /// Everything that a state holds, for who does not have the records that led to it.
    pub(crate) fn everything(&mut self, state: &State, at: Position) -> Changes {
        let mut changes = Changes { upto: at, ..Changes::default() };
        for repository in state.repositories() {
            let touched = Touched::all(repository, at);
            self.pending.report(self.stream, repository, at, &mut changes.commands);
            self.report(repository, &touched, &mut changes);
        }
        changes
    }

    fn report(&mut self, repository: &RepositoryState, touched: &Touched, changes: &mut Changes) {
        for (id, at) in &touched.runs {
            let Some(run) = repository.runs.get(id) else { continue };
            let view = standing(repository, run);
            self.held.judge(repository.id, run);
            let change = self.sent.change(self.stream, repository, view, *at);
            changes.runs.insert(id.clone(), change);
        }
        for (number, at) in &touched.pulls {
            let Some(pull) = repository.pulls.get(number) else { continue };
            changes.pulls.insert((repository.id, *number), pull::change(repository.id, pull, *at));
        }
        for (id, at) in &touched.dispatches {
            let Some(dispatch) = repository.dispatches.get(id) else { continue };
            changes.dispatches.insert(id.clone(), dispatch::change(self.stream, repository, dispatch, *at));
        }
    }
}
