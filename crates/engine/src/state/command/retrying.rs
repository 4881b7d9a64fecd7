//! Retries.

use super::super::{Class, RepositoryState, fold::Fold};
use crate::command::{self, Ask, Asked};
use stackwave_domain::event::RetryDropped;

impl RepositoryState {
    pub(super) fn start_retry(&mut self, fold: &Fold<'_>, ask: &Ask, asked: &Asked) {
        let Ask::Retry { run: id, key } = ask else { return };
        let Some(run) = self.runs.get(id) else { return };
        let Ok(targets) = command::targets(self, run, key.as_ref()) else { return };
        if let Some(command) = self.commands.get_mut(&asked.command) {
            command.left = u32::try_from(targets.len()).unwrap_or(u32::MAX);
        }
        for index in targets {
            let Some(run) = self.runs.get_mut(id) else { return };
            // What was withdrawn before it went goes in its turn again; there is no attempt to follow.
            let went = run.stacks[index].attempt() > 0;
            run.set_orders(index, |orders| {
                if went {
                    orders.retry = Some(asked.clone());
                } else {
                    orders.withdrawn = None;
                }
            });
            if !went {
                self.carried_out(fold.position, &asked.command);
            }
        }
    }

    pub(in super::super) fn drop_retry(&mut self, fold: &Fold<'_>, dropped: &RetryDropped) -> Class {
        let Some(run) = self.runs.get_mut(&dropped.run) else {
            return Class::Impossible(format!("a retry in the unknown run {}", dropped.run));
        };
        let Some(index) = run.find(&dropped.key) else {
            return Class::Impossible(format!("a retry of {}, which the run does not have", dropped.key));
        };
        if run.stacks[index].retry().is_none_or(|asked| asked.command != dropped.command) {
            return Class::Known;
        }
        run.set_orders(index, |orders| orders.retry = None);
        self.given_up(fold.position, &dropped.command, format!("{}: {}", dropped.key, dropped.reason));
        self.touch_run(fold.position, &dropped.run);
        Class::Applied
    }
}
