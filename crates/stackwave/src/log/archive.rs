//! The archive of a purge: JSON lines, compressed by Zstandard. `zstd -dc FILE | jq` reads it, and so does
//! `stackwave log show --file`.
//!
//! The first line says what it is and how many partitions the log has. Then one line a record, with its JSON as it was
//! stored, and one line a blob, in Base64. The last line counts them and holds the SHA-256 of all lines before, without
//! which an archive is not whole. Before anything is purged the file is synced, read back and checked.

mod read;

pub(super) use read::ArchiveLog;

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use stackwave_domain::{Digest, Position, StreamId, Timestamp};
use stackwave_event_log::{EventLog, RawRecord};
use stackwave_runtime::growth::purge::{self, Plan};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader, BufWriter, Read, Write},
    path::Path,
};

/// The format that this version writes; it reads all up to it.
const FORMAT: u32 = 1;
const LEVEL: i32 = 3;

/// What an archive holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Archived {
    pub(super) records: usize,
    pub(super) blobs: usize,
    /// The file's size.
    pub(super) bytes: u64,
}

/// One line.
#[derive(Debug)]
enum Line {
    Head(Head),
    Record(Stored),
    Blob(Blob),
    End(End),
}

impl Line {
    /// Told apart by the field that each begins with.
    fn read(text: &[u8]) -> serde_json::Result<Self> {
        let begins_with = |field: &str| text.starts_with(format!("{{\"{field}\":").as_bytes());
        if begins_with("stream") {
            serde_json::from_slice(text).map(Self::Record)
        } else if begins_with("blob") {
            serde_json::from_slice(text).map(Self::Blob)
        } else if begins_with("records") {
            serde_json::from_slice(text).map(Self::End)
        } else {
            serde_json::from_slice(text).map(Self::Head)
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    stackwave_archive: u32,
    written_at: Timestamp,
    by: String,
    partitions: u16,
    /// Up to where each partition was purged.
    through: BTreeMap<String, Position>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    stream: String,
    position: Position,
    subject: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stored_at: Option<Timestamp>,
    /// As it was stored, byte for byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    record: Option<Box<RawValue>>,
    /// Likewise, if it is no JSON in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Blob {
    blob: Digest,
    base64: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct End {
    records: usize,
    blobs: usize,
    sha256: String,
}

/// Writes what a plan removes into a new file, and reads it back. What is not whole is removed again.
pub(super) async fn write(
    log: &dyn EventLog,
    plan: &Plan,
    path: &Path,
    version: &str,
    now: Timestamp,
) -> anyhow::Result<Archived> {
    let file = File::create_new(path)?;
    let written = write_into(file, log, plan, path, version, now).await;
    if written.is_err() {
        // Whatever hinders that hindered the rest, which is told.
        let _ = std::fs::remove_file(path);
    }
    written
}

async fn write_into(
    file: File,
    log: &dyn EventLog,
    plan: &Plan,
    path: &Path,
    version: &str,
    now: Timestamp,
) -> anyhow::Result<Archived> {
    let encoder = zstd::Encoder::new(BufWriter::new(file), LEVEL)?;
    let mut out = Summed { out: encoder, sum: Sha256::new() };
    let through = plan.through.iter().map(|(stream, position)| (stream.name(), *position)).collect();
    out.line(&Head {
        stackwave_archive: FORMAT,
        written_at: now,
        by: version.to_owned(),
        partitions: log.partitions(),
        through,
    })?;
    let mut archived = Archived::default();
    for stream in plan.through.keys() {
        let mut from = Position(1);
        while let Some((page, next)) = purge::removed_page(log, plan, *stream, from).await? {
            from = next;
            archived.records += page.len();
            page.into_iter().try_for_each(|raw| out.line(&stored(*stream, raw)))?;
        }
    }
    for info in &plan.blobs {
        // One that is gone already needs no archive.
        let Some(bytes) = log.get_blob(&info.digest).await? else { continue };
        archived.blobs += 1;
        out.line(&Blob { blob: info.digest.clone(), base64: STANDARD.encode(&bytes) })?;
    }
    let sha256 = hex(&out.sum.clone().finalize());
    let (records, blobs) = (archived.records, archived.blobs);
    out.line(&End { records, blobs, sha256 })?;
    let file = out.out.finish()?.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.sync_all()?;
    archived.bytes = file.metadata()?.len();
    let read = check(path).context("it was written and cannot be read back")?;
    anyhow::ensure!((read.records, read.blobs) == (records, blobs), "it does not hold what was written");
    Ok(archived)
}

fn stored(stream: StreamId, raw: RawRecord) -> Stored {
    let text = String::from_utf8(raw.body.to_vec()).ok().filter(|text| !text.contains('\n'));
    // A text with blanks around it would lose them.
    let text = text.filter(|text| text.trim() == text);
    let record = text.and_then(|text| RawValue::from_string(text).ok());
    let body_base64 = record.is_none().then(|| STANDARD.encode(&raw.body));
    Stored {
        stream: stream.name(),
        position: raw.position,
        subject: raw.subject,
        stored_at: raw.stored_at,
        record,
        body_base64,
    }
}

/// Lines, and the sum of all of them.
struct Summed<W: Write> {
    out: W,
    sum: Sha256,
}

impl<W: Write> Summed<W> {
    fn line(&mut self, line: &impl Serialize) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.sum.update(&text);
        Ok(self.out.write_all(&text)?)
    }
}

/// Reads all of an archive and checks that it is whole.
fn check(path: &Path) -> anyhow::Result<Archived> {
    let mut archived = Archived::default();
    each(path, |line| {
        match line {
            Line::Record(_) => archived.records += 1,
            Line::Blob(_) => archived.blobs += 1,
            Line::Head(_) | Line::End(_) => {}
        }
        Ok(())
    })?;
    Ok(archived)
}

/// Every line, and an error unless the archive is whole.
fn each(path: &Path, mut take: impl FnMut(Line) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let decoder = zstd::Decoder::new(File::open(path)?)?;
    lines(decoder, &mut take)
}

fn lines(from: impl Read, take: &mut impl FnMut(Line) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut from = BufReader::new(from);
    let (mut sum, mut text, mut number) = (Sha256::new(), Vec::new(), 0usize);
    let (mut records, mut blobs) = (0, 0);
    loop {
        text.clear();
        if from.read_until(b'\n', &mut text)? == 0 {
            anyhow::bail!("it is not whole: its last line is missing");
        }
        number += 1;
        let line = Line::read(&text).with_context(|| format!("line {number} is no line of an archive"))?;
        match (&line, number) {
            (Line::Head(head), 1) => anyhow::ensure!(
                head.stackwave_archive == FORMAT,
                "it is written in format {}, which this version does not know",
                head.stackwave_archive
            ),
            (_, 1) | (Line::Head(_), _) => anyhow::bail!("it is no archive of `stackwave log purge`"),
            (Line::Record(_), _) => records += 1,
            (Line::Blob(_), _) => blobs += 1,
            (Line::End(end), _) => {
                let whole =
                    end.sha256 == hex(&sum.finalize()) && (end.records, end.blobs) == (records, blobs);
                anyhow::ensure!(whole, "it is damaged: its lines are not those that were written");
                return take(line);
            }
        }
        sum.update(&text);
        take(line)?;
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
