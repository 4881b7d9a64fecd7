//! API keys, with which workflows upload.

use super::{convert, name, reason};
use crate::{access::Caller, context::Context, errors, page::Page, time::end_of};
use secrecy::ExposeSecret as _;
use stackwave_admin_proto::v1;
use stackwave_auth::SecretKind;
use stackwave_domain::{
    CredentialId, Event, Subject, WorkspaceId,
    event::{ApiKeyRegistered, ApiKeyRevoked},
};
use stackwave_engine::config::Standing;
use stackwave_runtime::registry;
use tonic::Status;

fn subject(id: &CredentialId) -> Subject {
    Subject::config("api_key", id.as_str())
}

pub(super) async fn create(
    context: &Context,
    caller: &Caller,
    request: v1::CreateApiKeyRequest,
) -> Result<v1::CreateApiKeyResponse, Status> {
    let core = &context.core;
    let workspace = match request.workspace.as_str() {
        "" => WorkspaceId::default_workspace(),
        text => WorkspaceId::new(text),
    };
    if !core.config.read(|config| config.workspaces().contains(&workspace)) {
        return Err(errors::not_found("workspace", workspace.as_str()));
    }
    let now = core.clock.now();
    let expires_at = request.valid_for.map(|span| end_of("valid_for", now, &span)).transpose()?;
    let new = SecretKind::ApiKey.generate().map_err(|error| Status::internal(error.to_string()))?;
    let event = ApiKeyRegistered {
        credential: new.id.clone(),
        workspace,
        name: name(&request.name)?,
        hash: new.hash,
        at: now,
        expires_at,
    };
    context.write(registry::register(core, &caller.name, subject(&new.id), event.into())).await?;
    Ok(v1::CreateApiKeyResponse {
        key: Some(known(context, &new.id)?),
        secret: new.secret.expose_secret().to_owned(),
    })
}

pub(super) fn list(
    context: &Context,
    request: &v1::ListApiKeysRequest,
) -> Result<v1::ListApiKeysResponse, Status> {
    let valid_only = if request.valid_only { "valid" } else { "" };
    let filters = [request.workspace.as_str(), valid_only];
    let page = Page::read("api_keys", &filters, request.page_size, &request.page_token)?;
    let after = page.after_number()?;
    let now = context.core.clock.now();
    let (page, next_page_token) = context.core.config.read(|config| {
        let mut keys: Vec<_> = config
            .api_keys()
            .filter(|key| request.workspace.is_empty() || key.workspace.as_str() == request.workspace)
            .filter(|key| !request.valid_only || key.credential.standing(now) == Standing::Valid)
            .filter(|key| after.is_none_or(|last| key.credential.position.0 < last))
            .collect();
        keys.sort_by_key(|key| std::cmp::Reverse(key.credential.position));
        let (page, next) = page.cut(keys.into_iter(), |key| key.credential.position.to_string());
        (page.into_iter().map(convert::key).collect(), next)
    });
    Ok(v1::ListApiKeysResponse { keys: page, next_page_token })
}

pub(super) async fn revoke(
    context: &Context,
    caller: &Caller,
    request: v1::RevokeApiKeyRequest,
) -> Result<v1::RevokeApiKeyResponse, Status> {
    let id = CredentialId::new(&request.key_id);
    if request.key_id.is_empty() {
        return Err(errors::invalid("key_id", "it is missing"));
    }
    let (reason, at) = (reason(&request.reason)?, context.core.clock.now());
    let mut exists = false;
    let revise = registry::revise(&context.core, &caller.name, subject(&id), |last| {
        // Asked from the leader: another replica may have created it a moment ago.
        let last = last.and_then(|record| record.events.last());
        exists = last.is_some();
        match last {
            None | Some(Event::ApiKeyRevoked(_)) => None,
            Some(_) => Some(ApiKeyRevoked { credential: id.clone(), reason: reason.clone(), at }.into()),
        }
    });
    context.write(revise).await?;
    if !exists {
        return Err(errors::not_found("API key", &request.key_id));
    }
    Ok(v1::RevokeApiKeyResponse { key: Some(known(context, &id)?) })
}

fn known(context: &Context, id: &CredentialId) -> Result<v1::ApiKey, Status> {
    let key = context.core.config.read(|config| config.find_api_key(id).map(convert::key));
    key.ok_or_else(|| errors::not_found("API key", id.as_str()))
}
