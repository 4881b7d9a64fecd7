//! An archive as a log: to be read, never written, and never held in memory.
//!
//! When it is opened all of it is read once and checked; what stays are the ends of each stream, and the blobs in a file
//! of their own, since they stand behind the records that refer to them. Records are then read on from where the reader
//! before left off, and from the front again only when somebody goes back.

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
use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What a purge removed.
#[derive(Debug)]
pub(in crate::log) struct ArchiveLog {
    path: PathBuf,
    partitions: u16,
    /// The first and the last position of each stream.
    streams: BTreeMap<StreamId, (Position, Position)>,
    blobs: Mutex<Blobs>,
    readers: Mutex<BTreeMap<StreamId, Records>>,
    leases: LocalLeases,
}

impl ArchiveLog {
    /// Reads an archive once, and checks it.
    pub(in crate::log) fn open(path: &Path) -> anyhow::Result<Arc<Self>> {
        let (mut partitions, mut streams) = (0, BTreeMap::new());
        let mut blobs = Blobs::new()?;
        each(path, |line| {
            match line {
                Line::Head(head) => partitions = head.partitions,
                Line::Record(stored) => {
                    let (stream, raw) = read(partitions, stored)?;
                    let ends = streams.entry(stream).or_insert((raw.position, raw.position));
                    anyhow::ensure!(
                        ends.1 <= raw.position,
                        "the record at {} is out of its order",
                        raw.position
                    );
                    ends.1 = raw.position;
                }
                Line::Blob(blob) => {
                    let bytes = STANDARD.decode(blob.base64)?;
                    anyhow::ensure!(Digest::of(&bytes) == blob.blob, "the blob {} is damaged", blob.blob);
                    blobs.put(blob.blob, &bytes)?;
                }
                Line::End(_) => {}
            }
            Ok(())
        })?;
        Ok(Arc::new(Self {
            path: path.to_owned(),
            partitions,
            streams,
            blobs: Mutex::new(blobs),
            readers: Mutex::default(),
            leases: LocalLeases::default(),
        }))
    }

    /// At most so many records of a stream from a position on.
    fn records(&self, stream: StreamId, from: Position, limit: usize) -> Result<Vec<RawRecord>, LogError> {
        if self.streams.get(&stream).is_none_or(|(_, last)| from > *last) {
            return Ok(Vec::new());
        }
        let broken = |error: anyhow::Error| LogError::Corrupt {
            at: format!("`{}`", self.path.display()),
            error: format!("{error:#}"),
        };
        let mut readers = lock(&self.readers);
        let mut reader = match readers.remove(&stream).filter(|reader| reader.next <= from) {
            Some(reader) => reader,
            None => Records::open(&self.path, self.partitions, stream).map_err(broken)?,
        };
        let read = reader.read(from, limit.min(MAX_BATCH)).map_err(broken)?;
        readers.insert(stream, reader);
        Ok(read)
    }
}

/// One stream's records, from the front on.
struct Records {
    lines: BufReader<zstd::Decoder<'static, BufReader<File>>>,
    partitions: u16,
    stream: StreamId,
    /// No record before it comes any more.
    next: Position,
}

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Records")
            .field("stream", &self.stream)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

impl Records {
    fn open(path: &Path, partitions: u16, stream: StreamId) -> anyhow::Result<Self> {
        let lines = BufReader::new(zstd::Decoder::new(File::open(path)?)?);
        Ok(Self { lines, partitions, stream, next: Position(1) })
    }

    fn read(&mut self, from: Position, limit: usize) -> anyhow::Result<Vec<RawRecord>> {
        let mut records = Vec::new();
        // Lines of other streams are not worth being read as JSON.
        let own = format!("{{\"stream\":\"{}\",", self.stream.name());
        let mut text = Vec::new();
        while records.len() < limit {
            text.clear();
            if self.lines.read_until(b'\n', &mut text)? == 0 {
                break;
            }
            if !text.starts_with(own.as_bytes()) {
                continue;
            }
            let Line::Record(stored) = Line::read(&text)? else { continue };
            let (_, raw) = read(self.partitions, stored)?;
            self.next = raw.position.next();
            if raw.position >= from {
                records.push(raw);
            }
        }
        Ok(records)
    }
}

