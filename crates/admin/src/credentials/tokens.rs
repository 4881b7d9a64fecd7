//! Tokens of this API.

use super::{
    convert,
    kind::{Kind, Span, Wanted},
    name,
};
use crate::{
    ACTOR,
    access::{BOOTSTRAP, Caller},
    context::Context,
    errors::{self, invalid},
    page::Page,
};
use secrecy::ExposeSecret as _;
use stackwave_admin_proto::v1;
use stackwave_auth::{NewSecret, SecretKind};
use stackwave_domain::{
    CredentialId, Event,
    event::{AdminRole, AdminTokenRegistered, AdminTokenRevoked},
};
use tonic::Status;

/// Actors that are no people; a token of such a name would make the log lie.
const RESERVED: [&str; 7] =
    [BOOTSTRAP, ACTOR, "orchestrator", "dispatcher", "commenter", "ingest-api", "webhook-receiver"];

const TOKENS: Kind = Kind {
    secret: SecretKind::AdminToken,
    subject: "admin_token",
    name: "token",
    field: "token_id",
    is_revoked: |event| matches!(event, Event::AdminTokenRevoked(_)),
    revoked: |credential, reason, at| AdminTokenRevoked { credential, reason, at }.into(),
};

pub(super) async fn create(
    context: &Context,
    caller: &Caller,
    request: v1::CreateTokenRequest,
) -> Result<v1::CreateTokenResponse, Status> {
    let name = name(&request.name)?;
    if RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(&name)) {
        return Err(invalid("name", &format!("`{name}` is the name of a part of Stackwave")));
    }
    let role = match v1::Role::try_from(request.role) {
        Ok(v1::Role::Viewer) => AdminRole::Viewer,
        Ok(v1::Role::Operator) => AdminRole::Operator,
        Ok(v1::Role::Admin) => AdminRole::Admin,
        Ok(v1::Role::Unspecified) => return Err(invalid("role", "it is missing")),
        Err(_) => return Err(invalid("role", &format!("{} is no role", request.role))),
    };
    let Span { at, expires_at } = Span::from_now(context, request.valid_for)?;
    let register = |new: &NewSecret| {
        let (credential, hash) = (new.id.clone(), new.hash.clone());
        AdminTokenRegistered { credential, name, role, hash, at, expires_at }.into()
    };
    let new = TOKENS.create(context, caller, register).await?;
    Ok(v1::CreateTokenResponse {
        token: Some(known(context, &new.id)?),
        secret: new.secret.expose_secret().to_owned(),
    })
}

pub(super) fn list(
    context: &Context,
    request: &v1::ListTokensRequest,
) -> Result<v1::ListTokensResponse, Status> {
    let valid_only = if request.valid_only { "valid" } else { "" };
    let page = Page::read("tokens", &[valid_only], request.page_size, &request.page_token)?;
    let wanted = Wanted::of(context, &page, request.valid_only)?;
    // The one from the configuration comes last: it was there before the others.
    let bootstrap = context.gate.has_bootstrap() && wanted.before.is_none_or(|before| before > 0);
    let (tokens, next_page_token) = context.core.config.read(|config| {
        let tokens = wanted.newest(config.admin_tokens(), |token| &token.credential);
        let tokens = tokens.map(|(position, token)| (position, convert::token(token)));
        let all = tokens.chain(bootstrap.then(|| (0, convert::bootstrap())));
        let (page, next) = page.cut(all, |(position, _)| position.to_string());
        (page.into_iter().map(|(_, token)| token).collect(), next)
    });
    Ok(v1::ListTokensResponse { tokens, next_page_token })
}

pub(super) async fn revoke(
    context: &Context,
    caller: &Caller,
    request: v1::RevokeTokenRequest,
) -> Result<v1::RevokeTokenResponse, Status> {
    if request.token_id == BOOTSTRAP {
        return Err(errors::precondition(
            "BOOTSTRAP_TOKEN",
            BOOTSTRAP,
            "the token `bootstrap` comes from the configuration: change or remove STACKWAVE_ADMIN_TOKEN there, and \
             start the process anew",
        ));
    }
    let id = TOKENS.revoke(context, caller, &request.token_id, &request.reason).await?;
    Ok(v1::RevokeTokenResponse { token: Some(known(context, &id)?) })
}

/// The token of a call.
pub(super) fn of_caller(context: &Context, caller: &Caller) -> v1::Token {
    let known = caller.credential.as_ref().and_then(|id| known(context, id).ok());
    known.unwrap_or_else(convert::bootstrap)
}

fn known(context: &Context, id: &CredentialId) -> Result<v1::Token, Status> {
    let token = context.core.config.read(|config| config.find_admin_token(id).map(convert::token));
    token.ok_or_else(|| TOKENS.not_found(id))
}
