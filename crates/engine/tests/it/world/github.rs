//! A toy GitHub: pull requests, workflow runs and tags that are true, and webhooks that tell of them.

use stackwave_domain::{
    CommitSha, DeliveryId, Event, PrNumber, Timestamp, WorkflowRunId,
    event::{
        DispatchClaimed, MergeGroupObserved, PullRequestObserved, RefusalReason, ReleaseObserved, Source,
        WorkflowDispatchObserved, WorkflowJobWaiting, WorkflowRunObserved,
    },
    workflow::{Conclusion, RunStatus},
};
use std::collections::{BTreeMap, VecDeque};

/// What GitHub does with a dispatch.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Accept,
    /// It takes it, and the answer is lost on the way back.
    AcceptUnheard,
    /// The request is lost on the way there.
    LoseRequest,
    Refuse(RefusalReason),
    /// Not yet: again in so many seconds.
    Limit(i64),
}

/// What tells one workflow run from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Titles {
    /// `run-name` shows our dispatch id.
    WithId,
    /// `run-name` shows component and stack only.
    Inputs,
    /// No `run-name`: all are alike, and it is not known what they will be.
    Alike,
}

#[derive(Clone, Debug)]
pub(crate) struct Pull {
    pub(crate) head: CommitSha,
    pub(crate) open: bool,
    pub(crate) merged_at: Option<Timestamp>,
    pub(crate) merge_commit: Option<CommitSha>,
    pub(crate) updated_at: Timestamp,
}

#[derive(Clone, Debug)]
pub(crate) struct WorkflowRun {
    pub(crate) claimed: DispatchClaimed,
    pub(crate) title: String,
    pub(crate) attempt: u32,
    pub(crate) status: RunStatus,
    pub(crate) conclusion: Option<Conclusion>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// The first moment at which a listing shows it.
    pub(crate) listed_at: Timestamp,
}

#[derive(Clone, Debug)]
pub(crate) struct GitHub {
    pub(crate) pulls: BTreeMap<PrNumber, Pull>,
    pub(crate) runs: BTreeMap<WorkflowRunId, WorkflowRun>,
    pub(crate) tags: BTreeMap<u64, CommitSha>,
    /// Scripted replies by short stack name, used up one by one; everything else is accepted.
    pub(crate) replies: BTreeMap<String, VecDeque<Reply>>,
    pub(crate) titles: Titles,
    pub(crate) names_runs: bool,
    /// Runs are listed so many seconds after they were created.
    pub(crate) lists_after: i64,
    /// Webhooks that wait to be delivered.
    pub(crate) outbox: Vec<(String, Event)>,
    deliveries: u64,
}

impl Default for GitHub {
    fn default() -> Self {
        Self {
            pulls: BTreeMap::new(),
            runs: BTreeMap::new(),
            tags: BTreeMap::new(),
            replies: BTreeMap::new(),
            titles: Titles::WithId,
            names_runs: true,
            lists_after: 0,
            outbox: Vec::new(),
            deliveries: 0,
        }
    }
}

impl GitHub {
    fn webhook(&mut self) -> Source {
        self.deliveries += 1;
        Source::Webhook { delivery: DeliveryId::new(format!("delivery-{}", self.deliveries)) }
    }

    fn post(&mut self, event: &str, content: impl Into<Event>) {
        self.outbox.push((event.to_owned(), content.into()));
    }

    /// The pull request as it is, for a webhook or a look.
    pub(crate) fn observed(
        &self,
        number: PrNumber,
        source: Source,
        action: Option<&str>,
    ) -> PullRequestObserved {
        let pull = &self.pulls[&number];
        PullRequestObserved {
            source,
            action: action.map(str::to_owned),
            number,
            open: pull.open,
            merged: pull.merged_at.is_some(),
            merged_at: pull.merged_at,
            merge_commit_sha: pull.merge_commit.clone(),
            head_sha: pull.head.clone(),
            head_ref: format!("branch-{number}").into(),
            base_ref: "main".into(),
            before: None,
            title: Some(format!("Change {number}")),
            updated_at: pull.updated_at,
        }
    }

    pub(crate) fn tell_pull(&mut self, number: PrNumber, action: &str, before: Option<CommitSha>) {
        let source = self.webhook();
        let observed = PullRequestObserved { before, ..self.observed(number, source, Some(action)) };
        self.post("pull_request", observed);
    }

