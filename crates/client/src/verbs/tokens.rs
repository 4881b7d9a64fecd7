//! `stackwave tokens`.

use super::credential::{Creation, Known, Revocation};
use crate::{
    command::Session,
    failure::Failure,
    list::{List, Page, Paging, Rows},
    server::Server,
    table::{Cell, Column, column},
    words::{self, cell},
};
use clap::{Args, Subcommand};
use stackwave_admin_proto::v1::{CreateTokenRequest, ListTokensRequest, RevokeTokenRequest, Role, Token};

/// What to do with tokens.
#[derive(Clone, Debug, Subcommand)]
pub enum TokensVerb {
    /// Create a token for the admin API, and print it once
    Create(CreateToken),
    /// List tokens, newest first, revoked and expired ones too
    #[command(visible_alias = "ls")]
    List(ListTokens),
    /// Revoke a token; it stops within a second
    #[command(alias = "delete")]
    Revoke(RevokeToken),
}

impl Default for TokensVerb {
    fn default() -> Self {
        Self::List(ListTokens::default())
    }
}

impl TokensVerb {
    pub(crate) async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        match self {
            Self::Create(create) => create.run(session).await,
            Self::List(list) => {
                let now = session.screen.now();
                let paging = list.paging.clone();
                session.list(Tokens { list, now }, &paging).await
            }
            Self::Revoke(revoke) => revoke.run(session).await,
        }
    }
}

/// The token to be.
#[derive(Clone, Debug, Args)]
pub struct CreateToken {
    /// Its name, which is the actor of its commands, such as `alice`.
    #[arg(value_name = "NAME")]
    name: String,
    /// What it may do: a viewer asks, an operator gives commands, an admin manages credentials as well.
    #[arg(long, value_name = "ROLE", value_parser = words::parser::<Role>())]
    role: Role,
    #[command(flatten)]
    creation: Creation,
}

impl CreateToken {
    async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        let request = CreateTokenRequest {
            name: self.name,
            role: self.role.into(),
            valid_for: self.creation.valid_for(),
        };
        let answer = session.answered(session.server.credentials().create_token(request).await)?;
        let token = answer.token.clone().unwrap_or_default();
        let opens = ("role", cell::<Role>(token.role));
        Known::from(token).reveal(&answer, &answer.secret, "token", opens, &self.creation, session)
    }
}

/// Which tokens.
#[derive(Clone, Debug, Default, Args)]
pub struct ListTokens {
    /// Only those that are valid now.
    #[arg(long)]
    valid: bool,
    #[command(flatten)]
    paging: Paging,
}

struct Tokens {
    list: ListTokens,
    now: jiff::Timestamp,
}

impl List for Tokens {
    type Row = Token;

    const FIELD: &'static str = "tokens";

    const COLUMNS: &'static [Column] = &[
        column("TOKEN"),
        column("NAME"),
        column("ROLE"),
        column("STATE"),
        column("CREATED"),
        column("BY"),
        column("EXPIRES"),
        column("LAST USED"),
    ];

    fn cells(&self, token: &Token) -> Vec<Cell> {
        Known::from(token.clone()).cells(cell::<Role>(token.role), self.now)
    }

    async fn page(&self, server: &Server, page: Page) -> Rows<Token> {
        let request =
            ListTokensRequest { page_size: page.size, page_token: page.token, valid_only: self.list.valid };
        let answer = server.credentials().list_tokens(request).await?.into_inner();
        Ok((answer.tokens, answer.next_page_token))
    }
}

/// Which token.
#[derive(Clone, Debug, Args)]
pub struct RevokeToken {
    /// The token's id, as the list prints it.
    #[arg(value_name = "TOKEN")]
    token: String,
    #[command(flatten)]
    why: Revocation,
}

impl RevokeToken {
    async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        let request = RevokeTokenRequest { token_id: self.token, reason: self.why.reason };
        let answer = session.answered(session.server.credentials().revoke_token(request).await)?;
        session.print(&answer, |answer, screen| {
            let token = Known::from(answer.token.clone().unwrap_or_default());
            Ok(screen.line(&token.revoked())?)
        })
    }
}
