//! Lists, as a client of the admin API asks for them.

use crate::{
    process::{Service, TOKEN},
    report::{Aim, Samples, Table},
};
use anyhow::{Context as _, Result};
use stackwave_admin_proto::v1::{
    DispatchStatus, GetStatusRequest, ListCommandsRequest, ListDeliveriesRequest, ListDispatchesRequest,
    ListPullRequestsRequest, ListRunsRequest, ListStacksRequest, ListUploadsRequest, RunStatus, StackStatus,
    WhoAmIRequest, commands_client::CommandsClient, credentials_client::CredentialsClient,
    runs_client::RunsClient, system_client::SystemClient,
};
use std::time::Instant;
use tonic::{Request, transport::Channel};

/// Each list is asked for so many times.
const TIMES: usize = 30;

/// Whether lists are answered.
pub(crate) async fn is_built(service: &Service) -> Result<bool> {
    let mut client = SystemClient::new(channel(service).await?);
    let status = client.get_status(with_token(GetStatusRequest {})).await?.into_inner();
    Ok(status.read_model.is_some_and(|model| !model.building))
}

/// First pages of every list, with filters that find much, little and nothing.
pub(crate) async fn lists(table: &mut Table, service: &Service, aim: f64) -> Result<()> {
    let channel = channel(service).await?;
    let mut floor = Samples::default();
    let mut credentials = CredentialsClient::new(channel.clone());
    for _ in 0..TIMES {
        let began = Instant::now();
        credentials.who_am_i(with_token(WhoAmIRequest {})).await?;
        floor.push(began.elapsed());
    }
    table.time("a call that asks nothing of the read model: p50", floor.p50(), Aim::None);
    let mut worst = floor.p50();
    let mut row = |table: &mut Table, what: String, samples: &Samples| {
        worst = worst.max(samples.p50());
        table.time(what, samples.p50(), Aim::AtMost(aim));
    };

    macro_rules! measure {
        ($client:ident . $method:ident: $($what:literal => $request:expr),* $(,)?) => {$(
            let mut samples = Samples::default();
            for _ in 0..TIMES {
                let began = Instant::now();
                $client.$method(with_token($request)).await.context($what)?;
                samples.push(began.elapsed());
            }
            row(table, format!("{}: p50", $what), &samples);
        )*};
    }

    let mut runs = RunsClient::new(channel.clone());
    let repository = || "acme/infra-3".to_owned();
    measure!(runs.list_runs:
        "runs" => ListRunsRequest::default(),
        "runs that run" => ListRunsRequest { status: RunStatus::Running.into(), ..Default::default() },
        "runs that failed (none)" => ListRunsRequest { status: RunStatus::Failed.into(), ..Default::default() },
        "runs of a repository" => ListRunsRequest { repository: repository(), ..Default::default() },
        "runs of a pull request" =>
            ListRunsRequest { repository: repository(), pull_request: Some(5_003), ..Default::default() },
        "runs with a text that all have" => ListRunsRequest { query: "opened".into(), ..Default::default() },
        "runs with a text that few have" => ListRunsRequest { query: "pr7777-".into(), ..Default::default() },
        "runs with a text that none has" => ListRunsRequest { query: "zzqzz".into(), ..Default::default() },
    );
    measure!(runs.list_stacks:
        "stacks" => ListStacksRequest::default(),
        "stacks, each newest run" => ListStacksRequest { latest_only: true, ..Default::default() },
        "stacks that run" => ListStacksRequest { status: StackStatus::Running.into(), ..Default::default() },
        "stacks with a text" => ListStacksRequest { query: "component-1".into(), ..Default::default() },
    );
    measure!(runs.list_pull_requests:
        "pull requests" => ListPullRequestsRequest::default(),
        "pull requests, open" => ListPullRequestsRequest { open_only: true, ..Default::default() },
        "pull requests with a text" => ListPullRequestsRequest { query: "feature-77777".into(), ..Default::default() },
    );
    measure!(runs.list_uploads: "uploads" => ListUploadsRequest::default());
    measure!(runs.list_dispatches:
        "dispatches" => ListDispatchesRequest::default(),
        "dispatches that are undecidable (none)" =>
            ListDispatchesRequest { status: DispatchStatus::Undecidable.into(), ..Default::default() },
    );
    measure!(runs.list_deliveries:
        "deliveries" => ListDeliveriesRequest::default(),
        "deliveries of an event" => ListDeliveriesRequest { event: "pull_request".into(), ..Default::default() },
    );
    let mut commands = CommandsClient::new(channel);
    measure!(commands.list_commands: "commands" => ListCommandsRequest::default());
    let ratio = worst.as_secs_f64() / floor.p50().as_secs_f64();
    table.row("the slowest list, ratio to a call that asks nothing", ratio, "×", Aim::None);
    Ok(())
}

async fn channel(service: &Service) -> Result<Channel> {
    Ok(Channel::from_shared(format!("http://{}", service.grpc))?.connect().await?)
}

fn with_token<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    if let Ok(value) = format!("Bearer {TOKEN}").parse() {
        request.metadata_mut().insert("authorization", value);
    }
    request
}
