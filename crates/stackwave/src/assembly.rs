//! Puts the roles of one process together: one follower and one state a partition, shared by all of them.
//!
//! `serve` calls it with what is configured, `demo` with a simulated GitHub; there is no other wiring.

mod admin;
mod drain;
mod observe;
mod replicas;

use crate::{cli::Role, health};
use anyhow::Context as _;
use axum::{Router, ServiceExt, extract::Request, middleware, serve::ListenerExt as _};
use secrecy::SecretString;
use stackwave_domain::{StreamId, Subject, WorkspaceId, event::ApiKeyRegistered};
use stackwave_event_log::EventLog;
use stackwave_github::{signature::Secrets, webhook::Own};
use stackwave_github_client::{ClientConfig, ExchangeObserver, GitHubClient};
use stackwave_read_model::{Place, ReadModel};
use stackwave_runtime::{
    Acting, Actor, ConfigView, Core, Health, Ids, Observer, PartitionOptions, PartitionView, SystemClock,
    partition, registry,
};
use stackwave_telemetry::{FoldObserver, Metrics, ObservedLog, log::OwnRecords};
use std::{collections::BTreeSet, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::util::MapRequest;

/// What the roles are started with.
pub(crate) struct Options {
    /// Which roles this process has.
    pub(crate) roles: BTreeSet<Role>,
    /// Where HTTP is served.
    pub(crate) http: TcpListener,
    /// Where gRPC is served; only with the role `admin`.
    pub(crate) grpc: Option<TcpListener>,
    /// What opens the admin API.
    pub(crate) admin_token: Option<SecretString>,
    /// The certificates of the admin API; none serves plain text.
    pub(crate) grpc_tls: Option<stackwave_admin::ServerTls>,
    /// Where the read model behind the admin API's lists is kept.
    pub(crate) read_model: Place,
    /// GitHub's REST API and how to sign in.
    pub(crate) github: GitHubOptions,
    /// How long raw bodies of webhooks are kept aside; none = they are not.
    pub(crate) raw_webhooks: Option<Duration>,
    /// Secrets that may sign webhooks.
    pub(crate) webhook_secrets: Vec<SecretString>,
    /// A key to register for the workspace `default`.
    pub(crate) bootstrap_api_key: Option<SecretString>,
    /// Whether workflows are started.
    pub(crate) dispatch: bool,
    /// How long a dispatch without an answer is searched for.
    pub(crate) grace: Duration,
    /// What is counted.
    pub(crate) metrics: Arc<Metrics>,
    /// What opens `/metrics`; without it, it is open.
    pub(crate) metrics_token: Option<SecretString>,
}

/// How GitHub is reached.
pub(crate) struct GitHubOptions {
    pub(crate) api_url: String,
    pub(crate) app_id: Option<String>,
    pub(crate) private_key: Option<SecretString>,
    pub(crate) writes_per_minute: Option<u32>,
}

/// A process that serves.
pub(crate) struct Running {
    /// Where HTTP is served.
    pub(crate) http_addr: SocketAddr,
    /// The shared parts.
    pub(crate) core: Core,
    /// The folded partitions.
    pub(crate) partitions: Vec<PartitionView>,
    servers: Vec<JoinHandle<anyhow::Result<()>>>,
}

/// Where GitHub's pages are, for links to workflow runs that no webhook has told of: beside the API on github.com and
/// `*.ghe.com`, above it on an Enterprise Server (GitHub Docs, "Getting started with the REST API").
pub(crate) fn web_url(api_url: &str) -> String {
    if let Some(host) = api_url.strip_prefix("https://api.") {
        return format!("https://{}", host.trim_end_matches('/'));
    }
    api_url.trim_end_matches('/').trim_end_matches("/api/v3").to_owned()
}

/// How long a drain may take: longer than any request to GitHub.
const DRAIN: Duration = Duration::from_secs(15);

/// Starts every role, and returns once HTTP is served.
pub(crate) async fn start(log: Arc<dyn EventLog>, options: Options) -> anyhow::Result<Running> {
    let (log, own) = ObservedLog::new(log, Arc::clone(&options.metrics));
    let log: Arc<dyn EventLog> = log;
    let health = Health::default();
    let shutdown = CancellationToken::new();
    let config = ConfigView::start(Arc::clone(&log), &health, shutdown.clone())
        .await
        .context("failed to read the configuration stream of the event log")?;
    let core = Core {
        log,
        clock: Arc::new(SystemClock::default()),
        ids: Ids::default(),
        health,
        config,
        shutdown,
        tasks: TaskTracker::new(),
    };
    register_bootstrap_key(&core, options.bootstrap_api_key.as_ref()).await?;
    let exchanges = Arc::new(observe::Exchanges(Arc::clone(&options.metrics)));
    let github = Arc::new(github_client(system_time(&core), &options.github, Some(exchanges))?);

    let acting = replicas::take_part(&core, &options.roles, &github);
    let read_model = open_read_model(&core, &options).await?;
    let partitions = start_partitions(&core, &options, &github, &acting, &own, &read_model);
    if options.roles.contains(&Role::Dispatcher) {
        let ports = dispatcher_ports(&github);
        tokio::spawn(stackwave_dispatcher::installations::run(core.clone(), ports.clone()));
        core.tasks.spawn(stackwave_dispatcher::pending::run(core.clone(), ports));
    }
    tokio::spawn(health::watch_log(core.clone()));

    let http_addr = options.http.local_addr().context("failed to read the HTTP listener's address")?;
    let sampler = observe::sampler(&core, &options, &partitions, &acting, &github, &read_model);
    tokio::spawn(Arc::clone(&sampler).run());
    let router = http_router(&core, &options, &github)?;
    let metrics = stackwave_telemetry::http::router(
        Arc::clone(&options.metrics),
        sampler,
        options.metrics_token.clone(),
    );
    let router = stackwave_telemetry::http::observe(router.merge(metrics), Arc::clone(&options.metrics));
    let sources = admin::sources(&core, &options, &github, &acting, read_model);
    let mut servers = vec![tokio::spawn(serve_http(core.clone(), router, options.http))];
    if let Some(listener) = options.grpc {
        let config = stackwave_admin::Config {
            token: options.admin_token,
            tls: options.grpc_tls,
            metrics: Some(options.metrics),
        };
        let (core, partitions) = (core.clone(), partitions.clone());
        servers.push(tokio::spawn(async move {
            stackwave_admin::serve(core, config, sources, partitions, listener)
                .await
                .context("failed to serve gRPC")
        }));
    }
    Ok(Running { http_addr, core, partitions, servers })
}

impl Running {
    /// Drains: takes nothing new, ends what is under way, and returns.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.core.shutdown.cancel();
        self.core.tasks.close();
        let drained = tokio::time::timeout(DRAIN, async {
            self.core.tasks.wait().await;
            for server in self.servers {
                server.await.context("a server task ended badly")??;
            }
            anyhow::Ok(())
        });
        drained.await.unwrap_or_else(|_| {
            tracing::warn!(
                "not everything ended within {} s; what is open is taken up at the next start",
                DRAIN.as_secs()
            );
            Ok(())
        })
    }
}

