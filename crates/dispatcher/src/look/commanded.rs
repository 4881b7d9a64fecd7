//! Looks that a person asked for.

use super::Looker;
use stackwave_domain::{
    CommandId, Event, Subject,
    event::{CommandFailed, Resynced},
};
use stackwave_engine::due::{Lookup, Resync};
use stackwave_github::port::CallError;

impl Looker {
    /// Looks at everything that a person wants to be looked at, and says so.
    pub(super) async fn resync(&self, resync: &Resync) -> Result<(), CallError> {
        let news = self.ask_runs(&resync.workflow_runs, usize::MAX).await?;
        let mut pulls = 0;
        for number in &resync.pulls {
            match self.look_at_pull(*number).await {
                Ok(()) => pulls += 1,
                Err(CallError::NotFound(why)) => {
                    let reason = format!("GitHub does not know the pull request #{number}: {why}");
                    return self.say(CommandFailed { command: resync.command.clone(), reason }).await;
                }
                Err(error) => return Err(error),
            }
        }
        for sha in &resync.uploads {
            self.look_up_upload(sha.clone()).await?;
        }
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        self.say(Resynced {
            command: resync.command.clone(),
            workflow_runs: count(resync.workflow_runs.len()),
            pull_requests: pulls,
            uploads: count(resync.uploads.len()),
            news: count(news),
        })
        .await
    }

    /// A workflow run that a person said is a dispatch's: the state joins it as soon as it knows it.
    pub(super) async fn look_up_run(&self, lookup: &Lookup) -> Result<(), CallError> {
        let Some(view) = self.shared.view.0.get() else { return Ok(()) };
        let id = lookup.workflow_run;
        let run = match self.shared.github.runs.run(&self.target, id).await {
            Ok(run) => run,
            Err(CallError::NotFound(why)) => {
                return self
                    .fail(&lookup.command, format!("GitHub does not know the workflow run {id}: {why}"))
                    .await;
            }
            Err(error) => return Err(error),
        };
        let started = view.read(|state| {
            let dispatch = state.repository(self.target.id)?.dispatches.get(&lookup.dispatch)?;
            Some(dispatch.claimed.workflow.clone())
        });
        if run.event != "workflow_dispatch" {
            let reason = format!("the workflow run {id} was started by `{}`, not by a dispatch", run.event);
            return self.fail(&lookup.command, reason).await;
        }
        if let Some(started) = started.filter(|started| *started != run.workflow) {
            let reason =
                format!("the workflow run {id} is one of `{}`; `{started}` was started", run.workflow);
            return self.fail(&lookup.command, reason).await;
        }
        self.record_news(view, vec![run]).await;
        Ok(())
    }

    async fn fail(&self, command: &CommandId, reason: String) -> Result<(), CallError> {
        self.say(CommandFailed { command: command.clone(), reason }).await
    }

    /// Records what came of a command, and returns once the state has it: it is not due any more then.
    async fn say(&self, event: impl Into<Event>) -> Result<(), CallError> {
        let subject = Subject::dispatch(self.stream, self.target.id);
        let position =
            self.shared.results.append_surely(&subject, vec![event.into()], Some(self.asked_at)).await;
        if let (Some(position), Some(view)) = (position, self.shared.view.0.get()) {
            view.wait_for(position).await;
        }
        Ok(())
    }
}