    pub(crate) fn tell_merge_group(
        &mut self,
        sha: &str,
        number: PrNumber,
        action: &str,
        reason: Option<&str>,
    ) {
        let source = self.webhook();
        self.post(
            "merge_group",
            MergeGroupObserved {
                source,
                action: action.to_owned(),
                reason: reason.map(str::to_owned),
                head_sha: sha.into(),
                head_ref: format!("gh-readonly-queue/main/pr-{number}-{sha}").into(),
                base_ref: "main".into(),
                pull_request: Some(number),
            },
        );
    }

    pub(crate) fn tell_release(&mut self, release: u64, action: &str, published_at: Timestamp) {
        let source = self.webhook();
        self.post(
            "release",
            ReleaseObserved {
                source,
                action: Some(action.to_owned()),
                release,
                tag: format!("v{release}").into(),
                commit: None,
                published_at: Some(published_at),
            },
        );
    }

    /// Takes a dispatch: the workflow run is there from now on.
    pub(crate) fn start(&mut self, claimed: &DispatchClaimed, now: Timestamp) -> WorkflowRunId {
        let id = WorkflowRunId(9_000 + self.runs.len() as u64);
        let title = match self.titles {
            Titles::WithId | Titles::Inputs => self.title(claimed).unwrap_or_default(),
            Titles::Alike => claimed.workflow.to_string(),
        };
        let second = whole_second(now);
        let run = WorkflowRun {
            claimed: claimed.clone(),
            title,
            attempt: 1,
            status: RunStatus::Queued,
            conclusion: None,
            created_at: second,
            updated_at: second,
            listed_at: later(now, self.lists_after),
        };
        self.runs.insert(id, run);
        let source = self.webhook();
        self.post(
            "workflow_dispatch",
            WorkflowDispatchObserved {
                source,
                workflow: claimed.workflow.clone(),
                git_ref: claimed.git_ref.clone(),
                inputs: claimed.inputs.clone(),
                sender: Some("stackwave[bot]".to_owned()),
            },
        );
        self.tell_run(id);
        id
    }

    /// The title that a dispatcher expects, when the workflow's `run-name` tells it.
    pub(crate) fn title(&self, claimed: &DispatchClaimed) -> Option<String> {
        match self.titles {
            Titles::WithId => Some(format!("{} {} {}", claimed.workflow, claimed.key, claimed.dispatch)),
            Titles::Inputs => Some(format!("{} {}", claimed.workflow, claimed.key)),
            Titles::Alike => None,
        }
    }

    pub(crate) fn run_observed(&self, id: WorkflowRunId, source: Source) -> WorkflowRunObserved {
        let run = &self.runs[&id];
        WorkflowRunObserved {
            source,
            run: id,
            attempt: run.attempt,
            workflow: run.claimed.workflow.clone(),
            title: run.title.clone(),
            event: "workflow_dispatch".to_owned(),
            status: run.status.clone(),
            conclusion: run.conclusion.clone(),
            head_branch: Some(run.claimed.git_ref.clone()),
            head_sha: "base".into(),
            actor: Some("stackwave[bot]".to_owned()),
            created_at: run.created_at,
            updated_at: run.updated_at,
            html_url: format!("https://github.example/runs/{id}"),
        }
    }

    fn tell_run(&mut self, id: WorkflowRunId) {
        let source = self.webhook();
        let observed = self.run_observed(id, source);
        self.post("workflow_run", observed);
    }

    /// A run changes; GitHub sends no webhook for a change to waiting but the job's.
    pub(crate) fn change(
        &mut self,
        id: WorkflowRunId,
        status: RunStatus,
        conclusion: Option<Conclusion>,
        now: Timestamp,
    ) {
        let run = self.runs.get_mut(&id).unwrap();
        run.status = status;
        run.conclusion = conclusion;
        run.updated_at = whole_second(now);
        if run.status == RunStatus::Waiting {
            let (attempt, at) = (run.attempt, run.updated_at);
            let source = self.webhook();
            self.post(
                "workflow_job",
                WorkflowJobWaiting { source, run: id, attempt, job: 1, name: "apply".to_owned(), at },
            );
        } else {
            self.tell_run(id);
        }
    }

    pub(crate) fn rerun(&mut self, id: WorkflowRunId, now: Timestamp) {
        self.runs.get_mut(&id).unwrap().attempt += 1;
        self.change(id, RunStatus::Queued, None, now);
    }
}

pub(crate) fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap()
}

pub(crate) fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at + jiff::SignedDuration::from_secs(seconds)
}
