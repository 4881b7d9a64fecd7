//! Asking GitHub what its webhooks did not tell: silent workflow runs, pull requests that an upload may belong to,
//! tags of releases. Every answer becomes an observation with `source: poll`, through the same fold as a webhook.

use crate::{
    Shared,
    work::{Kind, UnderWay, Work},
};
use jiff::SignedDuration;
use stackwave_domain::{
    CommitSha, Event, GitRef, Position, PrNumber, StreamId, Timestamp, WorkflowRunId,
    event::{PullRequestObserved, ReleaseObserved, Source, UploadLookedUp},
};
use stackwave_engine::due::{self, Polls};
use stackwave_github::port::{CallError, Target};
use stackwave_runtime::{PartitionView, Poke, Turn};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// One list call a repository with silent runs, this often.
const SILENT_EVERY: Duration = Duration::from_secs(20);
/// No look of the same kind before this after one that failed; twice as long after each further one, up to five minutes.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
const AFTER_FAILURES: Duration = Duration::from_secs(300);
/// A tag that GitHub does not know (a draft has none) is asked for again after this.
const AFTER_UNKNOWN_TAG: Duration = Duration::from_secs(300);
/// At most so many pages of runs are listed, and so many single runs asked for, in one look.
const MAX_PAGES: u32 = 10;
const MAX_SINGLE: usize = 10;

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
    let wait = postpone(&under_way, &mut due.now, now);
    let again = wait.and_then(|wait| turn.now.checked_add(wait.max(Duration::from_millis(10))).ok());
    let again = due::earlier(due.again_at, again);
    if due.now.is_empty() {
        return again;
    }
    under_way.looking = true;
    if !due.now.silent.is_empty() {
        under_way.silent_asked = Some(now);
    }
    drop(under_way);
    let looker = Looker {
        shared: Arc::clone(shared),
        target: target.clone(),
        stream: turn.stream,
        asked_at: turn.repository.last_position(),
        oldest: oldest_dispatch(turn),
        pages: u32::try_from(turn.repository.in_flight().count() / 100 + 1)
            .unwrap_or(MAX_PAGES)
            .min(MAX_PAGES),
        work: work.clone(),
    };
    tokio::spawn(finish(looker, due.now, turn.poke.clone()));
    again
}

/// Takes out what must not be asked yet, and returns how long it has to wait.
fn postpone(under_way: &UnderWay, polls: &mut Polls, now: Duration) -> Option<Duration> {
    let after = |kind: Kind| under_way.failed.get(&kind).map(|failed| failed.until.saturating_sub(now));
    let silent_again =
        under_way.silent_asked.map(|asked| SILENT_EVERY.saturating_sub(now.saturating_sub(asked)));
    let mut waits: Vec<Duration> = Vec::new();
    let mut hold = |wait: Option<Duration>, nothing_due: bool| {
        let held = wait.filter(|wait| !wait.is_zero() && !nothing_due);
        waits.extend(held);
        held.is_some()
    };
    if hold(after(Kind::Pulls), polls.pulls.is_empty()) {
        polls.pulls.clear();
    }
    if hold(after(Kind::Uploads), polls.uploads.is_empty()) {
        polls.uploads.clear();
    }
    if hold(after(Kind::Tags), polls.releases.is_empty()) {
        polls.releases.clear();
    }
    if hold(after(Kind::Silent).max(silent_again), polls.silent.is_empty()) {
        polls.silent.clear();
    }
    polls.releases.retain(|(release, _)| {
        let wait = under_way.tags_after.get(release).map(|after| after.saturating_sub(now));
        !hold(wait, false)
    });
    waits.into_iter().min()
}

fn oldest_dispatch(turn: &Turn<'_>) -> Timestamp {
    let oldest = turn.repository.in_flight().map(|dispatch| dispatch.at.0).min().unwrap_or(turn.now);
    oldest.checked_sub(SignedDuration::from_mins(2)).unwrap_or(oldest)
}

