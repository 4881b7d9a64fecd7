//! Figures of a log, for the admin API, metrics and the doctor.

use serde::Serialize;
use stackwave_domain::{Position, Timestamp};

/// What a log holds and what it runs on. All sizes are in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogStats {
    /// The engine.
    pub engine: EngineStats,
    /// The configuration's stream, then the partitions.
    pub streams: Vec<StreamStats>,
    /// Blobs.
    pub blobs: StoreStats,
    /// Snapshots of folds.
    pub snapshots: StoreStats,
    /// Bodies that are kept aside.
    pub asides: StoreStats,
    /// What the log takes on one machine's disk.
    pub disk_bytes: u64,
    /// The engine's clock, where it has one of its own; it was read between the question and the answer.
    pub clock: Option<Timestamp>,
    /// How long the engine took to tell its clock, in microseconds: the clock is as exact as this.
    pub round_trip_micros: Option<u64>,
}

/// One stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StreamStats {
    /// Its name.
    pub stream: String,
    /// The first record's position; none when it is empty.
    pub first: Option<Position>,
    /// The last record's position.
    pub last: Position,
    /// How many records it holds.
    pub records: u64,
    /// How large they are, as the engine counts.
    pub bytes: u64,
    /// How large they may become before the stream takes no more.
    pub max_bytes: Option<u64>,
    /// How many subjects it holds.
    pub subjects: u64,
}

/// A place beside the streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StoreStats {
    /// How many things it holds.
    pub count: u64,
    /// How large they are, as the engine counts.
    pub bytes: u64,
}

/// What the log runs on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "engine", rename_all = "lowercase")]
pub enum EngineStats {
    /// A file.
    Sqlite {
        /// SQLite's version.
        version: String,
        /// The file's name, without its folder.
        file: String,
        /// The size of a page.
        page_size: u64,
        /// Pages that hold nothing: reused by what is written next, given back by a purge.
        free_pages: u64,
        /// `wal`, unless somebody changed it.
        journal_mode: String,
        /// How a commit reaches the disk: `full`. None when the file is open for reading only.
        synchronous: Option<String>,
    },
    /// NATS servers.
    JetStream {
        /// The version of the server that we are connected to.
        version: String,
        /// That server's name.
        server: String,
        /// The cluster, if it is one.
        cluster: Option<ClusterStats>,
        /// On how many servers the streams say that they lie; the least of them.
        replicas: u64,
        /// `file`, unless somebody changed it.
        storage: String,
        /// `default`: a record is acknowledged once it is written; `async`: before, so that it may be lost. How often the
        /// server syncs (`sync_interval`) is told to nobody but its operator.
        persistence: String,
        /// What the account uses and may use; none when it is not told.
        account: Option<AccountStats>,
    },
}

/// The cluster that a log lies in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClusterStats {
    /// Its name.
    pub name: String,
    /// The server that leads the configuration's stream, if one does.
    pub leader: Option<String>,
    /// How many servers hold the configuration's stream.
    pub peers: u64,
    /// How many of those follow without lag.
    pub current: u64,
}

/// A JetStream account. Limits are none where there is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AccountStats {
    /// What its streams take on disk, all replicas together.
    pub storage_bytes: u64,
    /// How much that may be.
    pub max_storage_bytes: Option<u64>,
    /// What its streams take in memory.
    pub memory_bytes: u64,
    /// How much that may be.
    pub max_memory_bytes: Option<u64>,
    /// Its streams.
    pub streams: u64,
    /// How many there may be.
    pub max_streams: Option<u64>,
    /// Its consumers.
    pub consumers: u64,
    /// How many there may be.
    pub max_consumers: Option<u64>,
}
