//! An archive as a log: to be read, never written.

use super::{Line, Stored, each};
use anyhow::Context as _;
use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::StreamExt as _;
use stackwave_domain::{Digest, Entry, Position, StreamId, Subject, codec};
use stackwave_event_log::{
    Append, AppendError, Appended, Entries, EventLog, Filter, Leases, LocalLeases, LogError, MAX_BATCH,
    RawRecord,
};
use std::{collections::BTreeMap, path::Path, sync::Arc};

/// What a purge removed, in memory.
#[derive(Debug, Default)]
pub(in crate::log) struct ArchiveLog {
    partitions: u16,
    streams: BTreeMap<StreamId, Vec<RawRecord>>,
    blobs: BTreeMap<Digest, Bytes>,
    leases: LocalLeases,
}

impl ArchiveLog {
    /// Reads an archive, all of it.
    pub(in crate::log) fn open(path: &Path) -> anyhow::Result<Arc<Self>> {
        let mut log = Self::default();
        each(path, |line| {
            match line {
                Line::Head(head) => log.partitions = head.partitions,
                Line::Record(stored) => log.add(stored)?,
                Line::Blob(blob) => {
                    let bytes = Bytes::from(STANDARD.decode(blob.base64)?);
                    anyhow::ensure!(Digest::of(&bytes) == blob.blob, "the blob {} is damaged", blob.blob);
                    log.blobs.insert(blob.blob, bytes);
                }
                Line::End(_) => {}
            }
            Ok(())
        })?;
        Ok(Arc::new(log))
    }

    fn add(&mut self, stored: Stored) -> anyhow::Result<()> {
        let known = (0..self.partitions).map(StreamId::Partition);
        let stream = known.into_iter().find(|stream| stream.name() == stored.stream);
        let stream = stream.with_context(|| format!("`{}` is no partition of this log", stored.stream))?;
        let body = match (stored.record, stored.body_base64) {
            (Some(record), _) => Bytes::from(String::from(Box::<str>::from(record))),
            (None, Some(body)) => Bytes::from(STANDARD.decode(body)?),
            (None, None) => anyhow::bail!("the record at {} is empty", stored.position),
        };
        let (position, subject, stored_at) = (stored.position, stored.subject, stored.stored_at);
        self.streams.entry(stream).or_default().push(RawRecord { position, subject, stored_at, body });
        Ok(())
    }

    fn from(&self, stream: StreamId, from: Position) -> &[RawRecord] {
        let records = self.streams.get(&stream).map_or(&[][..], Vec::as_slice);
        &records[records.partition_point(|record| record.position < from)..]
    }
}

fn entry(raw: &RawRecord) -> Result<Entry, LogError> {
    let corrupt = |error: String| LogError::Corrupt { at: format!("position {}", raw.position), error };
    let subject: Subject = raw
        .subject
        .parse()
        .map_err(|error: stackwave_domain::subject::InvalidSubject| corrupt(error.to_string()))?;
    let record = codec::decode(&raw.body).map_err(|error| LogError::undecodable(raw.position, &error))?;
    Ok(Entry { position: raw.position, subject, record })
}

#[async_trait]
impl EventLog for ArchiveLog {
    async fn append(&self, _: Append) -> Result<Appended, AppendError> {
        Err(AppendError::Unavailable("an archive is only read".to_owned()))
    }

    async fn read(&self, stream: StreamId, from: Position, limit: usize) -> Result<Vec<Entry>, LogError> {
        self.from(stream, from).iter().take(limit.min(MAX_BATCH)).map(entry).collect()
    }

    async fn read_of(
        &self,
        stream: StreamId,
        filter: &Filter,
        from: Position,
        limit: usize,
    ) -> Result<Vec<Entry>, LogError> {
        let entries = self.from(stream, from).iter().map(entry);
        let taken = entries.filter(|entry| entry.as_ref().map_or(true, |entry| filter.takes(&entry.subject)));
        taken.take(limit.min(MAX_BATCH)).collect()
    }

    async fn read_raw(
        &self,
        stream: StreamId,
        from: Position,
        limit: usize,
    ) -> Result<Vec<RawRecord>, LogError> {
        Ok(self.from(stream, from).iter().take(limit.min(MAX_BATCH)).cloned().collect())
    }

    async fn follow(&self, stream: StreamId, from: Position) -> Result<Entries, LogError> {
        // Nothing ever comes.
        let there: Result<Vec<Entry>, LogError> = self.from(stream, from).iter().map(entry).collect();
        let there = futures::stream::iter(
            Some(there).filter(|batch| batch.as_ref().map_or(true, |it| !it.is_empty())),
        );
        Ok(there.chain(futures::stream::pending()).boxed())
    }

    async fn last(&self, subject: &Subject) -> Result<Option<Entry>, LogError> {
        let records = self.from(subject.stream(), Position(1));
        records.iter().rev().find(|raw| raw.subject == subject.as_str()).map(entry).transpose()
    }

    async fn last_position(&self, stream: StreamId) -> Result<Position, LogError> {
        Ok(self.from(stream, Position(1)).last().map_or(Position::START, |raw| raw.position))
    }

    async fn first_position(&self, stream: StreamId) -> Result<Option<Position>, LogError> {
        Ok(self.from(stream, Position(1)).first().map(|raw| raw.position))
    }

    async fn put_blob(&self, _: Bytes) -> Result<Digest, LogError> {
        Err(LogError::Setup("an archive is only read".to_owned()))
    }

    async fn get_blob(&self, digest: &Digest) -> Result<Option<Bytes>, LogError> {
        Ok(self.blobs.get(digest).cloned())
    }

    fn partitions(&self) -> u16 {
        self.partitions
    }

    fn is_exclusive(&self) -> bool {
        true
    }

    fn leases(&self) -> &dyn Leases {
        &self.leases
    }
}
