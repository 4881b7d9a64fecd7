//! A stream that ends when its caller may not listen any more, whatever still waits in it.

use stackwave_admin_proto::v1::StreamEventsResponse;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tonic::Status;

/// What goes to the client.
pub(crate) struct Guarded {
    records: mpsc::Receiver<Result<StreamEventsResponse, Status>>,
    end: Pin<Box<dyn Future<Output = Status> + Send>>,
    ended: bool,
}

impl Guarded {
    pub(super) fn new(
        records: mpsc::Receiver<Result<StreamEventsResponse, Status>>,
        end: impl Future<Output = Status> + Send + 'static,
    ) -> Self {
        Self { records, end: Box::pin(end), ended: false }
    }
}

impl Stream for Guarded {
    type Item = Result<StreamEventsResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if let Poll::Ready(status) = self.end.as_mut().poll(context) {
            self.ended = true;
            // The task that reads the log notices, and ends.
            self.records.close();
            return Poll::Ready(Some(Err(status)));
        }
        self.records.poll_recv(context)
    }
}
