//! API keys, with which workflows upload.

use super::{
    convert,
    kind::{Kind, Span, Wanted},
    name,
};
use crate::{access::Caller, context::Context, errors, page::Page};
use secrecy::ExposeSecret as _;
use stackwave_admin_proto::v1;
use stackwave_auth::{NewSecret, SecretKind};
use stackwave_domain::{
    CredentialId, Event, WorkspaceId,
    event::{ApiKeyRegistered, ApiKeyRevoked},
};
use tonic::Status;

const KEYS: Kind = Kind {
    secret: SecretKind::ApiKey,
    subject: "api_key",
    name: "API key",
    field: "key_id",
    is_revoked: |event| matches!(event, Event::ApiKeyRevoked(_)),
    revoked: |credential, reason, at| ApiKeyRevoked { credential, reason, at }.into(),
};

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
    let (name, Span { at, expires_at }) = (name(&request.name)?, Span::from_now(context, request.valid_for)?);
    let register = |new: &NewSecret| {
        let (credential, hash) = (new.id.clone(), new.hash.clone());
        ApiKeyRegistered { credential, workspace, name, hash, at, expires_at }.into()
    };
    let new = KEYS.create(context, caller, register).await?;
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
    let wanted = Wanted::of(context, &page, request.valid_only)?;
    let (page, next_page_token) = context.core.config.read(|config| {
        let keys = config
            .api_keys()
            .filter(|key| request.workspace.is_empty() || key.workspace.as_str() == request.workspace);
        let keys = wanted.newest(keys, |key| &key.credential);
        let (page, next) = page.cut(keys, |(position, _)| position.to_string());
        (page.into_iter().map(|(_, key)| convert::key(key)).collect(), next)
    });
    Ok(v1::ListApiKeysResponse { keys: page, next_page_token })
}

pub(super) async fn revoke(
    context: &Context,
    caller: &Caller,
    request: v1::RevokeApiKeyRequest,
) -> Result<v1::RevokeApiKeyResponse, Status> {
    let id = KEYS.revoke(context, caller, &request.key_id, &request.reason).await?;
    Ok(v1::RevokeApiKeyResponse { key: Some(known(context, &id)?) })
}

fn known(context: &Context, id: &CredentialId) -> Result<v1::ApiKey, Status> {
    let key = context.core.config.read(|config| config.find_api_key(id).map(convert::key));
    key.ok_or_else(|| KEYS.not_found(id))
}
