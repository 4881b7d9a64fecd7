//! Asking GitHub what its webhooks did not tell: silent workflow runs, pull requests that an upload may belong to,
//! tags of releases. Every answer becomes an observation with `source: poll`, through the same fold as a webhook.

use crate::{Shared, work::Work};
use jiff::SignedDuration;
use stackwave_domain::{
    CommitSha, Event, GitRef, Position, PrNumber, StreamId, Subject, Timestamp, WorkflowRunId,
    event::{PullRequestObserved, ReleaseObserved, Source, UploadLookedUp},
};
use stackwave_engine::due::{self, Polls};
use stackwave_github::port::{CallError, Target};
use stackwave_runtime::{PartitionView, Poke, Turn};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// One list call a repository with silent runs, this often.
const SILENT_EVERY: Duration = Duration::from_secs(20);
/// No look before this after one that failed.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// How many pages of runs are listed before single runs are asked for.
const PAGES: u32 = 3;

pub(crate) fn look(shared: &Arc<Shared>, work: &Work, turn: &Turn<'_>, target: &Target) -> Option<Timestamp> {
    let mut due = due::due_polls(turn.repository, turn.now);
    if due.now.is_empty() {
        return due.again_at;
    }
    let now = shared.core.clock.monotonic();
    let mut under_way = work.lock();
    if under_way.looking {
        // The task asks for another turn when it is done.
        return due.again_at;
    }
    let mut wait = under_way.look_after.saturating_sub(now);
    if !due.now.silent.is_empty()
        && let Some(asked) = under_way.silent_asked
    {
        let silent_wait = SILENT_EVERY.saturating_sub(now.saturating_sub(asked));
        if !silent_wait.is_zero() {
            due.now.silent.clear();
            if due.now.is_empty() {
                wait = wait.max(silent_wait);
            }
        }
    }
    if !wait.is_zero() || due.now.is_empty() {
        let again = turn.now.checked_add(wait.max(Duration::from_millis(10))).ok();
        return due::earlier(due.again_at, again);
    }
    under_way.looking = true;
    if !due.now.silent.is_empty() {
        under_way.silent_asked = Some(now);
    }
    drop(under_way);
    let tags = due.now.releases.clone();
    let looker = Looker {
        shared: Arc::clone(shared),
        target: target.clone(),
        stream: turn.stream,
        asked_at: turn.repository.last_position(),
        oldest: oldest_dispatch(turn),
    };
    tokio::spawn(finish(looker, work.clone(), due.now, tags, turn.poke.clone()));
    due.again_at
}

fn oldest_dispatch(turn: &Turn<'_>) -> Timestamp {
    let oldest = turn.repository.in_flight().map(|dispatch| dispatch.at.0).min().unwrap_or(turn.now);
    oldest.checked_sub(SignedDuration::from_mins(2)).unwrap_or(oldest)
}

async fn finish(looker: Looker, work: Work, polls: Polls, tags: Vec<(u64, GitRef)>, poke: Poke) {
    let result = looker.look(polls, tags).await;
    let now = looker.shared.core.clock.monotonic();
    {
        let mut under_way = work.lock();
        under_way.looking = false;
        if let Err(error) = &result {
            let wait = match error {
                CallError::RateLimited { wait } => *wait,
                CallError::NotFound(_)
                | CallError::Refused { .. }
                | CallError::Unavailable(_)
                | CallError::Unauthorized(_) => AFTER_FAILURE,
            };
            under_way.look_after = now + wait;
        }
    }
    if let Err(error) = result {
        tracing::warn!(%error, repository.name = %looker.target.name, "GitHub cannot be asked; asking again later");
        looker.shared.core.health.detail("github", error.to_string());
    } else {
        looker.shared.core.health.detail("github", "reachable");
    }
    poke.ask_again(looker.target.id);
}

struct Looker {
    shared: Arc<Shared>,
    target: Target,
    stream: StreamId,
    asked_at: Position,
    oldest: Timestamp,
}

impl Looker {
    async fn look(&self, polls: Polls, tags: Vec<(u64, GitRef)>) -> Result<(), CallError> {
        for number in polls.pulls {
            self.look_at_pull(number).await?;
        }
        for sha in polls.uploads {
            self.look_up_upload(sha).await?;
        }
        for (release, tag) in tags {
            self.look_at_tag(release, tag).await?;
        }
        if !polls.silent.is_empty() {
            self.ask_silent(&polls.silent).await?;
        }
        Ok(())
    }

    async fn look_at_pull(&self, number: PrNumber) -> Result<(), CallError> {
        let observed = self.shared.github.pulls.pull_request(&self.target, number).await?;
        self.record("pull_request", vec![self.polled(observed)]).await;
        Ok(())
    }

    async fn look_up_upload(&self, head_sha: CommitSha) -> Result<(), CallError> {
        let found = match self.shared.github.pulls.of_commit(&self.target, &head_sha).await {
            Ok(found) => found,
            // GitHub knows no such commit, or will not search for it.
            Err(CallError::NotFound(_) | CallError::Refused { status: 422, .. }) => Vec::new(),
            Err(error) => return Err(error),
        };
        let pull_requests = found.iter().map(|pull| pull.number).collect();
        let mut events: Vec<Event> = found.into_iter().map(|pull| self.polled(pull)).collect();
        events.push(UploadLookedUp { head_sha, pull_requests }.into());
        self.record("pull_request", events).await;
        Ok(())
    }

    async fn look_at_tag(&self, release: u64, tag: GitRef) -> Result<(), CallError> {
        let commit = self.shared.github.pulls.commit_of_ref(&self.target, &tag).await?;
        let observed = ReleaseObserved {
            source: Source::Poll { asked_at: self.asked_at },
            action: None,
            release,
            tag,
            commit: Some(commit),
            published_at: None,
        };
        self.record("release", vec![observed.into()]).await;
        Ok(())
    }

    /// One list call for all silent runs; those that it does not hold are asked for one by one.
    async fn ask_silent(&self, silent: &[WorkflowRunId]) -> Result<(), CallError> {
        let Some(view) = self.shared.view.0.get() else { return Ok(()) };
        let listed = self.shared.github.runs.of_repository(&self.target, self.oldest, PAGES).await?;
        let held: BTreeSet<WorkflowRunId> = listed.iter().map(|run| run.run).collect();
        self.record_news(view, listed).await;
        for run in silent.iter().filter(|run| !held.contains(run)) {
            match self.shared.github.runs.run(&self.target, *run).await {
                Ok(run) => self.record_news(view, vec![run]).await,
                Err(CallError::NotFound(why)) => {
                    tracing::warn!(workflow_run.id = %run, why, "GitHub does not know a workflow run of ours");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn record_news(
        &self,
        view: &PartitionView,
        runs: Vec<stackwave_domain::event::WorkflowRunObserved>,
    ) {
        let news = self.shared.news(view, self.target.id, runs, self.asked_at);
        if !news.is_empty() {
            self.record("workflow_run", news).await;
        }
    }

    fn polled(&self, observed: PullRequestObserved) -> Event {
        PullRequestObserved { source: Source::Poll { asked_at: self.asked_at }, action: None, ..observed }
            .into()
    }

    async fn record(&self, event: &str, events: Vec<Event>) {
        let subject = Subject::github(self.stream, self.target.id, event);
        let position = self.shared.results.append_surely(&subject, events, Some(self.asked_at)).await;
        if let (Some(position), Some(view)) = (position, self.shared.view.0.get()) {
            view.wait_for(position).await;
        }
    }
}
