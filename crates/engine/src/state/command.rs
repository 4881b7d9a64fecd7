//! What people asked for, and what came of it.

mod cancelling;
mod resolving;
mod retrying;

use super::{Class, Dispatch, RepositoryState, fold::Fold};
use crate::command::{self, Ask, Asked, Command, Outcome};
use stackwave_domain::{
    CommandId, Position, RunId, Timestamp,
    event::{CancelRequested, CommandFailed, DispatchResolved, ResyncRequested, Resynced, RetryRequested},
};
use std::collections::BTreeSet;

impl RepositoryState {
    /// Every command of the last 35 days, by its name.
    pub fn commands(&self) -> impl Iterator<Item = &Command> {
        self.commands.values()
    }

    /// One command, with what came of it.
    #[must_use]
    pub fn command(&self, id: &CommandId) -> Option<&Command> {
        self.commands.get(id)
    }

    /// The commands about a run, oldest first.
    #[must_use]
    pub fn commands_of(&self, run: &RunId) -> Vec<&Command> {
        let mut commands: Vec<&Command> =
            self.commands.values().filter(|command| command.run.as_ref() == Some(run)).collect();
        commands.sort_by_key(|command| command.at.1);
        commands
    }

    /// Commands that were taken up and are not done.
    pub(crate) fn pending_commands(&self) -> impl Iterator<Item = &Command> {
        self.pending.iter().filter_map(|id| self.commands.get(id))
    }

