//! One test a rule.

use super::{error::Problem, *};
use secrecy::ExposeSecret as _;
use stackwave_event_log_nats::Credentials;
use std::{collections::BTreeMap, io::Write as _, path::PathBuf};

const KEY: &str = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n";

const CREDS: &str = "-----BEGIN NATS USER JWT-----\nAAAA\n------END NATS USER JWT------\n\n\
    -----BEGIN USER NKEY SEED-----\nSUAA\n------END USER NKEY SEED------\n";

/// A file that goes when it is dropped.
fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn environment(variables: &[(&str, &str)]) -> Sources {
    let environment = variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    Sources { environment, ..Sources::default() }
}

/// Without any role that needs something.
fn load(sources: &Sources) -> Result<Settings, SettingsError> {
    Settings::load(sources, &BTreeSet::from([Role::Orchestrator]))
}

/// The only problem.
fn problem(sources: &Sources) -> String {
    let error = load(sources).unwrap_err();
    assert_eq!(error.problems.len(), 1, "{error}");
    error.to_string()
}

#[test]
fn without_anything_the_defaults_count() {
    let settings = load(&Sources::default()).unwrap();
    assert_eq!(settings.http_addr.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.grpc_addr.to_string(), "127.0.0.1:8081");
    assert_eq!(settings.log.target, LogTarget::Sqlite(PathBuf::from("data/stackwave.db")));
    assert_eq!((settings.log.partitions, settings.log.nats_replicas), (1, None));
    assert!(settings.log.nats_credentials.is_none());
    assert_eq!(settings.github_api_url, "https://api.github.com");
    assert!(settings.dispatch);
    assert_eq!(settings.dispatch_grace, Duration::from_secs(60));
    assert_eq!(settings.github_writes_per_minute, None);
    assert_eq!(settings.log_format, LogFormat::Text);
    assert_eq!(settings.log_level, "info");
    assert!(settings.admin_token.is_none() && settings.bootstrap_api_key.is_none());
    assert!(settings.github_app_id.is_none() && settings.github_app_private_key.is_none());
    assert!(settings.github_webhook_secrets.is_empty());
}

#[test]
fn flags_win_over_the_environment_which_wins_over_the_file() {
    let file = file("http_addr = '1.1.1.1:1'\ngrpc_addr = '1.1.1.1:2'\ndispatch = 'off'\npartitions = 3\n");
    let mut sources =
        environment(&[("STACKWAVE_HTTP_ADDR", "2.2.2.2:1"), ("STACKWAVE_GRPC_ADDR", "2.2.2.2:2")]);
    sources.file = Some(file.path().to_owned());
    sources.flags = BTreeMap::from([("http_addr", "3.3.3.3:1".to_owned())]);
    let settings = load(&sources).unwrap();
    assert_eq!(settings.http_addr.to_string(), "3.3.3.3:1");
    assert_eq!(settings.grpc_addr.to_string(), "2.2.2.2:2");
    assert_eq!((settings.dispatch, settings.log.partitions), (false, 3));
}

#[test]
fn numbers_in_the_file_may_be_written_as_numbers() {
    let file = file("github_app_id = 123456\ngithub_writes_per_minute = 0\n");
    let settings = load(&Sources { file: Some(file.path().to_owned()), ..Sources::default() }).unwrap();
    assert_eq!(settings.github_app_id.as_deref(), Some("123456"));
    assert_eq!(settings.github_writes_per_minute, Some(0));
}

#[test]
fn a_key_of_the_file_that_is_no_setting_is_named_with_the_file() {
    let file = file("http_adr = '1.1.1.1:1'\n");
    let message = problem(&Sources { file: Some(file.path().to_owned()), ..Sources::default() });
    assert!(message.contains("`http_adr`"), "{message}");
    assert!(message.contains(&file.path().display().to_string()), "{message}");
}

#[test]
fn a_section_of_the_file_is_no_setting_either() {
    let file = file("[github]\napp_id = 1\n");
    let message = problem(&Sources { file: Some(file.path().to_owned()), ..Sources::default() });
    assert!(message.contains("`github`"), "{message}");
}

