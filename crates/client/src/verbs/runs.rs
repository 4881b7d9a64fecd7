//! `stackwave runs`.

mod show;

use super::places::{repository, short};
use crate::{
    command::Session,
    failure::Failure,
    list::{List, Page, Paging, Rows},
    server::Server,
    table::{Cell, Column, column, number},
    time::{self, When},
    words::{self, cell},
};
use clap::{Args, Subcommand};
use stackwave_admin_proto::v1::{ListRunsRequest, Run, RunStatus, StackStatus};

/// What to do with runs.
#[derive(Clone, Debug, Subcommand)]
pub enum RunsVerb {
    /// List runs, newest first
    #[command(visible_alias = "ls")]
    List(ListRuns),
    /// Show one run with all its stacks, as it is or as it was
    #[command(alias = "get")]
    Show(show::ShowRun),
}

impl Default for RunsVerb {
    fn default() -> Self {
        Self::List(ListRuns::default())
    }
}

impl RunsVerb {
    pub(crate) async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        match self {
            Self::List(list) => {
                let now = session.screen.now();
                let paging = list.paging.clone();
                session.list(Runs { list, now }, &paging).await
            }
            Self::Show(show) => show.run(session).await,
        }
    }
}

/// Which runs. Filters that are set have to hold together.
#[derive(Clone, Debug, Default, Args)]
pub struct ListRuns {
    /// Only of this repository.
    #[arg(long, visible_alias = "repo", value_name = "OWNER/NAME")]
    repository: Option<String>,
    /// Only of this pull request.
    #[arg(long, value_name = "NUMBER")]
    pr: Option<u64>,
    /// Only runs that stand like this.
    #[arg(long, value_name = "STATUS", value_parser = words::parser::<RunStatus>())]
    status: Option<RunStatus>,
    /// Only of this workspace.
    #[arg(long, value_name = "NAME")]
    workspace: Option<String>,
    /// Only runs whose id, repository, branch or commit contains this text.
    #[arg(long, short, value_name = "TEXT")]
    query: Option<String>,
    /// Only runs that were opened at or after this moment: `2026-11-24T13:00:00Z`, or how long ago: `2h`.
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    since: Option<When>,
    /// Only runs that were opened before this moment.
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    until: Option<When>,
    #[command(flatten)]
    paging: Paging,
}

struct Runs {
    list: ListRuns,
    now: jiff::Timestamp,
}

impl List for Runs {
    type Row = Run;

    const FIELD: &'static str = "runs";

    const COLUMNS: &'static [Column] = &[
        column("RUN"),
        column("REPOSITORY"),
        number("PR"),
        column("TRIGGER"),
        column("COMMIT"),
        column("STATUS"),
        number("DONE"),
        column("OPENED"),
    ];

    fn cells(&self, run: &Run) -> Vec<Cell> {
        vec![
            run.id.clone().into(),
            repository(run.repository.as_ref()).into(),
            run.pull_request.map(|number| number.to_string()).unwrap_or_default().into(),
            trigger(run).into(),
            short(&run.head_sha).into(),
            cell::<RunStatus>(run.status),
            done(run).into(),
            time::moment(run.opened_at.as_ref()).into(),
        ]
    }

    async fn page(&self, server: &Server, page: Page) -> Rows<Run> {
        let Self { list, now } = self;
        let request = ListRunsRequest {
            page_size: page.size,
            page_token: page.token,
            repository: list.repository.clone().unwrap_or_default(),
            pull_request: list.pr,
            status: list.status.unwrap_or_default().into(),
            workspace: list.workspace.clone().unwrap_or_default(),
            query: list.query.clone().unwrap_or_default(),
            opened_after: list.since.map(|when| when.wire(*now)),
            opened_before: list.until.map(|when| when.wire(*now)),
        };
        let answer = server.runs().list_runs(request).await?.into_inner();
        Ok((answer.runs, answer.next_page_token))
    }
}

/// `pull_request.opened`.
fn trigger(run: &Run) -> String {
    run.trigger.as_ref().map(|trigger| format!("{}.{}", trigger.event, trigger.activity)).unwrap_or_default()
}

/// How many of the stacks that run have succeeded: `3/15`.
fn done(run: &Run) -> String {
    let count = |wanted: fn(StackStatus) -> bool| -> u32 {
        run.totals.iter().filter(|total| wanted(total.status())).map(|total| total.count).sum()
    };
    let all = count(|status| status != StackStatus::Skipped);
    format!("{}/{all}", count(|status| status == StackStatus::Succeeded))
}
