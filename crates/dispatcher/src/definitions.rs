//! What workflow files say of their inputs and titles: read when a run opens and again before they are old, so that no
//! stack whose turn has come waits for an answer of GitHub.

use crate::{
    Shared,
    work::{Definition, Work},
};
use stackwave_domain::{GitRef, RunId, Timestamp, WorkflowFile, plan::Verdict};
use stackwave_engine::{
    due::Candidate,
    state::{RepositoryState, Run},
};
use stackwave_github::port::{CallError, Target, WorkflowDefinition};
use stackwave_runtime::{Poke, Turn};
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

/// A claim is made from what a file said within this time; GitHub's answer to the question whether it still does is
/// usually "not modified".
pub(crate) const FRESH_FOR: Duration = Duration::from_secs(60);
/// So old it is read again while it is still good, as long as something is going on.
const READ_AGAIN_AFTER: Duration = Duration::from_secs(30);
/// After so long without news of the repository files are left to grow old: whatever is claimed next waits for them.
const QUIET_AFTER: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

/// A workflow file at a ref.
pub(crate) type File = (WorkflowFile, GitRef);

/// Which files each active run needs.
pub(crate) type FilesOfRuns = HashMap<RunId, BTreeSet<File>>;

/// Reads what active runs need and is not known or getting old, and tells when to ask again.
pub(crate) fn keep_fresh(
    shared: &Arc<Shared>,
    work: &Work,
    turn: &Turn<'_>,
    target: &Target,
) -> Option<Timestamp> {
    if turn.now.duration_since(turn.repository.last_at) > QUIET_AFTER {
        return None;
    }
    let now = shared.core.clock.monotonic();
    let needed = needed(work, turn.repository);
    let mut next: Option<Duration> = None;
    for file in needed {
        let age = work.lock().definitions.get(&file).map(|known| now.saturating_sub(known.read_at));
        match age {
            Some(age) if age < READ_AGAIN_AFTER => {
                let wait = READ_AGAIN_AFTER.saturating_sub(age);
                next = Some(next.map_or(wait, |next| next.min(wait)));
            }
            Some(_) | None => read(shared, work, target, turn.poke, file),
        }
    }
    next.and_then(|wait| turn.now.checked_add(wait).ok())
}

/// The files of runs that may dispatch something soon.
fn needed(work: &Work, state: &RepositoryState) -> BTreeSet<File> {
    let mut under_way = work.lock();
    let files = &mut under_way.files_of_runs;
    files.retain(|run, _| state.runs.get(run).is_some_and(Run::is_active));
    let moving = state
        .active_runs()
        .into_iter()
        .filter(|run| run.is_in_flight() || run.ready().next().is_some() || run.unclaimed().next().is_some());
    moving.flat_map(|run| files.entry(run.id.clone()).or_insert_with(|| files_of(run)).clone()).collect()
}

fn files_of(run: &Run) -> BTreeSet<File> {
    let calls = run.plan.stacks.iter().filter_map(|stack| match &stack.verdict {
        Verdict::Dispatch(calls) => Some(calls),
        Verdict::Skip(_) | Verdict::Refuse(_) => None,
    });
    calls.flatten().map(|call| (call.workflow.clone(), run.git_ref.clone())).collect()
}

/// Reads the files of what may be claimed, as far as they are not fresh enough for a claim.
pub(crate) fn read_for(
    shared: &Arc<Shared>,
    work: &Work,
    turn: &Turn<'_>,
    target: &Target,
    candidates: &[Candidate],
) {
    let now = shared.core.clock.monotonic();
    let mut seen = BTreeSet::new();
    for candidate in candidates {
        let file = file_of(candidate);
        if seen.insert(file.clone())
            && !work.lock().definitions.get(&file).is_some_and(|known| known.is_fresh(now))
        {
            read(shared, work, target, turn.poke, file);
        }
    }
}

/// The file that a candidate starts.
pub(crate) fn file_of(candidate: &Candidate) -> File {
    (candidate.call.workflow.clone(), candidate.git_ref.clone())
}

/// Starts to read a file unless it is being read.
fn read(shared: &Arc<Shared>, work: &Work, target: &Target, poke: &Poke, file: File) {
    if !work.lock().reading.insert(file.clone()) {
        return;
    }
    let (shared, work, target, poke) = (Arc::clone(shared), work.clone(), target.clone(), poke.clone());
    tokio::spawn(async move {
        let known = ask(&shared, &target, &file).await;
        let read_at = shared.core.clock.monotonic();
        {
            let mut under_way = work.lock();
            under_way.reading.remove(&file);
            under_way.definitions.insert(file, Definition { known, read_at });
        }
        poke.ask_again(target.id);
    });
}

/// What the file says. When GitHub says that there is none, or that we may not read it, the dispatch itself will tell;
/// while GitHub is out of reach there is no hurry to claim what cannot be sent.
async fn ask(shared: &Shared, target: &Target, (workflow, git_ref): &File) -> Option<WorkflowDefinition> {
    let mut wait = Duration::from_millis(500);
    loop {
        let target = &shared.target(target.id).unwrap_or_else(|| target.clone());
        let error = match shared.github.workflows.definition(target, workflow, git_ref).await {
            Ok(definition) => {
                shared.core.health.detail("github", "reachable");
                return Some(definition);
            }
            Err(error) => error,
        };
        let pause = match &error {
            CallError::NotFound(_) | CallError::Refused { .. } => {
                tracing::info!(%error, repository.name = %target.name, %workflow, "the workflow file cannot be read");
                return None;
            }
            CallError::RateLimited { wait } => *wait,
            CallError::Unavailable(_) | CallError::Unauthorized(_) => wait,
        };
        shared.core.health.detail("github", error.to_string());
        tracing::warn!(%error, repository.name = %target.name, "GitHub cannot be asked; stacks wait");
        tokio::time::sleep(pause).await;
        wait = (wait * 2).min(Duration::from_secs(10));
    }
}