#[test]
fn a_variable_that_is_no_setting_is_named() {
    let message = problem(&environment(&[("STACKWAVE_HTTP_ADR", "1.1.1.1:1")]));
    assert!(message.contains("`STACKWAVE_HTTP_ADR`"), "{message}");
}

#[test]
fn variables_of_tests_builds_and_other_programs_are_let_be() {
    let others = environment(&[
        ("STACKWAVE_CONFIG", "x.toml"),
        ("STACKWAVE_NATS_SERVER", "nats-server"),
        ("STACKWAVE_SCHEMAS", "schemas"),
        ("STACKWAVE_REQUIRE_NATS", "1"),
        ("STACKWAVE_BUILD_COMMIT", "abc"),
        ("PATH", "/bin"),
    ]);
    assert!(load(&others).is_ok());
}

#[test]
fn an_empty_variable_counts_as_none() {
    let settings = load(&environment(&[("STACKWAVE_ADMIN_TOKEN", ""), ("STACKWAVE_HTTP_ADDR", "")])).unwrap();
    assert!(settings.admin_token.is_none());
    assert_eq!(settings.http_addr.to_string(), "127.0.0.1:8080");
}

#[test]
fn a_value_of_another_form_is_named_with_what_is_accepted() {
    for (variable, value, accepted) in [
        ("STACKWAVE_HTTP_ADDR", "8080", "IP:PORT"),
        ("STACKWAVE_GRPC_ADDR", "localhost:x", "IP:PORT"),
        ("STACKWAVE_LOG", "postgres://x", "sqlite:PATH or nats://HOST:PORT"),
        ("STACKWAVE_LOG", "sqlite:", "sqlite:PATH or nats://HOST:PORT"),
        ("STACKWAVE_LOG", "sqlite://data/x.db", "sqlite:PATH or nats://HOST:PORT"),
        ("STACKWAVE_PARTITIONS", "0", "from 1 to 64"),
        ("STACKWAVE_PARTITIONS", "65", "from 1 to 64"),
        ("STACKWAVE_NATS_REPLICAS", "0", "from 1 to 5"),
        ("STACKWAVE_NATS_REPLICAS", "6", "from 1 to 5"),
        ("STACKWAVE_GITHUB_API_URL", "api.github.com", "http or https URL"),
        ("STACKWAVE_GITHUB_APP_ID", "my app", "number or client id"),
        ("STACKWAVE_GITHUB_WRITES_PER_MINUTE", "many", "whole number"),
        ("STACKWAVE_DISPATCH", "true", "on or off"),
        ("STACKWAVE_DISPATCH_GRACE", "60", "a duration such as 60s"),
        ("STACKWAVE_DISPATCH_GRACE", "2h", "at most 1h"),
        ("STACKWAVE_LOG_FORMAT", "xml", "text or json"),
        ("STACKWAVE_LOG_LEVEL", "info,=x=", "a level"),
    ] {
        let message = problem(&environment(&[(variable, value)]));
        for part in [&format!("`{variable}` is `{value}`"), accepted] {
            assert!(message.contains(part), "{message}");
        }
    }
}

#[test]
fn a_value_is_named_where_it_was_given() {
    let file = file("dispatch = true\n");
    let message = problem(&Sources { file: Some(file.path().to_owned()), ..Sources::default() });
    assert!(message.contains("`dispatch in the configuration file` is `true`"), "{message}");
    let flags = BTreeMap::from([("dispatch", "maybe".to_owned())]);
    let message = problem(&Sources { flags, ..Sources::default() });
    assert!(message.contains("`--dispatch` is `maybe`"), "{message}");
}

#[test]
fn a_list_in_the_file_is_refused() {
    let file = file("github_webhook_secret = ['a', 'b']\n");
    let message = problem(&Sources { file: Some(file.path().to_owned()), ..Sources::default() });
    assert!(message.contains("github_webhook_secret in the configuration file"), "{message}");
    assert!(message.contains("commas"), "{message}");
}

