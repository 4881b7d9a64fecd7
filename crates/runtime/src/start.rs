//! Where folding a stream starts: from a snapshot, which is a cache; from a checkpoint, where the records before it may
//! be gone; or from the beginning (design §3.4).

use crate::snapshots::{self, Fold};
use stackwave_domain::{Event, Position, RecordId, StreamId, Subject, event::CheckpointWritten};
use stackwave_engine::State;
use stackwave_event_log::{EventLog, Filter, LogError};

/// Where a fold has started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From nothing: every record is folded.
    Beginning,
    /// From a checkpoint: records up to its position may have been purged.
    Checkpoint(Position),
    /// From a snapshot of the same fold.
    Snapshot(Position),
}

impl Origin {
    /// The position that the state holds already.
    #[must_use]
    pub const fn position(self) -> Position {
        match self {
            Self::Beginning => Position::START,
            Self::Checkpoint(position) | Self::Snapshot(position) => position,
        }
    }
}

/// A fold to go on from: the records after [`Origin::position`] are next.
#[derive(Debug)]
pub struct Start<T> {
    /// What was folded so far.
    pub state: T,
    /// From where it comes.
    pub origin: Origin,
    /// The last record that it holds, where that is known.
    pub tip: Option<RecordId>,
}

impl<T: Default> Start<T> {
    fn beginning() -> Self {
        Self { state: T::default(), origin: Origin::Beginning, tip: None }
    }
}

/// The quickest start of a partition: its newest snapshot, unless the log is not the one that it was made of; else as
/// [`replay`].
///
/// # Errors
/// The log is out of reach, or was purged and its checkpoint cannot be read.
pub async fn newest(log: &dyn EventLog, stream: StreamId) -> Result<Start<State>, LogError> {
    let before = purged(log, stream, None).await?;
    if let Some(start) = snapshots::load(log, stream).await? {
        // A snapshot from before the checkpoint may lack records that are gone.
        if before.as_ref().is_none_or(|checkpoint| start.origin.position() >= checkpoint.at) {
            return Ok(start);
        }
    }
    match before {
        None => Ok(Start::beginning()),
        Some(checkpoint) => read(log, stream, &checkpoint).await,
    }
}

/// The start from which everything that the log still holds up to a position can be folded: from the beginning, or, when
/// the stream was purged, from the newest checkpoint that is not after `up_to`. Without `up_to` from the newest.
///
/// # Errors
/// The log is out of reach, or was purged and has no such checkpoint.
pub async fn replay(
    log: &dyn EventLog,
    stream: StreamId,
    up_to: Option<Position>,
) -> Result<Start<State>, LogError> {
    match purged(log, stream, up_to).await? {
        None => Ok(Start::beginning()),
        Some(checkpoint) => read(log, stream, &checkpoint).await,
    }
}

/// Whether records after `position` may be gone, so that a fold that has come so far cannot go on: it was cut off from
/// the log while that was purged.
pub(crate) async fn is_behind(
    log: &dyn EventLog,
    stream: StreamId,
    position: Position,
) -> Result<bool, LogError> {
    let first = log.first_position(stream).await?;
    if first.is_none_or(|first| first <= position.next()) {
        return Ok(false);
    }
    Ok(last_checkpoint(log, stream).await?.is_some_and(|(_, checkpoint)| checkpoint.at > position))
}

/// The newest snapshot of the configuration, else the beginning: its stream is never purged.
///
/// # Errors
/// The log is out of reach.
pub(crate) async fn of_config<T: Fold + Default>(log: &dyn EventLog) -> Result<Start<T>, LogError> {
    Ok(snapshots::load(log, StreamId::Config).await?.unwrap_or_else(Start::beginning))
}

/// The checkpoint from which a purged stream is folded; none when it was never purged.
async fn purged(
    log: &dyn EventLog,
    stream: StreamId,
    up_to: Option<Position>,
) -> Result<Option<CheckpointWritten>, LogError> {
    let first = log.first_position(stream).await?;
    if first.is_none_or(|first| first <= Position(1)) {
        return Ok(None);
    }
    let last = match up_to {
        None => last_checkpoint(log, stream).await?.map(|(_, checkpoint)| checkpoint),
        Some(up_to) => checkpoints(log, stream).await?.into_iter().rfind(|it| it.at <= up_to),
    };
    last.map(Some).ok_or_else(|| {
        LogError::Setup(match up_to {
            None => format!("records of {stream} are gone, and no checkpoint says what they told"),
            Some(up_to) => {
                format!("what {stream} told up to {up_to} was purged; the archive of the purge has it")
            }
        })
    })
}

/// The newest checkpoint of a partition, with the position at which the log tells of it.
///
/// # Errors
/// The log is out of reach or cannot be read.
pub async fn last_checkpoint(
    log: &dyn EventLog,
    stream: StreamId,
) -> Result<Option<(Position, CheckpointWritten)>, LogError> {
    let Some(subject) = Subject::checkpoint(stream) else { return Ok(None) };
    let entry = log.last(&subject).await?;
    Ok(entry.and_then(|entry| Some((entry.position, told(entry.record.events)?))))
}

/// All checkpoints of a partition that the log still tells of, oldest first.
async fn checkpoints(log: &dyn EventLog, stream: StreamId) -> Result<Vec<CheckpointWritten>, LogError> {
    let Some(subject) = Subject::checkpoint(stream) else { return Ok(Vec::new()) };
    let filter = Filter::Subject(subject);
    let (mut found, mut from) = (Vec::new(), Position(1));
    loop {
        let page = log.read_of(stream, &filter, from, stackwave_event_log::MAX_BATCH).await?;
        let Some(last) = page.last() else { return Ok(found) };
        from = last.position.next();
        found.extend(page.into_iter().filter_map(|entry| told(entry.record.events)));
    }
}

fn told(events: Vec<Event>) -> Option<CheckpointWritten> {
    events.into_iter().find_map(|event| match event {
        Event::CheckpointWritten(checkpoint) => Some(checkpoint),
        _ => None,
    })
}

async fn read(
    log: &dyn EventLog,
    stream: StreamId,
    checkpoint: &CheckpointWritten,
) -> Result<Start<State>, LogError> {
    let digest = &checkpoint.state.digest;
    let corrupt = |error: String| LogError::Corrupt {
        at: format!("the checkpoint of {stream} at {}", checkpoint.at),
        error,
    };
    let Some(bytes) = log.get_blob(digest).await? else {
        return Err(corrupt(format!("its blob {digest} is missing")));
    };
    let state = State::from_checkpoint(&bytes).map_err(|error| corrupt(error.to_string()))?;
    if state.position() != checkpoint.at {
        return Err(corrupt(format!("it holds the state at {}", state.position())));
    }
    Ok(Start { state, origin: Origin::Checkpoint(checkpoint.at), tip: None })
}
