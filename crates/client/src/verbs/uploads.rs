//! `stackwave uploads`.

use super::places::{record, repository, short};
use crate::{
    command::Session,
    failure::Failure,
    list::{List, Page, Paging, Rows},
    server::Server,
    table::{Cell, Column, column, number},
    time,
};
use clap::{Args, Subcommand};
use stackwave_admin_proto::v1::{ListUploadsRequest, Upload};

/// What to do with uploads.
#[derive(Clone, Debug, Subcommand)]
pub enum UploadsVerb {
    /// List uploads, newest first
    #[command(visible_alias = "ls")]
    List(ListUploads),
}

impl Default for UploadsVerb {
    fn default() -> Self {
        Self::List(ListUploads::default())
    }
}

impl UploadsVerb {
    pub(crate) async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        let Self::List(list) = self;
        let paging = list.paging.clone();
        session.list(list, &paging).await
    }
}

/// Which uploads. Filters that are set have to hold together.
#[derive(Clone, Debug, Default, Args)]
pub struct ListUploads {
    /// Only of this repository.
    #[arg(long, visible_alias = "repo", value_name = "OWNER/NAME")]
    repository: Option<String>,
    /// Only of commits that begin with this.
    #[arg(long, value_name = "COMMIT")]
    sha: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

impl List for ListUploads {
    type Row = Upload;

    const FIELD: &'static str = "uploads";

    const COLUMNS: &'static [Column] = &[
        column("RECEIVED"),
        column("REPOSITORY"),
        column("COMMIT"),
        number("STACKS"),
        number("CHUNK"),
        column("CREDENTIAL"),
        column("CLIENT"),
        column("RECORD"),
        column("RUNS"),
    ];

    fn cells(&self, upload: &Upload) -> Vec<Cell> {
        vec![
            time::moment(upload.received_at.as_ref()).into(),
            repository(upload.repository.as_ref()).into(),
            short(&upload.head_sha).into(),
            upload.stack_count.to_string().into(),
            upload.chunk.clone().into(),
            upload.credential.clone().into(),
            upload.client.clone().into(),
            record(upload.record.as_ref()).into(),
            upload.run_ids.join(", ").into(),
        ]
    }

    async fn page(&self, server: &Server, page: Page) -> Rows<Upload> {
        let request = ListUploadsRequest {
            page_size: page.size,
            page_token: page.token,
            repository: self.repository.clone().unwrap_or_default(),
            head_sha: self.sha.clone().unwrap_or_default(),
        };
        let answer = server.runs().list_uploads(request).await?.into_inner();
        Ok((answer.uploads, answer.next_page_token))
    }
}