async fn finish(looker: Looker, polls: Polls, poke: Poke) {
    let results = looker.look(polls).await;
    let now = looker.shared.core.clock.monotonic();
    let mut under_way = looker.work.lock();
    under_way.looking = false;
    let mut said = None;
    for (kind, result) in results {
        let Err(error) = result else {
            under_way.failed.remove(&kind);
            continue;
        };
        let failed = under_way.failed.entry(kind).or_default();
        let wait = match &error {
            CallError::RateLimited { wait } => *wait,
            CallError::NotFound(_)
            | CallError::Refused { .. }
            | CallError::Unavailable(_)
            | CallError::Unauthorized(_) => {
                (AFTER_FAILURE * 2u32.pow(failed.times.min(6))).min(AFTER_FAILURES)
            }
        };
        failed.times += 1;
        failed.until = now + wait;
        tracing::warn!(%error, ?kind, repository.name = %looker.target.name, "GitHub cannot be asked; asking again later");
        said = Some(error.to_string());
    }
    drop(under_way);
    looker.shared.core.health.detail("github", said.unwrap_or_else(|| "reachable".to_owned()));
    poke.ask_again(looker.target.id);
}

struct Looker {
    shared: Arc<Shared>,
    target: Target,
    stream: StreamId,
    asked_at: Position,
    oldest: Timestamp,
    pages: u32,
    work: Work,
}

impl Looker {
    /// Asks everything, whatever fails on the way. Of each kind what failed first.
    async fn look(&self, polls: Polls) -> Vec<(Kind, Result<(), CallError>)> {
        let mut results = Vec::new();
        for number in polls.pulls {
            results.push((Kind::Pulls, self.look_at_pull(number).await));
        }
        for sha in polls.uploads {
            results.push((Kind::Uploads, self.look_up_upload(sha).await));
        }
        for (release, tag) in polls.releases {
            results.push((Kind::Tags, self.look_at_tag(release, tag).await));
        }
        if !polls.silent.is_empty() {
            results.push((Kind::Silent, self.ask_silent(&polls.silent).await));
        }
        // A success before a failure of the same kind must not hide it.
        results.sort_by_key(|(kind, result)| (*kind, result.is_err()));
        results
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
        let commit = match self.shared.github.pulls.commit_of_ref(&self.target, &tag).await {
            Ok(commit) => commit,
            Err(CallError::NotFound(why)) => {
                tracing::info!(why, %tag, repository.name = %self.target.name, "a release's tag is not there yet");
                let after = self.shared.core.clock.monotonic() + AFTER_UNKNOWN_TAG;
                self.work.lock().tags_after.insert(release, after);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
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
        let listed = self.shared.github.runs.of_repository(&self.target, self.oldest, self.pages).await?;
        let held: BTreeSet<WorkflowRunId> = listed.iter().map(|run| run.run).collect();
        self.record_news(view, listed).await;
        let missing: Vec<&WorkflowRunId> = silent.iter().filter(|run| !held.contains(run)).collect();
        for run in self.in_turn(&missing) {
            match self.shared.github.runs.run(&self.target, **run).await {
                Ok(run) => self.record_news(view, vec![run]).await,
                Err(CallError::NotFound(why)) => {
                    tracing::warn!(workflow_run.id = %run, why, "GitHub does not know a workflow run of ours");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Some of those that no list held; at the next look the next ones.
    fn in_turn<'a>(&self, missing: &'a [&'a WorkflowRunId]) -> impl Iterator<Item = &'a &'a WorkflowRunId> {
        let mut under_way = self.work.lock();
        let first = if missing.is_empty() { 0 } else { under_way.asked_singly % missing.len() };
        under_way.asked_singly = under_way.asked_singly.wrapping_add(MAX_SINGLE);
        missing[first..].iter().chain(&missing[..first]).take(MAX_SINGLE)
    }

    async fn record_news(
        &self,
        view: &PartitionView,
        runs: Vec<stackwave_domain::event::WorkflowRunObserved>,
    ) {
        let news = self.shared.news(view, self.target.id, runs, self.asked_at);
        self.record("workflow_run", news).await;
    }

    fn polled(&self, observed: PullRequestObserved) -> Event {
        PullRequestObserved { source: Source::Poll { asked_at: self.asked_at }, action: None, ..observed }
            .into()
    }

    async fn record(&self, event: &str, events: Vec<Event>) {
        if let Some(view) = self.shared.view.0.get() {
            self.shared.observe(view, self.stream, self.target.id, event, events, self.asked_at).await;
        }
    }
}
