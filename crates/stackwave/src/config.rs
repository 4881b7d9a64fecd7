//! The configuration: one typed struct out of defaults, a file, the environment and flags, in that order.
//!
//! `table` names every setting once, `layers` merges where they come from, `value` reads each text, `error` says what
//! is wrong. An unknown key or value is an error, never a default.

mod error;
mod layers;
mod log;
mod reader;
mod remote;
mod table;
mod value;

pub(crate) use self::{
    error::{Problem, SettingsError},
    layers::Sources,
    log::{LogSettings, LogTarget},
    remote::load as load_remote,
    table::{SETTINGS, Setting},
    value::LogFormat,
};

use self::reader::Reader;
use crate::cli::Role;
use secrecy::SecretString;
use stackwave_admin::TlsFiles;
use stackwave_read_model::Place;
use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

/// What `serve` runs with. Each field is a setting of the table; files that settings name have been read.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Where HTTP is served.
    pub(crate) http_addr: SocketAddr,
    /// Where gRPC is served.
    pub(crate) grpc_addr: SocketAddr,
    /// The certificates with which gRPC is served; none serves plain text.
    pub(crate) grpc_tls: Option<TlsFiles>,
    /// What opens the admin API; without it, it stays closed.
    pub(crate) admin_token: Option<SecretString>,
    /// The event log.
    pub(crate) log: LogSettings,
    /// The read model behind the lists of the admin API.
    pub(crate) read_model: Place,
    /// GitHub's REST API, without a slash at the end.
    pub(crate) github_api_url: String,
    /// The App's number or client id.
    pub(crate) github_app_id: Option<String>,
    /// The App's private key, as PEM.
    pub(crate) github_app_private_key: Option<SecretString>,
    /// Every secret with which a webhook may be signed; at least one when webhooks are received.
    pub(crate) github_webhook_secrets: Vec<SecretString>,
    /// Writes a minute and installation; 0 = no pacing, none = by host.
    pub(crate) github_writes_per_minute: Option<u32>,
    /// A key to register for the workspace `default`.
    pub(crate) bootstrap_api_key: Option<SecretString>,
    /// How long raw bodies of webhooks are kept aside; none = they are not.
    pub(crate) raw_webhooks: Option<Duration>,
    /// Whether workflows are started.
    pub(crate) dispatch: bool,
    /// How long a dispatch without an answer is searched for.
    pub(crate) dispatch_grace: Duration,
    /// How the process writes its own log.
    pub(crate) log_format: LogFormat,
    /// How much of it: directives of `tracing_subscriber::EnvFilter`.
    pub(crate) log_level: String,
    /// Where traces are sent.
    pub(crate) otlp_endpoint: Option<String>,
    /// Which part of them, from 0 to 1.
    pub(crate) otlp_sample_ratio: f64,
    /// What opens `/metrics`; without it, it is open.
    pub(crate) metrics_token: Option<SecretString>,
}

impl Settings {
    /// Where HTTP is served when nobody says.
    pub(crate) fn default_http_addr() -> Option<SocketAddr> {
        SETTINGS.iter().find(|setting| setting.key == "http_addr")?.default?.parse().ok()
    }

