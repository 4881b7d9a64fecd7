//! A state as bytes, and back: for snapshots, which are a cache, and for checkpoints, which replace the records before
//! them for ever (design §3.4).
//!
//! Bytes: a magic of four, the version of the format, that of the fold (both `u32`, big-endian), then MessagePack
//! compressed by Zstandard. Structures are maps with the names of their fields, so a version reads what an
//! earlier one wrote as long as new fields have a default; no field is ever renamed or given another meaning. Lists that
//! follow from others (the graph, what is ready, who owns a workflow run, …) are not written: reading works them out.
//!
//! Equal states give equal bytes: nothing is iterated whose order is not fixed.

use super::{RepositoryState, State, dispatch};
use crate::{Config, SNAPSHOT_VERSION};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    io::{BufReader, Read as _},
    sync::Arc,
};

/// The format that this version writes; it reads all up to it.
pub const FORMAT: u32 = 1;
/// Zstandard's fastest: a snapshot is written often and read seldom, and holds the same names again and again.
const LEVEL: i32 = 1;
/// What the bytes of a partition's state begin with.
const STATE: [u8; 4] = *b"SWST";
/// What the bytes of the configuration begin with.
const CONFIG: [u8; 4] = *b"SWCF";

/// Bytes from which no state can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Something else.
    #[error("these bytes are no state of Stackwave")]
    Foreign,
    /// A later version wrote it.
    #[error("the state is written in format {0}, which this version does not know")]
    Format(u32),
    /// Another version folded it: fold the records again.
    #[error("the state was folded by version {0}, this is version {SNAPSHOT_VERSION}")]
    Version(u32),
    /// It is cut, or has other bytes in it.
    #[error("the state cannot be read: {0}")]
    Damaged(String),
}

impl State {
    /// The state as bytes.
    ///
    /// # Errors
    /// It cannot be written, which would be a fault of this code.
    pub fn to_snapshot(&self) -> Result<Vec<u8>, SnapshotError> {
        write(STATE, self)
    }

    /// A state that this version folded.
    ///
    /// # Errors
    /// Another version folded it, or the bytes are no state.
    pub fn from_snapshot(bytes: &[u8]) -> Result<Self, SnapshotError> {
        same_version(bytes, STATE)?;
        Self::from_checkpoint(bytes)
    }

    /// A state that this or an earlier version folded.
    ///
    /// # Errors
    /// The bytes are no state.
    pub fn from_checkpoint(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let mut state: Self = read(STATE, bytes)?;
        state.restore();
        Ok(state)
    }

    fn restore(&mut self) {
        let repositories = self.repositories.values();
        self.changed = repositories.map(|repository| (repository.folded_to, repository.id)).collect();
        for repository in self.repositories.values_mut() {
            Arc::make_mut(repository).restore();
        }
    }
}

impl RepositoryState {
    /// Works out every list that follows from the rest.
    fn restore(&mut self) {
        for run in self.runs.values_mut() {
            run.restore();
        }
        let active = self.runs.values().filter(|run| run.is_active());
        self.active = active.map(|run| run.id.clone()).collect();
        let dispatches = std::mem::take(&mut self.dispatches).into_values();
        self.dispatches = dispatches
            .map(|mut dispatch| {
                if let Some(run) = self.runs.get(&dispatch.claimed.run) {
                    dispatch.claimed =
                        Arc::new(dispatch::shared(&dispatch.claimed, run, dispatch.stack, dispatch.call));
                }
                (dispatch.claimed.dispatch.clone(), dispatch)
            })
            .collect();
        self.owners.clear();
        let mut listed = Vec::with_capacity(self.dispatches.len());
        for (id, dispatch) in &self.dispatches {
            for run in dispatch.workflow_run.iter().chain(&dispatch.doubles) {
                self.owners.insert(*run, id.clone());
            }
            let open = dispatch.is_open();
            let stage = self.stage_of(dispatch);
            let active = self.active.contains(&dispatch.claimed.run);
            listed.push((open, !open && stage.is_unsettled(), active && stage.is_failure()));
        }
        self.open_claims.clear();
        self.in_flight.clear();
        self.failed.clear();
        for ((id, dispatch), listed) in self.dispatches.iter_mut().zip(listed) {
            dispatch.listed = listed;
            if listed.0 {
                self.open_claims.insert(id.clone());
            }
            if listed.1 {
                self.in_flight.insert(id.clone());
            }
            if listed.2 {
                self.failed.insert(id.clone());
            }
        }
        let pending = self.commands.values().filter(|command| command.is_pending());
        self.pending = pending.map(|command| command.id.clone()).collect();
        let unowned = self.workflow_runs.keys().filter(|run| !self.owners.contains_key(run));
        self.unowned_runs = unowned.copied().collect();
        self.heads.clear();
        for pull in self.pulls.values() {
            pull.heads().for_each(|sha| _ = self.heads.entry(sha).or_default().insert(pull.number));
        }
        let changed = self.pull_changed.iter();
        self.changed_pulls = changed.map(|(number, position)| (*position, *number)).collect();
    }
}

