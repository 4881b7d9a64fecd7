//! `stackwave keys`.

use super::credential::{Creation, Known, Revocation};
use crate::{
    command::Session,
    failure::Failure,
    list::{List, Page, Paging, Rows},
    server::Server,
    table::{Cell, Column, column},
};
use clap::{Args, Subcommand};
use stackwave_admin_proto::v1::{ApiKey, CreateApiKeyRequest, ListApiKeysRequest, RevokeApiKeyRequest};

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
    #[command(flatten)]
    creation: Creation,
}

impl CreateKey {
    async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        let request = CreateApiKeyRequest {
            name: self.name,
            workspace: self.workspace,
            valid_for: self.creation.valid_for(),
        };
        let answer = session.answered(session.server.credentials().create_api_key(request).await)?;
        let key = answer.key.clone().unwrap_or_default();
        let opens = ("workspace", key.workspace.clone().into());
        Known::from(key).reveal(&answer, &answer.secret, "key", opens, &self.creation, session)
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
        Known::from(key.clone()).cells(key.workspace.clone().into(), self.now)
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
    #[command(flatten)]
    why: Revocation,
}

impl RevokeKey {
    async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        let request = RevokeApiKeyRequest { key_id: self.key, reason: self.why.reason };
        let answer = session.answered(session.server.credentials().revoke_api_key(request).await)?;
        session.print(&answer, |answer, screen| {
            let key = Known::from(answer.key.clone().unwrap_or_default());
            Ok(screen.line(&key.revoked())?)
        })
    }
}
