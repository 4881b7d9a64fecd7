//! `stackwave demo`: everything in one process, on a simulated GitHub. The wiring is that of `serve`; only GitHub and
//! the client that uploads are played.

mod landing_zone;
mod screen;

use crate::{
    assembly::{self, GitHubOptions, Options, Running},
    cli::{DemoOptions, Role},
    config::{LogSettings, LogTarget},
    serve::open_log,
};
use anyhow::{Context as _, bail};
use landing_zone::LandingZone;
use screen::Screen;
use secrecy::{ExposeSecret as _, SecretString};
use stackwave_commenter::render::{Options as CommentOptions, render};
use stackwave_domain::{PrNumber, RepositoryId, RepositoryName, RunId};
use stackwave_engine::{
    state::{RepositoryState, Run},
    view::{self, RunView, Status},
};
use stackwave_github_sim::{
    App, GitHub, NewPullRequest, NewRepository, Outcome, Repo, RunMode, RunSelector, SimConfig, WebhookConfig,
};
use stackwave_runtime::{Clock as _, SystemClock};
use stackwave_telemetry::Metrics;
use std::{
    io::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::net::TcpListener;

/// Where the demonstration's repository is.
const REPOSITORY: &str = "acme/landing-zone";
/// How long an outcome is searched for; the simulated GitHub lists at once.
const GRACE: Duration = Duration::from_secs(2);

/// Runs the demonstration to its end.
pub(crate) async fn run(options: DemoOptions, metrics: Arc<Metrics>) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("failed to make a temporary folder")?;
    let demo = Demo::start(&options, folder.path(), metrics).await?;
    let result = demo.tell(&options).await;
    demo.running.stop().await?;
    demo.github.shutdown().await;
    result
}

/// A log that stays holds earlier demonstrations: each has a repository of its own there, so its ids must differ.
fn seed(options: &DemoOptions) -> u64 {
    let moment = SystemClock::default().now().as_millisecond().unsigned_abs();
    if kept_log(options).is_some() { options.seed.wrapping_add(moment) } else { options.seed }
}

/// The log that stays, if there is one.
fn kept_log(options: &DemoOptions) -> Option<LogTarget> {
    options.log.clone().or_else(|| options.nats.clone().map(LogTarget::Nats))
}

struct Demo {
    github: GitHub,
    repo: Repo,
    zone: LandingZone,
    running: Running,
    api_key: SecretString,
    patience: Duration,
}

impl Demo {
    async fn start(
        options: &DemoOptions,
        folder: &std::path::Path,
        metrics: Arc<Metrics>,
    ) -> anyhow::Result<Self> {
        let secret = SecretString::from("the demonstration's webhook secret");
        let api_key = SecretString::from("the-demonstration-s-api-key");
        let config = SimConfig {
            seed: seed(options),
            app: App::default(),
            runs: RunMode::Automatic { job_time: options.job_time },
            webhooks: WebhookConfig { secret: secret.expose_secret().to_owned(), ..WebhookConfig::default() },
            hourly_limit: u32::MAX,
            ..SimConfig::default()
        };
        let app_id = config.app.id.to_string();
        let github = GitHub::start(config).await.context("failed to start the simulated GitHub")?;
        let repo = github.add_repository(
            NewRepository::new(REPOSITORY)
                .workflow("tf-plan.yaml", landing_zone::PLAN_WORKFLOW)
                .workflow("tf-apply.yaml", landing_zone::APPLY_WORKFLOW),
        );
        let temporary = || LogTarget::Sqlite(folder.join("stackwave.db"));
        let target = kept_log(options).unwrap_or_else(temporary);
        let log = open_log(&LogSettings::of(target)).await?;
        let running = assembly::start(
            log,
            Options {
                roles: Role::ALL.into(),
                http: TcpListener::bind("127.0.0.1:0").await.context("failed to listen on 127.0.0.1")?,
                grpc: None,
                admin_token: None,
                grpc_tls: None,
                read_model: stackwave_read_model::Place::Off,
                github: GitHubOptions {
                    api_url: github.url().to_owned(),
                    app_id: Some(app_id),
                    private_key: Some(SecretString::from(github.private_key_pem())),
                    writes_per_minute: Some(0),
                },
                raw_webhooks: None,
                webhook_secrets: vec![secret],
                bootstrap_api_key: Some(api_key.clone()),
                dispatch: true,
                grace: GRACE,
                metrics,
                metrics_token: None,
            },
        )
        .await?;
        github.set_webhook_url(Some(&format!("http://{}/webhooks/github", running.http_addr)));
        let stacks = options.stacks.unwrap_or(landing_zone::STACKS);
        // Six waves twice, a re-run, and far more time for the machine than it needs.
        let patience = Duration::from_secs(60) + options.job_time * 40 + Duration::from_millis(40) * stacks;
        Ok(Self { github, repo, zone: LandingZone::new(stacks), running, api_key, patience })
    }

