//! `stackwave deliveries`.

use super::places::{record, repository};
use crate::{
    command::Session,
    failure::Failure,
    list::{List, Page, Paging, Rows},
    server::Server,
    table::{Cell, Column, column},
    time,
};
use clap::{Args, Subcommand};
use stackwave_admin_proto::v1::{Delivery, ListDeliveriesRequest};

/// What to do with deliveries.
#[derive(Clone, Debug, Subcommand)]
pub enum DeliveriesVerb {
    /// List deliveries of webhooks that were appended, newest first
    #[command(visible_alias = "ls")]
    List(ListDeliveries),
}

impl Default for DeliveriesVerb {
    fn default() -> Self {
        Self::List(ListDeliveries::default())
    }
}

impl DeliveriesVerb {
    pub(crate) async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        let Self::List(list) = self;
        let paging = list.paging.clone();
        session.list(list, &paging).await
    }
}

/// Which deliveries. Filters that are set have to hold together.
#[derive(Clone, Debug, Default, Args)]
pub struct ListDeliveries {
    /// Only of this repository.
    #[arg(long, visible_alias = "repo", value_name = "OWNER/NAME")]
    repository: Option<String>,
    /// Only this event of GitHub, such as `workflow_run`.
    #[arg(long, value_name = "EVENT")]
    event: Option<String>,
    /// Only the delivery with this GUID, as GitHub shows it.
    #[arg(long, value_name = "GUID")]
    delivery: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

impl List for ListDeliveries {
    type Row = Delivery;

    const FIELD: &'static str = "deliveries";

    const COLUMNS: &'static [Column] = &[
        column("RECEIVED"),
        column("DELIVERY"),
        column("EVENT"),
        column("ACTION"),
        column("REPOSITORY"),
        column("RECORD"),
    ];

    fn cells(&self, delivery: &Delivery) -> Vec<Cell> {
        vec![
            time::moment(delivery.received_at.as_ref()).into(),
            delivery.id.clone().into(),
            delivery.event.clone().into(),
            delivery.action.clone().into(),
            repository(delivery.repository.as_ref()).into(),
            record(delivery.record.as_ref()).into(),
        ]
    }

    async fn page(&self, server: &Server, page: Page) -> Rows<Delivery> {
        let request = ListDeliveriesRequest {
            page_size: page.size,
            page_token: page.token,
            repository: self.repository.clone().unwrap_or_default(),
            event: self.event.clone().unwrap_or_default(),
            delivery_id: self.delivery.clone().unwrap_or_default(),
        };
        let answer = server.runs().list_deliveries(request).await?.into_inner();
        Ok((answer.deliveries, answer.next_page_token))
    }
}
