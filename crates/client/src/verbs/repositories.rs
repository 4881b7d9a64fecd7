//! `stackwave repositories`.

use super::{facts, places::some};
use crate::{
    command::Session,
    failure::Failure,
    list::{List, Page, Paging, Rows},
    screen::Tone,
    server::Server,
    table::{Cell, Column, column, number, prose},
};
use clap::{Args, Subcommand};
use stackwave_admin_proto::v1::{
    AssignRepositoryRequest, GetRepositoryRequest, ListRepositoriesRequest, RepositoryInfo,
};

/// What to do with repositories.
#[derive(Clone, Debug, Subcommand)]
pub enum RepositoriesVerb {
    /// List repositories, by name
    #[command(visible_alias = "ls")]
    List(ListRepositories),
    /// Show one repository
    #[command(alias = "get")]
    Show(ShowRepository),
    /// Move a repository to another workspace; runs that are open go on
    Assign(AssignRepository),
}

impl Default for RepositoriesVerb {
    fn default() -> Self {
        Self::List(ListRepositories::default())
    }
}

impl RepositoriesVerb {
    pub(crate) async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        match self {
            Self::List(list) => {
                let paging = list.paging.clone();
                session.list(list, &paging).await
            }
            Self::Show(show) => show.run(session).await,
            Self::Assign(assign) => assign.run(session).await,
        }
    }
}

/// Which repositories. Filters that are set have to hold together.
#[derive(Clone, Debug, Default, Args)]
pub struct ListRepositories {
    /// Only of this workspace.
    #[arg(long, value_name = "NAME")]
    workspace: Option<String>,
    /// Only those whose name contains this text.
    #[arg(long, short, value_name = "TEXT")]
    query: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

impl List for ListRepositories {
    type Row = RepositoryInfo;

    const FIELD: &'static str = "repositories";

    const COLUMNS: &'static [Column] = &[
        column("REPOSITORY"),
        number("ID"),
        column("WORKSPACE"),
        column("BRANCH"),
        number("INSTALLATION"),
        number("PARTITION"),
        number("ACTIVE RUNS"),
        prose("HALTED"),
    ];

    fn cells(&self, repository: &RepositoryInfo) -> Vec<Cell> {
        vec![
            repository.name.clone().into(),
            repository.id.to_string().into(),
            repository.workspace.clone().into(),
            repository.default_branch.clone().into(),
            some(repository.installation_id).into(),
            repository.partition.to_string().into(),
            repository.active_runs.to_string().into(),
            Cell::new(repository.halted.clone(), Tone::Bad),
        ]
    }

    async fn page(&self, server: &Server, page: Page) -> Rows<RepositoryInfo> {
        let request = ListRepositoriesRequest {
            page_size: page.size,
            page_token: page.token,
            workspace: self.workspace.clone().unwrap_or_default(),
            query: self.query.clone().unwrap_or_default(),
        };
        let answer = server.inventory().list_repositories(request).await?.into_inner();
        Ok((answer.repositories, answer.next_page_token))
    }
}

/// Which repository.
#[derive(Clone, Debug, Args)]
pub struct ShowRepository {
    /// The repository; case does not matter.
    #[arg(value_name = "OWNER/NAME")]
    repository: String,
}

impl ShowRepository {
    async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        let request = GetRepositoryRequest { repository: self.repository };
        let answer = session.answered(session.server.inventory().get_repository(request).await)?;
        session.print(&answer, |answer, screen| {
            let repository = answer.repository.clone().unwrap_or_default();
            let installation = match repository.installation_id {
                0 => Cell::new("none: the App was removed from it", Tone::Bad),
                id => id.to_string().into(),
            };
            let facts = vec![
                ("repository", repository.name.into()),
                ("id", repository.id.to_string().into()),
                ("workspace", repository.workspace.into()),
                ("default branch", repository.default_branch.into()),
                ("installation", installation),
                ("partition", repository.partition.to_string().into()),
                ("active runs", repository.active_runs.to_string().into()),
                ("halted", Cell::new(repository.halted, Tone::Bad)),
            ];
            Ok(facts::print(screen, facts)?)
        })
    }
}

/// Where a repository shall belong.
#[derive(Clone, Debug, Args)]
pub struct AssignRepository {
    /// The repository; case does not matter.
    #[arg(value_name = "OWNER/NAME")]
    repository: String,
    /// The workspace.
    #[arg(value_name = "WORKSPACE")]
    workspace: String,
}

impl AssignRepository {
    async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        let request = AssignRepositoryRequest { repository: self.repository, workspace: self.workspace };
        let answer = session.answered(session.server.inventory().assign_repository(request).await)?;
        session.print(&answer, |answer, screen| {
            let repository = answer.repository.clone().unwrap_or_default();
            Ok(screen
                .line(&format!("{} belongs to the workspace {}", repository.name, repository.workspace))?)
        })
    }
}
