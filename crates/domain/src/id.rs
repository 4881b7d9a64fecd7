//! Newtypes for everything that has a name or a number, so that none can be taken for another.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// Wraps a text as it stands.
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(text.as_ref().into())
            }

            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::new(text)
            }
        }
    )*};
}

macro_rules! number_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )*};
}

text_id! {
    /// Names a record, once and for ever; an append whose answer was lost is found again by it.
    RecordId;
    /// A workspace: the tenant that API keys and repositories belong to. `default` unless configured.
    WorkspaceId;
    /// Names an API key or a token of the admin API (never the secret itself).
    CredentialId;
    /// The name of an Atmos stack, opaque: it may hold any separator.
    StackName;
    /// The name of a component, opaque: it may hold `/` (`eks/cluster`).
    ComponentName;
    /// A commit, in hex as Git writes it.
    CommitSha;
    /// A run: one ordered deployment. A function of its trigger, never of an upload's bytes (design §4.1).
    RunId;
    /// One send of ours for one stack and workflow (`atmos_pro_run_id` of the workflow).
    DispatchId;
    /// GitHub's GUID of a webhook delivery: the same on redelivery.
    DeliveryId;
    /// The `batch_id` of a chunked upload.
    BatchId;
    /// One process of ours from its start to its end; tells own claims from those of others.
    ProcessId;
    /// Names a command of a person: the same command twice is one.
    CommandId;
    /// The file name of a workflow under `.github/workflows`, such as `tf-plan.yaml`.
    WorkflowFile;
    /// A branch or tag as a dispatch names it, without `refs/heads/`.
    GitRef;
}

number_id! {
    /// GitHub's numeric repository id: stable under renames and transfers.
    RepositoryId;
    /// GitHub's numeric id of an App installation.
    InstallationId;
    /// GitHub's numeric id of a workflow run.
    WorkflowRunId;
    /// GitHub's numeric id of an issue comment.
    CommentId;
    /// The number of a pull request within its repository.
    PrNumber;
    /// A record's place in its stream; the first is 1. 0 means "before everything".
    Position;
}

impl Position {
    /// Before the first record.
    pub const START: Self = Self(0);

    /// The place after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl WorkspaceId {
    /// The workspace of an installation that configures none.
    #[must_use]
    pub fn default_workspace() -> Self {
        Self::new("default")
    }
}

/// One component in one Atmos stack: the unit that is dispatched. Ordered by stack, then component, which is the
/// order of everything that lists stacks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StackKey {
    /// The Atmos stack.
    pub stack: StackName,
    /// The component.
    pub component: ComponentName,
}

impl StackKey {
    /// The key of `component` in `stack`.
    pub fn new(stack: impl AsRef<str>, component: impl AsRef<str>) -> Self {
        Self { stack: StackName::new(stack), component: ComponentName::new(component) }
    }
}

impl fmt::Display for StackKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.component, self.stack)
    }
}

/// How people name a repository. Compared without regard to case, as GitHub does ([`RepositoryName::key`]).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RepositoryName {
    /// The account that owns it.
    pub owner: String,
    /// Its name within the account.
    pub name: String,
}

impl RepositoryName {
    /// `owner/name`.
    pub fn new(owner: impl Into<String>, name: impl Into<String>) -> Self {
        Self { owner: owner.into(), name: name.into() }
    }

    /// The form under which names are compared: lower case.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}/{}", self.owner.to_lowercase(), self.name.to_lowercase())
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

impl CommitSha {
    /// Whether this is a full SHA-1 or SHA-256 commit id in lower-case or upper-case hex.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self.as_str().len(), 40 | 64) && self.as_str().bytes().all(|b| b.is_ascii_hexdigit())
    }

    /// The first seven characters, as people quote commits.
    #[must_use]
    pub fn short(&self) -> &str {
        self.as_str().get(..7).unwrap_or_else(|| self.as_str())
    }
}