#[test]
fn the_certificate_of_grpc_and_its_key_need_each_other() {
    let variables = [
        ("STACKWAVE_GRPC_TLS_CERT_FILE", "server.pem"),
        ("STACKWAVE_GRPC_TLS_KEY_FILE", "server.key"),
        ("STACKWAVE_GRPC_CLIENT_CA_FILE", "clients.pem"),
    ];
    assert_eq!(load(&environment(&[])).unwrap().grpc_tls, None);
    let tls = load(&environment(&variables)).unwrap().grpc_tls.unwrap();
    assert_eq!(tls.certificate, PathBuf::from("server.pem"));
    assert_eq!(tls.client_authorities, Some(PathBuf::from("clients.pem")));
    for missing in [0, 1] {
        let mut some = variables.to_vec();
        let (name, _) = some.remove(missing);
        assert!(problem(&environment(&some)).contains(name), "{name}");
    }
}

#[test]
fn a_secret_comes_from_its_variable_or_from_a_file_without_the_line_end() {
    let direct = load(&environment(&[("STACKWAVE_ADMIN_TOKEN", "t-1")])).unwrap();
    assert_eq!(direct.admin_token.unwrap().expose_secret(), "t-1");
    let file = file("t-2\n");
    let path = file.path().display().to_string();
    for (variable, read) in [
        ("STACKWAVE_ADMIN_TOKEN_FILE", (|settings| settings.admin_token) as fn(Settings) -> _),
        ("STACKWAVE_BOOTSTRAP_API_KEY_FILE", |settings| settings.bootstrap_api_key),
        ("STACKWAVE_GITHUB_WEBHOOK_SECRET_FILE", |mut settings| settings.github_webhook_secrets.pop()),
    ] {
        let settings = load(&environment(&[(variable, &path)])).unwrap();
        assert_eq!(read(settings).unwrap().expose_secret(), "t-2", "{variable}");
    }
}

#[test]
fn a_secret_and_its_file_in_one_place_contradict_each_other() {
    let file = file("t-2");
    let both = environment(&[
        ("STACKWAVE_ADMIN_TOKEN", "t-1"),
        ("STACKWAVE_ADMIN_TOKEN_FILE", &file.path().display().to_string()),
    ]);
    let message = problem(&both);
    assert!(message.contains("`STACKWAVE_ADMIN_TOKEN` and `STACKWAVE_ADMIN_TOKEN_FILE`"), "{message}");
}

#[test]
fn a_secret_of_a_later_layer_wins_however_it_is_given() {
    let secret = file("of-the-secret-file");
    let path = secret.path().display().to_string();
    let config = file("admin_token = 'of-the-config'\n");
    let mut sources = environment(&[("STACKWAVE_ADMIN_TOKEN_FILE", &path)]);
    sources.file = Some(config.path().to_owned());
    assert_eq!(load(&sources).unwrap().admin_token.unwrap().expose_secret(), "of-the-secret-file");

    let config = file(&format!("admin_token_file = '{path}'\n"));
    let mut sources = environment(&[("STACKWAVE_ADMIN_TOKEN", "of-the-environment")]);
    sources.file = Some(config.path().to_owned());
    assert_eq!(load(&sources).unwrap().admin_token.unwrap().expose_secret(), "of-the-environment");
}

#[test]
fn several_webhook_secrets_stand_between_commas_and_none_may_be_empty() {
    let settings = load(&environment(&[("STACKWAVE_GITHUB_WEBHOOK_SECRET", "old, new")])).unwrap();
    let secrets: Vec<&str> =
        settings.github_webhook_secrets.iter().map(secrecy::ExposeSecret::expose_secret).collect();
    assert_eq!(secrets, ["old", "new"]);
    let message = problem(&environment(&[("STACKWAVE_GITHUB_WEBHOOK_SECRET", "old-secret,,")]));
    assert!(message.contains("`STACKWAVE_GITHUB_WEBHOOK_SECRET`"), "{message}");
}