    /// The dispatches of a run, or of one stack of it, that may be under way: in any attempt.
    pub(crate) fn under_way<'a>(
        &'a self,
        run: &'a super::Run,
        stack: Option<usize>,
    ) -> impl Iterator<Item = &'a Dispatch> {
        self.open_claims().chain(self.in_flight()).filter(move |dispatch| {
            *dispatch.run() == run.id && stack.is_none_or(|stack| dispatch.stack == stack)
        })
    }

    /// Whether a claim may still be sent: its run goes on, and nobody has cancelled it or its stack.
    #[must_use]
    pub fn may_be_sent(&self, dispatch: &Dispatch) -> bool {
        self.runs.get(dispatch.run()).is_some_and(|run| {
            let stack = run.stacks.get(dispatch.stack);
            let called_off = run.cancel.is_some() || stack.is_none_or(super::Stack::is_called_off);
            run.is_active() && !called_off
        })
    }

    /// Whether any attempt of a stack, also an earlier one that somebody re-ran at GitHub, may be under way.
    pub(crate) fn has_attempt_in_flight(&self, run: &super::Run, stack: usize) -> bool {
        self.under_way(run, Some(stack)).next().is_some()
    }

    pub(super) fn command_retry(&mut self, fold: &Fold<'_>, retry: &RetryRequested) -> Class {
        let ask = Ask::Retry { run: retry.run.clone(), key: retry.key.clone() };
        self.take_up(fold, &retry.command, ask, retry.reason.as_ref(), Self::start_retry)
    }

    pub(super) fn command_cancel(&mut self, fold: &Fold<'_>, cancel: &CancelRequested) -> Class {
        let ask = Ask::Cancel { run: cancel.run.clone(), key: cancel.key.clone(), force: cancel.force };
        self.take_up(fold, &cancel.command, ask, cancel.reason.as_ref(), Self::start_cancel)
    }

    pub(super) fn command_resync(&mut self, fold: &Fold<'_>, resync: &ResyncRequested) -> Class {
        let ask = Ask::Resync { run: resync.run.clone(), pull_request: resync.pull_request };
        // It is due until a look is recorded.
        self.take_up(fold, &resync.command, ask, resync.reason.as_ref(), |_, _, _, _| {})
    }

    pub(super) fn command_resolve(&mut self, fold: &Fold<'_>, resolved: &DispatchResolved) -> Class {
        let ask = Ask::Resolve { dispatch: resolved.dispatch.clone(), outcome: resolved.outcome };
        self.take_up(fold, &resolved.command, ask, resolved.reason.as_ref(), Self::start_resolve)
    }

    /// A command came: it is taken up, or what is in its way is kept with it.
    fn take_up(
        &mut self,
        fold: &Fold<'_>,
        id: &CommandId,
        ask: Ask,
        reason: Option<&String>,
        start: fn(&mut Self, &Fold<'_>, &Ask, &Asked),
    ) -> Class {
        if self.commands.contains_key(id) {
            return Class::Known;
        }
        let verdict = command::check(self, &ask, self.last_at);
        let by = fold.entry.record.actor.clone();
        let run = match &ask {
            Ask::Resolve { dispatch, .. } => {
                self.dispatches.get(dispatch).map(|dispatch| dispatch.run().clone())
            }
            Ask::Retry { .. } | Ask::Cancel { .. } | Ask::Resync { .. } => ask.run().cloned(),
        };
        let asked = Asked { command: id.clone(), by: by.clone(), reason: reason.cloned(), at: fold.position };
        let refused = verdict.as_ref().err().cloned();
        let command = Command {
            id: id.clone(),
            by,
            at: (fold.at, fold.position),
            ask: ask.clone(),
            run: run.clone(),
            reason: reason.cloned(),
            outcome: verdict.map_or_else(Outcome::Refused, |()| Outcome::Accepted),
            left: 1,
        };
        self.commands.insert(id.clone(), command);
        let class = match refused {
            Some(refusal) => Class::Impossible(refusal.message),
            None => {
                self.pending.insert(id.clone());
                start(self, fold, &ask, &asked);
                Class::Applied
            }
        };
        if let Some(run) = &run {
            self.touch_run(fold.position, run);
        }
        class
    }

    /// One of the things that a command asked for is done.
    pub(super) fn carried_out(&mut self, position: Position, id: &CommandId) {
        let Some(command) = self.commands.get_mut(id) else { return };
        command.left = command.left.saturating_sub(1);
        if command.left == 0 && command.is_pending() {
            command.outcome = Outcome::Done { at: position };
            self.pending.remove(id);
        }
    }

    /// One of the things that a command asked for cannot be done. It failed as a whole if none could.
    fn given_up(&mut self, position: Position, id: &CommandId, reason: String) {
        let Some(command) = self.commands.get_mut(id) else { return };
        command.left = command.left.saturating_sub(1);
        if command.left == 0 && command.is_pending() {
            command.outcome = Outcome::Failed { reason, at: position };
            self.pending.remove(id);
        }
    }

    pub(super) fn resync(&mut self, fold: &Fold<'_>, resynced: &Resynced) -> Class {
        if !self.pending.contains(&resynced.command) {
            return Class::Known;
        }
        self.carried_out(fold.position, &resynced.command);
        Class::Applied
    }

    pub(super) fn fail_command(&mut self, fold: &Fold<'_>, failed: &CommandFailed) -> Class {
        let Some(command) = self.commands.get_mut(&failed.command) else {
            return Class::Impossible(format!("nothing is known of the command {}", failed.command));
        };
        if !command.is_pending() {
            return Class::Known;
        }
        command.left = 0;
        let ask = command.ask.clone();
        self.given_up(fold.position, &failed.command, failed.reason.clone());
        if let Ask::Resolve { dispatch, .. } = &ask {
            self.forget_resolution(fold, dispatch);
        }
        Class::Applied
    }

    /// A run stopped: nothing that was asked for in it and waits for a decision can be decided any more.
    pub(super) fn wind_up(&mut self, fold: &Fold<'_>, id: &RunId) {
        let of_run: Vec<_> = self
            .failed()
            .filter(|dispatch| dispatch.run() == id)
            .map(|it| it.claimed.dispatch.clone())
            .collect();
        for dispatch in &of_run {
            self.failed.remove(dispatch);
            if let Some(dispatch) = self.dispatches.get_mut(dispatch) {
                dispatch.listed.2 = false;
            }
        }
        self.stop_what_is_left(fold, id);
        let Some(run) = self.runs.get_mut(id) else { return };
        let mut retries = Vec::new();
        let mut cancels: Vec<CommandId> = run.cancel.take().into_iter().map(|asked| asked.command).collect();
        for index in run.ordered().collect::<Vec<_>>() {
            run.set_orders(index, |orders| {
                retries.extend(orders.retry.take().map(|asked| asked.command));
                cancels.extend(orders.cancel.take().map(|asked| asked.command));
            });
        }
        let how = crate::view::stop_words(run).unwrap_or_else(|| "it has ended".to_owned());
        for command in cancels {
            // Nothing more is dispatched, whoever stopped it.
            self.carried_out(fold.position, &command);
        }
        for command in retries {
            self.given_up(fold.position, &command, format!("the run stopped before that: {how}"));
        }
    }

    pub(super) fn has_old_commands(&self, before: Timestamp) -> bool {
        self.commands.iter().any(|(id, command)| command.at.0 < before && !self.pending.contains(id))
    }

    pub(super) fn forget_commands(&mut self, before: Timestamp) {
        let pending = &self.pending;
        self.commands.retain(|id, command| command.at.0 >= before || pending.contains(id));
    }

    /// Whether the list of commands that are not done is right; what is not, in words.
    pub(crate) fn check_commands(&self) -> Vec<String> {
        let real: BTreeSet<CommandId> =
            self.commands.values().filter(|command| command.is_pending()).map(|it| it.id.clone()).collect();
        if real == self.pending {
            return Vec::new();
        }
        vec![format!("the list of commands that are not done is {:?}, it should be {real:?}", self.pending)]
    }
}
