//! Removing what lies before a checkpoint: first a plan, which says what is in the way, then the deed.

mod scan;

use super::checkpoint::state_now;
use crate::start;
use stackwave_domain::{Position, StreamId, Timestamp, event::CheckpointWritten};
use stackwave_engine::{Config, state::Need};
use stackwave_event_log::{BlobInfo, EventLog, Freed, LogError, MAX_BATCH, RawRecord, is_checked};
use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

/// A blob that was stored less than this before may belong to a record that is about to be appended.
const ABOUT_TO_BE_NEEDED: Duration = Duration::from_secs(2 * 3600);

/// Why nothing is purged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Nothing stands for the records that would be gone.
    NoCheckpoint {
        /// In which stream.
        stream: StreamId,
        /// Up to which record it was to be purged.
        through: Position,
        /// The newest checkpoint that there is.
        newest: Option<Position>,
    },
    /// Something needs the records.
    Needed {
        /// In which stream.
        stream: StreamId,
        /// What needs them, and from where on.
        need: Need,
    },
    /// An upload of that time has not found its repository, so nobody knows whose record it will be.
    Pending {
        /// Where the configuration's stream tells of it.
        position: Position,
        /// The repository as it names it.
        repository: String,
    },
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCheckpoint { stream, through, newest: None } => {
                write!(
                    f,
                    "{stream} has no checkpoint at {through} or after: write one with `stackwave log checkpoint`"
                )
            }
            Self::NoCheckpoint { stream, through, newest: Some(newest) } => write!(
                f,
                "the newest checkpoint of {stream} is at {newest}, before {through}: write one with `stackwave log \
                 checkpoint`"
            ),
            Self::Needed { stream, need } => write!(f, "{stream}, {need}"),
            Self::Pending { position, repository } => write!(
                f,
                "the upload for `{repository}` (at {position} of the configuration) waits until GitHub tells which \
                 repository that is"
            ),
        }
    }
}

/// What a purge would do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Up to which record of each partition.
    pub through: BTreeMap<StreamId, Position>,
    /// What is in the way. With any of these nothing is removed.
    pub obstacles: Vec<Obstacle>,
    /// The records that would be removed, of each partition.
    pub records: BTreeMap<StreamId, Freed>,
    /// The blobs that no other record refers to.
    pub blobs: Vec<BlobInfo>,
    /// Blobs that were stored at this time or later stay, whatever refers to them.
    stored_before: Timestamp,
    /// Records that stay although they lie before the point: the last ones of subjects whose appends are checked.
    kept: BTreeMap<StreamId, Vec<Position>>,
}

impl Plan {
    /// How much all of it is.
    #[must_use]
    pub fn total(&self) -> (Freed, Freed) {
        let mut records = Freed::default();
        self.records.values().for_each(|freed| records += *freed);
        let bytes = self.blobs.iter().map(|blob| blob.bytes).sum();
        (records, Freed { count: self.blobs.len() as u64, bytes })
    }

    /// Up to which record a partition could be purged now, as far as anything needs it.
    #[must_use]
    pub fn possible(&self, stream: StreamId) -> Option<Position> {
        let first = self.obstacles.iter().filter_map(|obstacle| match obstacle {
            Obstacle::Needed { stream: of, need } if *of == stream => Some(need.from),
            Obstacle::Needed { .. } | Obstacle::NoCheckpoint { .. } | Obstacle::Pending { .. } => None,
        });
        first.min().map(|first| Position(first.0.saturating_sub(1)))
    }

    fn removes(&self, stream: StreamId, position: Position) -> bool {
        self.through.get(&stream).is_some_and(|through| position <= *through)
            && !self.kept.get(&stream).is_some_and(|kept| kept.contains(&position))
    }
}

