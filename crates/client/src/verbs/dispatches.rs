//! `stackwave dispatches`.

use super::{
    explain::show_evidence,
    places::{some, workflow_run},
};
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
use stackwave_admin_proto::v1::{Dispatch, DispatchStatus, ExplainDispatchRequest, ListDispatchesRequest};

/// What to do with dispatches.
#[derive(Clone, Debug, Subcommand)]
pub enum DispatchesVerb {
    /// List dispatches, the last claimed first
    #[command(visible_alias = "ls")]
    List(ListDispatches),
    /// Show the evidence that a dispatch happened once, or what is known of it so far
    #[command(alias = "get")]
    Show(ShowDispatch),
}

impl Default for DispatchesVerb {
    fn default() -> Self {
        Self::List(ListDispatches::default())
    }
}

impl DispatchesVerb {
    pub(crate) async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        match self {
            Self::List(list) => {
                let paging = list.paging.clone();
                session.list(list, &paging).await
            }
            Self::Show(show) => {
                let request = ExplainDispatchRequest {
                    dispatch_id: show.dispatch,
                    ..ExplainDispatchRequest::default()
                };
                show_evidence(request, session).await
            }
        }
    }
}

/// Which dispatches. Filters that are set have to hold together.
#[derive(Clone, Debug, Default, Args)]
pub struct ListDispatches {
    /// Only of this run.
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// Only of this repository.
    #[arg(long, visible_alias = "repo", value_name = "OWNER/NAME")]
    repository: Option<String>,
    /// Only dispatches that stand like this.
    #[arg(long, value_name = "STATUS", value_parser = words::parser::<DispatchStatus>())]
    status: Option<DispatchStatus>,
    /// Only the dispatch of this workflow run, by GitHub's number.
    #[arg(long, value_name = "ID")]
    workflow_run: Option<u64>,
    #[command(flatten)]
    paging: Paging,
}

/// Which dispatch.
#[derive(Clone, Debug, Args)]
pub struct ShowDispatch {
    /// The dispatch's id.
    #[arg(value_name = "DISPATCH")]
    dispatch: String,
}

impl List for ListDispatches {
    type Row = Dispatch;

    const FIELD: &'static str = "dispatches";

    const COLUMNS: &'static [Column] = &[
        column("DISPATCH"),
        column("RUN"),
        column("STACK"),
        number("ATTEMPT"),
        column("WORKFLOW"),
        column("STATUS"),
        column("WORKFLOW RUN"),
        column("CLAIMED"),
        prose("REASON"),
    ];

    fn cells(&self, dispatch: &Dispatch) -> Vec<Cell> {
        vec![
            dispatch.id.clone().into(),
            dispatch.run_id.clone().into(),
            key::text(dispatch.key.as_ref()).into(),
            some(dispatch.attempt).into(),
            dispatch.workflow.clone().into(),
            cell::<DispatchStatus>(dispatch.status),
            workflow_run(dispatch.workflow_run.as_ref()).into(),
            time::moment(dispatch.claimed_at.as_ref()).into(),
            dispatch.reason.clone().into(),
        ]
    }

    async fn page(&self, server: &Server, page: Page) -> Rows<Dispatch> {
        let request = ListDispatchesRequest {
            page_size: page.size,
            page_token: page.token,
            run_id: self.run.clone().unwrap_or_default(),
            repository: self.repository.clone().unwrap_or_default(),
            status: self.status.unwrap_or_default().into(),
            workflow_run_id: self.workflow_run.unwrap_or_default(),
        };
        let answer = server.runs().list_dispatches(request).await?.into_inner();
        Ok((answer.dispatches, answer.next_page_token))
    }
}
