//! From the folded configuration to the API's messages.

use crate::{access::BOOTSTRAP, time::timestamp};
use stackwave_admin_proto::v1;
use stackwave_domain::event::AdminRole;
use stackwave_engine::config::{AdminToken, ApiKey, Credential};

pub(super) fn key(known: &ApiKey) -> v1::ApiKey {
    let Credential { id, name, created_at, created_by, expires_at, last_used_at, revoked, .. } =
        known.credential.clone();
    v1::ApiKey {
        id: id.to_string(),
        name,
        workspace: known.workspace.to_string(),
        created_at: Some(timestamp(created_at)),
        created_by,
        expires_at: expires_at.map(timestamp),
        last_used_at: last_used_at.map(timestamp),
        revoked_at: revoked.as_ref().map(|revoked| timestamp(revoked.at)),
        revoked_by: revoked.map(|revoked| revoked.by).unwrap_or_default(),
    }
}

pub(super) fn token(known: &AdminToken) -> v1::Token {
    let Credential { id, name, created_at, created_by, expires_at, last_used_at, revoked, .. } =
        known.credential.clone();
    v1::Token {
        id: id.to_string(),
        name,
        role: role(known.role).into(),
        created_at: Some(timestamp(created_at)),
        created_by,
        expires_at: expires_at.map(timestamp),
        last_used_at: last_used_at.map(timestamp),
        revoked_at: revoked.as_ref().map(|revoked| timestamp(revoked.at)),
        revoked_by: revoked.map(|revoked| revoked.by).unwrap_or_default(),
    }
}

/// The token from the configuration, of which the log knows nothing.
pub(super) fn bootstrap() -> v1::Token {
    v1::Token {
        id: BOOTSTRAP.to_owned(),
        name: BOOTSTRAP.to_owned(),
        role: v1::Role::Admin.into(),
        ..v1::Token::default()
    }
}

pub(super) const fn role(role: AdminRole) -> v1::Role {
    match role {
        AdminRole::Viewer => v1::Role::Viewer,
        AdminRole::Operator => v1::Role::Operator,
        AdminRole::Admin => v1::Role::Admin,
    }
}
