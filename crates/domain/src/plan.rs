//! What a run intends: fixed when the run opens, so that a later version cannot change what an old run meant.

use crate::{StackKey, fragment::WorkflowCall};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt};

/// The stacks of a run with their workflow calls, and the edges between them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunPlan {
    /// Ordered by key.
    pub stacks: Vec<PlannedStack>,
    /// Parent → child, as indices into `stacks`.
    pub edges: BTreeSet<(u32, u32)>,
    /// What was odd, for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// One stack of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStack {
    /// Which stack.
    #[serde(flatten)]
    pub key: StackKey,
    /// It changed itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub directly_affected: bool,
    /// What happens to it.
    pub verdict: Verdict,
}

/// What a plan says about one stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// These workflows run, in any order; the stack succeeds when all do.
    Dispatch(Vec<WorkflowCall>),
    /// It does not run, and ordering passes through it: its children wait for its parents (contract §5.4).
    Skip(SkipReason),
    /// It cannot run, and nothing below it may.
    Refuse(RefuseReason),
}

/// Why a stack does not run, without harm to others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// The upload carries no `settings.pro` for it.
    NoProSettings,
    /// `settings.pro.enabled` is false.
    Disabled,
    /// No workflow is configured for the activity.
    NoWorkflow {
        /// Such as `pull_request.merged`.
        activity: String,
    },
    /// It was removed; Atmos uploads no workflow that would destroy it (contract §5.5).
    Deleted {
        /// `component` or `stack`.
        what: String,
    },
    /// A newer run has deployed the stack already; an older commit must not go over it.
    DeployedByNewerRun {
        /// That run.
        run: crate::RunId,
    },
}

/// Why a stack cannot run, and why those below it cannot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefuseReason {
    /// It is part of a cycle.
    Cycle {
        /// The stacks around the cycle, the first repeated at the end.
        path: Vec<StackKey>,
    },
    /// A template was left in an input and is none of those that the server can fill (contract §6).
    Template {
        /// The input's name.
        input: String,
        /// The expression with its braces.
        expression: String,
    },
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoProSettings => write!(f, "no `settings.pro` in the upload"),
            Self::Disabled => write!(f, "`settings.pro.enabled` is false"),
            Self::NoWorkflow { activity } => write!(f, "no workflow is configured for `{activity}`"),
            Self::Deleted { what } => {
                write!(f, "deleted ({what}); Atmos uploads no workflow for deleted stacks")
            }
            Self::DeployedByNewerRun { run } => write!(f, "the newer run {run} has deployed this stack"),
        }
    }
}

impl fmt::Display for RefuseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cycle { path } => {
                let path: Vec<String> = path.iter().map(ToString::to_string).collect();
                write!(f, "part of a dependency cycle: {}", path.join(" → "))
            }
            Self::Template { input, expression } => write!(
                f,
                "the input `{input}` still holds the template `{expression}`: check `templates.settings.enabled` and \
                 `--process-templates` of the Atmos CLI"
            ),
        }
    }
}
