//! The file that answers, and while it is built anew the one that will.

use crate::{
    changes::Changes,
    error::{OpenError, ReadError},
    read::{AT_ONCE, Reader},
    resume,
    rows::ModelStatus,
    schema::PROJECTION_VERSION,
    store::{Files, Store},
};
use stackwave_domain::{Entry, Position, StreamId};
use stackwave_runtime::Core;
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// The part's name in the health report.
const PART: &str = "read model";

/// How long to wait before a file that broke is built anew.
const BUILD_AGAIN: Duration = Duration::from_secs(30);

pub(crate) struct Stores {
    core: Core,
    files: Files,
    /// Where each stream ended when the process started.
    last: BTreeMap<StreamId, Position>,
    /// What each stream held beyond the file then, where that is little.
    gaps: Mutex<BTreeMap<StreamId, Vec<Entry>>>,
    open: Mutex<Open>,
    /// Wakes when the live loop of a stream has begun.
    begun: watch::Sender<u64>,
    /// One is built at a time.
    building: tokio::sync::Mutex<()>,
}

struct Open {
    current: Arc<Store>,
    next: Option<Arc<Store>>,
    /// How far the live loops are.
    live: BTreeMap<StreamId, Position>,
}

impl Open {
    fn stores(&self) -> impl Iterator<Item = &Arc<Store>> {
        std::iter::once(&self.current).chain(&self.next)
    }
}

impl Stores {
    pub(crate) async fn open(core: &Core, path: &Path) -> Result<Arc<Self>, OpenError> {
        let mut last = BTreeMap::new();
        let partitions = (0..core.log.partitions()).map(StreamId::Partition);
        for stream in std::iter::once(StreamId::Config).chain(partitions) {
            last.insert(stream, core.log.last_position(stream).await?);
        }
        let path = path.to_owned();
        let (files, mut store) = blocking(move || {
            let files = Files::take(&path)?;
            let store = files.open()?;
            Ok::<_, OpenError>((Arc::new(files), store))
        })
        .await?;
        if !resume::is_of_this_log(core, &store, &last).await? {
            tracing::warn!(path = %store.path().display(), "the read model is of another event log and is built anew");
            let files = Arc::clone(&files);
            store = blocking(move || {
                store.close();
                let fresh = files.create()?;
                files.keep_only(&fresh);
                Ok::<_, OpenError>(fresh)
            })
            .await?;
        }
        let gaps = Mutex::new(resume::gaps(core, &store, &last).await?);
        let open = Open { current: Arc::new(store), next: None, live: BTreeMap::new() };
        let stores = Self {
            core: core.clone(),
            files: Arc::try_unwrap(files)
                .map_err(|files| OpenError::InUse { path: files.base().to_owned() })?,
            last,
            gaps,
            open: Mutex::new(open),
            begun: watch::Sender::new(0),
            building: tokio::sync::Mutex::default(),
        };
        Ok(Arc::new(stores))
    }