/// Lists are asked of the admin API only.
async fn open_read_model(core: &Core, options: &Options) -> anyhow::Result<ReadModel> {
    let place = match options.roles.contains(&Role::Admin) {
        true => options.read_model.clone(),
        false => Place::Off,
    };
    ReadModel::open(core, &place).await.context("failed to open the read model (STACKWAVE_READ_MODEL)")
}

async fn register_bootstrap_key(core: &Core, key: Option<&SecretString>) -> anyhow::Result<()> {
    let Some(key) = key else { return Ok(()) };
    let hash = stackwave_auth::hash_api_key(key);
    if core.config.read(|config| config.api_key(&hash).is_some()) {
        return Ok(());
    }
    let credential = format!("bootstrap-{}", hash.prefix(12));
    let registered = ApiKeyRegistered {
        credential: credential.as_str().into(),
        workspace: WorkspaceId::default_workspace(),
        name: "bootstrap".to_owned(),
        hash,
        at: core.clock.now(),
        expires_at: None,
    };
    let subject = Subject::config("api_key", &credential);
    let position = registry::register(core, "admin", subject, registered.into())
        .await
        .context("failed to register the bootstrap API key")?;
    core.config.wait_for(position).await;
    Ok(())
}

fn system_time(core: &Core) -> stackwave_github_client::Clock {
    let clock = Arc::clone(&core.clock);
    Arc::new(move || clock.now())
}

/// The client of GitHub's REST API, signed in as the App.
pub(crate) fn github_client(
    clock: stackwave_github_client::Clock,
    options: &GitHubOptions,
    observer: Option<Arc<dyn ExchangeObserver>>,
) -> anyhow::Result<GitHubClient> {
    let mut config = ClientConfig::new(options.api_url.clone(), clock);
    config.app_id.clone_from(&options.app_id);
    config.private_key.clone_from(&options.private_key);
    config.writes_per_minute = options.writes_per_minute;
    config.observer = observer;
    GitHubClient::new(config).context("failed to set up the GitHub client")
}

fn dispatcher_ports(github: &Arc<GitHubClient>) -> stackwave_dispatcher::GitHub {
    stackwave_dispatcher::GitHub {
        dispatches: Arc::clone(github) as _,
        workflows: Arc::clone(github) as _,
        runs: Arc::clone(github) as _,
        cancels: Arc::clone(github) as _,
        pulls: Arc::clone(github) as _,
        repositories: Arc::clone(github) as _,
    }
}

