//! One scenario's world.

mod client;
mod kill;
mod servers;
mod setup;
mod wait;
/// The workflow files of the scenarios' repository.
pub mod workflows;

pub use client::Answer;
pub use kill::Killed;
pub use setup::{Setup, Shape};

use crate::{checks, journal::Journal};
use servers::Servers;
use stackwave_domain::{PrNumber, RepositoryId, RunId};
use stackwave_engine::{
    state::{RepositoryState, Run},
    view::{self, RunView},
};
use stackwave_github_sim::{Dispatch, GitHub, NewPullRequest, PullNumber, Repo, Sha};
use stackwave_testkit::stacks::{Graph, StackId};
use std::{
    collections::BTreeMap,
    process::Output,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// The repository of every scenario; the recorded uploads name it.
pub const REPOSITORY: &str = "acme/landing-zone";
/// The API key that uploads are made with.
pub const API_KEY: &str = "a-key-that-must-never-be-stored";
const WEBHOOK_SECRET: &str = "a-secret-that-must-never-be-stored";
/// How long a scenario waits for something, far more than it should take.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Processes, log, GitHub and replica. Cheap to clone; all clones are the same world.
#[derive(Clone)]
pub struct World {
    /// The simulated GitHub.
    pub github: GitHub,
    /// Its one repository.
    pub repo: Repo,
    inner: Arc<Inner>,
}

struct Inner {
    servers: Servers,
    journal: Journal,
    client: reqwest::Client,
    /// What was uploaded, by the commit that it describes.
    graphs: Mutex<BTreeMap<Sha, Graph>>,
    refusals: bool,
    patience: Duration,
}

impl World {
    /// A world in this shape with everything as usual.
    pub async fn start(shape: Shape) -> Self {
        Setup::new(shape).start().await
    }

    /// Opens a pull request.
    pub fn open_pull_request(&self) -> Pull {
        self.open(NewPullRequest::default())
    }

    /// Opens a pull request that looks so.
    pub fn open(&self, new: NewPullRequest) -> Pull {
        let number = self.repo.open_pull_request(new).expect("a pull request");
        self.pull(number)
    }

    /// A pull request as it is.
    pub fn pull(&self, number: PullNumber) -> Pull {
        let pull = self.repo.pull_request(number).expect("the pull request");
        Pull { number, head: pull.head_sha, base: pull.base_sha }
    }

    /// The log and the state that it gives.
    pub fn journal(&self) -> &Journal {
        &self.inner.journal
    }

    /// Looks at the repository's state.
    ///
    /// # Panics
    /// Nothing about it is in the log.
    pub fn state<T>(&self, look: impl FnOnce(&RepositoryState) -> T) -> T {
        self.inner.journal.read(|replica| {
            look(replica.state.repository(RepositoryId(self.repo.id())).expect("the repository's state"))
        })
    }

    /// Looks at a run.
    ///
    /// # Panics
    /// There is none of this id.
    pub fn run<T>(&self, run: &RunId, look: impl FnOnce(&RunView<'_>) -> T) -> T {
        self.state(|state| look(&view::run_view(state, state.runs.get(run).expect("the run"))))
    }

    /// Dispatch requests that started a run of this workflow, in order of arrival.
    pub fn accepted(&self, workflow: &str) -> Vec<Dispatch> {
        let accepted = self.github.dispatches().into_iter();
        accepted.filter(|dispatch| dispatch.workflow.ends_with(workflow)).collect()
    }

    /// The stacks of those requests, by name.
    pub fn stacks_of(&self, workflow: &str) -> Vec<StackId> {
        let accepted = self.accepted(workflow).into_iter();
        let mut stacks: Vec<StackId> = accepted
            .map(|dispatch| StackId::new(dispatch.input("component"), dispatch.input("stack")))
            .collect();
        stacks.sort();
        stacks
    }

    /// Kills the process that has this role, as `kill -9` does; with one process for all, that one.
    pub async fn kill(&self, role: &str) {
        self.inner.servers.kill(role).await;
    }

    /// Starts the process that has this role again.
    pub async fn start_again(&self, role: &str) {
        self.inner.servers.start_again(role).await;
        self.inner.servers.tell(&self.github);
    }

    /// Kills, for good, the replica that dispatches, once one does. Returns its name.
    pub async fn lose_acting(&self) -> &'static str {
        let servers = &self.inner.servers;
        loop {
            if let Some(name) = servers.acting(&self.inner.client).await {
                servers.lose(name).await;
                servers.tell(&self.github);
                return name;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// GitHub's webhooks go to the process that receives them, after a while in which they went nowhere.
    pub fn hear_again(&self) {
        self.inner.servers.tell(&self.github);
    }

    /// Starts another process beside those of this world, which is expected to end by itself.
    pub async fn try_second_process(&self) -> Output {
        self.inner.servers.try_second().await
    }

    /// Kills the nats-server under the feet of the processes.
    ///
    /// # Panics
    /// The log is a SQLite file.
    pub fn kill_nats(&self) {
        self.inner.servers.nats().kill();
    }

    /// Starts the nats-server again, with what it had.
    ///
    /// # Panics
    /// The log is a SQLite file.
    pub async fn start_nats_again(&self) {
        self.inner.servers.nats().start_again().await;
    }

    /// Asks every process to end in good order and waits until they have.
    pub async fn stop(&self) {
        self.inner.servers.stop().await;
    }

    /// Where the process with this role serves.
    pub fn url(&self, role: &str, path: &str) -> String {
        self.inner.servers.url(role, path)
    }

    /// Waits until nothing is under way, and holds everything that happened against what must always be true.
    pub async fn finish(self) {
        self.until_settled().await;
        self.until_told().await;
        let graphs = self.inner.graphs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let secrets = [API_KEY, WEBHOOK_SECRET];
        checks::check(&self.github, &self.repo, &self.inner.journal, &graphs, &secrets, self.inner.refusals);
        self.inner.servers.assert_output_without(&secrets);
        self.inner.servers.end().await;
        self.github.shutdown().await;
    }
}

impl Drop for Inner {
    /// A failing test tells what the processes and the log said.
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}\nthe newest of the log:\n{}", self.servers.story(), self.journal.story(60));
        }
    }
}

/// A pull request at one moment.
#[derive(Clone, Debug)]
pub struct Pull {
    /// Its number.
    pub number: PullNumber,
    /// The tip of its branch.
    pub head: Sha,
    /// The tip of the base when it was last updated.
    pub base: Sha,
}

fn newest<'a>(state: &'a RepositoryState, number: PullNumber, activity: &str) -> Option<&'a Run> {
    state.runs_of_pull(PrNumber(number)).into_iter().rev().find(|run| run.trigger.activity == activity)
}
