//! Repositories.

use super::count;
use crate::{access::Caller, context::Context, errors, page::Page};
use stackwave_admin_proto::v1;
use stackwave_domain::{Event, StreamId, Subject, WorkspaceId, event::RepositoryRegistered};
use stackwave_engine::config::Repository;
use stackwave_runtime::registry;
use tonic::Status;

pub(super) fn list(
    context: &Context,
    request: &v1::ListRepositoriesRequest,
) -> Result<v1::ListRepositoriesResponse, Status> {
    let query = request.query.to_lowercase();
    let filters = [request.workspace.as_str(), query.as_str()];
    let page = Page::read("repositories", &filters, request.page_size, &request.page_token)?;
    let mut known: Vec<(String, Repository)> = context.core.config.read(|config| {
        let wanted = config
            .repositories()
            .filter(|known| request.workspace.is_empty() || known.workspace.as_str() == request.workspace);
        let named = wanted.map(|known| (known.name.key(), known));
        named
            .filter(|(name, _)| name.contains(&query) && page.after().is_none_or(|last| name.as_str() > last))
            .map(|(name, known)| (name, known.clone()))
            .collect()
    });
    known.sort_by(|(one, _), (other, _)| one.cmp(other));
    let (known, next_page_token) = page.cut(known.into_iter(), |(name, _)| name.clone());
    let repositories = known.iter().map(|(_, known)| info(context, known)).collect();
    Ok(v1::ListRepositoriesResponse { repositories, next_page_token })
}

pub(super) async fn assign(
    context: &Context,
    caller: &Caller,
    request: v1::AssignRepositoryRequest,
) -> Result<v1::AssignRepositoryResponse, Status> {
    let core = &context.core;
    let known = context.repository("repository", &request.repository)?;
    if request.workspace.is_empty() {
        return Err(errors::invalid("workspace", "it is missing"));
    }
    let workspace = WorkspaceId::new(&request.workspace);
    if !core.config.read(|config| config.workspaces().contains(&workspace)) {
        return Err(errors::not_found("workspace", &request.workspace));
    }
    let subject = Subject::config("repository", &known.id.to_string());
    let revise = registry::revise(core, &caller.name, subject, |last| {
        // What the leader knows of it last, in its new workspace.
        let last = last.and_then(|record| match record.events.last()? {
            Event::RepositoryRegistered(registered) => Some(registered.clone()),
            _ => None,
        });
        let last = last.unwrap_or_else(|| registered(&known));
        let moved = RepositoryRegistered { workspace: workspace.clone(), ..last.clone() };
        (moved != last).then(|| moved.into())
    });
    context.write(revise).await?;
    let moved = context.repository("repository", &request.repository)?;
    Ok(v1::AssignRepositoryResponse { repository: Some(info(context, &moved)) })
}

fn registered(known: &Repository) -> RepositoryRegistered {
    RepositoryRegistered {
        repository: known.id,
        name: known.name.clone(),
        default_branch: known.default_branch.clone(),
        installation: known.installation,
        workspace: known.workspace.clone(),
    }
}

/// A repository with what its partition knows.
pub(super) fn info(context: &Context, known: &Repository) -> v1::RepositoryInfo {
    let state = context.read_repository(known.id, |state| {
        (count(state.active_runs().len()), state.halted.clone().unwrap_or_default())
    });
    let (active_runs, halted) = state.unwrap_or_default();
    let partition = match StreamId::of_repository(known.id, context.core.log.partitions()) {
        StreamId::Partition(number) => u32::from(number),
        StreamId::Config => 0,
    };
    v1::RepositoryInfo {
        id: known.id.0,
        name: known.name.to_string(),
        workspace: known.workspace.to_string(),
        default_branch: known.default_branch.to_string(),
        installation_id: known.installation.map_or(0, |installation| installation.0),
        partition,
        active_runs,
        halted,
    }
}