/// A record as the log had it, and its stream.
fn read(partitions: u16, stored: Stored) -> anyhow::Result<(StreamId, RawRecord)> {
    let mut known = (0..partitions).map(StreamId::Partition);
    let stream = known.find(|stream| stream.name() == stored.stream);
    let stream = stream.with_context(|| format!("`{}` is no partition of this log", stored.stream))?;
    let body = match (stored.record, stored.body_base64) {
        (Some(record), _) => Bytes::from(String::from(Box::<str>::from(record))),
        (None, Some(body)) => Bytes::from(STANDARD.decode(body)?),
        (None, None) => anyhow::bail!("the record at {} is empty", stored.position),
    };
    let (position, subject, stored_at) = (stored.position, stored.subject, stored.stored_at);
    Ok((stream, RawRecord { position, subject, stored_at, body }))
}

/// The blobs, in a file that is gone when it is closed.
#[derive(Debug)]
struct Blobs {
    file: File,
    /// Where each begins, and how long it is.
    places: BTreeMap<Digest, (u64, usize)>,
    end: u64,
}

impl Blobs {
    fn new() -> anyhow::Result<Self> {
        let file = tempfile::tempfile().context("cannot make a temporary file for its blobs")?;
        Ok(Self { file, places: BTreeMap::new(), end: 0 })
    }

    fn put(&mut self, digest: Digest, bytes: &[u8]) -> std::io::Result<()> {
        self.file.write_all(bytes)?;
        self.places.insert(digest, (self.end, bytes.len()));
        self.end += bytes.len() as u64;
        Ok(())
    }

    fn get(&mut self, digest: &Digest) -> std::io::Result<Option<Bytes>> {
        let Some((begin, length)) = self.places.get(digest).copied() else { return Ok(None) };
        let mut bytes = vec![0; length];
        self.file.seek(SeekFrom::Start(begin))?;
        self.file.read_exact(&mut bytes)?;
        Ok(Some(bytes.into()))
    }
}

/// What is guarded stays whole even if a reader panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.records(stream, from, limit)?.iter().map(entry).collect()
    }

    async fn read_of(
        &self,
        stream: StreamId,
        filter: &Filter,
        mut from: Position,
        limit: usize,
    ) -> Result<Vec<Entry>, LogError> {
        let limit = limit.min(MAX_BATCH);
        let mut taken = Vec::new();
        while taken.len() < limit {
            let page = self.read(stream, from, limit - taken.len()).await?;
            let Some(last) = page.last() else { break };
            from = last.position.next();
            taken.extend(page.into_iter().filter(|entry| filter.takes(&entry.subject)));
        }
        Ok(taken)
    }

    async fn read_raw(
        &self,
        stream: StreamId,
        from: Position,
        limit: usize,
    ) -> Result<Vec<RawRecord>, LogError> {
        self.records(stream, from, limit)
    }

    async fn follow(&self, stream: StreamId, mut from: Position) -> Result<Entries, LogError> {
        let mut there = Vec::new();
        loop {
            let page = self.read(stream, from, MAX_BATCH).await?;
            let Some(last) = page.last() else { break };
            from = last.position.next();
            there.push(Ok(page));
        }
        // Nothing ever comes.
        Ok(futures::stream::iter(there).chain(futures::stream::pending()).boxed())
    }

    async fn last(&self, subject: &Subject) -> Result<Option<Entry>, LogError> {
        let (mut last, mut from) = (None, Position(1));
        loop {
            let page = self.records(subject.stream(), from, MAX_BATCH)?;
            let Some(end) = page.last().map(|raw| raw.position) else { break };
            from = end.next();
            last = page.into_iter().rfind(|raw| raw.subject == subject.as_str()).or(last);
        }
        last.as_ref().map(entry).transpose()
    }

    async fn last_position(&self, stream: StreamId) -> Result<Position, LogError> {
        Ok(self.streams.get(&stream).map_or(Position::START, |(_, last)| *last))
    }

    async fn first_position(&self, stream: StreamId) -> Result<Option<Position>, LogError> {
        Ok(self.streams.get(&stream).map(|(first, _)| *first))
    }

    async fn put_blob(&self, _: Bytes) -> Result<Digest, LogError> {
        Err(LogError::Setup("an archive is only read".to_owned()))
    }

    async fn get_blob(&self, digest: &Digest) -> Result<Option<Bytes>, LogError> {
        let read = lock(&self.blobs).get(digest);
        read.map_err(|error| LogError::Corrupt { at: format!("the blob {digest}"), error: error.to_string() })
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