#[test]
fn no_message_and_no_debug_output_holds_a_secret() {
    let wrong = environment(&[
        ("STACKWAVE_ADMIN_TOKEN", "hush hush"),
        ("STACKWAVE_BOOTSTRAP_API_KEY", "hush\u{e9}"),
        ("STACKWAVE_GITHUB_WEBHOOK_SECRET", "hush,"),
        ("STACKWAVE_LOG", "nats//me:hush@nats:4222"),
    ]);
    let error = load(&wrong).unwrap_err();
    assert_eq!(error.problems.len(), 4);
    assert!(!error.to_string().contains("hush") && !format!("{error:?}").contains("hush"));

    let creds = file(&CREDS.replace("SUAA", "hush"));
    let file = file(&KEY.replace("AAAA", "hush"));
    let right = environment(&[
        ("STACKWAVE_ADMIN_TOKEN", "hush"),
        ("STACKWAVE_GITHUB_WEBHOOK_SECRET", "hush"),
        ("STACKWAVE_GITHUB_APP_PRIVATE_KEY_FILE", &file.path().display().to_string()),
        ("STACKWAVE_LOG", "nats://me:hush@nats:4222"),
        ("STACKWAVE_NATS_CREDENTIALS_FILE", &creds.path().display().to_string()),
    ]);
    assert!(!format!("{:?}", load(&right).unwrap()).contains("hush"));
}

#[test]
fn a_file_that_a_setting_names_is_read_at_once() {
    let key = file(KEY);
    let path = key.path().display().to_string();
    let settings = load(&environment(&[("STACKWAVE_GITHUB_APP_PRIVATE_KEY_FILE", &path)])).unwrap();
    assert_eq!(settings.github_app_private_key.unwrap().expose_secret(), KEY.trim());

    let message = problem(&environment(&[("STACKWAVE_GITHUB_APP_PRIVATE_KEY_FILE", "no/such/file.pem")]));
    for part in ["`STACKWAVE_GITHUB_APP_PRIVATE_KEY_FILE`", "`no/such/file.pem`", "No such file"] {
        assert!(message.contains(part), "{message}");
    }
    let other = file("-----BEGIN CERTIFICATE-----\n");
    let path = other.path().display().to_string();
    let message = problem(&environment(&[("STACKWAVE_GITHUB_APP_PRIVATE_KEY_FILE", &path)]));
    assert!(message.contains("PRIVATE KEY"), "{message}");
}

#[test]
fn what_is_set_about_nats_is_what_it_is_connected_with() {
    let creds = file(CREDS);
    let path = creds.path().display().to_string();
    let settings = load_log(&environment(&[
        ("STACKWAVE_PARTITIONS", "16"),
        ("STACKWAVE_NATS_REPLICAS", "3"),
        ("STACKWAVE_NATS_CREDENTIALS_FILE", &path),
    ]))
    .unwrap();
    let options = settings.nats_options("nats://a:4222");
    assert_eq!((options.url.as_str(), options.partitions), ("nats://a:4222", 16));
    assert_eq!(options.replicas, Some(3));
    let Credentials::Creds(held) = options.credentials else { panic!("no credentials") };
    assert_eq!(held.expose_secret(), CREDS.trim());

    let other = file("AAAA");
    let path = other.path().display().to_string();
    let message = load_log(&environment(&[("STACKWAVE_NATS_CREDENTIALS_FILE", &path)])).unwrap_err();
    assert!(message.to_string().contains("BEGIN NATS USER JWT"), "{message}");
}

#[test]
fn a_configuration_file_that_cannot_be_read_is_named() {
    let missing = Sources { file: Some(PathBuf::from("no/such.toml")), ..Sources::default() };
    assert!(problem(&missing).contains("`no/such.toml`"));
    let broken = file("http_addr = \n");
    let message = problem(&Sources { file: Some(broken.path().to_owned()), ..Sources::default() });
    assert!(message.contains(&broken.path().display().to_string()), "{message}");
}

