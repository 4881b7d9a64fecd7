//! A GitHub whose answers a test writes.

use async_trait::async_trait;
use stackwave_dispatcher::GitHub;
use stackwave_domain::{
    CommitSha, DispatchClaim, DispatchId, GitRef, InstallationId, PrNumber, RepositoryName, Timestamp,
    WorkflowFile, WorkflowRunId,
    event::{PullRequestObserved, WorkflowRunObserved},
};
use stackwave_github::port::{
    CallError, CancelOutcome, Cancels, DispatchAnswer, DispatchError, Dispatches, Pulls, Repositories,
    RepositoryFound, Runs, Target, WorkflowDefinition, Workflows,
};
use std::{
    collections::{BTreeSet, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;

/// Answers to dispatches in their order (accepted when none is left), and what the lists show.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) answers: Mutex<VecDeque<Result<DispatchAnswer, DispatchError>>>,
    pub(crate) sent: Mutex<Vec<(DispatchId, u32)>>,
    pub(crate) runs: Mutex<Vec<WorkflowRunObserved>>,
    pub(crate) pulls: Mutex<Vec<PullRequestObserved>>,
    pub(crate) run_name: Mutex<Option<String>>,
    /// Answers to cancellations in their order (accepted when none is left).
    pub(crate) cancel_answers: Mutex<VecDeque<Result<CancelOutcome, CallError>>>,
    /// What was asked to be cancelled.
    pub(crate) cancelled: watch::Sender<Vec<WorkflowRunId>>,
    /// How often a workflow file was read.
    pub(crate) reads: watch::Sender<u32>,
    /// Reading a workflow file takes for ever from here on.
    pub(crate) reading_hangs: AtomicBool,
}

impl Script {
    pub(crate) fn answer(&self, answer: Result<DispatchAnswer, DispatchError>) {
        self.answers.lock().unwrap().push_back(answer);
    }

    pub(crate) fn sent(&self) -> Vec<(DispatchId, u32)> {
        self.sent.lock().unwrap().clone()
    }

    /// Waits until so many cancellations were asked for.
    pub(crate) async fn wait_for_cancels(&self, count: usize) {
        let mut cancelled = self.cancelled.subscribe();
        let waiting = cancelled.wait_for(|cancelled| cancelled.len() >= count);
        let waited = tokio::time::timeout(Duration::from_secs(20), waiting).await;
        assert!(waited.is_ok(), "{count} cancellations were not asked for within 20 s");
    }

    /// Waits until a workflow file was read so often.
    pub(crate) async fn wait_for_reads(&self, count: u32) {
        let mut reads = self.reads.subscribe();
        let waiting = reads.wait_for(|reads| *reads >= count);
        let waited = tokio::time::timeout(Duration::from_secs(20), waiting).await;
        assert!(waited.is_ok(), "the workflow file was not read {count} times within 20 s");
    }

    pub(crate) fn ports(self: &Arc<Self>) -> GitHub {
        GitHub {
            dispatches: Arc::clone(self) as _,
            workflows: Arc::clone(self) as _,
            runs: Arc::clone(self) as _,
            cancels: Arc::clone(self) as _,
            pulls: Arc::clone(self) as _,
            repositories: Arc::clone(self) as _,
        }
    }
}

#[async_trait]
impl Dispatches for Script {
    async fn budget(&self, _: InstallationId, wanted: usize) -> usize {
        wanted
    }

    async fn dispatch(&self, _: &Target, claim: &DispatchClaim) -> Result<DispatchAnswer, DispatchError> {
        let mut sent = self.sent.lock().unwrap();
        sent.push((claim.dispatch().clone(), claim.epoch()));
        let number = sent.len() as u64;
        let accepted = DispatchAnswer { workflow_run: Some(WorkflowRunId(number)), html_url: None };
        self.answers.lock().unwrap().pop_front().unwrap_or(Ok(accepted))
    }
}

#[async_trait]
impl Workflows for Script {
    async fn definition(
        &self,
        _: &Target,
        _: &WorkflowFile,
        _: &GitRef,
    ) -> Result<WorkflowDefinition, CallError> {
        self.reads.send_modify(|reads| *reads += 1);
        if self.reading_hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        let declared = ["component", "stack", "sha", "atmos_pro_run_id"].map(str::to_owned);
        let run_name = self.run_name.lock().unwrap().clone();
        Ok(WorkflowDefinition {
            declared: Some(BTreeSet::from(declared)),
            run_name,
            required: BTreeSet::new(),
        })
    }
}

#[async_trait]
impl Runs for Script {
    async fn of_workflow(
        &self,
        _: &Target,
        workflow: &WorkflowFile,
        _: Timestamp,
    ) -> Result<Vec<WorkflowRunObserved>, CallError> {
        Ok(self.runs.lock().unwrap().iter().filter(|run| run.workflow == *workflow).cloned().collect())
    }

    async fn of_repository(
        &self,
        _: &Target,
        _: Timestamp,
        _: u32,
    ) -> Result<Vec<WorkflowRunObserved>, CallError> {
        Ok(self.runs.lock().unwrap().clone())
    }

    async fn run(&self, _: &Target, run: WorkflowRunId) -> Result<WorkflowRunObserved, CallError> {
        let runs = self.runs.lock().unwrap();
        runs.iter()
            .find(|known| known.run == run)
            .cloned()
            .ok_or_else(|| CallError::NotFound(run.to_string()))
    }
}

#[async_trait]
impl Cancels for Script {
    async fn pay_cancel(&self, _: InstallationId) {}

    async fn cancel(&self, _: &Target, run: WorkflowRunId) -> Result<CancelOutcome, CallError> {
        self.cancelled.send_modify(|cancelled| cancelled.push(run));
        self.cancel_answers.lock().unwrap().pop_front().unwrap_or(Ok(CancelOutcome::Accepted))
    }
}

#[async_trait]
impl Pulls for Script {
    async fn pull_request(&self, _: &Target, number: PrNumber) -> Result<PullRequestObserved, CallError> {
        let pulls = self.pulls.lock().unwrap();
        pulls
            .iter()
            .find(|pull| pull.number == number)
            .cloned()
            .ok_or_else(|| CallError::NotFound(number.to_string()))
    }

    async fn of_commit(&self, _: &Target, sha: &CommitSha) -> Result<Vec<PullRequestObserved>, CallError> {
        Ok(self.pulls.lock().unwrap().iter().filter(|pull| pull.head_sha == *sha).cloned().collect())
    }

    async fn commit_of_ref(&self, _: &Target, git_ref: &GitRef) -> Result<CommitSha, CallError> {
        Err(CallError::NotFound(git_ref.to_string()))
    }
}

#[async_trait]
impl Repositories for Script {
    async fn by_name(&self, name: &RepositoryName) -> Result<RepositoryFound, CallError> {
        Err(CallError::NotFound(name.to_string()))
    }

    async fn all(&self) -> Result<Vec<RepositoryFound>, CallError> {
        Ok(Vec::new())
    }
}
