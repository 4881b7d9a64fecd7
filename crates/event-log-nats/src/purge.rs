//! Removes records by their subjects, because the server purges by those.

use crate::{NatsLog, connection::Connection};
use async_nats::jetstream::stream::Stream;
use futures::TryStreamExt as _;
use stackwave_domain::{Position, StreamId, Subject};
use stackwave_event_log::{Freed, KeepLast, LogError};
use std::collections::{BTreeMap, BTreeSet};

/// What is purged up to where.
struct Plan {
    /// Patterns of which nothing stays.
    all: BTreeSet<String>,
    /// Subjects of which the last record stays.
    but_last: Vec<String>,
}

/// Purges a stream (see the port).
pub(crate) async fn purge(
    log: &NatsLog,
    stream: StreamId,
    through: Position,
    keep_last: KeepLast,
) -> Result<Freed, LogError> {
    log.check_writable().map_err(LogError::Unavailable)?;
    let before = log.state(stream).await?;
    // The last record stays.
    let through = through.0.min(before.last_sequence.saturating_sub(1));
    if before.messages == 0 || through < before.first_sequence {
        return Ok(Freed::default());
    }
    let source = source(&log.connection, stream).await?;
    let failed =
        |error: &dyn std::fmt::Display| LogError::Unavailable(format!("the purge of {stream}: {error}"));
    let plan = plan(stream, &subjects(&source, stream).await.map_err(|error| failed(&error))?, keep_last);
    let mut count = 0;
    for pattern in plan.all {
        let purged = source.purge().filter(pattern).sequence(through + 1).await;
        count += purged.map_err(|error| failed(&error))?.purged;
    }
    for subject in plan.but_last {
        // From the leader. What is appended meanwhile lies after it, so that this one may still stay.
        let last = source.get_last_raw_message_by_subject(&subject).await.map_err(|error| failed(&error))?;
        let purged = source.purge().filter(subject).sequence(last.sequence.min(through + 1)).await;
        count += purged.map_err(|error| failed(&error))?.purged;
    }
    let after = log.state(stream).await?;
    Ok(Freed { count, bytes: before.bytes.saturating_sub(after.bytes) })
}

/// A handle that waits long enough.
async fn source(connection: &Connection, stream: StreamId) -> Result<Stream<()>, LogError> {
    connection
        .upkeep
        .get_stream_no_info(stream.name())
        .await
        .map_err(|error| LogError::Setup(format!("{stream}: {error}")))
}

/// Each subject with the number of its records.
async fn subjects(source: &Stream<()>, stream: StreamId) -> Result<BTreeMap<String, usize>, String> {
    let subjects = source.info_with_subjects(stream.filter()).await.map_err(|error| error.to_string())?;
    subjects.try_collect().await.map_err(|error| error.to_string())
}

/// One request for each subject would read every block as often. Where nothing stays of all subjects that are alike but
/// for the repository (`obs.…`), one pattern does it.
fn plan(stream: StreamId, subjects: &BTreeMap<String, usize>, keep_last: KeepLast) -> Plan {
    let kept = |text: &str| text.parse::<Subject>().is_ok_and(|subject| keep_last(&subject));
    let mut plan = Plan { all: BTreeSet::new(), but_last: Vec::new() };
    let (keep, drop): (Vec<_>, Vec<_>) = subjects.iter().partition(|(subject, _)| kept(subject));
    let protected: BTreeSet<String> =
        keep.iter().filter_map(|(subject, _)| family(stream, subject)).collect();
    for (subject, _) in drop {
        match family(stream, subject) {
            Some(family) if !protected.contains(&family) => plan.all.insert(family),
            Some(_) | None => plan.all.insert(subject.clone()),
        };
    }
    // A single record is the last.
    plan.but_last =
        keep.into_iter().filter(|(_, count)| **count > 1).map(|(subject, _)| subject.clone()).collect();
    plan
}

/// The pattern of a subject and those of other repositories that begin alike: `sw.00.*.obs.>`.
fn family(stream: StreamId, subject: &str) -> Option<String> {
    let all = stream.filter();
    let (_repository, kind) = subject.strip_prefix(all.trim_end_matches('>'))?.split_once('.')?;
    let (first, _) = kind.split_once('.')?;
    Some(format!("{}*.{first}.>", all.trim_end_matches('>')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use stackwave_event_log::is_checked;

    #[test]
    fn what_nobody_checks_goes_by_pattern_and_the_rest_subject_by_subject() {
        let subjects = [
            ("sw.00.1.ledger", 3),
            ("sw.00.1.obs.github.push", 2),
            ("sw.00.1.obs.upload", 1),
            ("sw.00.2.comment.default.1", 1),
            ("sw.00.2.comment.default.2", 2),
            ("sw.00.2.obs.upload", 1),
            ("sw.00.2.other", 1),
        ];
        let subjects = subjects.map(|(subject, count)| (subject.to_owned(), count)).into();
        let plan = plan(StreamId::Partition(0), &subjects, is_checked);
        assert_eq!(plan.all.into_iter().collect::<Vec<_>>(), ["sw.00.*.obs.>", "sw.00.2.other"]);
        assert_eq!(plan.but_last, ["sw.00.1.ledger", "sw.00.2.comment.default.2"]);
    }

    #[test]
    fn a_pattern_never_takes_what_stays() {
        let subjects = [("sw.config.repository.1", 2), ("sw.config.obs.upload", 2)];
        let subjects = subjects.map(|(subject, count)| (subject.to_owned(), count)).into();
        let keep: KeepLast = |subject| subject.kind() == "repository.1";
        let plan = plan(StreamId::Config, &subjects, keep);
        assert_eq!(plan.all.into_iter().collect::<Vec<_>>(), ["sw.config.obs.upload"]);
        assert_eq!(plan.but_last, ["sw.config.repository.1"]);
    }
}
