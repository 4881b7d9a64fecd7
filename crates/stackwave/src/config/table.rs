//! Every setting, once. Flags, environment variables, keys of the file and `docs/configuration.md` come from here.

/// One setting. Its key names it everywhere: `http_addr` in the file, `STACKWAVE_HTTP_ADDR` in the environment,
/// `--http-addr` on the command line.
#[derive(Debug)]
pub(crate) struct Setting {
    /// Its name in the file.
    pub(crate) key: &'static str,
    /// What counts when it is given nowhere.
    pub(crate) default: Option<&'static str>,
    /// What it takes, in a few words.
    pub(crate) accepts: &'static str,
    /// What it is for, in one or two sentences.
    pub(crate) about: &'static str,
    /// It is a secret itself: no flag, since arguments are seen by every user of the machine, and never in a message.
    pub(crate) secret: bool,
}

/// Where every environment variable begins.
pub(crate) const ENV_PREFIX: &str = "STACKWAVE_";

impl Setting {
    /// Its environment variable.
    pub(crate) fn env(&self) -> String {
        format!("{ENV_PREFIX}{}", self.key.to_ascii_uppercase())
    }

    /// Its flag, without the dashes in front; none for a secret.
    pub(crate) fn flag(&self) -> Option<String> {
        (!self.secret).then(|| self.key.replace('_', "-"))
    }

    /// The setting of this key.
    pub(crate) fn of_key(key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.key == key)
    }

    /// The setting of this environment variable.
    pub(crate) fn of_env(variable: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.env() == variable)
    }
}

const fn plain(
    key: &'static str,
    default: Option<&'static str>,
    accepts: &'static str,
    about: &'static str,
) -> Setting {
    Setting { key, default, accepts, about, secret: false }
}

const fn secret(key: &'static str, accepts: &'static str, about: &'static str) -> Setting {
    Setting { key, default: None, accepts, about, secret: true }
}

