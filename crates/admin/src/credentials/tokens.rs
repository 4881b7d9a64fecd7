//! Tokens of this API.

use super::{convert, name, reason};
use crate::{
    ACTOR,
    access::{BOOTSTRAP, Caller},
    context::Context,
    errors::{self, invalid},
    page::Page,
    time::end_of,
};
use secrecy::ExposeSecret as _;
use stackwave_admin_proto::v1;
use stackwave_auth::SecretKind;
use stackwave_domain::{
    CredentialId, Event, Subject,
    event::{AdminRole, AdminTokenRegistered, AdminTokenRevoked},
};
use stackwave_engine::config::Standing;
use stackwave_runtime::registry;
use tonic::Status;

/// Actors that are no people; a token of such a name would make the log lie.
const RESERVED: [&str; 7] =
    [BOOTSTRAP, ACTOR, "orchestrator", "dispatcher", "commenter", "ingest-api", "webhook-receiver"];

fn subject(id: &CredentialId) -> Subject {
    Subject::config("admin_token", id.as_str())
}

pub(super) async fn create(
    context: &Context,
    caller: &Caller,
    request: v1::CreateTokenRequest,
) -> Result<v1::CreateTokenResponse, Status> {
    let core = &context.core;
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
    let now = core.clock.now();
    let expires_at = request.valid_for.map(|span| end_of("valid_for", now, &span)).transpose()?;
    let new = SecretKind::AdminToken.generate().map_err(|error| Status::internal(error.to_string()))?;
    let event =
        AdminTokenRegistered { credential: new.id.clone(), name, role, hash: new.hash, at: now, expires_at };
    context.write(registry::register(core, &caller.name, subject(&new.id), event.into())).await?;
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
    let after = page.after_number()?;
    let now = context.core.clock.now();
    // The one from the configuration comes last: it was there before the others.
    let bootstrap = context.gate.has_bootstrap() && after.is_none_or(|last| last > 0);
    let (tokens, next_page_token) = context.core.config.read(|config| {
        let mut tokens: Vec<_> = config
            .admin_tokens()
            .filter(|token| !request.valid_only || token.credential.standing(now) == Standing::Valid)
            .filter(|token| after.is_none_or(|last| token.credential.position.0 < last))
            .collect();
        tokens.sort_by_key(|token| std::cmp::Reverse(token.credential.position));
        let tokens = tokens.into_iter().map(|token| (token.credential.position.0, convert::token(token)));
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
    let id = CredentialId::new(&request.token_id);
    if request.token_id.is_empty() {
        return Err(invalid("token_id", "it is missing"));
    }
    if request.token_id == BOOTSTRAP {
        return Err(errors::precondition(
            "BOOTSTRAP_TOKEN",
            BOOTSTRAP,
            "the token `bootstrap` comes from the configuration: change or remove STACKWAVE_ADMIN_TOKEN there, and \
             start the process anew",
        ));
    }
    let (reason, at) = (reason(&request.reason)?, context.core.clock.now());
    let mut exists = false;
    let revise = registry::revise(&context.core, &caller.name, subject(&id), |last| {
        let last = last.and_then(|record| record.events.last());
        exists = last.is_some();
        match last {
            None | Some(Event::AdminTokenRevoked(_)) => None,
            Some(_) => Some(AdminTokenRevoked { credential: id.clone(), reason: reason.clone(), at }.into()),
        }
    });
    context.write(revise).await?;
    if !exists {
        return Err(errors::not_found("token", &request.token_id));
    }
    Ok(v1::RevokeTokenResponse { token: Some(known(context, &id)?) })
}

/// The token of a call.
pub(super) fn of_caller(context: &Context, caller: &Caller) -> v1::Token {
    let known = caller.credential.as_ref().and_then(|id| known(context, id).ok());
    known.unwrap_or_else(convert::bootstrap)
}

fn known(context: &Context, id: &CredentialId) -> Result<v1::Token, Status> {
    let token = context.core.config.read(|config| config.find_admin_token(id).map(convert::token));
    token.ok_or_else(|| errors::not_found("token", id.as_str()))
}
