//! `stackwave events`.

mod line;
mod stream;

use self::stream::Following;
use super::places::{self, log_position};
use crate::{command::Session, failure::Failure, time::When};
use clap::{Args, Subcommand};
use stackwave_admin_proto::v1::{
    GetEventRequest, GetLogRequest, GetRepositoryRequest, ListPartitionsRequest, LogPosition,
    StreamEventsRequest, stream_events_request::Scope,
};

/// Which events. One of --run, --repository and --stream says whose.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[group(skip)]
#[command(group(clap::ArgGroup::new("scope").required(true).args(["run", "repository", "stream"])))]
pub struct Events {
    #[command(subcommand)]
    verb: Option<EventsVerb>,
    /// Of one run: its decisions, and what was observed of its dispatches, its upload and its trigger.
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// Of one repository.
    #[arg(long, visible_alias = "repo", value_name = "OWNER/NAME")]
    repository: Option<String>,
    /// Of one stream of the log, such as `SW_00` or `SW_CONFIG`.
    #[arg(long, value_name = "STREAM")]
    stream: Option<String>,
    /// Go on with what is appended, until it is interrupted.
    #[arg(long, short)]
    follow: bool,
    /// Begin at this position of the stream: `118` or `SW_00:118`.
    #[arg(long, value_name = "POSITION", value_parser = places::position)]
    from: Option<u64>,
    /// Begin at this moment: `2026-11-24T13:00:00Z`, or how long ago: `15m`.
    #[arg(long, value_name = "TIME", value_parser = When::parse, conflicts_with = "from")]
    since: Option<When>,
    /// Only these events, such as `stack_released`; may be given several times.
    #[arg(long = "name", value_name = "EVENT")]
    names: Vec<String>,
    /// End after so many records.
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

/// What else to do with events.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum EventsVerb {
    /// Show one record of the log
    #[command(alias = "get")]
    Show(ShowEvent),
}

/// Which record.
#[derive(Clone, Debug, Args)]
pub(crate) struct ShowEvent {
    /// Its place, as it is printed everywhere: `SW_00:118`.
    #[arg(value_name = "STREAM:POSITION", value_parser = log_position)]
    position: LogPosition,
}

impl Events {
    pub(crate) async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        if let Some(EventsVerb::Show(show)) = self.verb {
            return show.run(session).await;
        }
        let scope = match (self.run, self.repository, self.stream) {
            (Some(run), _, _) => Scope::RunId(run),
            (None, Some(repository), _) => Scope::Repository(repository),
            (None, None, stream) => Scope::Stream(stream.unwrap_or_default()),
        };
        let mut from_time = self.since.map(|since| since.wire(session.screen.now()));
        let from_position = match (self.from, self.since, self.follow, &scope) {
            (Some(from), ..) => from,
            // A run is told from its first record on, and a moment says where to begin by itself.
            (None, Some(_), ..) | (None, None, _, Scope::RunId(_)) => 0,
            (None, None, false, Scope::Repository(_) | Scope::Stream(_)) => {
                // The first position may be gone since a purge; the first record is not.
                from_time = Some(prost_types::Timestamp::default());
                0
            }
            // A position rather than "from now on": what is appended while a connection is down would be lost.
            (None, None, true, Scope::Repository(_) | Scope::Stream(_)) => {
                next_position(&scope, session).await?
            }
        };
        let request = StreamEventsRequest {
            scope: Some(scope),
            from_position,
            from_time,
            follow: self.follow,
            event_names: self.names,
            limit: self.limit.unwrap_or_default(),
        };
        Following::new(request).run(session).await
    }
}

impl ShowEvent {
    async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        let request = GetEventRequest { position: Some(self.position) };
        let answer = session.answered(session.server.events().get_event(request).await)?;
        let record = answer.record.unwrap_or_default();
        line::whole(&record, session)
    }
}

/// Where the next record will be.
async fn next_position(scope: &Scope, session: &Session<'_, '_>) -> Result<u64, Failure> {
    let mut system = session.server.system();
    let last = match scope {
        Scope::Repository(repository) => {
            let request = GetRepositoryRequest { repository: repository.clone() };
            let answer = session.answered(session.server.inventory().get_repository(request).await)?;
            let number = answer.repository.unwrap_or_default().partition;
            let answer = session.answered(system.list_partitions(ListPartitionsRequest {}).await)?;
            let partition = answer.partitions.into_iter().find(|partition| partition.number == number);
            partition.map(|partition| partition.last_position)
        }
        Scope::Stream(name) => {
            let answer = session.answered(system.get_log(GetLogRequest {}).await)?;
            let stream = answer.streams.into_iter().find(|stream| stream.name == *name);
            let known = stream.ok_or_else(|| {
                Failure::Refused(format!("the log has no stream `{name}`; `stackwave system log` lists them"))
            })?;
            Some(known.last_position)
        }
        Scope::RunId(_) => None,
    };
    Ok(last.unwrap_or_default() + 1)
}