/// All of them, in the order in which people read them.
pub(crate) const SETTINGS: &[Setting] = &[
    plain(
        "http_addr",
        Some("127.0.0.1:8080"),
        "IP:PORT",
        "Where uploads (`/api/v1`), webhooks (`/webhooks/github`), `/healthz`, `/readyz` and `/metrics` are served.",
    ),
    plain("grpc_addr", Some("127.0.0.1:8081"), "IP:PORT", "Where the admin API is served, as gRPC."),
    plain(
        "grpc_tls_cert_file",
        None,
        "a path",
        "The certificate of the admin API as PEM, followed by those between it and its authority. With it, gRPC is \
         served with TLS only. The file is looked at every few seconds, so a renewed certificate needs no restart.",
    ),
    plain("grpc_tls_key_file", None, "a path", "The private key of that certificate, as PEM."),
    plain(
        "grpc_client_ca_file",
        None,
        "a path",
        "Authorities as PEM: whoever calls the admin API has to show a certificate of one of them (mTLS), besides a \
         token.",
    ),
    secret(
        "admin_token",
        "printable ASCII without blanks",
        "The first bearer token of the admin API, with the role admin: with it you create the others (`stackwave \
         tokens create`). Without it, and without others, every call but health and reflection is refused.",
    ),
    plain("admin_token_file", None, "a path", "A file that holds `admin_token`."),
    plain(
        "log",
        Some("sqlite:data/stackwave.db"),
        "sqlite:PATH or nats://HOST:PORT",
        "The event log: a SQLite file for one process (a relative path begins at the working directory; folders are \
         made), or NATS JetStream (several servers with commas between them; `tls://` for TLS).",
    ),
    plain(
        "partitions",
        Some("1"),
        "a whole number from 1 to 64",
        "How many partitions a new event log has. An existing log keeps the number that it was made with, and another \
         one here is refused.",
    ),
    plain(
        "nats_replicas",
        None,
        "a whole number from 1 to 5",
        "On how many servers JetStream keeps each record: 3 in production. It is raised on an existing log, never \
         lowered. By default an existing log stays as it is, and a new one has 1.",
    ),
    plain(
        "nats_credentials_file",
        None,
        "a path",
        "A `.creds` file with the JWT and the key of your NATS user. A user with a password, or a token, stand in `log` \
         instead: `nats://USER:PASSWORD@HOST:PORT`, `nats://TOKEN@HOST:PORT`.",
    ),
    plain(
        "read_model",
        None,
        "a path, or off",
        "The SQLite file behind the lists of the admin API, which is made and kept by itself, from the event log. By default \
         `read-model.db` beside a SQLite log, else in `data`; if another process has it, `read-model.2.db`, and so on.",
    ),
    plain(
        "github_api_url",
        Some("https://api.github.com"),
        "an http or https URL",
        "GitHub's REST API: `https://api.SUBDOMAIN.ghe.com` or `https://HOST/api/v3` for an Enterprise.",
    ),
    plain("github_app_id", None, "the App's number or client id", "Your GitHub App."),
    plain(
        "github_app_private_key_file",
        None,
        "a path",
        "A file with the private key of your GitHub App, as PEM, as GitHub hands it out.",
    ),
    secret(
        "github_webhook_secret",
        "one or more texts with commas between them",
        "The webhook secret of your GitHub App. Several, while you change it: each of them is accepted.",
    ),
    plain("github_webhook_secret_file", None, "a path", "A file that holds `github_webhook_secret`."),
    plain(
        "github_writes_per_minute",
        None,
        "a whole number; 0 = no pacing",
        "How many writes a minute one installation takes. By default the host decides: 150 at github.com, no pacing \
         at an Enterprise Server.",
    ),
    secret(
        "bootstrap_api_key",
        "printable ASCII without blanks",
        "An API key for the workspace `default`, registered at start; only its hash is kept. Your workflows send it as \
         `ATMOS_PRO_TOKEN`.",
    ),
    plain("bootstrap_api_key_file", None, "a path", "A file that holds `bootstrap_api_key`."),
    plain(
        "dispatch",
        Some("on"),
        "on or off",
        "`off` decides and comments, but starts no workflow: for trying Stackwave beside what you have.",
    ),
    plain(
        "dispatch_grace",
        Some("60s"),
        "a duration such as 60s or 2m, at most 1h",
        "How long GitHub's list is searched for a dispatch whose answer was lost, before it is sent again. GitHub lists late: below 20s a run may be started twice.",
    ),
    plain(
        "raw_webhooks",
        Some("off"),
        "off, or a duration from 1m to 30d such as 72h",
        "How long raw bodies of GitHub's webhooks are kept aside, for people; `stackwave log deliveries` shows them. Best \
         effort: nothing is folded from them, and a body over 768 KiB is left out.",
    ),
    plain(
        "log_format",
        Some("text"),
        "text or json",
        "How the process writes its own log, on standard error.",
    ),
    plain(
        "log_level",
        Some("info"),
        "a level, or directives such as info,stackwave_dispatcher=debug",
        "How much of it.",
    ),
    plain(
        "otlp_endpoint",
        None,
        "an http or https URL",
        "The base URL of an OpenTelemetry collector, to which traces are sent over OTLP/HTTP: `http://127.0.0.1:4318`. \
         `OTEL_EXPORTER_OTLP_ENDPOINT` and OpenTelemetry's other variables count where this is not set. Without either \
         nothing is sent.",
    ),
    plain(
        "otlp_sample_ratio",
        Some("1"),
        "a number from 0 to 1",
        "Which part of all traces is sent. Whether a trace is follows from its id, so all processes send the same ones.",
    ),
    secret(
        "metrics_token",
        "printable ASCII without blanks",
        "The bearer token of `/metrics`. Without it `/metrics` is open, as `/healthz` and `/readyz` are.",
    ),
    plain("metrics_token_file", None, "a path", "A file that holds `metrics_token`."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_names_that_are_promised_to_operators_exist() {
        for variable in [
            "STACKWAVE_HTTP_ADDR",
            "STACKWAVE_GRPC_ADDR",
            "STACKWAVE_ADMIN_TOKEN",
            "STACKWAVE_LOG",
            "STACKWAVE_GITHUB_API_URL",
            "STACKWAVE_GITHUB_APP_ID",
            "STACKWAVE_GITHUB_APP_PRIVATE_KEY_FILE",
            "STACKWAVE_GITHUB_WEBHOOK_SECRET",
            "STACKWAVE_GITHUB_WEBHOOK_SECRET_FILE",
            "STACKWAVE_BOOTSTRAP_API_KEY",
            "STACKWAVE_DISPATCH",
            "STACKWAVE_DISPATCH_GRACE",
            "STACKWAVE_GITHUB_WRITES_PER_MINUTE",
        ] {
            assert!(Setting::of_env(variable).is_some(), "{variable}");
        }
    }

    #[test]
    fn no_key_occurs_twice_and_every_secret_can_come_from_a_file() {
        let keys: BTreeSet<&str> = SETTINGS.iter().map(|setting| setting.key).collect();
        assert_eq!(keys.len(), SETTINGS.len());
        for setting in SETTINGS.iter().filter(|setting| setting.secret) {
            assert!(keys.contains(format!("{}_file", setting.key).as_str()), "{}", setting.key);
            assert_eq!(setting.flag(), None);
        }
    }
}