/// Looks at what a purge up to these points would remove, and whether it may. Nothing is changed.
///
/// # Errors
/// The log is out of reach or cannot be read.
pub async fn plan(
    log: &Arc<dyn EventLog>,
    through: BTreeMap<StreamId, Position>,
    now: Timestamp,
) -> Result<Plan, LogError> {
    let mut obstacles = Vec::new();
    for (stream, point) in &through {
        let newest: Option<CheckpointWritten> =
            start::last_checkpoint(log.as_ref(), *stream).await?.map(|(_, checkpoint)| checkpoint);
        if newest.as_ref().is_none_or(|checkpoint| checkpoint.at < *point) {
            let newest = newest.map(|checkpoint| checkpoint.at);
            obstacles.push(Obstacle::NoCheckpoint { stream: *stream, through: *point, newest });
        }
        let needs = state_now(log, *stream).await?.needs(*point, now);
        obstacles.extend(needs.into_iter().map(|need| Obstacle::Needed { stream: *stream, need }));
    }
    let scan = scan::scan(log.as_ref(), &through).await?;
    let config = config_now(log).await?;
    obstacles.extend(
        config.pending_uploads().filter(|(_, upload)| Some(upload.received_at) <= scan.newest).map(
            |(position, upload)| Obstacle::Pending { position, repository: upload.repository.to_string() },
        ),
    );
    let stored_before = now.checked_sub(ABOUT_TO_BE_NEEDED).unwrap_or(Timestamp::MIN);
    let blobs = log.upkeep().list_blobs().await?;
    let blobs = blobs
        .into_iter()
        .filter(|blob| !scan.referred.contains(&blob.digest))
        .filter(|blob| blob.stored_at.is_none_or(|at| at < stored_before))
        .collect();
    Ok(Plan { through, obstacles, records: scan.removed, blobs, stored_before, kept: scan.kept })
}

async fn config_now(log: &Arc<dyn EventLog>) -> Result<Config, LogError> {
    let start::Start { state: mut config, .. } = start::of_config::<Config>(log.as_ref()).await?;
    loop {
        let page = log.read(StreamId::Config, config.position().next(), MAX_BATCH).await?;
        if page.is_empty() {
            return Ok(config);
        }
        let mut page = page;
        crate::stow::hydrate(log, &mut page).await?;
        page.iter().for_each(|entry| config.apply(entry));
    }
}

/// A page of the records that a plan removes, as they are stored, and where to go on; none at the end.
///
/// # Errors
/// The log is out of reach.
pub async fn removed_page(
    log: &dyn EventLog,
    plan: &Plan,
    stream: StreamId,
    from: Position,
) -> Result<Option<(Vec<RawRecord>, Position)>, LogError> {
    let Some(through) = plan.through.get(&stream).filter(|through| from <= **through) else {
        return Ok(None);
    };
    let mut page = log.read_raw(stream, from, MAX_BATCH).await?;
    let Some(last) = page.last().map(|record| record.position) else { return Ok(None) };
    page.retain(|record| record.position <= *through && plan.removes(stream, record.position));
    Ok(Some((page, last.next())))
}

/// Removes what a plan says: records, then blobs. The archive has to be on disk before.
///
/// # Errors
/// The log is out of reach; some of it may be gone already. The same plan may be carried out again.
pub async fn carry_out(log: &dyn EventLog, plan: &Plan) -> Result<(Freed, Freed), PurgeError> {
    if !plan.obstacles.is_empty() {
        return Err(PurgeError::InTheWay(plan.obstacles.len()));
    }
    let mut records = Freed::default();
    for (stream, through) in &plan.through {
        records += log.upkeep().purge(*stream, *through, is_checked).await?;
    }
    let digests: Vec<_> = plan.blobs.iter().map(|blob| blob.digest.clone()).collect();
    let blobs = log.upkeep().delete_blobs(&digests, plan.stored_before).await?;
    Ok((records, blobs))
}

/// Nothing, or not everything, was purged.
#[derive(Debug, thiserror::Error)]
pub enum PurgeError {
    /// Something is still needed.
    #[error("{0} things are in the way of the purge")]
    InTheWay(usize),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] LogError),
}
