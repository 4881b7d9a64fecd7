//! Workspaces.

use super::count;
use crate::{
    access::Caller,
    context::Context,
    errors::{self, invalid},
    page::Page,
    time::timestamp,
};
use stackwave_admin_proto::v1;
use stackwave_domain::{Event, Subject, Timestamp, WorkspaceId, event::WorkspaceRegistered};
use stackwave_engine::{Config, config::Standing};
use stackwave_runtime::registry;
use tonic::Status;

/// The longest name and description, in characters.
const MAX_NAME: usize = 50;
const MAX_DESCRIPTION: usize = 500;

pub(super) fn list(
    context: &Context,
    request: &v1::ListWorkspacesRequest,
) -> Result<v1::ListWorkspacesResponse, Status> {
    let page = Page::read("workspaces", &[], request.page_size, &request.page_token)?;
    let now = context.core.clock.now();
    let (workspaces, next_page_token) = context.core.config.read(|config| {
        let names = config.workspaces().into_iter();
        let rest = names.filter(|name| page.after().is_none_or(|last| name.as_str() > last));
        let (names, next) = page.cut(rest, ToString::to_string);
        (names.iter().map(|name| workspace(config, name, now)).collect(), next)
    });
    Ok(v1::ListWorkspacesResponse { workspaces, next_page_token })
}

pub(super) async fn create(
    context: &Context,
    caller: &Caller,
    request: v1::CreateWorkspaceRequest,
) -> Result<v1::CreateWorkspaceResponse, Status> {
    check_name(&request.name)?;
    let description = request.description.trim().to_owned();
    if description.chars().count() > MAX_DESCRIPTION {
        return Err(invalid("description", "it is longer than 500 characters"));
    }
    let name = WorkspaceId::new(&request.name);
    if name == WorkspaceId::default_workspace() {
        return Err(errors::already_exists("workspace", &request.name));
    }
    let now = context.core.clock.now();
    let event: Event = WorkspaceRegistered { workspace: name.clone(), description, at: now }.into();
    let mut exists = false;
    let subject = Subject::config("workspace", &request.name);
    let revise = registry::revise(&context.core, &caller.name, subject, |last| {
        // An answer that was lost: it is our own record.
        let last = last.and_then(|record| record.events.last());
        exists = last.is_some_and(|last| *last != event);
        last.is_none().then(|| event.clone())
    });
    context.write(revise).await?;
    if exists {
        return Err(errors::already_exists("workspace", &request.name));
    }
    let workspace = context.core.config.read(|config| workspace(config, &name, now));
    Ok(v1::CreateWorkspaceResponse { workspace: Some(workspace) })
}

fn check_name(name: &str) -> Result<(), Status> {
    if name.is_empty() {
        return Err(invalid("name", "it is missing"));
    }
    if name.len() > MAX_NAME {
        return Err(invalid("name", "it is longer than 50 characters"));
    }
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.chars().all(allowed) || name.starts_with('-') || name.ends_with('-') {
        return Err(invalid("name", "it may hold lower-case letters, digits and, between them, dashes"));
    }
    Ok(())
}

fn workspace(config: &Config, name: &WorkspaceId, now: Timestamp) -> v1::Workspace {
    let known = config.workspace(name);
    let repositories = config.repositories().filter(|repository| repository.workspace == *name);
    let keys = config.api_keys().filter(|key| key.workspace == *name);
    let valid = keys.filter(|key| key.credential.standing(now) == Standing::Valid);
    v1::Workspace {
        name: name.to_string(),
        description: known.map(|known| known.description.clone()).unwrap_or_default(),
        repository_count: count(repositories.count()),
        api_key_count: count(valid.count()),
        created_at: known.map(|known| timestamp(known.created_at)),
    }
}
