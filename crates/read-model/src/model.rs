//! The handle that everybody holds.

use crate::{
    catch_up,
    changes::Changes,
    error::{OpenError, ReadError},
    observer::Live,
    project,
    query::{
        CommandsQuery, DeliveriesQuery, DispatchesQuery, Page, PageRequest, PullsQuery, RunsQuery,
        StacksQuery, UploadsQuery,
    },
    read::Reader,
    rows::{CommandRow, DeliveryRow, DispatchRow, ModelStatus, PullRow, RunRow, StackRow, UploadRow},
    stores::Stores,
};
use futures::StreamExt as _;
use stackwave_domain::{CommandId, DispatchId, Position, RunId, StreamId};
use stackwave_event_log::LogError;
use stackwave_runtime::{Core, Observer};
use std::{path::PathBuf, sync::Arc, time::Duration};

/// Where a replica keeps its read model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nowhere: lists are refused.
    Off,
    /// In this file. One that another process has locked is left alone, and a neighbour is taken (`NAME.2.db`).
    File(PathBuf),
}

/// A replica's read model. Cheap to clone.
#[derive(Clone)]
pub struct ReadModel(Option<Arc<Stores>>);

/// How long to wait before following the configuration again after an error.
const FOLLOW_AGAIN: Duration = Duration::from_secs(1);

impl ReadModel {
    /// Opens the file, or makes it, and starts to follow the configuration stream. What the log holds beyond the file
    /// is projected in the background.
    ///
    /// # Errors
    /// The file cannot be made, locked or used, or the log is out of reach.
    pub async fn open(core: &Core, place: &Place) -> Result<Self, OpenError> {
        let Place::File(path) = place else { return Ok(Self::off()) };
        let stores = Stores::open(core, path).await?;
        stores.begin(StreamId::Config, stores.last_at_start(StreamId::Config));
        tokio::spawn(follow_config(Arc::clone(&stores)));
        tokio::spawn(catch_up::run(Arc::clone(&stores), stores.current()));
        let closing = Arc::clone(&stores);
        core.tasks.spawn(async move {
            closing.core().shutdown.cancelled().await;
            closing.close().await;
        });
        Ok(Self(Some(stores)))
    }

    /// None: every question is refused.
    #[must_use]
    pub const fn off() -> Self {
        Self(None)
    }

    /// The observer of one partition; give each partition one of its own. None when the read model is off.
    #[must_use]
    pub fn observer(&self) -> Option<Box<dyn Observer>> {
        self.0.as_ref().map(|stores| Box::new(Live::new(Arc::clone(stores))) as _)
    }

    /// A page of runs.
    ///
    /// # Errors
    /// It is being built, is off, the token is not of this listing, or SQLite fails; likewise below.
    pub async fn runs(&self, query: RunsQuery, page: PageRequest) -> Result<Page<RunRow>, ReadError> {
        self.ask(move |reader| reader.runs(&query, &page)).await
    }

    /// A page of stacks.
    ///
    /// # Errors
    /// As [`Self::runs`].
    pub async fn stacks(&self, query: StacksQuery, page: PageRequest) -> Result<Page<StackRow>, ReadError> {
        self.ask(move |reader| reader.stacks(&query, &page)).await
    }

    /// A page of pull requests.
    ///
    /// # Errors
    /// As [`Self::runs`].
    pub async fn pulls(&self, query: PullsQuery, page: PageRequest) -> Result<Page<PullRow>, ReadError> {
        self.ask(move |reader| reader.pulls(&query, &page)).await
    }

    /// A page of uploads.
    ///
    /// # Errors
    /// As [`Self::runs`].
    pub async fn uploads(
        &self,
        query: UploadsQuery,
        page: PageRequest,
    ) -> Result<Page<UploadRow>, ReadError> {
        self.ask(move |reader| reader.uploads(&query, &page)).await
    }

    /// A page of dispatches.
    ///
    /// # Errors
    /// As [`Self::runs`].
    pub async fn dispatches(
        &self,
        query: DispatchesQuery,
        page: PageRequest,
    ) -> Result<Page<DispatchRow>, ReadError> {
        self.ask(move |reader| reader.dispatches(&query, &page)).await
    }

