//! Commands of people.

use crate::{
    changes::At,
    rows::{CommandRow, CommandStatus},
};
use stackwave_domain::{CommandId, Entry, Event, Position, RepositoryId, StackKey, StreamId};
use stackwave_engine::{
    State,
    command::{Ask, Command, Outcome},
    state::RepositoryState,
};
use std::collections::{BTreeMap, BTreeSet};

/// Commands that may still come to another end, by repository. At the start those are all: one may have ended with the
/// very records that come first.
#[derive(Default)]
pub(super) struct Pending(BTreeMap<RepositoryId, BTreeSet<CommandId>>);

impl Pending {
    pub(super) fn of(state: &State) -> Self {
        let mut pending = Self::default();
        for repository in state.repositories() {
            for command in repository.commands() {
                pending.add(repository.id, &command.id);
            }
        }
        pending
    }

    fn add(&mut self, repository: RepositoryId, id: &CommandId) {
        self.0.entry(repository).or_default().insert(id.clone());
    }

    /// Adds the commands that a record brings.
    pub(super) fn collect(&mut self, repository: RepositoryId, entry: &Entry) {
        for event in &entry.record.events {
            match event {
                Event::RetryRequested(it) => self.add(repository, &it.command),
                Event::CancelRequested(it) => self.add(repository, &it.command),
                Event::ResyncRequested(it) => self.add(repository, &it.command),
                Event::DispatchResolved(it) => self.add(repository, &it.command),
                _ => {}
            }
        }
    }

    /// The commands of a repository of which something was told, and which may have come to their end.
    pub(super) fn report(
        &mut self,
        stream: StreamId,
        repository: &RepositoryState,
        at: Position,
        commands: &mut BTreeMap<CommandId, At<CommandRow>>,
    ) {
        let Some(ids) = self.0.get_mut(&repository.id) else { return };
        ids.retain(|id| {
            let Some(command) = repository.command(id) else { return false };
            commands.insert(id.clone(), At { at, row: row(stream, repository, command) });
            command.is_pending()
        });
        if ids.is_empty() {
            self.0.remove(&repository.id);
        }
    }
}

fn row(stream: StreamId, repository: &RepositoryState, command: &Command) -> CommandRow {
    let (status, outcome) = match &command.outcome {
        Outcome::Accepted => (CommandStatus::Accepted, None),
        Outcome::Done { .. } => (CommandStatus::Done, None),
        Outcome::Refused(refusal) => (CommandStatus::Refused, Some(refusal.message.clone())),
        Outcome::Failed { reason, .. } => (CommandStatus::Failed, Some(reason.clone())),
    };
    CommandRow {
        id: command.id.clone(),
        kind: command.ask.verb().to_owned(),
        repository: repository.id,
        run: command.run.clone(),
        key: key(repository, command),
        dispatch: match &command.ask {
            Ask::Resolve { dispatch, .. } => Some(dispatch.clone()),
            Ask::Retry { .. } | Ask::Cancel { .. } | Ask::Resync { .. } => None,
        },
        actor: command.by.clone(),
        reason: command.reason.clone(),
        at: command.at.0,
        stream,
        record: command.at.1,
        status,
        outcome,
    }
}

fn key(repository: &RepositoryState, command: &Command) -> Option<StackKey> {
    match &command.ask {
        Ask::Retry { key, .. } | Ask::Cancel { key, .. } => key.clone(),
        Ask::Resolve { dispatch, .. } => {
            repository.dispatches.get(dispatch).map(|dispatch| dispatch.claimed.key.clone())
        }
        Ask::Resync { .. } => None,
    }
}
