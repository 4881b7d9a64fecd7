//! What belongs to what: dispatches to runs and stacks, workflow runs to dispatches, uploads to runs, runs and commits
//! to pull requests. It only grows, so that what the state has forgotten is still found.

mod about;

use stackwave_domain::{
    BatchId, CommandId, CommitSha, CredentialId, Digest, DispatchId, Entry, Event, PrNumber, RepositoryId,
    RunId, StackKey, StreamId, WorkflowFile, WorkflowRunId,
    event::{DispatchClaimed, PullRequestObserved, Resolution, RunOpened, UploadReceived},
};
use stackwave_engine::Config;
use std::collections::{BTreeMap, BTreeSet};

/// Of the whole log.
#[derive(Default)]
pub(super) struct Index {
    config: Config,
    repositories: BTreeMap<RepositoryId, Links>,
    nothing: Links,
}

/// Of one repository.
#[derive(Default)]
pub(super) struct Links {
    pulls_of_run: BTreeMap<RunId, Option<PrNumber>>,
    runs_of_upload: BTreeMap<Digest, BTreeSet<RunId>>,
    pulls_of_commit: BTreeMap<CommitSha, BTreeSet<PrNumber>>,
    dispatches: BTreeMap<DispatchId, Sent>,
    workflow_runs: BTreeMap<WorkflowRunId, DispatchId>,
    runs_of_command: BTreeMap<CommandId, RunId>,
    /// The digest of a whole upload, by those of its chunks.
    whole: BTreeMap<Digest, Digest>,
    chunks: BTreeMap<(CredentialId, BatchId), BTreeMap<u32, Digest>>,
}

/// What a dispatch is for.
pub(super) struct Sent {
    pub(super) run: RunId,
    pub(super) key: StackKey,
    pub(super) workflow: WorkflowFile,
}

impl Index {
    /// Folds one record.
    pub(super) fn add(&mut self, entry: &Entry) {
        let Some(repository) = entry.subject.repository() else {
            if entry.subject.stream() == StreamId::Config {
                self.config.apply(entry);
            }
            return;
        };
        let links = self.repositories.entry(repository).or_default();
        entry.record.events.iter().for_each(|event| links.add(event));
    }

    /// Repositories and their names.
    pub(super) const fn config(&self) -> &Config {
        &self.config
    }

    /// What is known of a repository.
    pub(super) fn links(&self, repository: Option<RepositoryId>) -> &Links {
        repository.and_then(|id| self.repositories.get(&id)).unwrap_or(&self.nothing)
    }

    /// Whether any record named the repository.
    pub(super) fn knows(&self, repository: RepositoryId) -> bool {
        self.repositories.contains_key(&repository) || self.config.repository(repository).is_some()
    }
}

impl Links {
    fn add(&mut self, event: &Event) {
        match event {
            Event::UploadReceived(upload) => self.add_chunk(upload),
            Event::PullRequestObserved(pull) => self.add_pull(pull),
            Event::RunOpened(run) => self.add_run(run),
            Event::DispatchClaimed(claimed) => self.add_claim(claimed),
            Event::DispatchAccepted(accepted) => self.join(&accepted.dispatch, accepted.workflow_run),
            Event::DispatchFound(found) => self.join(&found.dispatch, found.workflow_run),
            Event::RetryRequested(retry) => self.command(&retry.command, Some(retry.run.clone())),
            Event::CancelRequested(cancel) => self.command(&cancel.command, Some(cancel.run.clone())),
            Event::ResyncRequested(resync) => self.command(&resync.command, resync.run.clone()),
            Event::DispatchResolved(resolved) => {
                let run = self.dispatches.get(&resolved.dispatch).map(|sent| sent.run.clone());
                self.command(&resolved.command, run);
                if let Resolution::Happened { workflow_run } = resolved.outcome {
                    self.join(&resolved.dispatch, Some(workflow_run));
                }
            }
            _ => {}
        }
    }

    fn add_chunk(&mut self, upload: &UploadReceived) {
        let Some(batch) = &upload.batch else { return };
        let key = (upload.credential.clone(), batch.id.clone());
        let chunks = self.chunks.entry(key).or_default();
        chunks.entry(batch.index).or_insert_with(|| upload.digest.clone());
        if chunks.len() == batch.total as usize {
            // As the fold names an upload that came in chunks.
            let digests: Vec<&str> = chunks.values().map(Digest::as_str).collect();
            let whole = Digest::of_parts(&digests);
            self.whole.extend(chunks.values().map(|chunk| (chunk.clone(), whole.clone())));
        }
    }

    fn add_pull(&mut self, pull: &PullRequestObserved) {
        let merge = pull.merge_commit_sha.iter().filter(|_| pull.merged);
        for commit in std::iter::once(&pull.head_sha).chain(merge) {
            self.pulls_of_commit.entry(commit.clone()).or_default().insert(pull.number);
        }
    }

    fn add_run(&mut self, run: &RunOpened) {
        self.pulls_of_run.insert(run.run.clone(), run.pull_request);
        self.runs_of_upload.entry(run.upload.clone()).or_default().insert(run.run.clone());
    }

    fn add_claim(&mut self, claimed: &DispatchClaimed) {
        let sent =
            Sent { run: claimed.run.clone(), key: claimed.key.clone(), workflow: claimed.workflow.clone() };
        self.dispatches.entry(claimed.dispatch.clone()).or_insert(sent);
    }

    fn join(&mut self, dispatch: &DispatchId, run: Option<WorkflowRunId>) {
        if let Some(run) = run {
            self.workflow_runs.entry(run).or_insert_with(|| dispatch.clone());
        }
    }

    fn command(&mut self, command: &CommandId, run: Option<RunId>) {
        if let Some(run) = run {
            self.runs_of_command.entry(command.clone()).or_insert(run);
        }
    }

    /// The run that a command is about.
    pub(super) fn commanded(&self, command: &CommandId) -> Option<&RunId> {
        self.runs_of_command.get(command)
    }

    /// What a dispatch is for.
    pub(super) fn sent(&self, dispatch: &DispatchId) -> Option<&Sent> {
        self.dispatches.get(dispatch)
    }

    /// The dispatch that a workflow run belongs to.
    pub(super) fn dispatch_of(&self, run: WorkflowRunId) -> Option<&DispatchId> {
        self.workflow_runs.get(&run)
    }
}
