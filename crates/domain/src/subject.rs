//! Where a record lies: the stream and the subject, and with them who may write it (design §3.2).
//!
//! | subject | events | writer | position check |
//! |---|---|---|---|
//! | `sw.<pp>.<repo>.obs.upload` | uploads | ingest-api, dispatcher (pending ones) | none |
//! | `sw.<pp>.<repo>.obs.github.<event>` | webhooks, looks | webhook-receiver, dispatcher | none |
//! | `sw.<pp>.<repo>.obs.dispatch` | results | dispatcher | none |
//! | `sw.<pp>.<repo>.obs.command` | what a person asked for | admin | none |
//! | `sw.<pp>.<repo>.ledger` | decisions, claims | orchestrator, dispatcher | last of the subject, as folded |
//! | `sw.<pp>.<repo>.comment.<workspace>.<pr>` | comment records | commenter | last of the subject, for the claim |
//! | `sw.<pp>.checkpoint` | where folding may start | `log checkpoint` | none |
//! | `sw.config.<kind>.<key>` | settings | whoever learns them | last of the subject, read from the log |
//! | `sw.config.obs.github.<event>` | installations, pings | webhook-receiver, dispatcher | none |
//! | `sw.config.obs.upload` | uploads for repositories not known yet | ingest-api | none |
//! | `sw.config.obs.credential` | uses of API keys and tokens | ingest-api, admin | none |

use crate::{PrNumber, RepositoryId, WorkspaceId};
use std::{fmt, str::FromStr};

/// One totally ordered stream of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamId {
    /// Workspaces, keys, repositories, installations.
    Config,
    /// All records of the repositories of one partition.
    Partition(u16),
}

impl StreamId {
    /// The partition of a repository among `partitions` (design §3.2).
    #[must_use]
    pub fn of_repository(repository: RepositoryId, partitions: u16) -> Self {
        // Fibonacci hashing: neighbouring ids spread, and the function is fixed for ever.
        let hash = repository.0.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        Self::Partition(u16::try_from(hash % u64::from(partitions.max(1))).unwrap_or(0))
    }

    /// The name of the JetStream stream, and of the table's stream column.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Config => "SW_CONFIG".to_owned(),
            Self::Partition(number) => format!("SW_{number:02}"),
        }
    }

    /// The subjects that it takes.
    #[must_use]
    pub fn filter(self) -> String {
        match self {
            Self::Config => "sw.config.>".to_owned(),
            Self::Partition(number) => format!("sw.{number:02}.>"),
        }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// A record's subject: a literal, never a pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    stream: StreamId,
    repository: Option<RepositoryId>,
    text: std::sync::Arc<str>,
}

impl Subject {
    fn of_repository(stream: StreamId, repository: RepositoryId, rest: &str) -> Self {
        let partition = match stream {
            StreamId::Partition(number) => number,
            StreamId::Config => 0,
        };
        Self {
            stream: StreamId::Partition(partition),
            repository: Some(repository),
            text: format!("sw.{partition:02}.{repository}.{rest}").into(),
        }
    }

    fn of_config(rest: &str) -> Self {
        Self { stream: StreamId::Config, repository: None, text: format!("sw.config.{rest}").into() }
    }

    /// Uploads of a repository.
    #[must_use]
    pub fn upload(stream: StreamId, repository: RepositoryId) -> Self {
        Self::of_repository(stream, repository, "obs.upload")
    }

    /// What GitHub told of a repository; `event` is GitHub's event name.
    #[must_use]
    pub fn github(stream: StreamId, repository: RepositoryId, event: &str) -> Self {
        Self::of_repository(stream, repository, &format!("obs.github.{}", token(event)))
    }

    /// Results of dispatches.
    #[must_use]
    pub fn dispatch(stream: StreamId, repository: RepositoryId) -> Self {
        Self::of_repository(stream, repository, "obs.dispatch")
    }

    /// What people asked for in a repository.
    #[must_use]
    pub fn command(stream: StreamId, repository: RepositoryId) -> Self {
        Self::of_repository(stream, repository, "obs.command")
    }

    /// Decisions and claims of a repository.
    #[must_use]
    pub fn ledger(stream: StreamId, repository: RepositoryId) -> Self {
        Self::of_repository(stream, repository, "ledger")
    }

    /// The comment of a pull request.
    #[must_use]
    pub fn comment(
        stream: StreamId,
        repository: RepositoryId,
        workspace: &WorkspaceId,
        number: PrNumber,
    ) -> Self {
        Self::of_repository(stream, repository, &format!("comment.{}.{number}", token(workspace.as_str())))
    }

