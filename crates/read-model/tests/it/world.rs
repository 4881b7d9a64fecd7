//! A log, and processes that follow it with a read model.

use crate::history::{History, STREAM};
use stackwave_domain::Position;
use stackwave_event_log::{Append, EventLog};
use stackwave_event_log_sqlite::SqliteLog;
use stackwave_read_model::{
    DeliveriesQuery, DeliveryRow, DispatchRow, DispatchesQuery, Page, PageRequest, Place, PullRow,
    PullsQuery, ReadError, ReadModel, RunRow, RunsQuery, StackRow, StacksQuery, UploadRow, UploadsQuery,
};
use stackwave_runtime::{ConfigView, Core, Health, Ids, PartitionOptions, SystemClock, partition};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) log: Arc<dyn EventLog>,
    appended: AtomicUsize,
}

/// A process with a read model.
pub(crate) struct Process {
    pub(crate) core: Core,
    pub(crate) model: ReadModel,
    pub(crate) partition: tokio::task::JoinHandle<()>,
}

/// Everything that the lists say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lists {
    pub(crate) runs: Vec<RunRow>,
    stacks: Vec<StackRow>,
    pulls: Vec<PullRow>,
    uploads: Vec<UploadRow>,
    dispatches: Vec<DispatchRow>,
    deliveries: Vec<DeliveryRow>,
}

pub(crate) const HISTORY: History = History { finished: 60, active: 20, stacks: 3 };

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = SqliteLog::open(folder.path().join("log.db"), 1).unwrap();
        Self { folder, log, appended: AtomicUsize::new(0) }
    }

    /// Appends so many records more of the history; tells where the last one lies.
    pub(crate) async fn append(&self, count: usize) -> Position {
        let from = self.appended.fetch_add(count, Ordering::SeqCst);
        let history = HISTORY.read(Position(1), usize::MAX);
        for entry in history.iter().skip(from).take(count) {
            self.log.append(Append::any(entry.subject.clone(), entry.record.clone())).await.unwrap();
        }
        self.log.last_position(STREAM).await.unwrap()
    }

    pub(crate) async fn append_all(&self) -> Position {
        self.append(10_000).await
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) async fn start(&self, file: &Path) -> Process {
        let core = core(Arc::clone(&self.log)).await;
        let model = ReadModel::open(&core, &Place::File(file.to_owned())).await.unwrap();
        let options =
            PartitionOptions { observers: model.observer().into_iter().collect(), ..Default::default() };
        let (_, partition) = partition::start(core.clone(), STREAM, options);
        Process { core, model, partition }
    }

    /// What a read model says that was never interrupted.
    pub(crate) async fn expected(&self) -> Lists {
        let process = self.start(&self.path("expected.db")).await;
        let lists = process.lists_at(self.log.last_position(STREAM).await.unwrap()).await;
        process.stop().await;
        lists
    }
}

pub(crate) async fn core(log: Arc<dyn EventLog>) -> Core {
    let (health, shutdown) = (Health::default(), CancellationToken::new());
    let config = ConfigView::start(Arc::clone(&log), &health, shutdown.clone()).await.unwrap();
    Core {
        log,
        clock: Arc::new(SystemClock::default()),
        ids: Ids::default(),
        health,
        config,
        shutdown,
        tasks: TaskTracker::new(),
    }
}

impl Process {
    /// Drains, as at SIGTERM.
    pub(crate) async fn stop(self) {
        self.core.shutdown.cancel();
        self.core.tasks.close();
        self.core.tasks.wait().await;
        self.partition.await.unwrap();
    }

    /// Waits until lists are answered.
    pub(crate) async fn is_built(&self) {
        while self.model.status().await.unwrap().building {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn lists_at(&self, position: Position) -> Lists {
        self.model.wait_for(STREAM, position).await;
        self.is_built().await;
        self.lists().await
    }

    pub(crate) async fn lists(&self) -> Lists {
        let model = &self.model;
        Lists {
            runs: all(7, |page| model.runs(RunsQuery::default(), page)).await,
            stacks: all(7, |page| model.stacks(StacksQuery::default(), page)).await,
            pulls: all(7, |page| model.pulls(PullsQuery::default(), page)).await,
            uploads: all(7, |page| model.uploads(UploadsQuery::default(), page)).await,
            dispatches: all(7, |page| model.dispatches(DispatchesQuery::default(), page)).await,
            deliveries: all(7, |page| model.deliveries(DeliveriesQuery::default(), page)).await,
        }
    }
}

/// All rows of a list, in pages of this size.
pub(crate) async fn all<T, F: Future<Output = Result<Page<T>, ReadError>>>(
    size: usize,
    ask: impl Fn(PageRequest) -> F,
) -> Vec<T> {
    let mut rows = Vec::new();
    let mut token = String::new();
    loop {
        let Page { rows: more, next } = ask(PageRequest { size, token }).await.unwrap();
        rows.extend(more);
        match next {
            Some(next) => token = next,
            None => return rows,
        }
    }
}
