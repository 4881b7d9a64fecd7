//! The handle that everybody holds.

use crate::{
    CommandRow, CommandsQuery, DeliveriesQuery, DeliveryRow, DispatchRow, DispatchesQuery, ModelStatus,
    OpenError, Page, PageRequest, PullRow, PullsQuery, ReadError, RunRow, RunsQuery, StackRow, StacksQuery,
    UploadRow, UploadsQuery,
};
use stackwave_domain::{CommandId, DispatchId, RunId};
use stackwave_runtime::{Core, Observer};
use std::path::PathBuf;

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
pub struct ReadModel {
    place: Place,
}

impl ReadModel {
    /// Opens the file, or makes it, and starts to follow the configuration stream. What the log holds beyond the file
    /// is projected in the background.
    ///
    /// # Errors
    /// The file cannot be made, locked or used.
    #[expect(clippy::unused_async, reason = "the signature comes before its body")]
    pub async fn open(_core: &Core, place: &Place) -> Result<Self, OpenError> {
        Ok(Self { place: place.clone() })
    }

    /// The observer of one partition; give each partition one of its own. None when the read model is off.
    #[must_use]
    pub fn observer(&self) -> Option<Box<dyn Observer>> {
        None
    }

    /// A page of runs.
    ///
    /// # Errors
    /// It is being built, is off, the token is not of this listing, or SQLite fails; likewise below.
    pub async fn runs(&self, _query: RunsQuery, _page: PageRequest) -> Result<Page<RunRow>, ReadError> {
        self.nothing().await
    }

    /// A page of stacks.
    ///
    /// # Errors
    /// As [`Self::runs`].
    pub async fn stacks(&self, _query: StacksQuery, _page: PageRequest) -> Result<Page<StackRow>, ReadError> {
        self.nothing().await
    }

    /// A page of pull requests.
    ///
    /// # Errors
    /// As [`Self::runs`].
    pub async fn pulls(&self, _query: PullsQuery, _page: PageRequest) -> Result<Page<PullRow>, ReadError> {
        self.nothing().await
    }

    /// A page of uploads.
    ///
    /// # Errors
    /// As [`Self::runs`].
    pub async fn uploads(
        &self,
        _query: UploadsQuery,
        _page: PageRequest,
    ) -> Result<Page<UploadRow>, ReadError> {
        self.nothing().await
    }

    /// A page of dispatches.
    ///
    /// # Errors
    /// As [`Self::runs`].
    pub async fn dispatches(
        &self,
        _query: DispatchesQuery,
        _page: PageRequest,
    ) -> Result<Page<DispatchRow>, ReadError> {
        self.nothing().await
    }

    /// A page of deliveries.
    ///
    /// # Errors
    /// As [`Self::runs`].
    pub async fn deliveries(
        &self,
        _query: DeliveriesQuery,
        _page: PageRequest,
    ) -> Result<Page<DeliveryRow>, ReadError> {
        self.nothing().await
    }

    /// A page of commands.
    ///
    /// # Errors
    /// As [`Self::runs`].
    pub async fn commands(
        &self,
        _query: CommandsQuery,
        _page: PageRequest,
    ) -> Result<Page<CommandRow>, ReadError> {
        self.nothing().await
    }

    /// One run, also of those that the folded state has forgotten.
    ///
    /// # Errors
    /// As [`Self::runs`], but for the token.
    pub async fn find_run(&self, _id: RunId) -> Result<Option<RunRow>, ReadError> {
        self.nothing().await
    }

    /// One dispatch.
    ///
    /// # Errors
    /// As [`Self::find_run`].
    pub async fn find_dispatch(&self, _id: DispatchId) -> Result<Option<DispatchRow>, ReadError> {
        self.nothing().await
    }

    /// One command.
    ///
    /// # Errors
    /// As [`Self::find_run`].
    pub async fn find_command(&self, _id: CommandId) -> Result<Option<CommandRow>, ReadError> {
        self.nothing().await
    }

    /// Begins to build it anew, beside the file that answers meanwhile; one that is being built already goes on.
    ///
    /// # Errors
    /// It is off, or the new file cannot be made.
    pub async fn rebuild(&self) -> Result<ModelStatus, ReadError> {
        self.nothing().await
    }

    /// How it does; none when it is off.
    pub async fn status(&self) -> Option<ModelStatus> {
        self.nothing().await.ok()
    }

    #[expect(clippy::unused_async, reason = "the signature comes before its body")]
    async fn nothing<T>(&self) -> Result<T, ReadError> {
        match self.place {
            Place::Off => Err(ReadError::Off),
            Place::File(_) => Err(ReadError::Building { progress: 0.0 }),
        }
    }
}
