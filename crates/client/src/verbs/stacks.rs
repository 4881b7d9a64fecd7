//! `stackwave stacks`.

use super::places::{repository, some, workflow_run};
use crate::{
    command::Session,
    failure::Failure,
    key,
    list::{List, Page, Paging, Rows},
    server::Server,
    table::{Cell, Column, column, number, prose},
    time,
    words::{self, cell},
};
use clap::{Args, Subcommand};
use stackwave_admin_proto::v1::{ListStacksRequest, StackInRun, StackStatus};

/// What to do with stacks.
#[derive(Clone, Debug, Subcommand)]
pub enum StacksVerb {
    /// List stacks of runs, newest run first
    #[command(visible_alias = "ls")]
    List(ListStacks),
}

impl Default for StacksVerb {
    fn default() -> Self {
        Self::List(ListStacks::default())
    }
}

impl StacksVerb {
    pub(crate) async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        let Self::List(list) = self;
        let paging = list.paging.clone();
        session.list(list, &paging).await
    }
}

/// Which stacks. Filters that are set have to hold together.
#[derive(Clone, Debug, Default, Args)]
pub struct ListStacks {
    /// Only of this run.
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// Only of this repository.
    #[arg(long, visible_alias = "repo", value_name = "OWNER/NAME")]
    repository: Option<String>,
    /// Only this component.
    #[arg(long, value_name = "COMPONENT")]
    component: Option<String>,
    /// Only this Atmos stack.
    #[arg(long, value_name = "STACK")]
    stack: Option<String>,
    /// Only stacks that stand like this.
    #[arg(long, value_name = "STATUS", value_parser = words::parser::<StackStatus>())]
    status: Option<StackStatus>,
    /// Only stacks whose component or stack contains this text.
    #[arg(long, short, value_name = "TEXT")]
    query: Option<String>,
    /// Only each stack's newest run.
    #[arg(long)]
    latest: bool,
    #[command(flatten)]
    paging: Paging,
}

impl List for ListStacks {
    type Row = StackInRun;

    const FIELD: &'static str = "stacks";

    const COLUMNS: &'static [Column] = &[
        column("STACK"),
        column("RUN"),
        column("REPOSITORY"),
        column("KIND"),
        column("STATUS"),
        number("ATTEMPT"),
        column("WORKFLOW RUN"),
        column("STARTED"),
        column("TOOK"),
        prose("REASON"),
    ];

    fn cells(&self, stack: &StackInRun) -> Vec<Cell> {
        vec![
            key::text(stack.key.as_ref()).into(),
            stack.run_id.clone().into(),
            repository(stack.repository.as_ref()).into(),
            if stack.mutating { "apply".into() } else { "plan".into() },
            cell::<StackStatus>(stack.status),
            some(stack.attempt).into(),
            workflow_run(stack.workflow_run.as_ref()).into(),
            time::moment(stack.started_at.as_ref()).into(),
            time::took(stack.started_at.as_ref(), stack.concluded_at.as_ref()).into(),
            stack.reason.clone().into(),
        ]
    }

    async fn page(&self, server: &Server, page: Page) -> Rows<StackInRun> {
        let request = ListStacksRequest {
            page_size: page.size,
            page_token: page.token,
            run_id: self.run.clone().unwrap_or_default(),
            repository: self.repository.clone().unwrap_or_default(),
            component: self.component.clone().unwrap_or_default(),
            stack: self.stack.clone().unwrap_or_default(),
            status: self.status.unwrap_or_default().into(),
            query: self.query.clone().unwrap_or_default(),
            latest_only: self.latest,
        };
        let answer = server.runs().list_stacks(request).await?.into_inner();
        Ok((answer.stacks, answer.next_page_token))
    }
}
