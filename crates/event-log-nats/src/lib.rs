//! The event log in NATS JetStream: one stream a partition, one for the configuration, an object store for blobs.
//!
//! [`NatsLog::connect`] checks the server's version and applies the topology, [`NatsLog::open_existing`] takes a log as it
//! is, for reading; after that
//! - `publish` appends with the server's own position check and reads its answers by error code,
//! - `follow` reads a stream through ordered, unfiltered pull consumers, which it replaces when they break,
//! - `blobs` and `snapshots` store bytes in object stores, `leases` say who works on what in a key-value bucket,
//!   `asides` keeps bodies for a while, `purge` removes records, `import` fills a new log with those of another.
//!
//! An append is as durable as the server is set up to make it: `sync_interval: always`, and three replicas in three
//! failure domains, for what must survive the loss of a machine.

mod asides;
mod blobs;
mod connection;
mod entry;
mod follow;
mod import;
mod leases;
mod objects;
mod options;
mod publish;
mod purge;
mod scan;
mod servers;
mod snapshots;
mod stats;
mod topology;
mod upkeep;
mod version;

pub use import::ImportError;
pub use options::{Credentials, NatsOptions};
pub use servers::without_secrets;

use crate::{
    asides::AsideStream, blobs::Blobs, connection::Connection, follow::Follow, leases::NatsLeases,
    objects::Objects, topology::Topology,
};
use async_nats::jetstream::stream::{ClusterInfo, LastRawMessageErrorKind, State, Stream};
use async_trait::async_trait;
use bytes::Bytes;
use stackwave_domain::{Digest, Entry, Position, StreamId, Subject, Timestamp};
use stackwave_event_log::{
    Append, AppendError, Appended, Asides, Bisection, Entries, EventLog, Filter, Leases, LogError, MAX_BATCH,
    RawRecord, Snapshots, Upkeep,
};
use std::{collections::HashMap, sync::Arc};

/// A log in JetStream. It reconnects by itself for as long as it lives.
#[derive(Debug)]
pub struct NatsLog {
    partitions: u16,
    read_only: bool,
    connection: Connection,
    streams: HashMap<StreamId, Stream<()>>,
    blobs: Blobs,
    snapshots: Option<Objects>,
    leases: NatsLeases,
    asides: AsideStream,
}

impl NatsLog {
    /// Connects, makes sure that the server is new enough, and applies the topology: creates what is missing, upgrades
    /// what may be changed.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when no server answers; [`LogError::Setup`] when the server is too old or refuses the
    /// credentials, when the log was created with another number of partitions, or when a stream differs in a setting
    /// that cannot be changed.
    pub async fn connect(options: NatsOptions) -> Result<Arc<Self>, LogError> {
        let connection = Connection::open(&options).await?;
        let topology = topology::apply(&connection, &options).await?;
        Self::on(connection, topology, &options, false).await
    }

    /// Connects and takes the log as it is, for reading, also while others serve it: creates and changes no stream, and
    /// refuses appends. Of the options only the URL, the credentials and the name count.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when no server answers within some seconds; [`LogError::Setup`] when the server is too
    /// old or refuses the credentials, or when there is no log.
    pub async fn open_existing(options: NatsOptions) -> Result<Arc<Self>, LogError> {
        let connection = Connection::open(&options).await?;
        let topology = topology::look(&connection).await?;
        Self::on(connection, topology, &options, true).await
    }

    async fn on(
        connection: Connection,
        topology: Topology,
        options: &NatsOptions,
        read_only: bool,
    ) -> Result<Arc<Self>, LogError> {
        let Topology { partitions, has_snapshots, lease_ttl } = topology;
        let mut streams = HashMap::new();
        for stream in topology::streams(partitions) {
            streams.insert(stream, connection.stream(stream).await?);
        }
        let unavailable = |error| LogError::Unavailable(format!("the object stores: {error}"));
        let blobs = Objects::open(&connection, topology::BLOBS).await.map_err(unavailable)?;
        let snapshots = match has_snapshots {
            true => Some(Objects::open(&connection, topology::SNAPSHOTS).await.map_err(unavailable)?),
            false => None,
        };
        let leases = NatsLeases::open(&connection, topology::LEASES, lease_ttl, read_only).await?;
        let asides = AsideStream::open(&connection, options.aside_bytes).await?;
        let blobs = Blobs::new(blobs);
        Ok(Arc::new(Self { partitions, read_only, connection, streams, blobs, snapshots, leases, asides }))
    }

    /// What the leader says of a stream.
    async fn state(&self, stream: StreamId) -> Result<State, LogError> {
        let source = self.stream(stream).map_err(LogError::Setup)?;
        match source.get_info().await {
            // Without a leader any server that has a copy answers; but nothing is taken, and the copy may be an old one.
            Ok(info) if !has_leader(info.cluster.as_ref()) => Err(LogError::Unavailable(format!(
                "{stream} has no leader: too few of the NATS servers that hold it run and reach each other"
            ))),
            Ok(info) => Ok(info.state),
            Err(error) => Err(LogError::Unavailable(format!("the state of {stream}: {error}"))),
        }
    }

    /// The position of the last record whose subject matches, asked from the leader.
    async fn last_matching(&self, stream: &Stream<()>, pattern: &str) -> Result<Position, LogError> {
        match stream.get_last_raw_message_by_subject(pattern).await {
            Ok(message) => Ok(Position(message.sequence)),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(Position::START),
            Err(error) => Err(LogError::Unavailable(format!("the last record of {pattern}: {error}"))),
        }
    }

