//! `stackwave commands`, and what is said once a command was given.

use super::{
    facts,
    places::{record, repository},
};
use crate::{
    command::Session,
    common::Output,
    failure::Failure,
    json::Document,
    key,
    list::{List, Page, Paging, Rows},
    server::Server,
    status,
    table::{Cell, Column, column, prose},
    time,
    words::cell,
};
use clap::{Args, Subcommand};
use stackwave_admin_proto::v1::{Command, CommandStatus, GetCommandRequest, ListCommandsRequest};
use std::time::Duration;

/// How often a command that is waited for is asked about.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// What to do with commands.
#[derive(Clone, Debug, Subcommand)]
pub enum CommandsVerb {
    /// List commands of the last 35 days, newest first
    #[command(visible_alias = "ls")]
    List(ListCommands),
    /// Show one command, and what became of it
    #[command(alias = "get")]
    Show(ShowCommand),
}

impl Default for CommandsVerb {
    fn default() -> Self {
        Self::List(ListCommands::default())
    }
}

impl CommandsVerb {
    pub(crate) async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        match self {
            Self::List(list) => {
                let paging = list.paging.clone();
                session.list(list, &paging).await
            }
            Self::Show(show) => show.run(session).await,
        }
    }
}

/// Which commands. Filters that are set have to hold together.
#[derive(Clone, Debug, Default, Args)]
pub struct ListCommands {
    /// Only of this repository.
    #[arg(long, visible_alias = "repo", value_name = "OWNER/NAME")]
    repository: Option<String>,
    /// Only of this run.
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

impl List for ListCommands {
    type Row = Command;

    const FIELD: &'static str = "commands";

    const COLUMNS: &'static [Column] = &[
        column("COMMAND"),
        column("KIND"),
        column("AT"),
        column("BY"),
        column("ABOUT"),
        column("STATUS"),
        prose("OUTCOME"),
        prose("REASON"),
    ];

    fn cells(&self, command: &Command) -> Vec<Cell> {
        vec![
            command.id.clone().into(),
            command.kind.clone().into(),
            time::moment(command.at.as_ref()).into(),
            command.actor.clone().into(),
            about(command).into(),
            cell::<CommandStatus>(command.status),
            command.outcome.clone().into(),
            command.reason.clone().into(),
        ]
    }

    async fn page(&self, server: &Server, page: Page) -> Rows<Command> {
        let request = ListCommandsRequest {
            page_size: page.size,
            page_token: page.token,
            repository: self.repository.clone().unwrap_or_default(),
            run_id: self.run.clone().unwrap_or_default(),
        };
        let answer = server.commands().list_commands(request).await?.into_inner();
        Ok((answer.commands, answer.next_page_token))
    }
}

/// Which command.
#[derive(Clone, Debug, Args)]
pub struct ShowCommand {
    /// The command's id.
    #[arg(value_name = "COMMAND")]
    command: String,
}

impl ShowCommand {
    async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        let request = GetCommandRequest { command_id: self.command };
        let answer = session.answered(session.server.commands().get_command(request).await)?;
        session.print(&answer, |answer, screen| {
            let command = answer.command.clone().unwrap_or_default();
            Ok(facts::print(
                screen,
                vec![
                    ("command", command.id.clone().into()),
                    ("kind", command.kind.clone().into()),
                    ("repository", repository(command.repository.as_ref()).into()),
                    ("run", command.run_id.clone().into()),
                    ("stack", key::text(command.key.as_ref()).into()),
                    ("dispatch", command.dispatch_id.clone().into()),
                    ("by", command.actor.clone().into()),
                    ("reason", command.reason.clone().into()),
                    ("at", time::moment(command.at.as_ref()).into()),
                    ("record", record(command.record.as_ref()).into()),
                    ("status", cell::<CommandStatus>(command.status)),
                    ("outcome", command.outcome.clone().into()),
                ],
            )?)
        })
    }
}

/// What a command is about, as narrow as it is.
fn about(command: &Command) -> String {
    if !command.dispatch_id.is_empty() {
        return command.dispatch_id.clone();
    }
    if command.run_id.is_empty() {
        return repository(command.repository.as_ref());
    }
    format!("{} {}", command.run_id, key::text(command.key.as_ref())).trim_end().to_owned()
}

/// Says that a command was taken, and what became of it if that is waited for.
pub(super) async fn given(
    answer: &impl Document,
    mut command: Command,
    wait: bool,
    session: &mut Session<'_, '_>,
) -> Result<(), Failure> {
    if wait {
        command = match session.wait {
            None => outcome(command, session).await?,
            Some((begun, most)) => {
                let id = command.id.clone();
                let left = most.saturating_sub(begun.elapsed());
                let became = tokio::time::timeout(left, outcome(command, session)).await;
                became.map_err(|_| unknown(&id, most))??
            }
        };
    }
    match session.output {
        // What was waited for has changed since the answer.
        Output::Json if wait => {
            let value = serde_json::json!({ "command": command.value()? });
            session.screen.line(&format!("{value:#}"))?;
        }
        Output::Json => session.screen.document(answer)?,
        Output::Table => say(&command, session)?,
    }
    session.screen.flush()?;
    let became = match command.status() {
        CommandStatus::Refused => "was refused",
        CommandStatus::Failed => "could not be carried out",
        CommandStatus::Accepted | CommandStatus::Done | CommandStatus::Unspecified => return Ok(()),
    };
    let why = if command.outcome.is_empty() { "the server does not say why" } else { &command.outcome };
    Err(Failure::Refused(format!("the command {} {became}: {why}", command.id)))
}

fn say(command: &Command, session: &mut Session<'_, '_>) -> Result<(), Failure> {
    let status = cell::<CommandStatus>(command.status);
    let painted = session.screen.paint(&status.text, status.tone).into_owned();
    let outcome = if command.outcome.is_empty() { String::new() } else { format!(": {}", command.outcome) };
    let line = format!("{} of {} {painted}{outcome}", command.kind, about(command));
    session.screen.line(&line)?;
    let what_became = match command.status() {
        CommandStatus::Accepted => {
            format!("it is in the log; `stackwave commands show {}` says what became of it", command.id)
        }
        CommandStatus::Done | CommandStatus::Refused | CommandStatus::Failed | CommandStatus::Unspecified => {
            format!("command {}", command.id)
        }
    };
    Ok(session.screen.note(&what_became)?)
}

/// Nothing more was waited for.
fn unknown(command: &str, most: Duration) -> Failure {
    Failure::Unreachable(format!(
        "the command {command} is accepted, and what becomes of it was not known within {} (--timeout): it goes on, and \
         `stackwave commands show {command}` says what became of it",
        humantime::format_duration(most)
    ))
}

/// Asks until it is known what became of a command. Who waits may end the waiting.
async fn outcome(mut command: Command, session: &Session<'_, '_>) -> Result<Command, Failure> {
    while command.status() == CommandStatus::Accepted {
        tokio::time::sleep(ASK_AGAIN).await;
        let request = GetCommandRequest { command_id: command.id.clone() };
        match session.server.commands().get_command(request).await {
            Ok(answer) => command = answer.into_inner().command.unwrap_or_default(),
            // The command is in the log, whatever becomes of this connection.
            Err(status) if status::is_passing(&status) => {}
            Err(status) => return Err(session.server.refused(&status)),
        }
    }
    Ok(command)
}
