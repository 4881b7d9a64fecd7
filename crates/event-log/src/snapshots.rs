//! Snapshots of folds: caches, which may be lost at any time and cost nothing but a longer start (design §3.4).

use crate::LogError;
use async_trait::async_trait;
use bytes::Bytes;
use stackwave_domain::{Position, StreamId};

/// So many snapshots of one key are kept: the newest, and one to fall back on.
const KEPT: usize = 2;

/// Whose snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotKey {
    /// The stream that was folded.
    pub stream: StreamId,
    /// The version of the fold that made it; another version cannot read it.
    pub engine: u32,
}

/// One snapshot that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoredSnapshot {
    /// The version of the fold.
    pub engine: u32,
    /// How far it had folded.
    pub position: Position,
}

/// A place for snapshots. The caller compresses.
#[async_trait]
pub trait Snapshots: Send + Sync {
    /// Stores the state after all records up to and including `position`, then drops what it supersedes (see
    /// [`superseded`]). Nobody sees it before it is whole.
    ///
    /// # Errors
    /// It was not stored; nothing else is lost by that.
    async fn put(&self, key: SnapshotKey, position: Position, bytes: Bytes) -> Result<(), LogError>;

    /// The newest snapshot of the key that is whole, with the position up to which it had folded. One that is not, or
    /// whose bytes are not those that were stored, is passed over with a warning in the program's log.
    ///
    /// # Errors
    /// The log is out of reach.
    async fn load(&self, key: SnapshotKey) -> Result<Option<(Position, Bytes)>, LogError>;

    /// What is there of a stream, in no particular order.
    ///
    /// # Errors
    /// The log is out of reach.
    async fn list(&self, stream: StreamId) -> Result<Vec<StoredSnapshot>, LogError>;
}

/// Which of a stream's snapshots go once one of version `engine` was stored: of this version all but the newest two; of
/// the other versions all but the newest two of the one that folded furthest, which is the version before an upgrade, or
/// before a roll back.
#[must_use]
pub fn superseded(stored: &[StoredSnapshot], engine: u32) -> Vec<StoredSnapshot> {
    let other = stored
        .iter()
        .filter(|snapshot| snapshot.engine != engine)
        .max_by_key(|snapshot| (snapshot.position, snapshot.engine))
        .map(|snapshot| snapshot.engine);
    let mut newest_first = stored.to_vec();
    newest_first.sort_by_key(|snapshot| std::cmp::Reverse(snapshot.position));
    let (mut of_engine, mut of_other) = (0, 0);
    newest_first.retain(|snapshot| {
        let count = match snapshot.engine {
            version if version == engine => &mut of_engine,
            version if Some(version) == other => &mut of_other,
            _ => return true,
        };
        *count += 1;
        *count > KEPT
    });
    newest_first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(snapshots: &[(u32, u64)]) -> Vec<StoredSnapshot> {
        let stored = |&(engine, position)| StoredSnapshot { engine, position: Position(position) };
        snapshots.iter().map(stored).collect()
    }

    #[test]
    fn the_newest_two_of_a_version_stay() {
        let there = stored(&[(1, 10), (1, 40), (1, 30), (1, 20)]);
        assert_eq!(superseded(&there, 1), stored(&[(1, 20), (1, 10)]));
        assert_eq!(superseded(&there[..2], 1), []);
    }

    #[test]
    fn the_version_before_stays_and_older_ones_go() {
        let there = stored(&[(1, 10), (2, 20), (2, 30), (2, 15), (3, 31)]);
        assert_eq!(superseded(&there, 3), stored(&[(2, 15), (1, 10)]));
    }

    #[test]
    fn after_a_roll_back_the_newer_version_stays() {
        let there = stored(&[(1, 10), (2, 20), (3, 30), (2, 31)]);
        assert_eq!(superseded(&there, 2), stored(&[(1, 10)]));
    }
}
