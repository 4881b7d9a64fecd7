//! The service `Events`.

mod convert;
mod guard;
mod request;
mod tail;

use crate::{
    access::Caller,
    context::Context,
    errors::{self, invalid},
    sources::Sources,
};
use guard::Guarded;
use stackwave_admin_proto::v1::{self, events_server::Events};
use stackwave_domain::Position;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};
use tonic::{Request, Response, Status, async_trait};

/// Records that wait for a slow client. What is beyond waits in the log.
const AHEAD: usize = 16;
/// Streams at a time in one process; each follows the log by itself.
const MAX_STREAMS: usize = 256;

/// Streams records of the event log.
pub(crate) struct EventsService {
    context: Context,
    sources: Arc<Sources>,
    streams: Arc<Semaphore>,
}

impl EventsService {
    pub(crate) fn new(context: Context, sources: Arc<Sources>) -> Self {
        Self { context, sources, streams: Arc::new(Semaphore::new(MAX_STREAMS)) }
    }
}

#[async_trait]
impl Events for EventsService {
    type StreamEventsStream = Guarded;

    async fn stream_events(
        &self,
        request: Request<v1::StreamEventsRequest>,
    ) -> Result<Response<Guarded>, Status> {
        let caller = Caller::from(request.extensions())?;
        let Ok(permit) = Arc::clone(&self.streams).try_acquire_owned() else {
            let what =
                "256 streams of events are open on this server already; close one, or ask another replica";
            return Err(errors::exhausted("TOO_MANY_STREAMS", what));
        };
        let wanted = request::read(&self.context, request.into_inner()).await?;
        let (sender, receiver) = mpsc::channel(AHEAD);
        let narrator = (self.sources.narrator)();
        let (context, core) = (self.context.clone(), self.context.core.clone());
        tokio::spawn(async move {
            let _permit = permit;
            let shutdown = context.core.shutdown.clone();
            let ended = tokio::select! {
                ended = tail::tell(&context, wanted, narrator, &sender) => ended,
                () = sender.closed() => return,
                () = shutdown.cancelled() => {
                    let what = "the server is stopping; go on with another, from the position after the last that came";
                    Err(errors::unavailable("DRAINING", what))
                }
            };
            if let Err(status) = ended {
                // Nobody listens any more: then nobody has to be told.
                let _ = sender.send(Err(status)).await;
            }
        });
        Ok(Response::new(Guarded::new(receiver, async move { caller.ended(&core).await })))
    }

    async fn get_event(
        &self,
        request: Request<v1::GetEventRequest>,
    ) -> Result<Response<v1::GetEventResponse>, Status> {
        let wanted = request.into_inner().position.ok_or_else(|| invalid("position", "it is missing"))?;
        let stream = request::stream(&self.context, "position.stream", &wanted.stream)?;
        if wanted.position == 0 {
            return Err(invalid("position.position", "positions begin at 1"));
        }
        let position = Position(wanted.position);
        let read = self.context.core.log.read(stream, position, 1).await;
        let read = read.map_err(|error| errors::log(&error))?;
        let entry = read.into_iter().find(|entry| entry.position == position);
        let entry = entry.ok_or_else(|| errors::not_found("record", &format!("{stream}:{position}")))?;
        let mut narrator = (self.sources.narrator)();
        narrator.add(&entry);
        let record = convert::record(narrator.as_ref(), &entry, entry.record.events.iter());
        Ok(Response::new(v1::GetEventResponse { record: Some(record) }))
    }
}