impl Config {
    /// The configuration as bytes.
    ///
    /// # Errors
    /// It cannot be written, which would be a fault of this code.
    pub fn to_snapshot(&self) -> Result<Vec<u8>, SnapshotError> {
        write(CONFIG, self)
    }

    /// A configuration that this version folded.
    ///
    /// # Errors
    /// Another version folded it, or the bytes are no configuration.
    pub fn from_snapshot(bytes: &[u8]) -> Result<Self, SnapshotError> {
        same_version(bytes, CONFIG)?;
        read(CONFIG, bytes)
    }
}

fn write<T: Serialize>(magic: [u8; 4], value: &T) -> Result<Vec<u8>, SnapshotError> {
    let damaged = |error: &dyn std::fmt::Display| SnapshotError::Damaged(error.to_string());
    let mut bytes = magic.to_vec();
    bytes.extend(FORMAT.to_be_bytes());
    bytes.extend(SNAPSHOT_VERSION.to_be_bytes());
    let mut encoder = zstd::Encoder::new(bytes, LEVEL).map_err(|error| damaged(&error))?;
    encoder.include_checksum(true).map_err(|error| damaged(&error))?;
    let mut packed = std::io::BufWriter::with_capacity(1 << 16, &mut encoder);
    value
        .serialize(&mut rmp_serde::Serializer::new(&mut packed).with_struct_map())
        .map_err(|error| damaged(&error))?;
    packed.into_inner().map_err(|error| damaged(&error.error()))?;
    encoder.finish().map_err(|error| damaged(&error))
}

/// The versions of format and fold, and the rest.
fn header(bytes: &[u8], magic: [u8; 4]) -> Result<(u32, u32, &[u8]), SnapshotError> {
    let rest = bytes.strip_prefix(&magic).ok_or(SnapshotError::Foreign)?;
    let (format, rest) = rest.split_first_chunk().ok_or(SnapshotError::Foreign)?;
    let (engine, rest) = rest.split_first_chunk().ok_or(SnapshotError::Foreign)?;
    Ok((u32::from_be_bytes(*format), u32::from_be_bytes(*engine), rest))
}

fn same_version(bytes: &[u8], magic: [u8; 4]) -> Result<(), SnapshotError> {
    match header(bytes, magic)? {
        (_, SNAPSHOT_VERSION, _) => Ok(()),
        (_, version, _) => Err(SnapshotError::Version(version)),
    }
}

fn read<T: DeserializeOwned>(magic: [u8; 4], bytes: &[u8]) -> Result<T, SnapshotError> {
    let damaged = |error: &dyn std::fmt::Display| SnapshotError::Damaged(error.to_string());
    let (format, _, packed) = header(bytes, magic)?;
    if format != FORMAT {
        return Err(SnapshotError::Format(format));
    }
    let decoder = zstd::Decoder::with_buffer(packed).map_err(|error| damaged(&error))?;
    let mut unpacked = BufReader::with_capacity(1 << 16, decoder);
    let value = rmp_serde::from_read(&mut unpacked).map_err(|error| damaged(&error))?;
    // The frame's checksum is at its end.
    match unpacked.read(&mut [0]).map_err(|error| damaged(&error))? {
        0 => Ok(value),
        _ => Err(SnapshotError::Damaged("something follows it".to_owned())),
    }
}
