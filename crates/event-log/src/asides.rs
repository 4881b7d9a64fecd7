//! Bodies that are kept aside for a while, for people: nothing is folded from them, and losing one loses no run.

use crate::LogError;
use async_trait::async_trait;
use bytes::Bytes;
use stackwave_domain::{Position, Timestamp};
use std::time::Duration;

/// The largest body that is kept, in bytes: what every engine stores in one piece.
pub const MAX_ASIDE_BYTES: usize = 768 * 1024;

/// A body to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// What kind of body, in `[a-z0-9_-]`: `webhook`.
    pub kind: String,
    /// Its name among its kind, such as a delivery's GUID. Kept again under the same name, the newest counts.
    pub id: String,
    /// When it came.
    pub at: Timestamp,
    /// One line about it for lists, such as the event and the repository, without blanks around it.
    pub note: String,
    /// At most [`MAX_ASIDE_BYTES`].
    pub bytes: Bytes,
}

/// What a list says of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsideInfo {
    /// Its place in the order of arrival among all bodies; where the next page starts.
    pub position: Position,
    /// Its kind.
    pub kind: String,
    /// Its name among its kind.
    pub id: String,
    /// When it came.
    pub at: Timestamp,
    /// The line about it.
    pub note: String,
    /// Its size.
    pub bytes: u64,
}

/// A place for bodies. What has expired removes itself.
#[async_trait]
pub trait Asides: Send + Sync {
    /// Keeps a body for `ttl` (at least a second, to the second).
    ///
    /// # Errors
    /// It was not kept: the log is out of reach, or it is larger than [`MAX_ASIDE_BYTES`].
    async fn put(&self, aside: Aside, ttl: Duration) -> Result<(), LogError>;

    /// Bodies of a kind, newest first, at most `limit`; with `before` only those that lie before that position.
    ///
    /// # Errors
    /// The log is out of reach.
    async fn list(
        &self,
        kind: &str,
        limit: usize,
        before: Option<Position>,
    ) -> Result<Vec<AsideInfo>, LogError>;

    /// The body of this name; none when there never was one, or no more.
    ///
    /// # Errors
    /// The log is out of reach.
    async fn get(&self, kind: &str, id: &str) -> Result<Option<Aside>, LogError>;
}
