//! A stream of events that is taken up again when it breaks, where it ended.

use super::line;
use crate::{command::Session, failure::Failure, status};
use stackwave_admin_proto::v1::{EventRecord, StreamEventsRequest};
use std::time::Duration;
use tonic::{Status, Streaming};

/// How long to wait before a stream that broke is taken up again: twice as long each time, up to the longest.
const SHORTEST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(5);

/// The stream, and how far it has come.
pub(super) struct Following {
    request: StreamEventsRequest,
    wait: Duration,
    /// It was told that the stream is broken.
    told: bool,
    /// The server has answered once: what was asked for makes sense to it.
    answered: bool,
}

/// Why a part of the stream came to its end.
enum End {
    /// Everything that was asked for has come.
    Done,
    /// The server, or what is between, ended it; with what was said about it.
    Broken(Option<Status>),
}

impl Following {
    pub(super) fn new(request: StreamEventsRequest) -> Self {
        Self { request, wait: SHORTEST, told: false, answered: false }
    }

    pub(super) async fn run(mut self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        loop {
            match self.part(session).await? {
                End::Done => return Ok(()),
                End::Broken(status) => {
                    let passing = status.as_ref().is_none_or(status::is_passing);
                    match status {
                        Some(status) if !(self.answered && passing) => {
                            return Err(session.server.refused(&status));
                        }
                        status => self.tell(status.as_ref(), session)?,
                    }
                }
            }
            tokio::time::sleep(self.wait).await;
            self.wait = (self.wait * 2).min(LONGEST);
        }
    }

    /// Prints what comes until the stream ends.
    async fn part(&mut self, session: &mut Session<'_, '_>) -> Result<End, Failure> {
        let mut stream: Streaming<_> = match session.server.events().stream_events(self.request.clone()).await
        {
            Ok(answer) => answer.into_inner(),
            Err(status) => return Ok(End::Broken(Some(status))),
        };
        self.answered = true;
        loop {
            match stream.message().await {
                Ok(Some(answer)) => {
                    if let Some(record) = answer.record
                        && self.print(&record, session)?
                    {
                        return Ok(End::Done);
                    }
                }
                // Only a stream that is followed goes on after what was there.
                Ok(None) if !self.request.follow => return Ok(End::Done),
                Ok(None) => return Ok(End::Broken(None)),
                Err(status) => return Ok(End::Broken(Some(status))),
            }
        }
    }

    /// Prints a record, and notes that the stream has come so far. Whether it was the last one that is wanted.
    fn print(&mut self, record: &EventRecord, session: &mut Session<'_, '_>) -> Result<bool, Failure> {
        let position = record.position.as_ref().map(|at| at.position).unwrap_or_default();
        if position < self.request.from_position {
            return Ok(false);
        }
        line::print(record, session)?;
        session.screen.flush()?;
        self.request.from_position = position + 1;
        // From here on the position says where to go on.
        self.request.from_time = None;
        (self.wait, self.told) = (SHORTEST, false);
        match self.request.limit {
            0 => Ok(false),
            left => {
                self.request.limit = left - 1;
                Ok(left == 1)
            }
        }
    }

    fn tell(&mut self, status: Option<&Status>, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        if !self.told {
            let why = status.map_or_else(
                || "the server ended it".to_owned(),
                |status| session.server.refused(status).to_string(),
            );
            session.screen.note(&format!("the stream broke: {why}; it is taken up again where it ended"))?;
            self.told = true;
        }
        Ok(())
    }
}
