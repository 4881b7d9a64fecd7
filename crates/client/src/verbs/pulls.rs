//! `stackwave prs`.

use super::places::repository;
use crate::{
    command::Session,
    failure::Failure,
    list::{List, Page, Paging, Rows},
    screen::Tone,
    server::Server,
    table::{Cell, Column, column, number, prose},
    time,
};
use clap::{Args, Subcommand};
use stackwave_admin_proto::v1::{ListPullRequestsRequest, PullRequest};

/// What to do with pull requests.
#[derive(Clone, Debug, Subcommand)]
pub enum PullsVerb {
    /// List pull requests, the last changed first
    #[command(visible_alias = "ls")]
    List(ListPulls),
}

impl Default for PullsVerb {
    fn default() -> Self {
        Self::List(ListPulls::default())
    }
}

impl PullsVerb {
    pub(crate) async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        let Self::List(list) = self;
        let paging = list.paging.clone();
        session.list(list, &paging).await
    }
}

/// Which pull requests. Filters that are set have to hold together.
#[derive(Clone, Debug, Default, Args)]
pub struct ListPulls {
    /// Only of this repository.
    #[arg(long, visible_alias = "repo", value_name = "OWNER/NAME")]
    repository: Option<String>,
    /// Only open ones.
    #[arg(long)]
    open: bool,
    /// Only those whose title or branch contains this text, or whose number it is.
    #[arg(long, short, value_name = "TEXT")]
    query: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

impl List for ListPulls {
    type Row = PullRequest;

    const FIELD: &'static str = "pull_requests";

    const COLUMNS: &'static [Column] = &[
        column("REPOSITORY"),
        number("PR"),
        column("STATE"),
        column("BRANCH"),
        number("RUNS"),
        column("LATEST RUN"),
        column("UPDATED"),
        prose("TITLE"),
    ];

    fn cells(&self, pull: &PullRequest) -> Vec<Cell> {
        vec![
            repository(pull.repository.as_ref()).into(),
            pull.number.to_string().into(),
            state(pull),
            format!("{} → {}", pull.head_ref, pull.base_ref).into(),
            pull.run_count.to_string().into(),
            pull.latest_run_id.clone().into(),
            time::moment(pull.updated_at.as_ref()).into(),
            pull.title.clone().into(),
        ]
    }

    async fn page(&self, server: &Server, page: Page) -> Rows<PullRequest> {
        let request = ListPullRequestsRequest {
            page_size: page.size,
            page_token: page.token,
            repository: self.repository.clone().unwrap_or_default(),
            open_only: self.open,
            query: self.query.clone().unwrap_or_default(),
        };
        let answer = server.runs().list_pull_requests(request).await?.into_inner();
        Ok((answer.pull_requests, answer.next_page_token))
    }
}

fn state(pull: &PullRequest) -> Cell {
    match (pull.open, pull.merged) {
        (_, true) => Cell::new("merged", Tone::Good),
        (true, false) => Cell::new("open", Tone::Active),
        (false, false) => Cell::new("closed", Tone::Quiet),
    }
}
