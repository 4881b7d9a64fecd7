//! An object store's objects, with what the client library leaves out: checks on removal, and removal without a trace.
//!
//! An object is a message that describes it (`$O.<bucket>.M.<name>`) and messages with its pieces (`$O.<bucket>.C.<id>`),
//! as in ADR-20 of NATS. Descriptions are read from the leader.

use crate::{
    connection::Connection,
    entry,
    publish::{self, Put},
    scan::{Found, Scan},
};
use async_nats::{
    HeaderMap,
    header::NATS_ROLLUP,
    jetstream::{
        message::PublishMessage,
        object_store::{GetErrorKind, ObjectInfo, ObjectStore},
        stream::{LastRawMessageErrorKind, Stream},
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use bytes::Bytes;
use futures::TryStreamExt as _;
use stackwave_domain::Timestamp;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;

/// A read that brings nothing for so long has lost its pieces.
const STALLED: Duration = Duration::from_secs(5);

/// A bucket.
pub(crate) struct Objects {
    bucket: ObjectStore,
    name: &'static str,
    connection: Connection,
    stream: Stream<()>,
}

/// An object that is there.
pub(crate) struct Described {
    /// Where its description lies.
    sequence: u64,
    /// When that was stored, by the server's clock.
    pub(crate) stored_at: Option<Timestamp>,
    pub(crate) info: ObjectInfo,
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Objects").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Objects {
    /// The bucket of that name, which is there.
    pub(crate) async fn open(connection: &Connection, name: &'static str) -> Result<Self, String> {
        let bucket = connection.requests.get_object_store(name).await.map_err(|error| error.to_string())?;
        let stream = connection
            .requests
            .get_stream_no_info(format!("OBJ_{name}"))
            .await
            .map_err(|error| error.to_string())?;
        Ok(Self { bucket, name, connection: connection.clone(), stream })
    }

    fn description(&self, object: &str) -> String {
        format!("$O.{}.M.{}", self.name, URL_SAFE.encode(object))
    }

    /// The object of that name; none when it was removed.
    pub(crate) async fn find(&self, object: &str) -> Result<Option<Described>, String> {
        match self.stream.get_last_raw_message_by_subject(&self.description(object)).await {
            Ok(message) => {
                let stored_at = entry::timestamp(message.time);
                Ok(describe(message.sequence, stored_at, &message.payload))
            }
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    /// All objects.
    pub(crate) async fn list(&self) -> Result<Vec<Described>, String> {
        let filter = format!("$O.{}.M.>", self.name);
        let found = Scan { stream: &self.stream, filter, from: 1, headers_only: false }.all().await?;
        let described =
            |Found { sequence, stored_at, message }| describe(sequence, stored_at, &message.payload);
        Ok(found.into_iter().filter_map(described).collect())
    }

    /// Stores an object, in the place of the one that has its name.
    pub(crate) async fn put(&self, object: &str, bytes: &Bytes) -> Result<(), String> {
        self.bucket.put(object, &mut &bytes[..]).await.map(drop).map_err(|error| error.to_string())
    }

    /// The content of the object of that name, whose digest the client library checks; none when it is not there.
    pub(crate) async fn read(&self, object: &str) -> Result<Option<Bytes>, String> {
        let mut object = match self.bucket.get(object).await {
            Ok(object) => object,
            Err(error) if error.kind() == GetErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let mut bytes = Vec::with_capacity(object.info().size);
        loop {
            match tokio::time::timeout(STALLED, object.read_buf(&mut bytes)).await {
                Ok(Ok(0)) => return Ok(Some(bytes.into())),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(error.to_string()),
                Err(_) => return Err(format!("nothing came for {} s", STALLED.as_secs())),
            }
        }
    }

    /// Whether all its pieces are there.
    pub(crate) async fn is_whole(&self, object: &Described) -> Result<bool, String> {
        let pieces = self.pieces(object);
        let subjects = self.stream.info_with_subjects(&pieces).await.map_err(|error| error.to_string())?;
        let counts: Vec<(String, usize)> = subjects.try_collect().await.map_err(|error| error.to_string())?;
        let there: usize =
            counts.into_iter().filter(|(subject, _)| *subject == pieces).map(|(_, count)| count).sum();
        Ok(there == object.info.chunks)
    }

    /// Describes it anew, so that it counts as just stored. Tells whether nobody was faster.
    pub(crate) async fn touch(&self, object: &Described) -> Result<bool, String> {
        self.redescribe(object, &object.info).await.map(|touched| touched.is_some())
    }

    /// Removes it, unless somebody has stored or touched it since it was looked at; tells whether it is gone.
    pub(crate) async fn remove(&self, object: &Described) -> Result<bool, String> {
        let gone = ObjectInfo { deleted: true, size: 0, chunks: 0, ..object.info.clone() };
        let Some(marker) = self.redescribe(object, &gone).await? else { return Ok(false) };
        // Nobody refers to the pieces any more; and the marker goes only if nothing was stored after it.
        let description = self.description(&object.info.name);
        self.stream.purge().filter(self.pieces(object)).await.map_err(|error| error.to_string())?;
        self.stream
            .purge()
            .filter(description)
            .sequence(marker + 1)
            .await
            .map_err(|error| error.to_string())?;
        Ok(true)
    }

    fn pieces(&self, object: &Described) -> String {
        format!("$O.{}.C.{}", self.name, object.info.nuid)
    }

    async fn redescribe(&self, object: &Described, info: &ObjectInfo) -> Result<Option<u64>, String> {
        let mut headers = HeaderMap::new();
        headers.insert(NATS_ROLLUP, "sub");
        let body = serde_json::to_vec(info).map_err(|error| error.to_string())?;
        let message = PublishMessage::build()
            .headers(headers)
            .payload(body.into())
            .expected_last_subject_sequence(object.sequence);
        match publish::put(&self.connection, self.description(&info.name), message).await? {
            Put::At(sequence) => Ok(Some(sequence)),
            Put::Conflict => Ok(None),
        }
    }
}

/// What a description says; none of an object that was removed, or in a form that is none of ours.
fn describe(sequence: u64, stored_at: Option<Timestamp>, payload: &[u8]) -> Option<Described> {
    let info: ObjectInfo = serde_json::from_slice(payload).ok()?;
    (!info.deleted).then_some(Described { sequence, stored_at, info })
}
