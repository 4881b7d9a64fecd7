//! What the thread is asked for.

use super::Worker;
use bytes::Bytes;
use stackwave_domain::Digest;
use stackwave_event_log::{Append, AppendError, Appended, Aside, LogError};
use std::time::Duration;
use tokio::sync::oneshot;

/// An append on its way to the thread.
pub(crate) struct PendingAppend {
    pub(super) append: Append,
    pub(super) body: Vec<u8>,
    pub(super) done: oneshot::Sender<Result<Appended, AppendError>>,
}

impl PendingAppend {
    /// With where its answer will arrive.
    pub(crate) fn new(
        append: Append,
        body: Vec<u8>,
    ) -> (Self, oneshot::Receiver<Result<Appended, AppendError>>) {
        let (done, answer) = oneshot::channel();
        (Self { append, body, done }, answer)
    }
}

pub(super) struct PendingBlob {
    pub(super) digest: Digest,
    pub(super) bytes: Bytes,
    pub(super) done: oneshot::Sender<Result<(), LogError>>,
}

pub(super) struct PendingAside {
    pub(super) aside: Aside,
    pub(super) ttl: Duration,
    pub(super) done: oneshot::Sender<Result<(), LogError>>,
}

/// Something that has transactions of its own.
pub(super) type Task = Box<dyn FnOnce(&mut Worker) + Send>;

pub(super) enum Command {
    Append(PendingAppend),
    PutBlob(PendingBlob),
    PutAside(PendingAside),
}

impl Command {
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Append(pending) => pending.body.len(),
            Self::PutBlob(pending) => pending.bytes.len(),
            Self::PutAside(pending) => pending.aside.bytes.len(),
        }
    }

    /// Nothing of it landed.
    pub(super) fn refuse(self, error: &rusqlite::Error) {
        match self {
            Self::Append(pending) => {
                drop(pending.done.send(Err(AppendError::Unavailable(error.to_string()))));
            }
            Self::PutBlob(PendingBlob { done, .. }) | Self::PutAside(PendingAside { done, .. }) => {
                drop(done.send(Err(LogError::Unavailable(error.to_string()))));
            }
        }
    }

    /// It may have landed.
    pub(super) fn leave_open(self, error: &rusqlite::Error) {
        match self {
            Self::Append(pending) => drop(pending.done.send(Err(AppendError::Unknown(error.to_string())))),
            Self::PutBlob(_) | Self::PutAside(_) => self.refuse(error),
        }
    }
}

/// What waits for the thread.
#[expect(clippy::large_enum_variant, reason = "almost every one is an append")]
pub(super) enum Queued {
    /// Goes into one transaction with its neighbours.
    Write(Command),
    /// Goes alone.
    Task(Task),
}