    async fn tell(&self, options: &DemoOptions) -> anyhow::Result<()> {
        let mut screen = Screen::new();
        let (component, stack) = self.failing(options);
        self.plan_failure(&component, stack.as_deref());

        let number = self.repo.open_pull_request(NewPullRequest {
            title: Some("Widen the network".to_owned()),
            ..NewPullRequest::default()
        })?;
        screen.say(&format!(
            "{REPOSITORY}#{number}: a pull request is opened, and `atmos describe affected --upload` runs"
        ))?;
        self.upload(number).await?;
        screen.begin();
        let plan = self.follow(&mut screen, number, "opened", Self::is_still).await?;

        self.recover(&mut screen, number, &plan).await?;

        screen.say("The pull request is merged; its workflow uploads again, and the applies begin")?;
        self.repo.merge_pull_request(number)?;
        self.upload(number).await?;
        screen.begin();
        let apply = self.follow(&mut screen, number, "merged", |run, _| run.is_done()).await?;

        let comment = self.final_comment(number, &apply).await?;
        screen.say(&format!("Every stack was dispatched once, after its parents: {}", self.count()))?;
        screen.say("The pull request's comment:")?;
        println!("\n{comment}");
        std::io::stdout().flush().context("failed to write to standard output")
    }

    /// The stack that fails first: as asked for, else the database of production.
    fn failing(&self, options: &DemoOptions) -> (String, Option<String>) {
        match &options.fail {
            Some(name) => match name.split_once('/') {
                Some((component, stack)) => (component.to_owned(), Some(stack.to_owned())),
                None => (name.clone(), None),
            },
            None if options.stacks.is_some_and(|stacks| stacks < landing_zone::STACKS) => {
                ("vpc".to_owned(), Some("dev".to_owned()))
            }
            None => ("database".to_owned(), Some("prod".to_owned())),
        }
    }

    fn plan_failure(&self, component: &str, stack: Option<&str>) {
        let mut selector = RunSelector::any().workflow("tf-plan.yaml").input("component", component);
        if let Some(stack) = stack {
            selector = selector.input("stack", stack);
        }
        self.github.plan_outcomes(selector, [Outcome::failure()]);
    }

    /// Re-runs what failed, as a person does with GitHub's "Re-run" button, and waits for everything below it.
    async fn recover(&self, screen: &mut Screen, number: u64, plan: &RunId) -> anyhow::Result<()> {
        let failed = self.with_repository(|state| {
            let run = state.runs.get(plan)?;
            let view = view::run_view(state, run);
            let failed = view.stacks.into_iter().filter(|stack| stack.status == Status::Failed);
            Some(failed.map(|stack| (stack.key, stack.workflow_runs)).collect::<Vec<_>>())
        });
        let failed = failed.unwrap_or_default();
        if failed.is_empty() {
            screen
                .say("No stack has the name of the one that should fail, so nothing had to be run again")?;
            return Ok(());
        }
        for (key, runs) in failed {
            screen.say(&format!(
                "{key} failed, and everything below it waits; somebody presses \"Re-run\" at GitHub"
            ))?;
            for run in runs {
                self.github.rerun(run.id.0, "octocat", Some(Outcome::success()))?;
            }
        }
        self.follow(screen, number, "opened", |run, _| run.is_done()).await?;
        Ok(())
    }

