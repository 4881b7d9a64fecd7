//! GitHub's words for how a workflow run goes and ends.
//!
//! Source: GitHub's REST description of `workflow-run` and "Workflow run statuses". Values that GitHub adds later are
//! kept as they are and block nothing but the stack itself.

use serde::{Deserialize, Serialize};

macro_rules! github_words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
            /// A word that this version does not know.
            Other(String),
        }

        impl $name {
            /// GitHub's word.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)*
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::from(text.as_str())
            }
        }

        impl From<$name> for String {
            fn from(word: $name) -> Self {
                word.as_str().to_owned()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

github_words! {
    /// How far a workflow run is.
    RunStatus {
        /// Created.
        Requested = "requested",
        /// Waits for a runner.
        Queued = "queued",
        /// Held by a concurrency group.
        Pending = "pending",
        /// Held by a deployment protection rule: somebody has to approve.
        Waiting = "waiting",
        /// Runs.
        InProgress = "in_progress",
        /// Ended; the conclusion says how.
        Completed = "completed",
    }
}

github_words! {
    /// How a workflow run ended.
    Conclusion {
        /// It did what it should.
        Success = "success",
        /// A job failed.
        Failure = "failure",
        /// It ended without a verdict; counts as success.
        Neutral = "neutral",
        /// Somebody, or a concurrency group, stopped it.
        Cancelled = "cancelled",
        /// It ran longer than GitHub allows.
        TimedOut = "timed_out",
        /// It needs a person's approval to start (fork or bot).
        ActionRequired = "action_required",
        /// GitHub gave up on it.
        Stale = "stale",
        /// Its conditions kept it from running.
        Skipped = "skipped",
        /// The workflow file or a policy kept it from starting: no job ran.
        StartupFailure = "startup_failure",
    }
}

impl Conclusion {
    /// Whether dependents may go: success and neutral (design §4.2).
    #[must_use]
    pub fn lets_children_go(&self) -> bool {
        matches!(self, Self::Success | Self::Neutral)
    }
}
