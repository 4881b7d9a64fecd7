//! Asks GitHub, and judges what it answers.

use crate::{Finding, app, workflows};
use stackwave_domain::{Fragment, GitRef, Timestamp};
use stackwave_github::port::{Apps, CallError, Target, Workflows};

/// Three days of deliveries can be many; the newest thousand tell how it goes.
const DELIVERY_PAGES: u32 = 10;

/// Everything about the App. `now` tells this machine's clock when asked.
pub async fn github(apps: &dyn Apps, now: impl Fn() -> Timestamp) -> Vec<Finding> {
    let facts = apps.app().await;
    let mut findings = app::judge(&facts, now());
    if facts.is_err() {
        return findings;
    }
    match apps.installations().await {
        Ok(installations) => findings.extend(app::judge_installations(&installations)),
        Err(error) => findings.push(app::unreachable("github.installations", &error)),
    }
    match apps.webhook().await {
        Ok(webhook) => findings.extend(app::judge_webhook(&webhook)),
        Err(error) => findings.push(app::unreachable("github.webhook", &error)),
    }
    match apps.deliveries(DELIVERY_PAGES).await {
        Ok(deliveries) => findings.push(app::judge_deliveries(&deliveries)),
        Err(CallError::NotFound(_)) => {
            findings.push(Finding::note("github.deliveries", "this host keeps no list of deliveries"));
        }
        Err(error) => findings.push(app::unreachable("github.deliveries", &error)),
    }
    findings
}

/// A repository to be looked at.
pub struct Repository<'a> {
    /// Where it is, and through which installation.
    pub target: Target,
    /// Its default branch.
    pub default_branch: GitRef,
    /// What its last upload said; none when there was none.
    pub upload: Option<&'a Fragment>,
}

/// The workflows that a repository's last upload would start.
pub async fn repository(apps: &dyn Apps, files: &dyn Workflows, repository: &Repository<'_>) -> Vec<Finding> {
    let name = repository.target.name.to_string();
    let Some(upload) = repository.upload else {
        return vec![
            Finding::note(
                "repository.upload",
                "no upload of it is in the log yet, so that nobody knows which workflows its stacks would start; give one \
                 with --upload, as `atmos describe affected` writes it",
            )
            .about(name),
        ];
    };
    let wanted = workflows::wanted(upload);
    if wanted.is_empty() {
        return vec![
            Finding::warning(
                "repository.upload",
                "no stack of its last upload has a workflow in `settings.pro`: nothing is ever started",
                "configure `settings.pro` in your stacks, as the example in the README shows",
            )
            .about(name),
        ];
    }
    let mut findings = Vec::new();
    for (file, wanted) in &wanted {
        let found = workflows::Found {
            state: apps.workflow_state(&repository.target, file).await,
            definition: files.definition(&repository.target, file, &repository.default_branch).await,
        };
        findings.extend(workflows::judge(&name, file, wanted, &found));
    }
    findings
}
