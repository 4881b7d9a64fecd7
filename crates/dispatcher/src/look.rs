//! Asking GitHub what its webhooks did not tell: silent workflow runs, pull requests that an upload may belong to,
//! tags of releases, failed runs that somebody may have re-run, and what a person asks to be looked at. Every answer becomes an observation with `source: poll`, through the same fold as a webhook.

mod commanded;

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
/// One for failed runs, this often: a re-run whose webhook was lost is found by it.
const FAILED_EVERY: Duration = Duration::from_secs(300);
/// No look of the same kind before this after one that failed; twice as long after each further one, up to five minutes.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
const AFTER_FAILURES: Duration = Duration::from_secs(300);
/// A tag that GitHub does not know (a draft has none) is asked for again after this.
const AFTER_UNKNOWN_TAG: Duration = Duration::from_secs(300);
/// At most so many pages of runs are listed, and so many single runs asked for, in one look.
const MAX_PAGES: u32 = 10;
const MAX_SINGLE: usize = 10;
/// Runs are listed from this long before the oldest claim: the two clocks are not the same.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(2);

pub(crate) fn look(shared: &Arc<Shared>, work: &Work, turn: &Turn<'_>, target: &Target) -> Option<Timestamp> {
    let mut due = due::due_polls(turn.repository, turn.now);
    let now = shared.core.clock.monotonic();
    let mut under_way = work.lock();
    if !std::mem::replace(&mut under_way.looked, true) {
        // What happened while nobody listened is asked for at once.
        due.now.silent = turn.repository.in_flight().filter_map(|dispatch| dispatch.workflow_run).collect();
    }
    let failed_wait =
        under_way.failed_asked.map(|asked| FAILED_EVERY.saturating_sub(now.saturating_sub(asked)));
    let has_failed = turn.repository.failed().next().is_some();
    let failed = if has_failed && failed_wait.is_none_or(|wait| wait.is_zero()) {
        due::due_failed(turn.repository)
    } else {
        Vec::new()
    };
    if let Some(wait) = failed_wait.filter(|wait| has_failed && !wait.is_zero()) {
        due.again_at = due::earlier(due.again_at, turn.now.checked_add(wait).ok());
    }
    if due.now.is_empty() && failed.is_empty() {
        return due.again_at;
    }
    if under_way.looking {
        // The task asks for another turn when it is done.
        return due.again_at;
    }
    let wait = postpone(&under_way, &mut due.now, now);
    let again = wait.and_then(|wait| turn.now.checked_add(wait.max(Duration::from_millis(10))).ok());
    let again = due::earlier(due.again_at, again);
    if due.now.is_empty() && failed.is_empty() {
        return again;
    }
    under_way.looking = true;
    if !failed.is_empty() {
        under_way.failed_asked = Some(now);
    }
    if !due.now.silent.is_empty() {
        under_way.silent_asked = Some(now);
    }
    drop(under_way);
    let looker = Looker {
        shared: Arc::clone(shared),
        target: target.clone(),
        stream: turn.stream,
        asked_at: turn.repository.last_position(),
        work: work.clone(),
    };
    tokio::spawn(finish(looker, due.now, failed, turn.poke.clone()));
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
    if hold(after(Kind::Resyncs), polls.resyncs.is_empty()) {
        polls.resyncs.clear();
    }
    if hold(after(Kind::Lookups), polls.lookups.is_empty()) {
        polls.lookups.clear();
    }
    polls.releases.retain(|(release, _)| {
        let wait = under_way.tags_after.get(release).map(|after| after.saturating_sub(now));
        !hold(wait, false)
    });
    waits.into_iter().min()
}

async fn finish(looker: Looker, polls: Polls, failed: Vec<WorkflowRunId>, poke: Poke) {
    let results = looker.look(polls, failed).await;
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
    work: Work,
}

impl Looker {
    /// Asks everything, whatever fails on the way. Of each kind what failed first.
    async fn look(&self, polls: Polls, failed: Vec<WorkflowRunId>) -> Vec<(Kind, Result<(), CallError>)> {
        let mut results = Vec::new();
        // Somebody waits for these.
        for lookup in &polls.lookups {
            results.push((Kind::Lookups, self.look_up_run(lookup).await));
        }
        for resync in &polls.resyncs {
            results.push((Kind::Resyncs, self.resync(resync).await));
        }
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
            results.push((Kind::Silent, self.ask_runs(&polls.silent, MAX_SINGLE).await.map(drop)));
        }
        if !failed.is_empty() {
            results.push((Kind::Failed, self.ask_runs(&failed, MAX_SINGLE).await.map(drop)));
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

    /// Some pages of a list for all of these runs; of those that it does not hold at most so many are asked for one by one.
    /// Returns how many had moved on.
    async fn ask_runs(&self, runs: &[WorkflowRunId], at_most: usize) -> Result<usize, CallError> {
        let Some(view) = self.shared.view.0.get() else { return Ok(0) };
        let oldest = self.oldest(view, runs);
        let pages = u32::try_from(runs.len() / 100 + 1).unwrap_or(MAX_PAGES).min(MAX_PAGES);
        let listed = self.shared.github.runs.of_repository(&self.target, oldest, pages).await?;
        let held: BTreeSet<WorkflowRunId> = listed.iter().map(|run| run.run).collect();
        let mut news = self.record_news(view, listed).await;
        let missing: Vec<&WorkflowRunId> = runs.iter().filter(|run| !held.contains(run)).collect();
        for run in self.in_turn(&missing, at_most) {
            match self.shared.github.runs.run(&self.target, **run).await {
                Ok(run) => news += self.record_news(view, vec![run]).await,
                Err(CallError::NotFound(why)) => {
                    tracing::warn!(workflow_run.id = %run, why, "GitHub does not know a workflow run of ours");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(news)
    }

    /// When the oldest of these runs can have been created.
    fn oldest(&self, view: &PartitionView, runs: &[WorkflowRunId]) -> Timestamp {
        let claimed = view.read(|state| {
            let repository = state.repository(self.target.id)?;
            runs.iter().filter_map(|run| Some(repository.owner_of(*run)?.at.0)).min()
        });
        let claimed = claimed.unwrap_or_else(|| self.shared.core.clock.now());
        claimed.checked_sub(CLOCKS_DIFFER).unwrap_or(claimed)
    }

    /// Some of those that no list held; at the next look the next ones.
    fn in_turn<'a>(
        &self,
        missing: &'a [&'a WorkflowRunId],
        at_most: usize,
    ) -> impl Iterator<Item = &'a &'a WorkflowRunId> {
        let mut under_way = self.work.lock();
        let first = if missing.is_empty() { 0 } else { under_way.asked_singly % missing.len() };
        under_way.asked_singly = under_way.asked_singly.wrapping_add(MAX_SINGLE);
        missing[first..].iter().chain(&missing[..first]).take(at_most)
    }

    async fn record_news(
        &self,
        view: &PartitionView,
        runs: Vec<stackwave_domain::event::WorkflowRunObserved>,
    ) -> usize {
        let news = self.shared.news(view, self.target.id, runs, self.asked_at);
        let count = news.len();
        self.record("workflow_run", news).await;
        count
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
