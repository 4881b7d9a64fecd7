//! A recording as a file: JSON lines, optionally compressed by gzip; the same bytes for the same log.
//!
//! 1. `{"stackwave_export": 1, …}`: the format's version and what the recording is about.
//! 2. `{"config": …}`, `{"base": "…"}`, `{"blob": …}`, `{"record": …}`: one a line, each content before the record that
//!    refers to it, records by position.
//! 3. `{"end": {"lines": N, "sha256": "…"}}`: how many lines went before, and the SHA-256 of all their bytes, so that
//!    a file that was cut or changed is refused.

mod lines;
mod reading;

use crate::{Recording, base::BaseError};
use lines::Out;
use std::io::{self, Write};

pub use reading::read;

/// The version of the format that this code writes; it reads all up to it.
pub const FORMAT: u32 = 1;

/// What the bytes of a compressed file begin with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A file that cannot be read, or is not what was written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is something else.
    #[error("it is no export of Stackwave")]
    Foreign,
    /// It was written by a newer version.
    #[error("it is written in format {0}, this version reads up to {FORMAT}: use a newer Stackwave")]
    Format(u64),
    /// It ends too early.
    #[error("it is cut: its last line is missing after {0} lines; export it again")]
    Cut(u64),
    /// It is not what was written.
    #[error("it was changed or damaged: its digest does not match what it holds; export it again")]
    Changed,
    /// A line says nothing that this version understands.
    #[error("its line {line} cannot be read: {error}")]
    Line {
        /// Which; the first is 1.
        line: u64,
        /// What is wrong.
        error: String,
    },
    /// The state before its first record cannot be written or read.
    #[error("the state before its first record: {0}")]
    Base(#[from] BaseError),
}

/// Writes a recording; `compressed` by gzip.
///
/// # Errors
/// Writing failed.
pub fn write(recording: &Recording, out: impl Write, compressed: bool) -> Result<(), FileError> {
    if compressed {
        // Without name and time, so that equal recordings give equal bytes.
        let mut encoder = flate2::GzBuilder::new().mtime(0).write(out, flate2::Compression::default());
        lines::write(recording, &mut Out::new(&mut encoder))?;
        encoder.finish()?.flush()?;
        return Ok(());
    }
    let mut out = io::BufWriter::new(out);
    lines::write(recording, &mut Out::new(&mut out))?;
    Ok(out.flush()?)
}
