//! What a request wants, checked, and where.

use crate::{
    context::Context,
    credentials::reason,
    errors::{self, invalid},
    runs::stack_key,
};
use stackwave_admin_proto::v1;
use stackwave_domain::{
    DispatchId, PrNumber, RepositoryId, RunId, StreamId, WorkflowRunId, event::Resolution,
};
use stackwave_engine::command::Ask;
use tonic::Status;

/// The longest name of a request, in characters.
const MAX_REQUEST_ID: usize = 100;

/// A command that is to be given.
pub(super) struct Wish {
    pub(super) stream: StreamId,
    pub(super) repository: RepositoryId,
    pub(super) ask: Ask,
    pub(super) reason: Option<String>,
    /// The caller's own name for it.
    pub(super) request_id: Option<String>,
}

/// What every request for a command has.
struct Common {
    reason: String,
    request_id: String,
}

impl Common {
    fn wish(self, (stream, repository): (StreamId, RepositoryId), ask: Ask) -> Result<Wish, Status> {
        let reason = Some(reason(&self.reason)?).filter(|reason| !reason.is_empty());
        if self.request_id.chars().count() > MAX_REQUEST_ID {
            return Err(invalid("request_id", "it is longer than 100 characters"));
        }
        let request_id = Some(self.request_id).filter(|id| !id.is_empty());
        Ok(Wish { stream, repository, ask, reason, request_id })
    }
}

pub(super) async fn retry(context: &Context, request: v1::RetryRequest) -> Result<Wish, Status> {
    let v1::RetryRequest { run_id, key, reason, request_id } = request;
    let (place, run) = run(context, run_id).await?;
    let key = key.map(|key| stack_key("key", &key)).transpose()?;
    Common { reason, request_id }.wish(place, Ask::Retry { run, key })
}

pub(super) async fn cancel(context: &Context, request: v1::CancelRequest) -> Result<Wish, Status> {
    let v1::CancelRequest { run_id, key, force, reason, request_id } = request;
    let (place, run) = run(context, run_id).await?;
    let key = key.map(|key| stack_key("key", &key)).transpose()?;
    Common { reason, request_id }.wish(place, Ask::Cancel { run, key, force })
}

pub(super) async fn resync(context: &Context, request: v1::ResyncRequest) -> Result<Wish, Status> {
    context.check_ready()?;
    let v1::ResyncRequest { repository, pull_request, run_id, reason, request_id } = request;
    if pull_request == Some(0) {
        return Err(invalid("pull_request", "numbers begin at 1"));
    }
    let named = match repository.as_str() {
        "" => None,
        text => Some(context.repository("repository", text)?.id),
    };
    let (place, run) = match (run_id.is_empty(), named) {
        (true, None) => return Err(invalid("repository", "name a repository or a run")),
        (true, Some(id)) => ((StreamId::of_repository(id, context.core.log.partitions()), id), None),
        (false, named) => {
            let (place, run) = run(context, run_id).await?;
            if named.is_some_and(|id| id != place.1) {
                return Err(invalid("run_id", &format!("`{run}` is not a run of `{repository}`")));
            }
            (place, Some(run))
        }
    };
    let ask = Ask::Resync { run, pull_request: pull_request.map(PrNumber) };
    Common { reason, request_id }.wish(place, ask)
}

pub(super) async fn resolve(context: &Context, request: v1::ResolveRequest) -> Result<Wish, Status> {
    context.check_ready()?;
    let v1::ResolveRequest { dispatch_id, outcome, reason, request_id } = request;
    if dispatch_id.is_empty() {
        return Err(invalid("dispatch_id", "it is missing"));
    }
    let outcome = match outcome {
        Some(v1::resolve_request::Outcome::WorkflowRunId(0)) => {
            return Err(invalid("workflow_run_id", "it is missing"));
        }
        Some(v1::resolve_request::Outcome::WorkflowRunId(id)) => {
            Resolution::Happened { workflow_run: WorkflowRunId(id) }
        }
        Some(v1::resolve_request::Outcome::NotHappened(true)) => Resolution::NotHappened,
        Some(v1::resolve_request::Outcome::NotHappened(false)) => {
            return Err(invalid("not_happened", "say true, or name the workflow run"));
        }
        None => return Err(invalid("outcome", "say which workflow run it is, or that it did not happen")),
    };
    let dispatch = DispatchId::new(&dispatch_id);
    let place = match folded(context, &dispatch) {
        Some(place) => Some(place),
        None => match context.run_of_dispatch(&dispatch).await? {
            Some(run) => context.locate_run(&run).await?,
            None => None,
        },
    };
    let place = place.ok_or_else(|| errors::not_found("dispatch", &dispatch_id))?;
    Common { reason, request_id }.wish(place, Ask::Resolve { dispatch, outcome })
}

fn folded(context: &Context, dispatch: &DispatchId) -> Option<(StreamId, RepositoryId)> {
    context.partitions.iter().find_map(|partition| {
        partition.read(|state| {
            let found = state.repositories().find(|known| known.dispatches.contains_key(dispatch))?;
            Some((partition.stream(), found.id))
        })
    })
}

async fn run(context: &Context, id: String) -> Result<((StreamId, RepositoryId), RunId), Status> {
    context.check_ready()?;
    if id.is_empty() {
        return Err(invalid("run_id", "it is missing"));
    }
    let run = RunId::new(id);
    let place = context.locate_run(&run).await?;
    Ok((place.ok_or_else(|| errors::not_found("run", run.as_str()))?, run))
}
