//! A command as the API tells it.

use crate::{context::Context, convert, time::timestamp};
use stackwave_admin_proto::v1;
use stackwave_domain::{RepositoryId, StackKey, StreamId};
use stackwave_engine::{
    command::{Ask, Command, Outcome},
    state::RepositoryState,
};
use stackwave_read_model::{CommandRow, CommandStatus};

fn repository(context: &Context, id: RepositoryId) -> v1::Repository {
    v1::Repository { id: id.0, name: context.name_of(id) }
}

/// As it was folded.
pub(super) fn command(
    context: &Context,
    stream: StreamId,
    state: &RepositoryState,
    known: &Command,
) -> v1::Command {
    let (key, dispatch): (Option<StackKey>, String) = match &known.ask {
        Ask::Retry { key, .. } | Ask::Cancel { key, .. } => (key.clone(), String::new()),
        Ask::Resync { .. } => (None, String::new()),
        Ask::Resolve { dispatch, .. } => {
            let claimed = state.dispatches.get(dispatch).map(|known| known.claimed.key.clone());
            (claimed, dispatch.to_string())
        }
    };
    let (status, outcome) = match &known.outcome {
        Outcome::Accepted => (v1::CommandStatus::Accepted, String::new()),
        Outcome::Done { .. } => (v1::CommandStatus::Done, String::new()),
        Outcome::Refused(refusal) => (v1::CommandStatus::Refused, refusal.message.clone()),
        Outcome::Failed { reason, .. } => (v1::CommandStatus::Failed, reason.clone()),
    };
    v1::Command {
        id: known.id.to_string(),
        kind: known.ask.verb().to_owned(),
        repository: Some(repository(context, state.id)),
        run_id: known.run.as_ref().map(ToString::to_string).unwrap_or_default(),
        key: key.as_ref().map(convert::key),
        dispatch_id: dispatch,
        actor: known.by.clone(),
        reason: known.reason.clone().unwrap_or_default(),
        at: Some(timestamp(known.at.0)),
        record: Some(convert::record(stream, known.at.1)),
        status: status.into(),
        outcome,
    }
}

/// As the read model has it.
pub(super) fn row(context: &Context, row: CommandRow) -> v1::Command {
    let status = match row.status {
        CommandStatus::Accepted => v1::CommandStatus::Accepted,
        CommandStatus::Done => v1::CommandStatus::Done,
        CommandStatus::Refused => v1::CommandStatus::Refused,
        CommandStatus::Failed => v1::CommandStatus::Failed,
    };
    v1::Command {
        id: row.id.to_string(),
        kind: row.kind,
        repository: Some(repository(context, row.repository)),
        run_id: row.run.map(|run| run.to_string()).unwrap_or_default(),
        key: row.key.as_ref().map(convert::key),
        dispatch_id: row.dispatch.map(|dispatch| dispatch.to_string()).unwrap_or_default(),
        actor: row.actor,
        reason: row.reason.unwrap_or_default(),
        at: Some(timestamp(row.at)),
        record: Some(convert::record(row.stream, row.record)),
        status: status.into(),
        outcome: row.outcome.unwrap_or_default(),
    }
}
