//! Runs and their stacks.

use crate::{
    changes::{At, RunChange},
    codec,
    rows::{RunRow, StackRow, WorkflowRunRow},
};
use stackwave_domain::{Position, RunId, StreamId};
use stackwave_engine::{
    state::{Progress, RepositoryState, Run},
    view::{RunView, StackView},
};
use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

/// For each active run, what was last given out of its stacks.
#[derive(Default)]
pub(super) struct Sent(HashMap<RunId, Vec<u64>>);

impl Sent {
    /// A run with those of its stacks that differ from what was given out.
    pub(super) fn change(
        &mut self,
        stream: StreamId,
        repository: &RepositoryState,
        view: RunView<'_>,
        at: Position,
    ) -> RunChange {
        let run = view.run;
        let row = row(stream, repository, &view);
        let known = self.0.remove(&run.id);
        let mut digests = Vec::with_capacity(view.stacks.len());
        let mut stacks = BTreeMap::new();
        for (index, stack) in view.stacks.into_iter().enumerate() {
            let row = stack_row(repository, run, index, stack);
            let digest = digest(&row);
            digests.push(digest);
            if known.as_ref().and_then(|known| known.get(index)) != Some(&digest) {
                stacks.insert(index, At { at, row });
            }
        }
        if run.is_active() {
            self.0.insert(run.id.clone(), digests);
        }
        RunChange { at, row, upload: codec::hash63(&[run.upload.as_str()]), stacks }
    }
}

/// A run, as its view tells it.
#[must_use]
pub fn row(stream: StreamId, repository: &RepositoryState, view: &RunView<'_>) -> RunRow {
    let run = view.run;
    let pull = run.pull_request.and_then(|number| repository.pulls.get(&number));
    RunRow {
        id: run.id.clone(),
        workspace: run.workspace.clone(),
        repository: repository.id,
        stream,
        opened: run.opened.1,
        opened_at: run.opened.0,
        stopped_at: run.stopped_at(),
        trigger: run.trigger.clone(),
        inferred: run.inferred,
        mutating: run.is_mutating(),
        generation: run.generation,
        pull_request: run.pull_request,
        head_sha: run.head_sha.clone(),
        sha: run.sha.clone(),
        git_ref: run.git_ref.clone(),
        head_ref: pull.and_then(|pull| pull.head_ref.clone()),
        status: view.status,
        reason: view.reason.clone(),
        totals: view
            .totals
            .iter()
            .map(|(status, count)| (*status, u32::try_from(*count).unwrap_or(u32::MAX)))
            .collect(),
    }
}

/// A stack, as its run's view tells it.
#[must_use]
pub fn stack_row(repository: &RepositoryState, run: &Run, index: usize, view: StackView) -> StackRow {
    let stack = run.stacks.get(index);
    let newest = view.workflow_runs.into_iter().max_by_key(|run| run.id);
    let known = newest.as_ref().and_then(|run| repository.workflow_runs.get(&run.id));
    StackRow {
        run: run.id.clone(),
        repository: repository.id,
        key: view.key,
        status: view.status,
        reason: view.reason,
        mutating: run.is_mutating(),
        attempt: stack.map_or(0, |stack| stack.attempt()),
        released_at: stack.and_then(|stack| match &stack.progress {
            Progress::Released { at, .. } => Some(*at),
            Progress::Waiting | Progress::Skipped(_) | Progress::Refused(_) => None,
        }),
        started_at: known.and_then(|run| run.started_at),
        concluded_at: known.and_then(|run| run.conclusion.as_ref().map(|_| run.since)),
        workflow_run: newest.map(|run| WorkflowRunRow {
            id: run.id,
            workflow: run.workflow.into(),
            attempt: run.attempt,
            html_url: run.html_url,
        }),
    }
}

/// Tells rows of one stack apart.
fn digest(row: &StackRow) -> u64 {
    let mut hasher = DefaultHasher::new();
    codec::status_number(row.status).hash(&mut hasher);
    (&row.reason, row.attempt).hash(&mut hasher);
    for moment in [row.released_at, row.started_at, row.concluded_at] {
        moment.map(codec::ms).hash(&mut hasher);
    }
    if let Some(run) = &row.workflow_run {
        (run.id, run.attempt, &run.html_url).hash(&mut hasher);
    }
    hasher.finish()
}
