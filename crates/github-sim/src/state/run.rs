//! Workflow runs: what they are.

use std::{collections::BTreeMap, fmt, time::Instant};

use jiff::Timestamp;

use super::{RepositoryId, RunId, Sha, User};

/// GitHub's `status` of a workflow run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunStatus {
    /// Accepted, no job has started.
    Queued,
    /// Held by a concurrency group.
    Pending,
    /// Held by a deployment protection rule: someone has to approve.
    Waiting,
    /// A job is running.
    InProgress,
    /// Over; there is a conclusion.
    Completed,
}

impl RunStatus {
    /// GitHub's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Pending => "pending",
            Self::Waiting => "waiting",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
        }
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// GitHub's `conclusion` of a workflow run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conclusion {
    /// All went well.
    Success,
    /// A step failed.
    Failure,
    /// Neither good nor bad.
    Neutral,
    /// Cancelled, perhaps before it ran.
    Cancelled,
    /// It took too long.
    TimedOut,
    /// Someone has to allow it first.
    ActionRequired,
    /// GitHub gave up on it.
    Stale,
    /// All its jobs were skipped.
    Skipped,
    /// It could not start: invalid file or policy. Such a run has no jobs.
    StartupFailure,
}

impl Conclusion {
    /// GitHub's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Neutral => "neutral",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
            Self::ActionRequired => "action_required",
            Self::Stale => "stale",
            Self::Skipped => "skipped",
            Self::StartupFailure => "startup_failure",
        }
    }

    /// What a job can conclude with: it knows neither `stale` nor `startup_failure`.
    #[must_use]
    pub fn of_job(self) -> &'static str {
        match self {
            Self::Stale | Self::StartupFailure => Self::Failure.as_str(),
            Self::Success
            | Self::Failure
            | Self::Neutral
            | Self::Cancelled
            | Self::TimedOut
            | Self::ActionRequired
            | Self::Skipped => self.as_str(),
        }
    }

    /// Whether a job has to have run to end so.
    pub(crate) fn needs_a_start(self) -> bool {
        match self {
            Self::Success | Self::Failure | Self::Neutral | Self::TimedOut => true,
            Self::Cancelled | Self::ActionRequired | Self::Stale | Self::Skipped | Self::StartupFailure => {
                false
            }
        }
    }
}

impl fmt::Display for Conclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A workflow run, in its latest attempt.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its id: the same over all attempts.
    pub id: RunId,
    /// Repository.
    pub repository_id: RepositoryId,
    /// Id of its workflow.
    pub workflow_id: u64,
    /// Path of the workflow's file.
    pub path: String,
    /// Name of the workflow.
    pub workflow_name: String,
    /// Counts the runs of the workflow.
    pub number: u64,
    /// 1, then one more by each re-run.
    pub attempt: u64,
    /// Event that started it, for instance `workflow_dispatch`.
    pub event: String,
    /// Status of the latest attempt.
    pub status: RunStatus,
    /// Conclusion of the latest attempt, once completed.
    pub conclusion: Option<Conclusion>,
    /// Branch or tag it runs on.
    pub head_branch: String,
    /// Commit it runs on.
    pub head_sha: Sha,
    /// Inputs of a dispatch, with the defaults filled in.
    pub inputs: BTreeMap<String, String>,
    /// What `run-name` gives, else the workflow's name.
    pub display_title: String,
    /// Who started it.
    pub actor: User,
    /// Who started the latest attempt.
    pub triggering_actor: User,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When the latest attempt was made.
    pub run_started_at: Timestamp,
    /// Its one job, in the latest attempt.
    pub job: Job,
    pub(crate) listed: Listed,
}

impl Run {
    /// An input of the dispatch, or the empty string.
    #[must_use]
    pub fn input(&self, name: &str) -> &str {
        self.inputs.get(name).map_or("", String::as_str)
    }

    /// Whether the latest attempt is over.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.status == RunStatus::Completed
    }
}

/// The job of a run. Simulated runs have one.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its id: a new one with each attempt.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When a runner took it.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
}

/// Whether list endpoints show a run: fresh ones appear late at GitHub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listed {
    Now,
    From(Instant),
    Hidden,
}

impl Listed {
    pub(crate) fn is_visible(self) -> bool {
        match self {
            Self::Now => true,
            Self::From(at) => at <= Instant::now(),
            Self::Hidden => false,
        }
    }
}
