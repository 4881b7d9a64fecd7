//! Bodies kept aside, in a stream whose messages have their own time to live. It is created with the first of them.
//!
//! Their names stand in headers, because each distinct subject costs the server memory: `sw.aside.<kind>.<bucket>`, where a
//! bucket is one of a few thousand that the name falls into.

use crate::{
    NatsLog,
    connection::Connection,
    scan::{Found, Scan},
    topology,
};
use async_nats::{
    HeaderMap,
    jetstream::{message::PublishMessage, stream::Stream},
};
use async_trait::async_trait;
use stackwave_domain::{Position, Timestamp};
use stackwave_event_log::{Aside, AsideInfo, Asides, LogError, MAX_ASIDE_BYTES};
use std::{ops::ControlFlow, time::Duration};
use tokio::sync::OnceCell;

const ID: &str = "Stackwave-Id";
const AT: &str = "Stackwave-At";
const NOTE: &str = "Stackwave-Note";
const BYTES: &str = "Stackwave-Bytes";
/// How many buckets.
const BUCKETS: u32 = 4096;
/// The longest list.
const LISTED: usize = 1000;
/// How far a list looks back at first.
const WINDOW: u64 = 256;

/// The stream.
#[derive(Debug)]
pub(crate) struct AsideStream {
    connection: Connection,
    stream: Stream<()>,
    /// How large it may become; more is there than that, and the oldest goes.
    max_bytes: u64,
    created: OnceCell<()>,
}

fn unavailable(error: impl std::fmt::Display) -> LogError {
    LogError::Unavailable(format!("the bodies kept aside: {error}"))
}

impl AsideStream {
    pub(crate) async fn open(connection: &Connection, max_bytes: u64) -> Result<Self, LogError> {
        let stream = connection.requests.get_stream_no_info(topology::ASIDES).await.map_err(unavailable)?;
        Ok(Self { connection: connection.clone(), stream, max_bytes, created: OnceCell::new() })
    }

    async fn create(&self) -> Result<(), LogError> {
        let create = || topology::apply_asides(&self.connection, self.max_bytes);
        self.created.get_or_try_init(create).await.map(drop)
    }

    fn scan(&self, filter: String, from: u64) -> Scan<'_> {
        Scan { stream: &self.stream, filter, from, headers_only: true }
    }
}

#[async_trait]
impl Asides for NatsLog {
    async fn put(&self, aside: Aside, ttl: Duration) -> Result<(), LogError> {
        self.check_writable().map_err(LogError::Unavailable)?;
        if aside.bytes.len() > MAX_ASIDE_BYTES {
            return Err(LogError::Setup(format!(
                "the body of {} has {} bytes, more than the {MAX_ASIDE_BYTES} that are kept aside",
                aside.id,
                aside.bytes.len()
            )));
        }
        self.asides.create().await?;
        let mut headers = HeaderMap::new();
        headers.insert(ID, line(&aside.id));
        headers.insert(AT, aside.at.to_string());
        headers.insert(NOTE, line(&aside.note));
        headers.insert(BYTES, aside.bytes.len().to_string());
        let subject = subject(&aside.kind, &aside.id);
        let message = PublishMessage::build()
            .headers(headers)
            .payload(aside.bytes)
            .ttl(Duration::from_secs(ttl.as_secs().max(1)));
        crate::publish::put(&self.connection, subject, message).await.map(drop).map_err(unavailable)
    }

    async fn list(
        &self,
        kind: &str,
        limit: usize,
        before: Option<Position>,
    ) -> Result<Vec<AsideInfo>, LogError> {
        let limit = limit.min(LISTED);
        let Some(state) = topology::state(&self.connection, topology::ASIDES).await? else {
            return Ok(Vec::new());
        };
        // Everything from `from` on was looked at; what was found is in order, oldest first.
        let end = before.map_or(u64::MAX, |before| before.0).min(state.last_sequence + 1);
        let (mut from, mut window) = (end, WINDOW);
        let mut newest_first: Vec<AsideInfo> = Vec::new();
        while newest_first.len() < limit && from > state.first_sequence {
            let until = from;
            from = from.saturating_sub(window).max(state.first_sequence);
            window = window.saturating_mul(4);
            let mut older = Vec::new();
            self.asides
                .scan(format!("sw.aside.{}.>", token(kind)), from)
                .each(|found| {
                    if found.sequence >= until {
                        return ControlFlow::Break(());
                    }
                    older.extend(info(kind, &found));
                    ControlFlow::Continue(())
                })
                .await
                .map_err(unavailable)?;
            newest_first.extend(older.into_iter().rev());
        }
        newest_first.truncate(limit);
        Ok(newest_first)
    }

    async fn get(&self, kind: &str, id: &str) -> Result<Option<Aside>, LogError> {
        let wanted = line(id);
        let mut newest = None;
        self.asides
            .scan(subject(kind, id), 1)
            .each(|found| {
                if info(kind, &found).is_some_and(|info| info.id == wanted) {
                    newest = Some(found.sequence);
                }
                ControlFlow::Continue(())
            })
            .await
            .map_err(unavailable)?;
        let Some(sequence) = newest else { return Ok(None) };
        let message = match self.asides.stream.get_raw_message(sequence).await {
            Ok(message) => message,
            // It expired in between.
            Err(error) if topology::is_missing(&error) => return Ok(None),
            Err(error) => return Err(unavailable(error)),
        };
        let header = |name: &str| message.headers.get(name).map(ToString::to_string).unwrap_or_default();
        Ok(Some(Aside {
            kind: kind.to_owned(),
            id: id.to_owned(),
            at: header(AT).parse().unwrap_or(Timestamp::MIN),
            note: header(NOTE),
            bytes: message.payload,
        }))
    }
}

fn info(kind: &str, found: &Found) -> Option<AsideInfo> {
    let headers = found.message.headers.as_ref()?;
    let header = |name: &str| headers.get(name).map(ToString::to_string);
    Some(AsideInfo {
        position: Position(found.sequence),
        kind: kind.to_owned(),
        id: header(ID)?,
        at: header(AT)?.parse().ok()?,
        note: header(NOTE).unwrap_or_default(),
        bytes: header(BYTES)?.parse().ok()?,
    })
}

fn subject(kind: &str, id: &str) -> String {
    // FNV-1a: it must be the same in every version.
    let hash =
        id.bytes().fold(0x811C_9DC5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("sw.aside.{}.{:03x}", token(kind), hash % BUCKETS)
}

/// A kind as a part of a subject.
fn token(kind: &str) -> String {
    kind.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' }).collect()
}

/// A text as a header has it: of one line, and without blanks around it.
fn line(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ").trim().to_owned()
}
