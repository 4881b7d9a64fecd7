//! What people may ask for, whether it can be done, and what came of it.
//!
//! Who takes a command from a person asks [`check`] first, so that one that cannot be done is refused with the reason and
//! never reaches the log. Between that answer and the log the state may move on: the fold asks again at the command's own
//! place, and what it finds stands in [`Command::outcome`].

mod cancel;
mod refusal;
mod resolve;
mod retry;

pub(crate) use cancel::{may_be_cancelled, newly_cancelled};
pub use refusal::{Refusal, RefusalCode};
pub(crate) use resolve::check_run;
pub(crate) use retry::targets;

use crate::state::RepositoryState;
use serde::{Deserialize, Serialize};
use stackwave_domain::{
    CommandId, DispatchId, Event, Position, PrNumber, RunId, StackKey, Timestamp,
    event::{CancelRequested, DispatchResolved, Resolution, ResyncRequested, RetryRequested},
};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// A new dispatch attempt, in the same run, for a stack that failed, was cancelled, timed out, was refused by GitHub
    /// or was withdrawn by a person.
    Retry {
        /// In which run.
        run: RunId,
        /// Which stack; none: all that failed.
        key: Option<StackKey>,
    },
    /// Nothing more is dispatched, and what has not started at GitHub is cancelled there; of a plan also what runs.
    Cancel {
        /// Which run.
        run: RunId,
        /// Which stack; none: the whole run.
        key: Option<StackKey>,
        /// A running apply as well.
        force: bool,
    },
    /// A look at GitHub, now. With neither a run nor a pull request: at everything of the repository.
    Resync {
        /// What belongs to this run.
        run: Option<RunId>,
        /// What belongs to this pull request, which GitHub may know although we do not.
        pull_request: Option<PrNumber>,
    },
    /// A person's word for what became of a dispatch.
    Resolve {
        /// Which dispatch.
        dispatch: DispatchId,
        /// What became of it.
        outcome: Resolution,
    },
}

impl Ask {
    /// The event that asks for it, to be appended to [`stackwave_domain::Subject::command`] with the person as the
    /// record's actor.
    #[must_use]
    pub fn event(&self, command: CommandId, reason: Option<String>) -> Event {
        match self.clone() {
            Self::Retry { run, key } => RetryRequested { command, run, key, reason }.into(),
            Self::Cancel { run, key, force } => CancelRequested { command, run, key, force, reason }.into(),
            Self::Resync { run, pull_request } => {
                ResyncRequested { command, pull_request, run, reason }.into()
            }
            Self::Resolve { dispatch, outcome } => {
                DispatchResolved { command, dispatch, outcome, reason }.into()
            }
        }
    }

    /// In one word: `retry`, `cancel`, `resync`, `resolve`.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Retry { .. } => "retry",
            Self::Cancel { .. } => "cancel",
            Self::Resync { .. } => "resync",
            Self::Resolve { .. } => "resolve",
        }
    }

    /// The run that it names.
    #[must_use]
    pub const fn run(&self) -> Option<&RunId> {
        match self {
            Self::Retry { run, .. } | Self::Cancel { run, .. } => Some(run),
            Self::Resync { run, .. } => run.as_ref(),
            Self::Resolve { .. } => None,
        }
    }
}

/// A command of a person, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Its name.
    pub id: CommandId,
    /// Who asked.
    pub by: String,
    /// When, and where the log has it.
    pub at: (Timestamp, Position),
    /// For what.
    pub ask: Ask,
    /// The run that it is about, also where only its dispatch is named.
    pub run: Option<RunId>,
    /// Why, in the person's words.
    pub reason: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
    /// How many stacks it has still to be carried out for.
    pub(crate) left: u32,
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It was taken up, and is being carried out.
    Accepted,
    /// It was carried out: a retried stack is released, what is cancelled is not dispatched any more (GitHub's answers
    /// to cancellations are told apart), GitHub was looked at, the dispatch has its end.
    Done {
        /// Where the log says so.
        at: Position,
    },
    /// It could not be done when it came.
    Refused(Refusal),
    /// It was taken up, and then could not be carried out.
    Failed {
        /// Why, in words.
        reason: String,
        /// Where the log says so.
        at: Position,
    },
}