    /// Merges and reads all settings, and checks that these roles have what they need.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub(crate) fn load(sources: &Sources, roles: &BTreeSet<Role>) -> Result<Self, SettingsError> {
        let mut reader = Reader::new(sources);
        let settings = Self::read(&mut reader, roles);
        reader.conclude(settings)
    }

    fn read(reader: &mut Reader, roles: &BTreeSet<Role>) -> Option<Self> {
        let http_addr = reader.value("http_addr", value::address);
        let grpc_addr = reader.value("grpc_addr", value::address);
        let grpc_tls = read_grpc_tls(reader);
        let admin_token = reader.secret("admin_token", "admin_token_file", value::bearer);
        let log = LogSettings::read(reader);
        let read_model = reader.value("read_model", value::read_model);
        let github_api_url = reader.value("github_api_url", value::url);
        let github_app_id = reader.value("github_app_id", value::app_id);
        let key_form = "a private key as PEM (`-----BEGIN … PRIVATE KEY-----`)";
        let github_app_private_key =
            reader.content("github_app_private_key_file", key_form, value::private_key);
        let webhook_secrets =
            reader.secret("github_webhook_secret", "github_webhook_secret_file", value::secrets);
        let github_writes_per_minute = reader.value("github_writes_per_minute", value::count);
        let raw_webhooks = reader.value("raw_webhooks", value::raw_webhooks);
        let bootstrap_api_key = reader.secret("bootstrap_api_key", "bootstrap_api_key_file", value::bearer);
        let dispatch = reader.value("dispatch", value::switch);
        let dispatch_grace = reader.value("dispatch_grace", value::grace);
        let log_format = reader.value("log_format", value::log_format);
        let log_level = reader.value("log_level", value::log_level);
        let otlp_endpoint = reader.value("otlp_endpoint", value::url);
        let otlp_sample_ratio = reader.value("otlp_sample_ratio", value::ratio);
        let metrics_token = reader.secret("metrics_token", "metrics_token_file", value::bearer);
        need_for_roles(reader, roles);
        // Settings with a default are there unless a problem was noted.
        Some(Self {
            http_addr: http_addr?,
            grpc_addr: grpc_addr?,
            grpc_tls,
            admin_token,
            read_model: read_model
                .unwrap_or_else(|| log.as_ref().map_or(Place::Off, LogSettings::read_model)),
            log: log?,
            github_api_url: github_api_url?,
            github_app_id,
            github_app_private_key,
            github_webhook_secrets: webhook_secrets.unwrap_or_default(),
            github_writes_per_minute,
            bootstrap_api_key,
            raw_webhooks: raw_webhooks?,
            dispatch: dispatch?,
            dispatch_grace: dispatch_grace?,
            log_format: log_format?,
            log_level: log_level?,
            otlp_endpoint,
            otlp_sample_ratio: otlp_sample_ratio?,
            metrics_token,
        })
    }
}

/// The files of the admin API's certificates; a certificate and its key need each other.
fn read_grpc_tls(reader: &mut Reader) -> Option<TlsFiles> {
    let certificate = reader.value("grpc_tls_cert_file", value::path);
    let key = reader.value("grpc_tls_key_file", value::path);
    let client_authorities = reader.value("grpc_client_ca_file", value::path);
    if certificate.is_none() && key.is_none() && client_authorities.is_none() {
        return None;
    }
    reader.need(
        &["grpc_tls_cert_file"],
        "gRPC is served with TLS once one of its certificate settings is given",
        "set it to the path of the server's certificate as PEM",
    );
    reader.need(
        &["grpc_tls_key_file"],
        "gRPC is served with TLS once one of its certificate settings is given",
        "set it to the path of the certificate's private key as PEM",
    );
    Some(TlsFiles { certificate: certificate?, key: key?, client_authorities })
}

/// Notes what a role cannot do without.
fn need_for_roles(reader: &mut Reader, roles: &BTreeSet<Role>) {
    if roles.contains(&Role::WebhookReceiver) {
        reader.need(
            &["github_webhook_secret", "github_webhook_secret_file"],
            "webhook-receiver checks with it that a webhook comes from GitHub",
            "set it to the webhook secret of your GitHub App, or name a file that holds it with \
             STACKWAVE_GITHUB_WEBHOOK_SECRET_FILE",
        );
    }
    if roles.contains(&Role::Dispatcher) || roles.contains(&Role::Commenter) {
        reader.need(
            &["github_app_id"],
            "dispatcher and commenter act at GitHub as your App",
            "set it to the App ID that the settings page of your GitHub App shows",
        );
        reader.need(
            &["github_app_private_key_file"],
            "dispatcher and commenter sign in at GitHub with it",
            "make a private key on the settings page of your GitHub App and set this to the file's path",
        );
    }
}

/// The event log alone, for commands that only read it: nothing else has to be complete.
///
/// # Errors
/// Everything that is wrong with the layers or with these settings.
pub(crate) fn load_log(sources: &Sources) -> Result<LogSettings, SettingsError> {
    let mut reader = Reader::new(sources);
    let log = LogSettings::read(&mut reader);
    reader.conclude(log)
}

#[cfg(test)]
mod tests;