#[test]
fn every_role_gets_what_it_needs_or_says_what_is_missing() {
    let missing = |roles: &[Role]| -> Vec<String> {
        match Settings::load(&Sources::default(), &roles.iter().copied().collect()) {
            Ok(_) => Vec::new(),
            Err(error) => error
                .problems
                .into_iter()
                .map(|problem| match problem {
                    Problem::Missing { env, .. } => env,
                    other => panic!("{other}"),
                })
                .collect(),
        }
    };
    let app = ["STACKWAVE_GITHUB_APP_ID", "STACKWAVE_GITHUB_APP_PRIVATE_KEY_FILE"];
    for role in [Role::IngestApi, Role::Orchestrator, Role::Admin] {
        assert!(missing(&[role]).is_empty(), "{role}");
    }
    assert_eq!(missing(&[Role::WebhookReceiver]), ["STACKWAVE_GITHUB_WEBHOOK_SECRET"]);
    for role in [Role::Dispatcher, Role::Commenter] {
        assert_eq!(missing(&[role]), app, "{role}");
    }
    assert_eq!(missing(&Role::ALL), ["STACKWAVE_GITHUB_WEBHOOK_SECRET", app[0], app[1]]);
}

#[test]
fn a_missing_setting_names_itself_and_says_what_to_do() {
    let error = Settings::load(&Sources::default(), &BTreeSet::from([Role::WebhookReceiver])).unwrap_err();
    let message = error.to_string();
    for part in [
        "`STACKWAVE_GITHUB_WEBHOOK_SECRET` is missing",
        "`github_webhook_secret` in the configuration file",
        "webhook-receiver",
        "STACKWAVE_GITHUB_WEBHOOK_SECRET_FILE",
    ] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let sources = environment(&[("STACKWAVE_X", "1"), ("STACKWAVE_HTTP_ADDR", "x")]);
    let error = Settings::load(&sources, &BTreeSet::from([Role::WebhookReceiver])).unwrap_err();
    assert_eq!(error.problems.len(), 3);
    assert_eq!(error.to_string().lines().count(), 4, "{error}");
}

#[test]
fn who_only_reads_the_log_needs_nothing_else() {
    let sources = environment(&[
        ("STACKWAVE_LOG", "nats://user:pass@nats:4222"),
        ("STACKWAVE_GITHUB_APP_PRIVATE_KEY_FILE", "no/such/file.pem"),
    ]);
    let LogSettings { target, .. } = load_log(&sources).unwrap();
    assert_eq!(target, LogTarget::Nats("nats://user:pass@nats:4222".to_owned()));
    assert_eq!(target.to_string(), "nats://…@nats:4222");
    assert!(load_log(&environment(&[("STACKWAVE_LOGG", "x")])).is_err());
}

/// The table of `docs/configuration.md`, as it has to be.
fn documented() -> String {
    let mut table = "| variable | in the file | flag | default | takes | what for |\n| --- | --- | --- | --- | --- | --- |\n".to_owned();
    for setting in SETTINGS {
        let flag = setting.flag().map_or_else(|| "none: a secret".to_owned(), |flag| format!("`--{flag}`"));
        let default = setting.default.map_or_else(String::new, |default| format!("`{default}`"));
        table += &format!(
            "| `{}` | `{}` | {flag} | {default} | {} | {} |\n",
            setting.env(),
            setting.key,
            setting.accepts,
            setting.about
        );
    }
    table
}

#[test]
fn the_page_about_the_configuration_lists_every_setting() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once("<!-- settings -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- /settings -->").unwrap();
    let wanted = format!("{before}<!-- settings -->\n{}<!-- /settings -->{after}", documented());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &wanted).unwrap();
    }
    assert!(
        std::env::var_os("UPDATE_DOCS").is_some() || page == wanted,
        "docs/configuration.md is not what the settings say; run `UPDATE_DOCS=1 cargo test -p stackwave`"
    );
}
