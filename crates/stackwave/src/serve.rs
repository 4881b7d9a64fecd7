//! `stackwave serve`: the roles of one process over a configured log, until a signal.

use crate::{
    assembly::{self, GitHubOptions, Options},
    cli::Role,
    config::{LogSettings, LogTarget, Settings},
};
use anyhow::Context as _;
use stackwave_admin::ServerTls;
use stackwave_event_log::EventLog;
use stackwave_event_log_nats::NatsLog;
use stackwave_event_log_sqlite::SqliteLog;
use stackwave_telemetry::Metrics;
use std::{collections::BTreeSet, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};

/// How long to wait before asking for a JetStream server again that was not there at start.
const CONNECT_AGAIN: Duration = Duration::from_secs(2);

/// Serves until the first signal, then drains; the second signal cuts.
pub(crate) async fn run(
    settings: Settings,
    roles: BTreeSet<Role>,
    metrics: Arc<Metrics>,
) -> anyhow::Result<()> {
    let http = listen_http(settings.http_addr, &roles).await?;
    let grpc = match roles.contains(&Role::Admin) {
        true => Some(listen(settings.grpc_addr, "STACKWAVE_GRPC_ADDR").await?),
        false => None,
    };
    let grpc_tls = settings
        .grpc_tls
        .map(ServerTls::load)
        .transpose()
        .context("failed to take the certificates for gRPC (STACKWAVE_GRPC_TLS_CERT_FILE)")?;
    let grpc_addr = grpc.as_ref().and_then(|listener| listener.local_addr().ok());
    let log = open_log(&settings.log).await?;
    let names: Vec<String> = roles.iter().map(ToString::to_string).collect();
    let options = Options {
        roles,
        http,
        grpc,
        admin_token: settings.admin_token,
        grpc_tls,
        read_model: settings.read_model,
        github: GitHubOptions {
            api_url: settings.github_api_url,
            app_id: settings.github_app_id,
            private_key: settings.github_app_private_key,
            writes_per_minute: settings.github_writes_per_minute,
        },
        raw_webhooks: settings.raw_webhooks,
        webhook_secrets: settings.github_webhook_secrets,
        bootstrap_api_key: settings.bootstrap_api_key,
        dispatch: settings.dispatch,
        grace: settings.dispatch_grace,
        metrics,
        metrics_token: settings.metrics_token,
    };
    // From here on a signal is never missed: a process that is asked to stop while it becomes ready drains, too.
    let mut signals = Signals::listen()?;
    let running = tokio::select! {
        running = assembly::start(log, options) => running?,
        () = signals.next() => return Ok(()),
    };
    tracing::info!(
        http.addr = %running.http_addr,
        grpc.addr = grpc_addr.map(tracing::field::display),
        roles = names.join(","),
        "serving"
    );
    let broken = running.core.shutdown.clone();
    let by_itself = tokio::select! {
        () = signals.next() => false,
        () = broken.cancelled() => true,
    };
    tracing::info!("draining; a second signal stops at once");
    tokio::spawn(async move {
        signals.next().await;
        std::process::exit(130);
    });
    running.stop().await?;
    if by_itself {
        anyhow::bail!("a part of the process ended by itself; its log above says which");
    }
    Ok(())
}

/// Where HTTP is served. Several processes of one machine have roles that nobody calls: for them a default address that
/// is taken is no reason to stop, and `/healthz` and `/readyz` are served on a free port.
async fn listen_http(addr: SocketAddr, roles: &BTreeSet<Role>) -> anyhow::Result<TcpListener> {
    const SETTING: &str = "STACKWAVE_HTTP_ADDR";
    let is_called = roles.contains(&Role::IngestApi) || roles.contains(&Role::WebhookReceiver);
    if is_called || Some(addr) != Settings::default_http_addr() {
        return listen(addr, SETTING).await;
    }
    match TcpListener::bind(addr).await {
        Ok(listener) => Ok(listener),
        Err(error) => {
            tracing::warn!(%error, http.addr = %addr, "the default address is taken; health is served on a free port");
            listen(SocketAddr::new(addr.ip(), 0), SETTING).await
        }
    }
}

async fn listen(addr: SocketAddr, setting: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(addr).await.with_context(|| format!("failed to listen on `{addr}` ({setting})"))
}

/// Opens the log. A JetStream server may start after us: it is waited for; what cannot be mended by waiting is told.
pub(crate) async fn open_log(settings: &LogSettings) -> anyhow::Result<Arc<dyn EventLog>> {
    match &settings.target {
        LogTarget::Sqlite(path) => {
            let log = SqliteLog::open(path, settings.partitions)
                .context("failed to open the event log (STACKWAVE_LOG)")?;
            Ok(log)
        }
        LogTarget::Nats(url) => loop {
            match NatsLog::connect(settings.nats_options(url)).await {
                Ok(log) => return Ok(log),
                Err(error @ stackwave_event_log::LogError::Unavailable(_)) => {
                    tracing::warn!(%error, "the JetStream server is not there yet; trying again");
                    let mut signals = Signals::listen()?;
                    tokio::select! {
                        () = tokio::time::sleep(CONNECT_AGAIN) => {},
                        () = signals.next() => anyhow::bail!("stopped before the JetStream server was reached"),
                    }
                }
                Err(error) => return Err(error).context("failed to open the event log (STACKWAVE_LOG)"),
            }
        },
    }
}

/// What asks the process to stop.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("failed to listen for SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("failed to listen for SIGINT")?,
        })
    }

    /// The next SIGTERM or Ctrl-C.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {},
            _ = self.interrupt.recv() => {},
        }
    }
}
