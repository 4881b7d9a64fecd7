//! `stackwave installations`.

use crate::{
    command::Session,
    failure::Failure,
    list::{List, Page, Paging, Rows},
    screen::Tone,
    server::Server,
    table::{Cell, Column, column, number},
    time,
};
use clap::{Args, Subcommand};
use stackwave_admin_proto::v1::{Installation, ListInstallationsRequest};

/// What to do with installations.
#[derive(Clone, Debug, Subcommand)]
pub enum InstallationsVerb {
    /// List installations, by account
    #[command(visible_alias = "ls")]
    List(ListInstallations),
}

impl Default for InstallationsVerb {
    fn default() -> Self {
        Self::List(ListInstallations::default())
    }
}

impl InstallationsVerb {
    pub(crate) async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        let Self::List(list) = self;
        let paging = list.paging.clone();
        session.list(list, &paging).await
    }
}

/// How many installations.
#[derive(Clone, Debug, Default, Args)]
pub struct ListInstallations {
    #[command(flatten)]
    paging: Paging,
}

impl List for ListInstallations {
    type Row = Installation;

    const FIELD: &'static str = "installations";

    const COLUMNS: &'static [Column] = &[
        number("INSTALLATION"),
        column("ACCOUNT"),
        column("STATE"),
        number("REPOSITORIES"),
        column("LAST ACTION"),
        column("UPDATED"),
    ];

    fn cells(&self, installation: &Installation) -> Vec<Cell> {
        let state = match installation.active {
            true => Cell::new("active", Tone::Good),
            false => Cell::new("gone", Tone::Bad),
        };
        vec![
            installation.id.to_string().into(),
            installation.account.clone().into(),
            state,
            installation.repository_count.to_string().into(),
            installation.last_action.clone().into(),
            time::moment(installation.updated_at.as_ref()).into(),
        ]
    }

    async fn page(&self, server: &Server, page: Page) -> Rows<Installation> {
        let request = ListInstallationsRequest { page_size: page.size, page_token: page.token };
        let answer = server.inventory().list_installations(request).await?.into_inner();
        Ok((answer.installations, answer.next_page_token))
    }
}