    /// Where folding a partition may start. None for the configuration, which is never purged.
    #[must_use]
    pub fn checkpoint(stream: StreamId) -> Option<Self> {
        match stream {
            StreamId::Config => None,
            StreamId::Partition(partition) => Some(Self::of_checkpoint(partition)),
        }
    }

    fn of_checkpoint(partition: u16) -> Self {
        Self {
            stream: StreamId::Partition(partition),
            repository: None,
            text: format!("sw.{partition:02}.checkpoint").into(),
        }
    }

    /// A setting: `kind` is `repository`, `api_key`, `admin_token`, `workspace`.
    #[must_use]
    pub fn config(kind: &str, key: &str) -> Self {
        Self::of_config(&format!("{}.{}", token(kind), token(key)))
    }

    /// What GitHub told of the App itself.
    #[must_use]
    pub fn config_github(event: &str) -> Self {
        Self::of_config(&format!("obs.github.{}", token(event)))
    }

    /// Uploads for repositories that are not known yet.
    #[must_use]
    pub fn config_upload() -> Self {
        Self::of_config("obs.upload")
    }

    /// Uses of credentials.
    #[must_use]
    pub fn config_credential() -> Self {
        Self::of_config("obs.credential")
    }

    /// The stream that it belongs to.
    #[must_use]
    pub const fn stream(&self) -> StreamId {
        self.stream
    }

    /// The repository that it is about; none in the configuration stream and for checkpoints.
    #[must_use]
    pub const fn repository(&self) -> Option<RepositoryId> {
        self.repository
    }

    /// The whole subject.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What follows the stream and the repository: `ledger`, `obs.upload`, `comment.default.7`, ….
    #[must_use]
    pub fn kind(&self) -> &str {
        let skip = if self.repository.is_some() { 3 } else { 2 };
        self.text.splitn(skip + 1, '.').nth(skip).unwrap_or("")
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A text that is no subject of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no subject of the event log")]
pub struct InvalidSubject(String);

impl FromStr for Subject {
    type Err = InvalidSubject;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidSubject(text.to_owned());
        let rest = text.strip_prefix("sw.").ok_or_else(invalid)?;
        if let Some(rest) = rest.strip_prefix("config.") {
            return Ok(Self::of_config(rest));
        }
        let mut parts = rest.splitn(3, '.');
        let partition = parts.next().and_then(|part| part.parse().ok()).ok_or_else(invalid)?;
        let repository = parts.next().ok_or_else(invalid)?;
        if repository == "checkpoint" {
            return if parts.next().is_none() { Ok(Self::of_checkpoint(partition)) } else { Err(invalid()) };
        }
        let repository = repository.parse().map_err(|_| invalid())?;
        let kind = parts.next().ok_or_else(invalid)?;
        Ok(Self::of_repository(StreamId::Partition(partition), RepositoryId(repository), kind))
    }
}

/// NATS reserves `.`, `*`, `>` and blanks in a token.
fn token(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_read_back_as_written() {
        let stream = StreamId::Partition(3);
        for subject in [
            Subject::upload(stream, RepositoryId(42)),
            Subject::github(stream, RepositoryId(42), "workflow_run"),
            Subject::ledger(stream, RepositoryId(42)),
            Subject::command(stream, RepositoryId(42)),
            Subject::comment(stream, RepositoryId(42), &WorkspaceId::default_workspace(), PrNumber(7)),
            Subject::checkpoint(stream).unwrap(),
            Subject::config("repository", "42"),
            Subject::config_upload(),
        ] {
            assert_eq!(subject.as_str().parse::<Subject>(), Ok(subject));
        }
    }

    #[test]
    fn names_and_kinds_are_those_of_the_design() {
        let subject = Subject::ledger(StreamId::Partition(0), RepositoryId(7));
        assert_eq!(subject.as_str(), "sw.00.7.ledger");
        assert_eq!(subject.kind(), "ledger");
        assert_eq!(Subject::config("api_key", "a b.c").as_str(), "sw.config.api_key.a_b_c");
        let checkpoint = Subject::checkpoint(StreamId::Partition(3)).unwrap();
        assert_eq!((checkpoint.as_str(), checkpoint.kind()), ("sw.03.checkpoint", "checkpoint"));
        assert_eq!(checkpoint.repository(), None);
        assert_eq!(Subject::config_upload().kind(), "obs.upload");
        assert_eq!(StreamId::Partition(0).name(), "SW_00");
    }

    #[test]
    fn a_foreign_subject_is_refused() {
        assert!("orders.1".parse::<Subject>().is_err());
        assert!("sw.00.checkpoint.ledger".parse::<Subject>().is_err());
        assert!("sw.00.checkpoints".parse::<Subject>().is_err());
        assert!("sw.x.1.ledger".parse::<Subject>().is_err());
    }
}