    /// Posts the upload as the Atmos CLI does.
    async fn upload(&self, number: u64) -> anyhow::Result<()> {
        let pull = self.repo.pull_request(number)?;
        let body = self.zone.upload(&pull.head_sha, &pull.base_sha);
        let url = format!("http://{}/api/v1/affected-stacks", self.running.http_addr);
        let answer = reqwest::Client::new()
            .post(url)
            .bearer_auth(self.api_key.expose_secret())
            .json(&body)
            .send()
            .await
            .context("failed to upload the affected stacks")?;
        let status = answer.status();
        if !status.is_success() {
            bail!("the upload was answered with {status}: {}", answer.text().await.unwrap_or_default());
        }
        Ok(())
    }

    /// Nothing of the run can move without somebody doing something.
    fn is_still(run: &Run, view: &RunView<'_>) -> bool {
        let moves = [Status::Running, Status::Queued, Status::Dispatching, Status::Released, Status::Held];
        run.is_done() || !moves.iter().any(|status| view.totals.contains_key(status))
    }

    /// Shows the newest run of an activity until it is as wanted.
    async fn follow(
        &self,
        screen: &mut Screen,
        number: u64,
        activity: &str,
        wanted: impl Fn(&Run, &RunView<'_>) -> bool,
    ) -> anyhow::Result<RunId> {
        let deadline = Instant::now() + self.patience;
        let partition = self.running.partitions.first().context("no partition is followed")?;
        let mut changes = partition.changes();
        loop {
            let shown = self.with_repository(|state| {
                let run = newest(state, number, activity)?;
                let view = view::run_view(state, run);
                Some((screen.show(&view), wanted(run, &view).then(|| run.id.clone())))
            });
            if let Some((shown, done)) = shown {
                shown.context("failed to write to standard output")?;
                if let Some(run) = done {
                    return Ok(run);
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            tokio::time::timeout(left, changes.changed())
                .await
                .with_context(|| {
                    format!("the `{activity}` run did not get on within {} s", self.patience.as_secs())
                })?
                .context("the log is not followed any more")?;
        }
    }

    /// The comment once it says what the finished run is like.
    async fn final_comment(&self, number: u64, apply: &RunId) -> anyhow::Result<String> {
        let deadline = Instant::now() + self.patience;
        let partition = self.running.partitions.first().context("no partition is followed")?;
        let mut changes = partition.changes();
        loop {
            let expected = self.with_repository(|state| {
                let run = state.runs.get(apply).filter(|run| !run.is_active())?;
                let name = RepositoryName::new("acme", "landing-zone");
                let web_url = assembly::web_url(self.github.url());
                let options = CommentOptions {
                    dispatch: true,
                    repository: Some(&name),
                    web_url: &web_url,
                    now: self.running.core.clock.now(),
                };
                render(state, PrNumber(number), &run.workspace, &options)
            });
            let comments = self.repo.comments(number);
            if comments.len() > 1 {
                bail!("the pull request has {} comments instead of one", comments.len());
            }
            if let (Some(expected), Some(comment)) = (&expected, comments.first())
                && comment.body == *expected
            {
                return Ok(comment.body.clone());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            tokio::time::timeout(left, changes.changed())
                .await
                .context("the comment did not come to say how the run ended")?
                .context("the log is not followed any more")?;
        }
    }

    fn with_repository<T>(&self, read: impl FnOnce(&RepositoryState) -> Option<T>) -> Option<T> {
        let id = RepositoryId(self.repo.id());
        self.running.partitions.first()?.read(|state| state.repository(id).and_then(read))
    }

    fn count(&self) -> String {
        let dispatches = self.github.dispatches().len();
        format!("GitHub received {dispatches} dispatches")
    }
}

fn newest<'a>(state: &'a RepositoryState, number: u64, activity: &str) -> Option<&'a Run> {
    state.runs_of_pull(PrNumber(number)).into_iter().rev().find(|run| run.trigger.activity == activity)
}
