//! Leases in a key-value bucket whose entries expire, so that those of a process that is gone go by themselves.
//!
//! Keys are `lease.<name>` and `member.<group>.<process>`, values JSON: `nats kv ls SW_LEASES` shows them. Each write of a
//! lease is checked against its last revision, which is the lock.

use crate::{
    connection::Connection,
    publish::{self, Put},
    scan::Scan,
};
use async_nats::jetstream::{
    message::PublishMessage,
    stream::{LastRawMessageErrorKind, Stream},
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use stackwave_domain::{ProcessId, Timestamp};
use stackwave_event_log::{HeldLease, Lease, LeaseError, Leases, LogError, Member};
use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

/// So often a write is tried that somebody else came in the way of.
const TRIES: u32 = 6;
/// A cluster refuses a write because of another one that it does not show yet.
const PAUSE: Duration = Duration::from_millis(10);
/// Marks an entry that was given back (ADR-8 of NATS).
const OPERATION: &str = "KV-Operation";

/// The bucket.
#[derive(Debug)]
pub(crate) struct NatsLeases {
    connection: Connection,
    stream: Stream<()>,
    bucket: &'static str,
    ttl: Duration,
    read_only: bool,
}

/// The value of a lease. Its name stands in it because the key is not always readable.
#[derive(Serialize, Deserialize)]
struct LeaseEntry {
    name: String,
    holder: ProcessId,
    since: Timestamp,
}

/// The value of a member.
#[derive(Serialize, Deserialize)]
struct MemberEntry {
    group: String,
    process: ProcessId,
    since: Timestamp,
    about: String,
}

impl NatsLeases {
    pub(crate) async fn open(
        connection: &Connection,
        bucket: &'static str,
        ttl: Duration,
        read_only: bool,
    ) -> Result<Self, LogError> {
        let stream = connection
            .requests
            .get_stream_no_info(format!("KV_{bucket}"))
            .await
            .map_err(|error| LogError::Setup(format!("{bucket}: {error}")))?;
        Ok(Self { connection: connection.clone(), stream, bucket, ttl, read_only })
    }

    fn subject(&self, key: &str) -> String {
        format!("$KV.{}.{key}", self.bucket)
    }

    fn lease(&self, name: &str) -> String {
        self.subject(&format!("lease.{}", token(name)))
    }

    fn member(&self, group: &str, process: &ProcessId) -> String {
        self.subject(&format!("member.{}.{}", token(group), token(process.as_str())))
    }

    /// A lease's last revision, and what it says unless it was given back.
    async fn entry(&self, name: &str) -> Result<(u64, Option<LeaseEntry>), LeaseError> {
        match self.stream.get_last_raw_message_by_subject(&self.lease(name)).await {
            Ok(message) => Ok((message.sequence, serde_json::from_slice(&message.payload).ok())),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok((0, None)),
            Err(error) => Err(LeaseError::Unavailable(error.to_string())),
        }
    }

    /// Writes a lease after a revision; none when that is not the last.
    async fn write(&self, entry: LeaseEntry, after: u64) -> Result<Option<Lease>, LeaseError> {
        // It may have been written at any time after this, so that it lasts at least from here.
        let valid_until = Instant::now() + self.ttl;
        let body = serde_json::to_vec(&entry).map_err(|error| LeaseError::Unavailable(error.to_string()))?;
        let message = PublishMessage::build().payload(body.into()).expected_last_subject_sequence(after);
        match self.publish(self.lease(&entry.name), message).await.map_err(LeaseError::Unavailable)? {
            Put::At(revision) => {
                let LeaseEntry { name, holder, since } = entry;
                Ok(Some(Lease { name, holder, since, revision, valid_until }))
            }
            Put::Conflict => Ok(None),
        }
    }

    async fn publish(&self, subject: String, message: PublishMessage) -> Result<Put, String> {
        if self.read_only {
            return Err("the event log is open for reading only".to_owned());
        }
        publish::put(&self.connection, subject, message).await
    }

    /// Everything that there is under a key.
    async fn values<T: DeserializeOwned>(&self, keys: &str) -> Result<Vec<T>, LogError> {
        let scan = Scan { stream: &self.stream, filter: self.subject(keys), from: 1, headers_only: false };
        let found =
            scan.all().await.map_err(|error| LogError::Unavailable(format!("the leases: {error}")))?;
        // What was given back is empty.
        Ok(found.iter().filter_map(|found| serde_json::from_slice(&found.message.payload).ok()).collect())
    }
}

#[async_trait]
impl Leases for NatsLeases {
    fn ttl(&self) -> Duration {
        self.ttl
    }

    async fn acquire(&self, name: &str, holder: &ProcessId, now: Timestamp) -> Result<Lease, LeaseError> {
        for again in 0..TRIES {
            pause(again).await;
            let (revision, current) = self.entry(name).await?;
            let since = match current {
                Some(current) if current.holder != *holder => {
                    return Err(LeaseError::Held { by: current.holder });
                }
                Some(current) => current.since,
                None => now,
            };
            let entry = LeaseEntry { name: name.to_owned(), holder: holder.clone(), since };
            if let Some(lease) = self.write(entry, revision).await? {
                return Ok(lease);
            }
        }
        Err(LeaseError::Unavailable(format!("too many processes want {name} at once")))
    }

    async fn renew(&self, lease: &Lease) -> Result<Lease, LeaseError> {
        let mut revision = lease.revision;
        for again in 0..TRIES {
            pause(again).await;
            let entry =
                LeaseEntry { name: lease.name.clone(), holder: lease.holder.clone(), since: lease.since };
            if let Some(renewed) = self.write(entry, revision).await? {
                return Ok(renewed);
            }
            // Somebody else wrote it, it ended, or an earlier renewal landed without an answer.
            match self.entry(&lease.name).await? {
                (last, Some(current)) if current.holder == lease.holder => revision = last,
                _ => return Err(LeaseError::Lost),
            }
        }
        Err(LeaseError::Unavailable(format!("{} cannot be renewed", lease.name)))
    }

    async fn release(&self, lease: Lease) -> Result<(), LogError> {
        let message =
            PublishMessage::build().header(OPERATION, "DEL").expected_last_subject_sequence(lease.revision);
        match self.publish(self.lease(&lease.name), message).await {
            Ok(Put::At(_) | Put::Conflict) => Ok(()),
            Err(error) => Err(LogError::Unavailable(format!("the lease {}: {error}", lease.name))),
        }
    }

    async fn held(&self) -> Result<Vec<HeldLease>, LogError> {
        let mut held: Vec<HeldLease> = self
            .values("lease.>")
            .await?
            .into_iter()
            .map(|LeaseEntry { name, holder, since }| HeldLease { name, holder, since })
            .collect();
        held.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(held)
    }

    async fn announce(&self, member: &Member) -> Result<(), LogError> {
        let Member { group, process, since, about } = member.clone();
        let unavailable = |error: String| LogError::Unavailable(format!("the members: {error}"));
        let subject = self.member(&group, &process);
        let body = serde_json::to_vec(&MemberEntry { group, process, since, about })
            .map_err(|error| unavailable(error.to_string()))?;
        self.publish(subject, PublishMessage::build().payload(body.into()))
            .await
            .map(drop)
            .map_err(unavailable)
    }

    async fn leave(&self, group: &str, process: &ProcessId) -> Result<(), LogError> {
        let message = PublishMessage::build().header(OPERATION, "DEL");
        let left = self.publish(self.member(group, process), message).await;
        left.map(drop).map_err(|error| LogError::Unavailable(format!("the members: {error}")))
    }

    async fn members(&self, group: Option<&str>) -> Result<Vec<Member>, LogError> {
        let keys = match group {
            Some(group) => format!("member.{}.>", token(group)),
            None => "member.>".to_owned(),
        };
        let mut members: Vec<Member> = self
            .values(&keys)
            .await?
            .into_iter()
            .map(|MemberEntry { group, process, since, about }| Member { group, process, since, about })
            .collect();
        members.sort_by(|one, other| (&one.group, &one.process).cmp(&(&other.group, &other.process)));
        Ok(members)
    }
}

/// Longer each time.
async fn pause(again: u32) {
    if again > 0 {
        tokio::time::sleep(PAUSE * 2_u32.pow(again)).await;
    }
}

/// A text as a part of a key: what may not stand there is written as its number.
fn token(text: &str) -> String {
    let mut token = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => token.push(char::from(byte)),
            _ => drop(write!(token, "={byte:02x}")),
        }
    }
    // A part that is empty is none.
    if token.is_empty() { "=".to_owned() } else { token }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_have_keys_that_differ() {
        let tokens = ["a b", "a.b", "a=20b", "ab", "", "=", "ä"].map(token);
        assert_eq!(tokens, ["a=20b", "a=2eb", "a=3d20b", "ab", "=", "=3d", "=c3=a4"]);
    }
}