/// Follows every partition, with the actors that this process has.
fn start_partitions(
    core: &Core,
    options: &Options,
    github: &Arc<GitHubClient>,
    acting: &Acting,
    own: &OwnRecords,
    read_model: &ReadModel,
) -> Vec<PartitionView> {
    let roles = &options.roles;
    let followed = [Role::Orchestrator, Role::Dispatcher, Role::Commenter, Role::Admin];
    if !followed.iter().any(|role| roles.contains(role)) {
        return Vec::new();
    }
    (0..core.log.partitions())
        .map(|number| {
            let mut actors: Vec<Box<dyn Actor>> = Vec::new();
            let mut slot = None;
            if roles.contains(&Role::Orchestrator) {
                actors.push(stackwave_orchestrator::actor(core.clone()));
            }
            if roles.contains(&Role::Dispatcher) {
                let config = stackwave_dispatcher::Config { enabled: options.dispatch, grace: options.grace };
                let (actor, view) =
                    stackwave_dispatcher::actor(core.clone(), dispatcher_ports(github), config);
                actors.push(actor);
                slot = Some(view);
            }
            if roles.contains(&Role::Commenter) {
                let config = stackwave_commenter::Config {
                    dispatch: options.dispatch,
                    web_url: web_url(&options.github.api_url),
                    ..Default::default()
                };
                actors.push(stackwave_commenter::actor(core.clone(), Arc::clone(github) as _, config));
            }
            let stream = StreamId::Partition(number);
            let mut observers = vec![fold_observer(core, options, acting, own, stream)];
            observers.extend(read_model.observer());
            let asked = PartitionOptions { actors, observers, acting: acting.clone(), ..Default::default() };
            let (view, task) = partition::start(core.clone(), stream, asked);
            tokio::spawn(watch_task(core.clone(), number, task));
            if let Some(slot) = slot {
                slot.set(view.clone());
            }
            view
        })
        .collect()
}

/// What happened at GitHub is told by the process that dispatches for the partition.
fn fold_observer(
    core: &Core,
    options: &Options,
    acting: &Acting,
    own: &OwnRecords,
    stream: StreamId,
) -> Box<dyn Observer> {
    let (dispatches, acting) = (options.roles.contains(&Role::Dispatcher), acting.clone());
    let acts = move || dispatches && acting.acts(stackwave_dispatcher::ROLE, stream);
    Box::new(FoldObserver::new(Arc::clone(&options.metrics), Arc::clone(&core.clock), own.clone(), acts))
}

/// A partition's loop ends only when the process drains. If it ends otherwise, nothing would be decided any more while
/// everything looked well: the process stops, and whoever runs it starts it anew.
async fn watch_task(core: Core, number: u16, task: JoinHandle<()>) {
    let ended = task.await;
    if !core.shutdown.is_cancelled() {
        tracing::error!(partition = number, ended = ?ended, "the loop of a partition ended; the process stops");
        core.health.not_ready("process", "the loop of a partition ended");
        core.shutdown.cancel();
    }
}

fn http_router(core: &Core, options: &Options, github: &Arc<GitHubClient>) -> anyhow::Result<Router> {
    let mut router = health::router(core.health.clone());
    if options.roles.contains(&Role::IngestApi) {
        let can_ask = options.github.app_id.is_some() && options.github.private_key.is_some();
        let repositories = can_ask.then(|| Arc::clone(github) as _);
        let config = stackwave_ingest_api::Config::default();
        router = router.merge(stackwave_ingest_api::router(core.clone(), config, repositories));
    }
    if options.roles.contains(&Role::WebhookReceiver) {
        let secrets = Secrets::new(options.webhook_secrets.clone())
            .context("failed to take the webhook secrets (STACKWAVE_GITHUB_WEBHOOK_SECRET)")?;
        let mut config = stackwave_webhook_receiver::Config::new(secrets);
        config.keep_raw = options.raw_webhooks;
        config.own = Own::new(options.github.app_id.as_deref());
        router = router.merge(stackwave_webhook_receiver::router(core.clone(), config));
    }
    Ok(router.layer(middleware::from_fn(drain::rest_of_the_body)))
}

async fn serve_http(core: Core, router: Router, listener: TcpListener) -> anyhow::Result<()> {
    let app = MapRequest::new(router, stackwave_ingest_api::normalize_slashes);
    // An answer must not wait for the acknowledgement of the one before; a connection that is gone needs nothing.
    let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
    axum::serve(listener, ServiceExt::<Request>::into_make_service(app))
        .with_graceful_shutdown(core.shutdown.cancelled_owned())
        .await
        .context("failed to serve HTTP")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_lie_beside_the_api_or_above_it() {
        assert_eq!(web_url("https://api.github.com"), "https://github.com");
        assert_eq!(web_url("https://api.acme.ghe.com/"), "https://acme.ghe.com");
        assert_eq!(web_url("https://github.acme.test/api/v3"), "https://github.acme.test");
    }
}
