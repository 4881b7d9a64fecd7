//! The processes of a world: one with all roles, or one a role.

use super::Shape;
use stackwave_github_sim::GitHub;
use stackwave_testkit::{
    nats::NatsServer,
    process::{Environment, ServeProcess},
};
use std::{
    collections::BTreeMap,
    process::Output,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The roles that have a process of their own.
pub(super) const ROLES: [&str; 5] =
    ["ingest-api", "webhook-receiver", "orchestrator", "dispatcher", "commenter"];
/// The name of the process that has all roles.
const ALL: &str = "all";
/// The names of processes that all have all roles.
const REPLICAS: [&str; 3] = ["one", "two", "three"];

pub(super) struct Servers {
    shape: Shape,
    settings: Environment,
    processes: Mutex<BTreeMap<String, Arc<ServeProcess>>>,
    /// Held while a process starts: a new one may act before it is in the list, and shall be found by a kill.
    starting: tokio::sync::Mutex<()>,
    /// What killed processes wrote.
    past: Mutex<String>,
    nats: Option<NatsServer>,
    /// Among replicas, the one to which uploads and webhooks go.
    front: Mutex<&'static str>,
    _folder: tempfile::TempDir,
}

impl Servers {
    pub(super) async fn start(
        shape: Shape,
        settings: Environment,
        folder: tempfile::TempDir,
        nats: Option<NatsServer>,
    ) -> Self {
        let names: &[&str] = match shape {
            Shape::Sqlite | Shape::JetStream => &[ALL],
            Shape::Apart => &ROLES,
            Shape::Replicas => &REPLICAS,
        };
        let servers = Self {
            shape,
            settings,
            processes: Mutex::default(),
            starting: tokio::sync::Mutex::default(),
            past: Mutex::default(),
            nats,
            front: Mutex::new(REPLICAS[0]),
            _folder: folder,
        };
        for name in names {
            servers.launch(name).await;
        }
        servers
    }

    async fn launch(&self, name: &str) {
        let _starting = self.starting.lock().await;
        let roles: &[&str] = if name == ALL || REPLICAS.contains(&name) { &[] } else { &[name] };
        let process = Arc::new(ServeProcess::start(roles, &self.settings).await);
        self.processes().insert(name.to_owned(), process);
    }

    /// Tells GitHub where its webhooks go.
    pub(super) fn tell(&self, github: &GitHub) {
        github.set_webhook_url(Some(&self.url("webhook-receiver", "/webhooks/github")));
    }

    pub(super) fn url(&self, role: &str, path: &str) -> String {
        let process = self.processes().get(&self.name_of(role)).cloned().expect("a process that was started");
        format!("http://{}{path}", process.address())
    }

    pub(super) async fn kill(&self, role: &str) {
        let _none_starts = self.starting.lock().await;
        let process = self.processes().get(&self.name_of(role)).cloned();
        if let Some(process) = process {
            process.kill().await;
            self.past.lock().unwrap_or_else(PoisonError::into_inner).push_str(&process.output());
        }
    }

    pub(super) async fn start_again(&self, role: &str) {
        self.launch(&self.name_of(role)).await;
    }

    /// The replica that dispatches for the only partition, as it says itself; none while nobody does.
    pub(super) async fn acting(&self, client: &reqwest::Client) -> Option<&'static str> {
        for name in REPLICAS {
            if !self.processes().contains_key(name) {
                continue;
            }
            let Ok(answer) = client.get(self.url(name, "/readyz")).send().await else { continue };
            let report: serde_json::Value = answer.json().await.unwrap_or_default();
            if report["details"]["leases"]["dispatcher"]["partitions"] == 1 {
                return Some(name);
            }
        }
        None
    }

    /// Kills a replica for good. Uploads and webhooks go to one that is left.
    pub(super) async fn lose(&self, name: &str) {
        self.kill(name).await;
        let mut processes = self.processes();
        processes.remove(name);
        if let Some(left) = REPLICAS.iter().find(|replica| processes.contains_key(**replica)) {
            *self.front.lock().unwrap_or_else(PoisonError::into_inner) = left;
        }
    }

    pub(super) async fn try_second(&self) -> Output {
        ServeProcess::run_to_its_end(&[], &self.settings).await
    }

    pub(super) fn nats(&self) -> &NatsServer {
        self.nats.as_ref().expect("a log on JetStream")
    }

    pub(super) async fn stop(&self) {
        for (name, process) in self.all() {
            if let Some(status) = process.stop().await {
                assert!(status.success(), "`{name}` ended with {status}:\n{}", process.output());
            }
        }
    }

    /// The end of the world.
    pub(super) async fn end(&self) {
        for (_, process) in self.all() {
            process.kill().await;
        }
        if let Some(nats) = &self.nats {
            nats.kill();
        }
    }

    pub(super) fn assert_output_without(&self, secrets: &[&str]) {
        let output = self.story();
        for secret in secrets {
            assert!(!output.contains(secret), "a process wrote a secret into its own log");
        }
    }

    /// What the processes wrote.
    pub(super) fn story(&self) -> String {
        let mut story = self.past.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (name, process) in self.all() {
            story.push_str(&format!("`{name}` wrote:\n{}", process.output()));
        }
        story
    }

    fn name_of(&self, role: &str) -> String {
        let front = *self.front.lock().unwrap_or_else(PoisonError::into_inner);
        let name = match self.shape {
            Shape::Sqlite | Shape::JetStream => ALL,
            Shape::Apart => role,
            Shape::Replicas if REPLICAS.contains(&role) => role,
            Shape::Replicas => front,
        };
        name.to_owned()
    }

    fn all(&self) -> Vec<(String, Arc<ServeProcess>)> {
        self.processes().iter().map(|(name, process)| (name.clone(), Arc::clone(process))).collect()
    }

    fn processes(&self) -> MutexGuard<'_, BTreeMap<String, Arc<ServeProcess>>> {
        self.processes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