    fn locked(&self) -> MutexGuard<'_, Open> {
        // Nothing that is done under the lock can leave it half done.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) const fn core(&self) -> &Core {
        &self.core
    }

    pub(crate) fn current(&self) -> Arc<Store> {
        Arc::clone(&self.locked().current)
    }

    /// Where a stream ended when the process started.
    pub(crate) fn last_at_start(&self, stream: StreamId) -> Position {
        self.last.get(&stream).copied().unwrap_or_default()
    }

    /// What a stream held beyond the file when the process started; none where that is much.
    pub(crate) fn take_gap(&self, stream: StreamId) -> Option<Vec<Entry>> {
        self.gaps.lock().unwrap_or_else(PoisonError::into_inner).remove(&stream)
    }

    /// All streams, the configuration first.
    pub(crate) fn streams(&self) -> impl Iterator<Item = StreamId> + '_ {
        self.last.keys().copied()
    }

    /// The live loop of a stream gives everything after this position.
    pub(crate) fn begin(&self, stream: StreamId, from: Position) {
        let mut open = self.locked();
        open.live.insert(stream, from);
        for store in open.stores() {
            store.shared().tracks(|tracks| tracks.begin(stream, from));
        }
        drop(open);
        self.begun.send_modify(|count| *count += 1);
    }

    /// Wakes when the live loop of a stream has begun.
    pub(crate) fn begun(&self) -> watch::Receiver<u64> {
        self.begun.subscribe()
    }

    /// What the live loop of a stream projected.
    pub(crate) fn push(&self, stream: StreamId, changes: Changes) {
        let mut open = self.locked();
        open.live.insert(stream, changes.upto);
        if let Some(next) = &open.next {
            next.push(stream, changes.clone());
        }
        open.current.push(stream, changes);
    }

    /// Makes the file that is to take the place of the present one; none when one is being built already.
    pub(crate) async fn add_next(self: Arc<Self>) -> Result<Option<Arc<Store>>, ReadError> {
        let _one = self.building.lock().await;
        let is_building = {
            let open = self.locked();
            open.next.is_some() || !(open.current.is_complete() || open.current.is_broken())
        };
        if is_building {
            return Ok(None);
        }
        let stores = Arc::clone(&self);
        let next = blocking(move || stores.files.create()).await;
        let next = Arc::new(next.map_err(|error| ReadError::Failed(error.to_string()))?);
        let mut open = self.locked();
        next.shared().tracks(|tracks| {
            for (stream, from) in &open.live {
                tracks.begin(*stream, *from);
            }
        });
        open.next = Some(Arc::clone(&next));
        Ok(Some(next))
    }

    /// A file holds everything now: it answers, and the one before goes.
    pub(crate) async fn finished(self: &Arc<Self>, store: &Arc<Store>) {
        let old = {
            let mut open = self.locked();
            match open.next.take_if(|next| Arc::ptr_eq(next, store)) {
                Some(next) => std::mem::replace(&mut open.current, next),
                None => return,
            }
        };
        let stores = Arc::clone(self);
        let kept = Arc::clone(store);
        blocking(move || {
            old.close();
            stores.files.keep_only(&kept);
        })
        .await;
        self.core.health.detail(PART, "it was built anew");
        tracing::info!(path = %store.path().display(), "the read model was built anew");
    }

    /// A file became unusable: it is said, and after a while another one is made.
    pub(crate) async fn broke(self: &Arc<Self>, store: &Arc<Store>, error: String) -> Option<Arc<Store>> {
        tracing::error!(%error, path = %store.path().display(), "the read model broke; it is built anew");
        self.core.health.detail(PART, format!("it broke and is built anew: {error}"));
        self.locked().next.take_if(|next| Arc::ptr_eq(next, store));
        loop {
            tokio::select! {
                () = self.core.shutdown.cancelled() => return None,
                () = tokio::time::sleep(BUILD_AGAIN) => {},
            }
            match Arc::clone(self).add_next().await {
                Ok(next) => return next,
                Err(error) => tracing::error!(%error, "the read model cannot be built anew; trying again"),
            }
        }
    }

    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Reader<'_>) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let store = self.current();
        if !store.is_complete() {
            return Err(ReadError::Building { progress: self.progress(&store) });
        }
        let config = self.core.config.clone();
        let answer = store.read(move |tables| {
            // What is found by an index and what is read after it are of one moment.
            let _moment = tables.unchecked_transaction()?;
            ask(&Reader { tables, names: &config, at_once: AT_ONCE })
        });
        let answer = answer.await;
        if let Err(ReadError::Broken(error)) = &answer {
            store.break_off(error);
        }
        answer
    }

    fn progress(&self, store: &Store) -> f64 {
        let (done, goal) = store.shared().tracks(|tracks| {
            let each = self.last.iter().map(|(stream, last)| tracks.get(*stream).progress(*last));
            each.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
        });
        #[expect(clippy::cast_precision_loss, reason = "a share for people")]
        let share = if goal == 0 { 0.0 } else { done as f64 / goal as f64 };
        // It is complete only when it says so.
        share.min(0.999)
    }

    pub(crate) async fn status(&self) -> ModelStatus {
        let (current, next) = {
            let open = self.locked();
            (Arc::clone(&open.current), open.next.clone())
        };
        let built = next.as_ref().or_else(|| (!current.is_complete()).then_some(&current));
        let progress = built.map_or(1.0, |store| self.progress(store));
        let runs = current.read(|tables| {
            // Runs are never removed, and each has one document.
            Ok(tables.query_row("SELECT coalesce(max(doc), 0) FROM run_docs", [], |row| row.get(0))?)
        });
        let building = built.is_some();
        ModelStatus {
            version: PROJECTION_VERSION,
            building,
            progress,
            runs: runs.await.map_or(0, crate::codec::unsigned),
            bytes: current.bytes() + next.map_or(0, |next| next.bytes()),
        }
    }

    /// Writes what waits, and closes the files.
    pub(crate) async fn close(&self) {
        let stores: Vec<Arc<Store>> = self.locked().stores().cloned().collect();
        blocking(move || stores.iter().for_each(|store| store.close())).await;
    }
}

/// Runs what waits for disks on a thread that may.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let done = tokio::task::spawn_blocking(work).await;
    // A panic in there goes on here.
    done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
