//! `stackwave workspaces`.

use crate::{
    command::Session,
    failure::Failure,
    list::{List, Page, Paging, Rows},
    server::Server,
    table::{Cell, Column, column, number, prose},
    time,
};
use clap::{Args, Subcommand};
use stackwave_admin_proto::v1::{CreateWorkspaceRequest, ListWorkspacesRequest, Workspace};

/// What to do with workspaces.
#[derive(Clone, Debug, Subcommand)]
pub enum WorkspacesVerb {
    /// List workspaces, by name
    #[command(visible_alias = "ls")]
    List(ListWorkspaces),
    /// Create a workspace
    Create(CreateWorkspace),
}

impl Default for WorkspacesVerb {
    fn default() -> Self {
        Self::List(ListWorkspaces::default())
    }
}

impl WorkspacesVerb {
    pub(crate) async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        match self {
            Self::List(list) => {
                let paging = list.paging.clone();
                session.list(list, &paging).await
            }
            Self::Create(create) => create.run(session).await,
        }
    }
}

/// How many workspaces.
#[derive(Clone, Debug, Default, Args)]
pub struct ListWorkspaces {
    #[command(flatten)]
    paging: Paging,
}

impl List for ListWorkspaces {
    type Row = Workspace;

    const FIELD: &'static str = "workspaces";

    const COLUMNS: &'static [Column] = &[
        column("WORKSPACE"),
        number("REPOSITORIES"),
        number("KEYS"),
        column("CREATED"),
        prose("DESCRIPTION"),
    ];

    fn cells(&self, workspace: &Workspace) -> Vec<Cell> {
        vec![
            workspace.name.clone().into(),
            workspace.repository_count.to_string().into(),
            workspace.api_key_count.to_string().into(),
            time::moment(workspace.created_at.as_ref()).into(),
            workspace.description.clone().into(),
        ]
    }

    async fn page(&self, server: &Server, page: Page) -> Rows<Workspace> {
        let request = ListWorkspacesRequest { page_size: page.size, page_token: page.token };
        let answer = server.inventory().list_workspaces(request).await?.into_inner();
        Ok((answer.workspaces, answer.next_page_token))
    }
}

/// The workspace to be.
#[derive(Clone, Debug, Args)]
pub struct CreateWorkspace {
    /// Its name: lower-case letters, digits and dashes.
    #[arg(value_name = "NAME")]
    name: String,
    /// What it is, for people.
    #[arg(long, value_name = "TEXT", default_value = "")]
    description: String,
}

impl CreateWorkspace {
    async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        let request = CreateWorkspaceRequest { name: self.name, description: self.description };
        let answer = session.answered(session.server.inventory().create_workspace(request).await)?;
        session.print(&answer, |answer, screen| {
            let name = answer.workspace.clone().unwrap_or_default().name;
            screen.line(&format!("the workspace {name} is there"))?;
            Ok(screen.note(&format!("`stackwave keys create NAME --workspace {name}` makes a key for it"))?)
        })
    }
}