    /// The first record at or after a position, and when it was written.
    async fn next_time(
        &self,
        stream: StreamId,
        from: Position,
    ) -> Result<Option<(Position, Timestamp)>, LogError> {
        let source = self.stream(stream).map_err(LogError::Setup)?;
        match source.raw_message_builder().sequence(from.0).next_by_subject(stream.filter()).send().await {
            Ok(message) => {
                let entry = entry::decode(&message.subject, message.sequence, &message.payload)?;
                Ok(Some((entry.position, entry.record.at)))
            }
            Err(error) if topology::is_missing(&error) => Ok(None),
            Err(error) => Err(LogError::Unavailable(format!("{stream} at {from}: {error}"))),
        }
    }

    fn check_writable(&self) -> Result<(), String> {
        if self.read_only { Err("the event log is open for reading only".to_owned()) } else { Ok(()) }
    }

    fn stream(&self, stream: StreamId) -> Result<&Stream<()>, String> {
        self.streams.get(&stream).ok_or_else(|| {
            format!("the event log has {} partitions, so {stream} is not among them", self.partitions)
        })
    }
}

#[async_trait]
impl EventLog for NatsLog {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        self.check_writable().map_err(AppendError::Unavailable)?;
        let stream = self.stream(append.subject.stream()).map_err(AppendError::Unavailable)?;
        publish::append(&self.connection, stream, append).await
    }

    async fn read(&self, stream: StreamId, from: Position, limit: usize) -> Result<Vec<Entry>, LogError> {
        let end = self.last_position(stream).await?;
        if limit == 0 || from > end {
            return Ok(Vec::new());
        }
        let source = self.stream(stream).map_err(LogError::Setup)?.clone();
        Follow::new(stream, source, &self.connection, from).page(end, limit.min(MAX_BATCH)).await
    }

    async fn read_of(
        &self,
        stream: StreamId,
        filter: &Filter,
        from: Position,
        limit: usize,
    ) -> Result<Vec<Entry>, LogError> {
        let source = self.stream(stream).map_err(LogError::Setup)?.clone();
        let pattern = entry::pattern(stream, filter);
        let end = self.last_matching(&source, &pattern).await?;
        if limit == 0 || from > end {
            return Ok(Vec::new());
        }
        Follow::new(stream, source, &self.connection, from)
            .matching(pattern)
            .page(end, limit.min(MAX_BATCH))
            .await
    }

    async fn read_raw(
        &self,
        stream: StreamId,
        from: Position,
        limit: usize,
    ) -> Result<Vec<RawRecord>, LogError> {
        let end = self.last_position(stream).await?;
        if limit == 0 || from > end {
            return Ok(Vec::new());
        }
        let source = self.stream(stream).map_err(LogError::Setup)?.clone();
        let page =
            Follow::new(stream, source, &self.connection, from).raw_page(end, limit.min(MAX_BATCH)).await?;
        Ok(page.into_iter().map(entry::raw).collect())
    }

    async fn follow(&self, stream: StreamId, from: Position) -> Result<Entries, LogError> {
        let source = self.stream(stream).map_err(LogError::Setup)?.clone();
        Ok(Follow::new(stream, source, &self.connection, from).into_entries())
    }

    async fn last(&self, subject: &Subject) -> Result<Option<Entry>, LogError> {
        let stream = self.stream(subject.stream()).map_err(LogError::Setup)?;
        match stream.get_last_raw_message_by_subject(subject.as_str()).await {
            Ok(message) => entry::decode(&message.subject, message.sequence, &message.payload).map(Some),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(LogError::Unavailable(format!("the last record of {subject}: {error}"))),
        }
    }

    async fn first_position(&self, stream: StreamId) -> Result<Option<Position>, LogError> {
        let state = self.state(stream).await?;
        Ok((state.messages > 0).then_some(Position(state.first_sequence)))
    }

    async fn last_position(&self, stream: StreamId) -> Result<Position, LogError> {
        Ok(Position(self.state(stream).await?.last_sequence))
    }

    async fn position_at(&self, stream: StreamId, time: Timestamp) -> Result<Position, LogError> {
        let state = self.state(stream).await?;
        let end = Position(state.last_sequence + 1);
        let first = if state.messages > 0 { Position(state.first_sequence) } else { end };
        // One small message from the leader each time, where a read would have a consumer made.
        let mut bisection = Bisection::new(first, end, time);
        while let Some(asked) = bisection.question() {
            bisection.answer(asked, self.next_time(stream, asked).await?);
        }
        Ok(bisection.found())
    }

    async fn put_blob(&self, bytes: Bytes) -> Result<Digest, LogError> {
        self.check_writable().map_err(LogError::Unavailable)?;
        self.blobs.put(bytes).await
    }

    async fn get_blob(&self, digest: &Digest) -> Result<Option<Bytes>, LogError> {
        self.blobs.get(digest).await
    }

    fn snapshots(&self) -> &dyn Snapshots {
        self
    }

    fn leases(&self) -> &dyn Leases {
        &self.leases
    }

    fn asides(&self) -> &dyn Asides {
        self
    }

    fn upkeep(&self) -> &dyn Upkeep {
        self
    }

    fn partitions(&self) -> u16 {
        self.partitions
    }

    /// Never: any process that reaches the servers may append.
    fn is_exclusive(&self) -> bool {
        false
    }
}

/// Whether a stream of several copies has a leader. On a server of its own there is nobody else to lead.
fn has_leader(cluster: Option<&ClusterInfo>) -> bool {
    cluster.is_none_or(|cluster| {
        cluster.replicas.is_empty() || cluster.leader.as_deref().is_some_and(|leader| !leader.is_empty())
    })
}
