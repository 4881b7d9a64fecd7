//! Why a run, or one of its stacks, stands as it does, and the evidence of dispatches.

use super::found::{Found, When, read_run};
use crate::{
    context::Context,
    convert,
    errors::{self, invalid},
    time::timestamp,
};
use stackwave_admin_proto::v1;
use stackwave_domain::{DispatchId, StackKey, StreamId};
use stackwave_engine::{
    explain::{self, Evidence, Verdict},
    state::{Dispatch, RepositoryState},
    view::run_view,
};
use tonic::Status;

pub(super) async fn explain(
    context: &Context,
    request: &v1::ExplainRequest,
) -> Result<v1::ExplainResponse, Status> {
    let wanted = request.key.as_ref().map(|key| stack_key("key", key)).transpose()?;
    let when = When::of(request.position, request.at.as_ref())?;
    read_run(context, &request.run_id, when, |found| {
        let view = run_view(found.repository, found.run);
        let (causes, stack_status) = match &wanted {
            None => {
                (explain::explain_run(found.repository, found.run, found.now), v1::StackStatus::Unspecified)
            }
            Some(key) => {
                let index = index_of(found, key)?;
                let causes = explain::explain(found.repository, found.run, index, found.now);
                (causes, convert::stack_status(view.stacks[index].status))
            }
        };
        Ok(v1::ExplainResponse {
            causes: causes.into_iter().map(|told| convert::cause(found.stream, told)).collect(),
            run_status: convert::phase(view.status).into(),
            stack_status: stack_status.into(),
            as_of: Some(convert::record(found.stream, found.as_of)),
        })
    })
    .await
}

pub(super) async fn explain_dispatch(
    context: &Context,
    request: &v1::ExplainDispatchRequest,
) -> Result<v1::ExplainDispatchResponse, Status> {
    let evidence = match (request.dispatch_id.as_str(), request.run_id.as_str(), &request.key) {
        ("", "", _) => return Err(invalid("dispatch_id", "name a dispatch, or a run and a stack")),
        ("", _, None) => return Err(invalid("key", "name the stack of the run")),
        ("", run, Some(key)) => {
            let key = stack_key("key", key)?;
            read_run(context, run, When::Now, |found| Ok(of_stack(context, found, index_of(found, &key)?)))
                .await?
        }
        (id, "", None) => of_dispatch(context, id).await?,
        (_, _, _) => return Err(invalid("dispatch_id", "name a dispatch, or a run and a stack, not both")),
    };
    Ok(v1::ExplainDispatchResponse { evidence })
}

/// The newest attempt's dispatches.
fn of_stack(context: &Context, found: &Found<'_>, stack: usize) -> Vec<v1::DispatchEvidence> {
    let own = found.repository.dispatches.values();
    let own = own.filter(|dispatch| *dispatch.run() == found.run.id && dispatch.stack == stack);
    let own: Vec<&Dispatch> = own.collect();
    let newest = own.iter().map(|dispatch| dispatch.claimed.attempt).max();
    own.into_iter()
        .filter(|dispatch| Some(dispatch.claimed.attempt) == newest)
        .map(|dispatch| evidence(context, found.stream, found.repository, dispatch))
        .collect()
}

async fn of_dispatch(context: &Context, id: &str) -> Result<Vec<v1::DispatchEvidence>, Status> {
    context.check_ready()?;
    let dispatch = DispatchId::new(id);
    for partition in context.partitions.iter() {
        let found = partition.read(|state| {
            let repository = state.repositories().find(|known| known.dispatches.contains_key(&dispatch))?;
            let dispatch = repository.dispatches.get(&dispatch)?;
            Some(evidence(context, partition.stream(), repository, dispatch))
        });
        if let Some(found) = found {
            return Ok(vec![found]);
        }
    }
    let run = context.run_of_dispatch(&dispatch).await?;
    let run = run.ok_or_else(|| errors::not_found("dispatch", id))?;
    read_run(context, run.as_str(), When::Now, |found| {
        let known = found.repository.dispatches.get(&dispatch);
        let known = known.ok_or_else(|| errors::not_found("dispatch", id))?;
        Ok(vec![evidence(context, found.stream, found.repository, known)])
    })
    .await
}

fn evidence(
    context: &Context,
    stream: StreamId,
    repository: &RepositoryState,
    dispatch: &Dispatch,
) -> v1::DispatchEvidence {
    let told: Evidence = explain::explain_dispatch(repository, dispatch);
    let key = convert::key(&told.key);
    let steps = told.steps.iter().map(|step| v1::Cause {
        text: step.text.clone(),
        record: step.position.map(|position| convert::record(stream, position)),
        key: Some(key.clone()),
        status: v1::StackStatus::Unspecified.into(),
        since: step.at.map(timestamp),
    });
    v1::DispatchEvidence {
        dispatch: Some(super::dispatch::message(context, stream, repository, dispatch)),
        steps: steps.collect(),
        proven_once: told.verdict == Verdict::Once,
        conclusion: told.verdict.sentence().to_owned(),
    }
}

fn index_of(found: &Found<'_>, key: &StackKey) -> Result<usize, Status> {
    let index = found.run.find(key);
    index.ok_or_else(|| errors::not_found("stack", &format!("{key} in {}", found.run.id)))
}

/// A stack of a request.
pub(crate) fn stack_key(field: &str, key: &v1::StackKey) -> Result<StackKey, Status> {
    if key.component.is_empty() {
        return Err(invalid(&format!("{field}.component"), "it is missing"));
    }
    if key.stack.is_empty() {
        return Err(invalid(&format!("{field}.stack"), "it is missing"));
    }
    Ok(StackKey::new(&key.stack, &key.component))
}
