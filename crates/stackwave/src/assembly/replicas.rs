//! Several processes over one log: which of them acts for a partition, and what each may write to GitHub.

use crate::cli::Role;
use stackwave_github_client::GitHubClient;
use stackwave_runtime::{Acting, Core};
use std::{collections::BTreeSet, sync::Arc};

/// The roles whose work is spread by leases. Uploads, webhooks and questions are answered by every process.
const ACTING: [Role; 3] = [Role::Orchestrator, Role::Dispatcher, Role::Commenter];
/// Those of them that write to GitHub.
const WRITING: [Role; 2] = [Role::Dispatcher, Role::Commenter];

/// Joins the processes that share the partitions, and keeps to this process's share of the budget.
pub(super) fn take_part(core: &Core, roles: &BTreeSet<Role>, github: &Arc<GitHubClient>) -> Acting {
    let ours = |among: &[Role]| -> Vec<String> {
        among.iter().filter(|role| roles.contains(role)).map(ToString::to_string).collect()
    };
    let names = ours(&ACTING);
    if names.is_empty() {
        return Acting::always();
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let acting = Acting::start(core, &names, &about());
    if !ours(&WRITING).is_empty() && !core.log.is_exclusive() {
        tokio::spawn(keep_to_share(acting.clone(), Arc::clone(github)));
    }
    acting
}

/// The budget is one an App and installation: each process takes as much of it as it has of the work.
async fn keep_to_share(acting: Acting, github: Arc<GitHubClient>) {
    let mut changes = acting.changes();
    let writing = WRITING.map(|role| role.to_string());
    let writing = writing.each_ref().map(String::as_str);
    loop {
        github.set_share(acting.share(&writing));
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// What people see of this process beside its id.
fn about() -> String {
    let host = std::env::var("HOSTNAME").ok().filter(|host| !host.is_empty());
    let host = host.or_else(|| {
        let name = std::fs::read_to_string("/etc/hostname").ok()?;
        Some(name.trim().to_owned()).filter(|name| !name.is_empty())
    });
    let version = env!("CARGO_PKG_VERSION");
    match host {
        Some(host) => format!("{host}, pid {}, {version}", std::process::id()),
        None => format!("pid {}, {version}", std::process::id()),
    }
}
