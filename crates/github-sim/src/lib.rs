//! A simulated GitHub: **one state behind real HTTP**, for end-to-end tests, benchmarks and `stackwave demo`.
//!
//! [`GitHub::start`] binds a port on 127.0.0.1. Behind it are the REST endpoints that a GitHub App needs to dispatch
//! workflows ([`Endpoint`] names them all), with GitHub's authentication, limits, pages and refusals. What happens in
//! the state leaves as signed webhooks, to [`set_webhook_url`](GitHub::set_webhook_url). Tests hold requests, responses
//! and webhooks against GitHub's own schemas.
//!
//! - **People and GitHub act** through methods: [`GitHub::add_repository`] gives a [`Repo`], which opens, pushes to and
//!   merges pull requests; [`GitHub::complete_run`], [`GitHub::rerun`] and [`GitHub::approve_run`] move workflow runs.
//! - **Runs go by themselves** ([`RunMode`]): they succeed after the job time unless an [`Outcome`] is planned.
//! - **Faults** are set while it runs: [`HttpFault`], [`WebhookFaults`], [`ListingFault`], [`GitHub::set_reachable`],
//!   [`GitHub::on_dispatch`], [`GitHub::on_request`]. Who is hit follows from [`SimConfig::seed`] and from what a request or webhook is about.
//! - **Tests look** with [`GitHub::read`] and wait with [`GitHub::wait_until`], which a change wakes.
//!
//! It knows GitHub only: nothing of Stackwave's own vocabulary is in here.
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use stackwave_github_sim::{GitHub, NewPullRequest, NewRepository, SimConfig};
//!
//! let github = GitHub::start(SimConfig::default()).await?;
//! let repo = github.add_repository(NewRepository::new("acme/infra").workflow("plan.yaml", "on: workflow_dispatch"));
//! github.fail_once("eks", "plat-prod");
//! let number = repo.open_pull_request(NewPullRequest::default())?;
//! repo.merge_pull_request(number)?;
//! github.wait_until_quiet(Duration::from_secs(5)).await?;
//! assert_eq!(github.webhooks().last().map(|webhook| webhook.kind()).as_deref(), Some("push"));
//! # Ok(())
//! # }
//! ```

mod clock;
mod config;
mod endpoint;
mod error;
mod faults;
mod handle;
mod hook;
mod json;
mod keys;
mod outcome;
mod routes;
mod seed;
mod server;
mod shapes;
mod state;
mod urls;
mod verbs;
mod wait;
mod webhooks;
mod workflow;

pub use self::{
    clock::Clock,
    config::{App, ContentType, DeliveryOrder, Host, RunMode, SimConfig, WebhookConfig},
    endpoint::Endpoint,
    error::{Error, Result},
    faults::{Failure, HttpFault, ListingFault, Moment, WebhookFaults, WebhookSelector},
    handle::GitHub,
    hook::{DispatchPhase, Then},
    outcome::{Course, Outcome, RunSelector},
    state::{
        CheckRun, Comment, CommentId, Commit, Conclusion, Credential, Delivery, Dispatch, DispatchOutcome,
        Fate, Installation, Job, MergeGroup, MergeGroupEnd, NewPullRequest, NewRelease, NewRepository,
        PullNumber, PullRequest, PullState, Release, Reply, Repository, RepositoryId, Request, Run, RunId,
        RunStatus, Sha, State, Token, User, UserKind, Workflow,
    },
    verbs::Repo,
    webhooks::sign,
};
