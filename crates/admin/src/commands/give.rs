//! A command into the log: checked first, named so that a repeat is one, and folded before it is answered.

use super::{ask::Wish, convert};
use crate::{
    access::Caller,
    context::Context,
    errors::{self, invalid},
};
use stackwave_admin_proto::v1;
use stackwave_domain::{CommandId, Digest, Subject};
use stackwave_engine::{
    command::{self, Command, Refusal},
    state::RepositoryState,
};
use stackwave_event_log::{Append, AppendError};
use std::time::Duration;
use tonic::Status;

/// How long the log may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Before an append whose answer was lost is tried again.
const AGAIN: Duration = Duration::from_millis(100);
/// How many characters of a digest name a command.
const NAME: usize = 24;

/// Appends a command and returns it as it was folded. One that was given before is answered as it stands.
pub(super) async fn give(context: &Context, caller: &Caller, wish: Wish) -> Result<v1::Command, Status> {
    let core = &context.core;
    let id = match &wish.request_id {
        Some(request) => {
            let digest = Digest::of_parts(&["command", &caller.name, request]);
            CommandId::new(format!("cmd_{}", digest.prefix(NAME)))
        }
        None => CommandId::new(format!("cmd_{}", core.ids.record())),
    };
    if let Some(given) = repeated(context, &id, &wish)? {
        return Ok(given);
    }
    // A repository of which nothing was folded has nothing to be commanded, but it can be looked at.
    let checked = context.read_repository(wish.repository, |state| {
        command::check(state, &wish.ask, core.clock.now().max(state.last_at))
    });
    if let Some(Err(refusal)) = checked {
        return Err(refused(&wish, &refusal));
    }
    let partition = context.partition_of(wish.repository);
    let partition =
        partition.ok_or_else(|| Status::internal("the repository's partition is not followed"))?;
    let mut record = core.record(&caller.name, vec![wish.ask.event(id.clone(), wish.reason.clone())]);
    if let Some(run) = wish.ask.run() {
        record = record.about(run.as_str());
    }
    let append = Append::any(Subject::command(wish.stream, wish.repository), record).named(id.as_str());
    let appending = async {
        let appended = loop {
            match core.log.append(append.clone()).await {
                // Its name makes the log drop it the second time, and if not the log, then the fold.
                Err(AppendError::Unknown(_)) => tokio::time::sleep(AGAIN).await,
                appended => break appended.map_err(|error| errors::append(&error))?,
            }
        };
        partition.wait_for(appended.receipt.position).await;
        Ok(())
    };
    tokio::time::timeout(PATIENCE, appending).await.unwrap_or_else(|_| {
        let what = "the event log did not take the command in time; it may still be in it: ask again with the same \
                    `request_id`";
        Err(errors::unavailable("LOG_UNAVAILABLE", what))
    })?;
    tracing::info!(command.id = %id, command.kind = wish.ask.verb(), actor = caller.name, "a command was taken");
    known(context, &id).ok_or_else(|| errors::not_found("command", id.as_str()))
}

/// The command of this name, if it was given before.
fn repeated(context: &Context, id: &CommandId, wish: &Wish) -> Result<Option<v1::Command>, Status> {
    let find = |state: &RepositoryState| {
        let found = state.command(id)?;
        Some((found.ask == wish.ask, convert::command(context, wish.stream, state, found)))
    };
    match context.read_repository(wish.repository, find).flatten() {
        None => Ok(None),
        Some((true, command)) => Ok(Some(command)),
        Some((false, _)) => Err(invalid("request_id", "it was used for another command before")),
    }
}

/// A command that this process has folded.
pub(super) fn known(context: &Context, id: &CommandId) -> Option<v1::Command> {
    context.partitions.iter().find_map(|partition| {
        partition.read(|state| {
            state.repositories().find_map(|repository| {
                let found: &Command = repository.command(id)?;
                Some(convert::command(context, partition.stream(), repository, found))
            })
        })
    })
}

fn refused(wish: &Wish, refusal: &Refusal) -> Status {
    let subject = match wish.ask.run() {
        Some(run) => format!("run {run}"),
        None => format!("repository {}", wish.repository),
    };
    if let (command::RefusalCode::UnknownRun, Some(run)) = (refusal.code, wish.ask.run()) {
        // It was found before: the state has forgotten it.
        let what = format!("the run {run} ended long ago: nothing is done for it any more");
        return errors::precondition("RUN_STOPPED", &subject, &what);
    }
    if refusal.is_unknown() {
        let kind = match refusal.code {
            command::RefusalCode::UnknownDispatch => "dispatch",
            _ => "stack",
        };
        return errors::unknown(kind, &subject, &refusal.message);
    }
    let reason = refusal.code.as_str().to_ascii_uppercase().replace('-', "_");
    errors::precondition(&reason, &subject, &refusal.message)
}