impl Command {
    /// `alice asked to retry vpc/dev: the quota was raised; done`, without a full stop.
    #[must_use]
    pub fn sentence(&self) -> String {
        let what = match &self.ask {
            Ask::Retry { key: Some(key), .. } => format!("retry {key}"),
            Ask::Retry { key: None, .. } => "retry what failed".to_owned(),
            Ask::Cancel { key, force, .. } => {
                let what = key.as_ref().map_or_else(|| "the run".to_owned(), ToString::to_string);
                format!("cancel {what}{}", if *force { ", running applies as well" } else { "" })
            }
            Ask::Resync { .. } => "look at GitHub".to_owned(),
            Ask::Resolve { dispatch, outcome: Resolution::Happened { workflow_run } } => {
                format!("take workflow run {workflow_run} for the dispatch {dispatch}")
            }
            Ask::Resolve { dispatch, outcome: Resolution::NotHappened } => {
                format!("send the dispatch {dispatch} again, since it had not happened")
            }
        };
        let reason = self.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let outcome = match &self.outcome {
            Outcome::Accepted => "under way".to_owned(),
            Outcome::Done { .. } => "done".to_owned(),
            Outcome::Refused(refusal) => format!("refused: {refusal}"),
            Outcome::Failed { reason, .. } => format!("failed: {reason}"),
        };
        format!("{} asked to {what}{reason}; {outcome}", self.by)
    }

    /// It was taken up and is not done.
    #[must_use]
    pub const fn is_pending(&self) -> bool {
        matches!(self.outcome, Outcome::Accepted)
    }
}

/// Who asked for something, as it is kept with what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The command.
    pub command: CommandId,
    /// The person.
    pub by: String,
    /// In the person's words.
    pub reason: Option<String>,
    /// Where the log has the command.
    pub at: Position,
}

impl Asked {
    /// `alice: the quota was raised`.
    #[must_use]
    pub fn words(&self) -> String {
        match &self.reason {
            Some(reason) => format!("{}: {reason}", self.by),
            None => self.by.clone(),
        }
    }
}

/// Whether a command can be done, as far as the state tells. Ask before a command is appended; `now` is the later of the
/// clock and [`RepositoryState::last_at`].
///
/// # Errors
/// Why not. [`Refusal::is_unknown`] tells what does not exist from what cannot be done.
pub fn check(state: &RepositoryState, ask: &Ask, now: Timestamp) -> Result<(), Refusal> {
    if let Some(why) = &state.halted {
        return Err(Refusal::new(
            RefusalCode::Halted,
            format!("this version does not act on the repository: {why}"),
        ));
    }
    match ask {
        Ask::Retry { run, key } => targets(state, known_run(state, run)?, key.as_ref()).map(drop),
        Ask::Cancel { run, key, force } => cancel::check(state, known_run(state, run)?, key.as_ref(), *force),
        Ask::Resync { run, .. } => run.iter().try_for_each(|run| known_run(state, run).map(drop)),
        Ask::Resolve { dispatch, outcome } => resolve::check(state, dispatch, *outcome, now),
    }
}

fn known_run<'a>(state: &'a RepositoryState, run: &RunId) -> Result<&'a crate::state::Run, Refusal> {
    state
        .runs
        .get(run)
        .ok_or_else(|| Refusal::new(RefusalCode::UnknownRun, format!("the repository has no run {run}")))
}

fn known_stack(run: &crate::state::Run, key: &StackKey) -> Result<usize, Refusal> {
    run.find(key).ok_or_else(|| {
        Refusal::new(RefusalCode::UnknownStack, format!("the run {} has no stack {key}", run.id))
    })
}