    /// A page of deliveries.
    ///
    /// # Errors
    /// As [`Self::runs`].
    pub async fn deliveries(
        &self,
        query: DeliveriesQuery,
        page: PageRequest,
    ) -> Result<Page<DeliveryRow>, ReadError> {
        self.ask(move |reader| reader.deliveries(&query, &page)).await
    }

    /// A page of commands.
    ///
    /// # Errors
    /// As [`Self::runs`].
    pub async fn commands(
        &self,
        query: CommandsQuery,
        page: PageRequest,
    ) -> Result<Page<CommandRow>, ReadError> {
        self.ask(move |reader| reader.commands(&query, &page)).await
    }

    /// One run, also of those that the folded state has forgotten.
    ///
    /// # Errors
    /// As [`Self::runs`], but for the token.
    pub async fn find_run(&self, id: RunId) -> Result<Option<RunRow>, ReadError> {
        self.ask(move |reader| Ok(reader.find_run(&id)?)).await
    }

    /// One dispatch.
    ///
    /// # Errors
    /// As [`Self::find_run`].
    pub async fn find_dispatch(&self, id: DispatchId) -> Result<Option<DispatchRow>, ReadError> {
        self.ask(move |reader| Ok(reader.find_dispatch(&id)?)).await
    }

    /// One command.
    ///
    /// # Errors
    /// As [`Self::find_run`].
    pub async fn find_command(&self, id: CommandId) -> Result<Option<CommandRow>, ReadError> {
        self.ask(move |reader| Ok(reader.find_command(&id)?)).await
    }

    /// Begins to build it anew, beside the file that answers meanwhile; one that is being built already goes on.
    ///
    /// # Errors
    /// It is off, or the new file cannot be made.
    pub async fn rebuild(&self) -> Result<ModelStatus, ReadError> {
        let stores = self.0.as_ref().ok_or(ReadError::Off)?;
        if let Some(store) = Arc::clone(stores).add_next().await? {
            tokio::spawn(catch_up::run(Arc::clone(stores), store));
        }
        Ok(stores.status().await)
    }

    /// How it does; none when it is off.
    pub async fn status(&self) -> Option<ModelStatus> {
        match &self.0 {
            Some(stores) => Some(stores.status().await),
            None => None,
        }
    }

    /// Waits until lists hold everything up to a position of a stream. Returns at once when it is off or broken.
    pub async fn wait_for(&self, stream: StreamId, position: Position) {
        let Some(stores) = &self.0 else { return };
        let store = stores.current();
        let (mut commits, mut broken) = (store.commits(), store.broken());
        while store.shared().tracks(|tracks| tracks.get(stream)).done.position < position {
            tokio::select! {
                committed = commits.changed() => if committed.is_err() { return },
                _ = broken.wait_for(Option::is_some) => return,
            }
        }
    }

    async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Reader<'_>) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let stores = self.0.as_ref().ok_or(ReadError::Off)?;
        stores.ask(ask).await
    }
}

/// Projects what the configuration stream tells of deliveries.
async fn follow_config(stores: Arc<Stores>) {
    let core = stores.core().clone();
    let mut from = stores.last_at_start(StreamId::Config);
    while !core.shutdown.is_cancelled() {
        let error = tokio::select! {
            () = core.shutdown.cancelled() => return,
            error = follow_config_from(&stores, &mut from) => error,
        };
        tracing::warn!(%error, "the read model cannot follow the configuration stream; trying again");
        tokio::time::sleep(FOLLOW_AGAIN).await;
    }
}

async fn follow_config_from(stores: &Stores, from: &mut Position) -> LogError {
    let mut entries = match stores.core().log.follow(StreamId::Config, from.next()).await {
        Ok(entries) => entries,
        Err(error) => return error,
    };
    while let Some(batch) = entries.next().await {
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => return error,
        };
        let Some(last) = batch.last() else { continue };
        *from = last.position;
        let mut changes =
            Changes { upto: last.position, tip: Some(last.record.id.clone()), ..Changes::default() };
        for entry in &batch {
            project::collect_deliveries(StreamId::Config, entry, &mut changes.deliveries);
        }
        stores.push(StreamId::Config, changes);
    }
    LogError::Unavailable("the stream ended".to_owned())
}
