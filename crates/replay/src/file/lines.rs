//! The lines of a file.

use super::{FORMAT, FileError};
use crate::{About, Recording, base, json};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use stackwave_domain::{Digest, Entry, Position};
use std::{
    collections::BTreeSet,
    io::{self, Write},
};

/// The first line.
#[derive(Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) stackwave_export: u64,
    #[serde(flatten)]
    pub(super) about: About,
}

/// Every other line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    Config(Placed),
    Base(String),
    Blob(Blob),
    Record(Placed),
    End(End),
}

/// A record with its place.
#[derive(Serialize, Deserialize)]
pub(super) struct Placed {
    pub(super) position: Position,
    pub(super) subject: String,
    pub(super) record: Box<RawValue>,
}

/// A content.
#[derive(Serialize, Deserialize)]
pub(super) struct Blob {
    pub(super) digest: Digest,
    pub(super) text: String,
    /// Something in it was withheld, so its digest is not that of the text.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) altered: bool,
}

/// The last line.
#[derive(Serialize, Deserialize)]
pub(super) struct End {
    pub(super) lines: u64,
    pub(super) sha256: String,
}

/// Writes lines, and knows the digest of what it wrote.
pub(super) struct Out<W> {
    out: W,
    written: Vec<u8>,
    digest: Sha256,
    lines: u64,
}

impl<W: Write> Out<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, written: Vec::new(), digest: Sha256::new(), lines: 0 }
    }

    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        self.written.clear();
        serde_json::to_writer(&mut self.written, line)?;
        self.written.push(b'\n');
        self.digest.update(&self.written);
        self.lines += 1;
        self.out.write_all(&self.written)
    }

    fn end(&mut self) -> io::Result<()> {
        let end = End { lines: self.lines, sha256: hex::encode(self.digest.clone().finalize()) };
        serde_json::to_writer(&mut self.out, &Line::End(end))?;
        self.out.write_all(b"\n")
    }
}

pub(super) fn write(recording: &Recording, out: &mut Out<impl Write>) -> Result<(), FileError> {
    out.line(&Header { stackwave_export: u64::from(FORMAT), about: recording.about.clone() })?;
    for entry in &recording.config {
        out.line(&Line::Config(placed(entry)?))?;
    }
    if let Some(base) = &recording.base {
        out.line(&Line::Base(base::write(base)?))?;
    }
    let mut written = BTreeSet::new();
    for entry in &recording.entries {
        for blob in entry.record.missing_blobs() {
            if let Some(text) = recording.blobs.get(&blob.digest)
                && written.insert(blob.digest.clone())
            {
                let altered = Digest::of(text.as_bytes()) != blob.digest;
                out.line(&Line::Blob(Blob { digest: blob.digest, text: text.clone(), altered }))?;
            }
        }
        out.line(&Line::Record(placed(entry)?))?;
    }
    Ok(out.end()?)
}

fn placed(entry: &Entry) -> io::Result<Placed> {
    Ok(Placed {
        position: entry.position,
        subject: entry.subject.to_string(),
        record: RawValue::from_string(json::text_of(&entry.record))?,
    })
}
