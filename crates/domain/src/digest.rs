//! SHA-256 digests: of uploaded bytes, of graphs, of what a comment says.

use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use std::fmt;

/// A SHA-256 in lower-case hex. Names a blob, and tells equal content from different content.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(std::sync::Arc<str>);

impl Digest {
    /// The digest of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(hex::encode(sha2::Sha256::digest(bytes)).into())
    }

    /// The digest of several texts, each told apart from the next.
    #[must_use]
    pub fn of_parts(parts: &[&str]) -> Self {
        let mut hash = sha2::Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        Self(hex::encode(hash.finalize()).into())
    }

    /// A digest read back from where it was stored; it is not checked against any bytes.
    #[must_use]
    pub fn from_hex(hex: &str) -> Self {
        Self(hex.into())
    }

    /// Lower-case hex, 64 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first `n` characters, for ids that people read.
    #[must_use]
    pub fn prefix(&self, n: usize) -> &str {
        self.0.get(..n).unwrap_or(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where bytes lie that are too large for a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobRef {
    /// The blob's name in the blob store.
    pub digest: Digest,
    /// Its size in bytes.
    pub bytes: u64,
}

/// A part of an event that travels in the record when small, and as a blob when large. Whoever folds a record has
/// fetched its blobs before (`Record::hydrate`), so the fold always sees `Inline`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stored<T> {
    /// Here it is.
    Inline(std::sync::Arc<T>),
    /// There it is.
    Blob(BlobRef),
}

impl<T> Stored<T> {
    /// A value that travels in the record.
    pub fn inline(value: T) -> Self {
        Self::Inline(std::sync::Arc::new(value))
    }

    /// The value, when it is here.
    #[must_use]
    pub fn get(&self) -> Option<&std::sync::Arc<T>> {
        match self {
            Self::Inline(value) => Some(value),
            Self::Blob(_) => None,
        }
    }
}
