//! A file back into a recording.

use super::{
    FORMAT, FileError, GZIP,
    lines::{End, Header, Line, Placed},
};
use crate::{Recording, base};
use sha2::{Digest as _, Sha256};
use stackwave_domain::{Digest, Entry, codec};
use std::io::{BufRead, BufReader, ErrorKind, Read};

/// Reads a recording, compressed or not.
///
/// # Errors
/// The file is no export, was cut or changed, or is of a newer version.
pub fn read(input: impl Read) -> Result<Recording, FileError> {
    let mut input = BufReader::new(input);
    let begin = input.fill_buf()?;
    if begin.starts_with(&GZIP) {
        return lines(BufReader::new(flate2::bufread::MultiGzDecoder::new(input)));
    }
    lines(input)
}

fn lines(mut input: impl BufRead) -> Result<Recording, FileError> {
    let mut line = Vec::new();
    let mut digest = Sha256::new();
    let mut count = 0;
    let mut recording: Option<Recording> = None;
    loop {
        line.clear();
        match input.read_until(b'\n', &mut line) {
            Ok(0) => return Err(if count == 0 { FileError::Foreign } else { FileError::Cut(count) }),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                return Err(FileError::Cut(count));
            }
            Err(error) if error.kind() == ErrorKind::InvalidInput => return Err(FileError::Changed),
            Err(error) => return Err(error.into()),
        }
        let Some(recording) = &mut recording else {
            recording = Some(header(&line)?);
            digest.update(&line);
            count += 1;
            continue;
        };
        if line.last() != Some(&b'\n') {
            return Err(FileError::Cut(count));
        }
        let wrong = |error: String| FileError::Line { line: count + 1, error };
        let parsed = serde_json::from_slice(&line).map_err(|error| wrong(error.to_string()))?;
        if let Line::End(end) = parsed {
            check(&end, digest, count, &mut input)?;
            return Ok(std::mem::take(recording));
        }
        take(recording, parsed).map_err(|error| match error {
            Wrong::Text(error) => wrong(error),
            Wrong::File(error) => error,
        })?;
        digest.update(&line);
        count += 1;
    }
}

fn header(line: &[u8]) -> Result<Recording, FileError> {
    let value: serde_json::Value = serde_json::from_slice(line).map_err(|_| FileError::Foreign)?;
    match value.get("stackwave_export").and_then(serde_json::Value::as_u64) {
        None => return Err(FileError::Foreign),
        Some(version) if version > u64::from(FORMAT) => return Err(FileError::Format(version)),
        Some(_) => {}
    }
    let header: Header = serde_json::from_value(value)
        .map_err(|error| FileError::Line { line: 1, error: error.to_string() })?;
    Ok(Recording { about: header.about, ..Recording::default() })
}

fn check(end: &End, digest: Sha256, count: u64, rest: &mut impl BufRead) -> Result<(), FileError> {
    if end.lines != count || end.sha256 != hex::encode(digest.finalize()) {
        return Err(FileError::Changed);
    }
    match rest.read(&mut [0]) {
        Ok(0) => Ok(()),
        Ok(_) => Err(FileError::Changed),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(FileError::Cut(count)),
        Err(error) => Err(error.into()),
    }
}

enum Wrong {
    Text(String),
    File(FileError),
}

fn take(recording: &mut Recording, line: Line) -> Result<(), Wrong> {
    let entry = |placed: Placed| -> Result<Entry, Wrong> {
        let subject = placed.subject.parse();
        let subject = subject
            .map_err(|error: stackwave_domain::subject::InvalidSubject| Wrong::Text(error.to_string()))?;
        let record =
            codec::decode(placed.record.get().as_bytes()).map_err(|error| Wrong::Text(error.to_string()))?;
        Ok(Entry { position: placed.position, subject, record })
    };
    match line {
        Line::Config(placed) => recording.config.push(entry(placed)?),
        Line::Record(placed) => recording.entries.push(entry(placed)?),
        Line::Base(text) => {
            recording.base = Some(base::read(&text).map_err(|error| Wrong::File(error.into()))?);
        }
        Line::Blob(blob) => {
            if !blob.altered && Digest::of(blob.text.as_bytes()) != blob.digest {
                return Err(Wrong::Text(format!("the content is not what its digest {} says", blob.digest)));
            }
            recording.blobs.insert(blob.digest, blob.text);
        }
        // The caller takes it.
        Line::End(_) => {}
    }
    Ok(())
}
