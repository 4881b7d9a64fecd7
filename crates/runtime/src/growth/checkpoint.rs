//! Writing a checkpoint.

use crate::{start, stow};
use stackwave_domain::{Position, Record, StreamId, Subject, digest::BlobRef, event::CheckpointWritten};
use stackwave_engine::{ENGINE_VERSION, State, state};
use stackwave_event_log::{Append, AppendError, EventLog, LogError, MAX_BATCH};
use std::sync::Arc;

/// A checkpoint could not be written.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The log did not take it.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The state cannot be written down.
    #[error(transparent)]
    State(#[from] state::SnapshotError),
    /// There is nothing to write down.
    #[error("{0} holds no record")]
    Empty(StreamId),
    /// The configuration's stream is never purged.
    #[error("the configuration has no checkpoints")]
    Config,
}

/// A partition as it is now: its newest snapshot or checkpoint, and everything after it, folded.
///
/// # Errors
/// The log is out of reach or cannot be read.
pub async fn state_now(log: &Arc<dyn EventLog>, stream: StreamId) -> Result<State, LogError> {
    let start::Start { mut state, .. } = start::newest(log.as_ref(), stream).await?;
    let end = log.last_position(stream).await?;
    while state.position() < end {
        let mut page = log.read(stream, state.position().next(), MAX_BATCH).await?;
        if page.is_empty() {
            break;
        }
        stow::hydrate(log, &mut page).await?;
        page.iter().for_each(|entry| drop(state.apply(entry)));
    }
    Ok(state)
}

/// Writes the state of a partition down. `record` makes the record that tells of it: a fresh id, the time, who it was.
///
/// # Errors
/// See [`CheckpointError`].
pub async fn write(
    log: &Arc<dyn EventLog>,
    stream: StreamId,
    record: impl FnOnce(CheckpointWritten) -> Record,
) -> Result<CheckpointWritten, CheckpointError> {
    let subject = Subject::checkpoint(stream).ok_or(CheckpointError::Config)?;
    let state = state_now(log, stream).await?;
    let at = state.position();
    if at == Position::START {
        return Err(CheckpointError::Empty(stream));
    }
    let bytes = state.to_snapshot()?;
    let size = bytes.len() as u64;
    let digest = log.put_blob(bytes.into()).await?;
    let checkpoint = CheckpointWritten {
        at,
        format: state::FORMAT,
        engine: ENGINE_VERSION,
        state: BlobRef { digest, bytes: size },
    };
    // Told twice it is the same: the log takes it however often it is tried.
    log.append(Append::any(subject, record(checkpoint.clone()))).await?;
    Ok(checkpoint)
}
