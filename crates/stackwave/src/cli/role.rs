//! The roles of `serve`.

use clap::ValueEnum;

/// One of the services that the executable holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Role {
    /// Takes uploads of affected stacks
    IngestApi,
    /// Takes GitHub's webhooks
    WebhookReceiver,
    /// Decides which stacks may go
    Orchestrator,
    /// Starts workflows, and asks GitHub about what is silent
    Dispatcher,
    /// Keeps one comment on each pull request
    Commenter,
    /// Answers questions about runs, as gRPC
    Admin,
}

impl Role {
    /// All of them.
    pub(crate) const ALL: [Self; 6] = [
        Self::IngestApi,
        Self::WebhookReceiver,
        Self::Orchestrator,
        Self::Dispatcher,
        Self::Commenter,
        Self::Admin,
    ];

    /// Its name on the command line and in logs.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::IngestApi => "ingest-api",
            Self::WebhookReceiver => "webhook-receiver",
            Self::Orchestrator => "orchestrator",
            Self::Dispatcher => "dispatcher",
            Self::Commenter => "commenter",
            Self::Admin => "admin",
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
