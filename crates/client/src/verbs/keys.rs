//! `stackwave keys`.

use super::credential::{reveal, state, valid_for};
use crate::{
    command::Session,
    failure::Failure,
    list::{List, Page, Paging, Rows},
    server::Server,
    table::{Cell, Column, column},
    time,
};
use clap::{Args, Subcommand};
use stackwave_admin_proto::v1::{ApiKey, CreateApiKeyRequest, ListApiKeysRequest, RevokeApiKeyRequest};
use std::time::Duration;

/// What to do with API keys.
#[derive(Clone, Debug, Subcommand)]
pub enum KeysVerb {
    /// Create an API key, and print it once
    Create(CreateKey),
    /// List API keys, newest first, revoked and expired ones too
    #[command(visible_alias = "ls")]
    List(ListKeys),
    /// Revoke an API key; it stops within a second
    #[command(alias = "delete")]
    Revoke(RevokeKey),
}

impl Default for KeysVerb {
    fn default() -> Self {
        Self::List(ListKeys::default())
    }
}

impl KeysVerb {
    pub(crate) async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        match self {
            Self::Create(create) => create.run(session).await,
            Self::List(list) => {
                let now = session.screen.now();
                let paging = list.paging.clone();
                session.list(Keys { list, now }, &paging).await
            }
            Self::Revoke(revoke) => revoke.run(session).await,
        }
    }
}

/// The key to be.
#[derive(Clone, Debug, Args)]
pub struct CreateKey {
    /// Its name, for people, such as `infra repository`.
    #[arg(value_name = "NAME")]
    name: String,
    /// The workspace that it opens.
    #[arg(long, value_name = "NAME", default_value = "default")]
    workspace: String,
    /// How long it is valid from now, such as `90d`; without it, until it is revoked.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    valid_for: Option<Duration>,
    /// Print the key and nothing else.
    #[arg(long)]
    quiet: bool,
}

impl CreateKey {
    async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        let request = CreateApiKeyRequest {
            name: self.name,
            workspace: self.workspace,
            valid_for: valid_for(self.valid_for),
        };
        let answer = session.answered(session.server.credentials().create_api_key(request).await)?;
        let key = answer.key.clone().unwrap_or_default();
        let facts = vec![
            ("key", key.id.into()),
            ("name", key.name.into()),
            ("workspace", key.workspace.into()),
            ("expires", time::moment(key.expires_at.as_ref()).into()),
        ];
        reveal(&answer, &answer.secret, facts, self.quiet, session)
    }
}

/// Which keys.
#[derive(Clone, Debug, Default, Args)]
pub struct ListKeys {
    /// Only of this workspace.
    #[arg(long, value_name = "NAME")]
    workspace: Option<String>,
    /// Only those that are valid now.
    #[arg(long)]
    valid: bool,
    #[command(flatten)]
    paging: Paging,
}

struct Keys {
    list: ListKeys,
    now: jiff::Timestamp,
}

impl List for Keys {
    type Row = ApiKey;

    const FIELD: &'static str = "keys";

    const COLUMNS: &'static [Column] = &[
        column("KEY"),
        column("NAME"),
        column("WORKSPACE"),
        column("STATE"),
        column("CREATED"),
        column("BY"),
        column("EXPIRES"),
        column("LAST USED"),
    ];

    fn cells(&self, key: &ApiKey) -> Vec<Cell> {
        vec![
            key.id.clone().into(),
            key.name.clone().into(),
            key.workspace.clone().into(),
            state(key.expires_at.as_ref(), key.revoked_at.as_ref(), self.now),
            time::moment(key.created_at.as_ref()).into(),
            key.created_by.clone().into(),
            time::moment(key.expires_at.as_ref()).into(),
            time::moment(key.last_used_at.as_ref()).into(),
        ]
    }

    async fn page(&self, server: &Server, page: Page) -> Rows<ApiKey> {
        let request = ListApiKeysRequest {
            page_size: page.size,
            page_token: page.token,
            workspace: self.list.workspace.clone().unwrap_or_default(),
            valid_only: self.list.valid,
        };
        let answer = server.credentials().list_api_keys(request).await?.into_inner();
        Ok((answer.keys, answer.next_page_token))
    }
}

/// Which key.
#[derive(Clone, Debug, Args)]
pub struct RevokeKey {
    /// The key's id, as the list prints it.
    #[arg(value_name = "KEY")]
    key: String,
    /// Why, for people; it is kept in the log.
    #[arg(long, short, value_name = "TEXT", default_value = "")]
    reason: String,
}

impl RevokeKey {
    async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        let request = RevokeApiKeyRequest { key_id: self.key, reason: self.reason };
        let answer = session.answered(session.server.credentials().revoke_api_key(request).await)?;
        session.print(&answer, |answer, screen| {
            let key = answer.key.clone().unwrap_or_default();
            let at = time::moment(key.revoked_at.as_ref());
            Ok(screen
                .line(&format!("{} ({}) is revoked since {at}, by {}", key.id, key.name, key.revoked_by))?)
        })
    }
}
