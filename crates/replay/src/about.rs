//! Which records tell of a run or a pull request: what only names a dispatch, a workflow run or an upload of it belongs to
//! it too.

use crate::Wanted;
use stackwave_domain::{
    CommitSha, Digest, DispatchId, Entry, Event, PrNumber, RepositoryId, RunId, WorkflowRunId,
    event::RunOpened,
};
use stackwave_engine::{State, identity};
use std::collections::BTreeSet;

/// What has been learnt of what is wanted; it only grows.
#[derive(Debug, Default)]
pub(crate) struct Thread {
    everything: bool,
    pulls: BTreeSet<PrNumber>,
    /// Of a run that is wanted: runs of the same pull request are not its own, but shown beside it.
    runs: BTreeSet<RunId>,
    commits: BTreeSet<CommitSha>,
    uploads: BTreeSet<Digest>,
    dispatches: BTreeSet<DispatchId>,
    workflow_runs: BTreeSet<WorkflowRunId>,
}

impl Thread {
    /// Of what is wanted; with the run's opening where one is.
    pub(crate) fn of(wanted: &Wanted, opened: Option<&RunOpened>) -> Self {
        let mut thread = Self::default();
        match wanted {
            Wanted::Repository => thread.everything = true,
            Wanted::Pull(number) => {
                thread.pulls.insert(*number);
            }
            Wanted::Run(run) => {
                thread.runs.insert(run.clone());
            }
        }
        if let Some(opened) = opened {
            thread.open(opened);
        }
        thread
    }

    fn open(&mut self, opened: &RunOpened) {
        self.runs.insert(opened.run.clone());
        self.pulls.extend(opened.pull_request);
        self.commits.extend([opened.head_sha.clone(), opened.sha.clone()]);
        self.uploads.insert(opened.upload.clone());
    }

    /// Learns what a state knows of it; whether it knows anything.
    pub(crate) fn resume(&mut self, state: &State, repository: RepositoryId) -> bool {
        let Some(repository) = state.repository(repository) else { return false };
        let mut knows = self.everything || repository.pulls.keys().any(|number| self.pulls.contains(number));
        for run in repository.runs.values() {
            let is_its = run.pull_request.is_some_and(|number| self.pulls.contains(&number));
            if is_its || self.runs.contains(&run.id) {
                knows = true;
                self.runs.insert(run.id.clone());
                self.pulls.extend(run.pull_request);
                self.commits.extend([run.head_sha.clone(), run.sha.clone()]);
                self.uploads.insert(run.upload.clone());
            }
        }
        for (id, dispatch) in &repository.dispatches {
            if self.runs.contains(&dispatch.claimed.run) {
                self.dispatches.insert(id.clone());
                self.workflow_runs.extend(dispatch.workflow_run);
            }
        }
        knows
    }

    /// Whether a record tells of it.
    pub(crate) fn takes(&mut self, entry: &Entry) -> bool {
        let mut takes = self.everything;
        for event in &entry.record.events {
            takes |= self.takes_event(entry, event);
        }
        takes
    }

    fn takes_event(&mut self, entry: &Entry, event: &Event) -> bool {
        match event {
            Event::UploadReceived(upload) => {
                self.uploads.contains(&upload.digest) || self.commits.contains(&upload.head_sha)
            }
            Event::UploadLookedUp(looked_up) => self.commits.contains(&looked_up.head_sha),
            Event::PullRequestObserved(pull) => {
                let takes = self.pulls.contains(&pull.number);
                if takes {
                    self.commits.insert(pull.head_sha.clone());
                    self.commits.extend(pull.merge_commit_sha.clone());
                }
                takes
            }
            Event::MergeGroupObserved(group) => self.commits.contains(&group.head_sha),
            Event::RunOpened(opened) => {
                let takes = self.runs.contains(&opened.run)
                    || opened.pull_request.is_some_and(|number| self.pulls.contains(&number));
                if takes {
                    self.open(opened);
                }
                takes
            }
            Event::DispatchClaimed(claimed) => {
                let takes = self.runs.contains(&claimed.run);
                if takes {
                    self.dispatches.insert(claimed.dispatch.clone());
                }
                takes
            }
            Event::DispatchAccepted(accepted) => self.joins(&accepted.dispatch, accepted.workflow_run),
            Event::DispatchFound(found) => self.joins(&found.dispatch, found.workflow_run),
            Event::WorkflowRunObserved(run) => {
                self.workflow_runs.contains(&run.run)
                    || identity::dispatch_ids_in(&run.title)
                        .any(|dispatch| self.dispatches.contains(&dispatch))
            }
            Event::WorkflowJobWaiting(job) => self.workflow_runs.contains(&job.run),
            other => self.names(entry, other),
        }
    }

    fn joins(&mut self, dispatch: &DispatchId, run: Option<WorkflowRunId>) -> bool {
        let takes = self.dispatches.contains(dispatch);
        if takes {
            self.workflow_runs.extend(run);
        }
        takes
    }

    /// Whether any other event names a run, a dispatch or a pull request of it. They all call them the same.
    fn names(&self, entry: &Entry, event: &Event) -> bool {
        if let Some(rest) = entry.subject.kind().strip_prefix("comment.") {
            let number = rest.rsplit('.').next().and_then(|number| number.parse().ok());
            return number.is_some_and(|number| self.pulls.contains(&number));
        }
        let Ok(serde_json::Value::Object(event)) = serde_json::to_value(event) else { return false };
        let Some(fields) = event.values().next() else { return false };
        let text = |name: &str| fields.get(name).and_then(serde_json::Value::as_str);
        let number = |name: &str| fields.get(name).and_then(serde_json::Value::as_u64);
        text("run").is_some_and(|run| self.runs.contains(&RunId::new(run)))
            || text("dispatch").is_some_and(|dispatch| self.dispatches.contains(&DispatchId::new(dispatch)))
            || number("workflow_run").is_some_and(|run| self.workflow_runs.contains(&WorkflowRunId(run)))
            || number("pull_request").is_some_and(|number| self.pulls.contains(&PrNumber(number)))
    }
}
