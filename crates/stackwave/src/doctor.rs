//! `stackwave doctor`: gathers what can be known of an installation and prints what is wrong with it. What is judged,
//! and how, stands in the crate `stackwave-doctor`.

mod event_log;
mod settings;

use self::event_log::Known;
use crate::{
    assembly::{self, GitHubOptions},
    cli::{DoctorFormat, DoctorOptions, Role},
    config::{Settings, Sources},
};
use anyhow::Context as _;
use stackwave_doctor::{Finding, Level, Report, gather};
use stackwave_domain::{Fragment, RepositoryName};
use stackwave_github::port::{CallError, Repositories as _, Target};
use stackwave_github_client::GitHubClient;
use stackwave_ingest_api::parse::{Limits, parse_affected};
use stackwave_runtime::{Clock as _, SystemClock};
use std::{
    collections::BTreeMap,
    io::{self, Write as _},
    sync::Arc,
};

/// Looks at everything, prints, and fails when there is a problem.
pub(crate) async fn run(options: DoctorOptions) -> anyhow::Result<()> {
    let upload = options.upload.as_deref().map(read_upload).transpose()?;
    let flags = options.log.iter().map(|log| ("log", log.clone())).collect::<BTreeMap<_, _>>();
    let sources = Sources::of_process(options.config.config.clone(), flags);

    let clock = Arc::new(SystemClock::default());
    let mut report = Report::default();
    let roles = Role::ALL.into();
    let loaded = Settings::load(&sources, &roles);
    report.add(settings::judge(&loaded));
    let known = match crate::config::load_log(&sources) {
        Ok(log) => {
            let (findings, known) = event_log::examine(&log, || clock.now()).await;
            report.add(findings);
            known
        }
        // Said with the other settings.
        Err(_) => None,
    };
    match &loaded {
        Ok(settings) if !options.offline => {
            let client = client(settings, Arc::clone(&clock))?;
            let app = gather::github(&client, || clock.now()).await;
            let signed_in =
                app.iter().any(|finding| finding.check == "github.app" && finding.level == Level::Ok);
            report.add(app);
            // Otherwise each repository would repeat why not.
            report.add(match signed_in {
                true => repositories(&client, &options.repositories, upload.as_ref(), known.as_ref()).await,
                false => {
                    vec![Finding::note("repository.workflow", "not looked at: GitHub did not answer the App")]
                }
            });
        }
        Ok(_) | Err(_) => report.add([Finding::note("github.app", "GitHub was not asked")]),
    }
    print(&report, options.output)?;
    match report.count(Level::Problem) {
        0 => Ok(()),
        count => anyhow::bail!("{count} problem{} found", if count == 1 { " was" } else { "s were" }),
    }
}

fn print(report: &Report, format: DoctorFormat) -> anyhow::Result<()> {
    let text = match format {
        DoctorFormat::Table => report.text(),
        DoctorFormat::Json => format!("{}\n", serde_json::to_string_pretty(report)?),
    };
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

fn read_upload(path: &std::path::Path) -> anyhow::Result<Fragment> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    parse_affected(&bytes, Limits::default()).with_context(|| format!("`{}` is no upload", path.display()))
}

fn client(settings: &Settings, clock: Arc<SystemClock>) -> anyhow::Result<GitHubClient> {
    let options = GitHubOptions {
        api_url: settings.github_api_url.clone(),
        app_id: settings.github_app_id.clone(),
        private_key: settings.github_app_private_key.clone(),
        writes_per_minute: settings.github_writes_per_minute,
    };
    assembly::github_client(Arc::new(move || clock.now()), &options, None)
}

/// The workflows of the repositories that were named, or else of all that the log knows.
async fn repositories(
    client: &GitHubClient,
    named: &[RepositoryName],
    upload: Option<&Fragment>,
    known: Option<&Known>,
) -> Vec<Finding> {
    let all = || known.iter().flat_map(|known| known.names()).collect();
    let wanted: Vec<RepositoryName> = if named.is_empty() { all() } else { named.to_vec() };
    if wanted.is_empty() {
        return vec![Finding::note(
            "repository.workflow",
            "no repository is known yet; name one with --repository",
        )];
    }
    let mut findings = Vec::new();
    for name in wanted {
        findings.extend(repository(client, &name, upload, known).await);
    }
    findings
}

async fn repository(
    client: &GitHubClient,
    name: &RepositoryName,
    upload: Option<&Fragment>,
    known: Option<&Known>,
) -> Vec<Finding> {
    const CHECK: &str = "repository.installation";
    let found = match client.by_name(name).await {
        Ok(found) => found,
        Err(CallError::NotFound(_)) => {
            let missing = Finding::problem(
                CHECK,
                "the App is not installed in it, or there is no such repository",
                "add the repository to the App's installation, under \"Installed GitHub Apps\" of its owner",
            );
            return vec![missing.about(name.to_string())];
        }
        Err(error) => {
            return vec![
                stackwave_doctor::app::unreachable_repository(CHECK, &error).about(name.to_string()),
            ];
        }
    };
    let last = match (upload, known) {
        (None, Some(known)) => known.last_upload(found.id).await,
        (Some(_), _) | (None, None) => Ok(None),
    };
    let last = match last {
        Ok(last) => last,
        Err(error) => {
            let unread = Finding::problem(
                "repository.upload",
                format!("its last upload cannot be read: {error}"),
                "see what `stackwave log show --repository` says of it",
            );
            return vec![unread.about(name.to_string())];
        }
    };
    let repository = gather::Repository {
        target: Target { id: found.id, name: found.name, installation: found.installation },
        default_branch: found.default_branch,
        upload: upload.or(last.as_ref()),
    };
    gather::repository(client, client, &repository).await
}
