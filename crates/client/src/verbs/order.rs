//! `stackwave retry`, `cancel`, `resync` and `resolve`: each is a command in the log, with whose it is.

use super::commands;
use crate::{command::Session, failure::Failure, key};
use clap::Args;
use stackwave_admin_proto::v1::{
    CancelRequest, ResolveRequest, ResyncRequest, RetryRequest, StackKey, resolve_request::Outcome,
};
use tonic::{Response, Status};

/// What every command takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct Order {
    /// Why, for people; it is kept in the log.
    #[arg(long, short, value_name = "TEXT", default_value = "")]
    reason: String,
    /// A name of yours for this command: given twice, it is carried out once. By default a random one.
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    /// Wait until it is known what became of it; exit code 1 unless it was done, 3 when --timeout ended the waiting.
    #[arg(long)]
    wait: bool,
}

impl Order {
    /// What makes a repeated call safe.
    fn request_id(&self) -> String {
        self.request_id.clone().unwrap_or_else(|| uuid::Uuid::new_v4().to_string())
    }
}

/// The answer; without one it is told how to ask again without giving the command twice.
fn taken<T>(
    answer: Result<Response<T>, Status>,
    request_id: &str,
    session: &Session<'_, '_>,
) -> Result<T, Failure> {
    session.answered(answer).map_err(|failure| match failure {
        Failure::Unreachable(why) => Failure::Unreachable(format!(
            "{why}; whether the command was taken is not known: with --request-id {request_id} it is given once, \
             however often you repeat it"
        )),
        other => other,
    })
}

/// What is tried again.
#[derive(Clone, Debug, Args)]
pub struct Retry {
    /// The run's id.
    #[arg(value_name = "RUN")]
    run: String,
    /// One stack of it, as COMPONENT/STACK; without it every stack that failed, was cancelled or was refused.
    #[arg(value_name = "STACK", value_parser = key::parse)]
    stack: Option<StackKey>,
    #[command(flatten)]
    order: Order,
}

impl Retry {
    pub(crate) async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        let request = RetryRequest {
            run_id: self.run,
            key: self.stack,
            request_id: self.order.request_id(),
            reason: self.order.reason,
        };
        let id = request.request_id.clone();
        let answer = taken(session.server.commands().retry(request).await, &id, session)?;
        let command = answer.command.clone().unwrap_or_default();
        commands::given(&answer, command, self.order.wait, session).await
    }
}

/// What is stopped.
#[derive(Clone, Debug, Args)]
pub struct Cancel {
    /// The run's id.
    #[arg(value_name = "RUN")]
    run: String,
    /// One stack of it, as COMPONENT/STACK, which then does not go; without it the run.
    #[arg(value_name = "STACK", value_parser = key::parse)]
    stack: Option<StackKey>,
    /// Cancel workflow runs of an apply that have begun, too; Terraform may leave a lock behind.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    order: Order,
}

impl Cancel {
    pub(crate) async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        let request = CancelRequest {
            run_id: self.run,
            key: self.stack,
            force: self.force,
            request_id: self.order.request_id(),
            reason: self.order.reason,
        };
        let id = request.request_id.clone();
        let answer = taken(session.server.commands().cancel(request).await, &id, session)?;
        let command = answer.command.clone().unwrap_or_default();
        commands::given(&answer, command, self.order.wait, session).await
    }
}

/// What is looked at.
#[derive(Clone, Debug, Args)]
pub struct Resync {
    /// The repository.
    #[arg(value_name = "OWNER/NAME", required_unless_present = "run")]
    repository: Option<String>,
    /// Only this run.
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// Only this pull request.
    #[arg(long, value_name = "NUMBER")]
    pr: Option<u64>,
    #[command(flatten)]
    order: Order,
}

impl Resync {
    pub(crate) async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        let request = ResyncRequest {
            repository: self.repository.unwrap_or_default(),
            pull_request: self.pr,
            run_id: self.run.unwrap_or_default(),
            request_id: self.order.request_id(),
            reason: self.order.reason,
        };
        let id = request.request_id.clone();
        let answer = taken(session.server.commands().resync(request).await, &id, session)?;
        let command = answer.command.clone().unwrap_or_default();
        commands::given(&answer, command, self.order.wait, session).await
    }
}

/// How a dispatch is decided.
#[derive(Clone, Debug, Args)]
pub struct Resolve {
    /// The dispatch's id, as `stackwave dispatches list` prints it.
    #[arg(value_name = "DISPATCH")]
    dispatch: String,
    /// It happened, and this is its workflow run, by GitHub's number.
    #[arg(
        long,
        value_name = "ID",
        conflicts_with = "not_happened",
        required_unless_present = "not_happened"
    )]
    workflow_run: Option<u64>,
    /// It did not happen: it may be sent again.
    #[arg(long)]
    not_happened: bool,
    #[command(flatten)]
    order: Order,
}

impl Resolve {
    pub(crate) async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        let request = ResolveRequest {
            dispatch_id: self.dispatch,
            outcome: Some(self.workflow_run.map_or(Outcome::NotHappened(true), Outcome::WorkflowRunId)),
            request_id: self.order.request_id(),
            reason: self.order.reason,
        };
        let id = request.request_id.clone();
        let answer = taken(session.server.commands().resolve(request).await, &id, session)?;
        let command = answer.command.clone().unwrap_or_default();
        commands::given(&answer, command, self.order.wait, session).await
    }
}
