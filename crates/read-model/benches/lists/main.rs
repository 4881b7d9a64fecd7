//! How fast lists are at a million runs, and how fast the read model is built: `cargo bench -p stackwave-read-model`.
//!
//! A made-up log of 1,000,000 finished and 1,000 active runs is projected as `serve` would do it, then each list is asked
//! for its first page, by every filter and by hard combinations of them. The floor is SQLite's own: fifty rows by their
//! primary key.
//!
//! `RUNS` sets another number of finished runs, `STACKS` another number of stacks a run, `READ_MODEL` a file that is kept:
//! what was built once is opened again.

#![expect(clippy::print_stdout, reason = "a benchmark tells its numbers")]
#![expect(clippy::unwrap_used, reason = "a benchmark may fail")]

mod history;
mod log;

use history::{History, Life, STREAM};
use log::MadeUp;
use stackwave_domain::{RepositoryId, WorkspaceId};
use stackwave_engine::{
    State,
    view::{RunPhase, Status},
};
use stackwave_event_log::LocalLeases;
use stackwave_read_model::{
    CommandsQuery, DeliveriesQuery, DispatchStatus, DispatchesQuery, Page, PageRequest, Place, PullsQuery,
    ReadError, ReadModel, RunsQuery, StacksQuery, UploadsQuery,
};
use stackwave_runtime::{ConfigView, Core, Health, Ids, SystemClock};
use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

async fn run() {
    let history =
        History { finished: setting("RUNS", 1_000_000), active: 1_000, stacks: setting("STACKS", 2) };
    let folder = tempfile::tempdir().unwrap();
    let kept = std::env::var_os("READ_MODEL").map(PathBuf::from);
    let path = kept.unwrap_or_else(|| folder.path().join("read-model.db"));
    let core = core(history).await;
    let model = ReadModel::open(&core, &Place::File(path.clone())).await.unwrap();
    build(&model, history, &path).await;
    floor(&path);
    lists(&model, history).await;
    core.shutdown.cancel();
    core.tasks.close();
    core.tasks.wait().await;
}

async fn core(history: History) -> Core {
    let log = Arc::new(MadeUp { history, leases: LocalLeases::default() });
    let (health, shutdown) = (Health::default(), CancellationToken::new());
    let config = ConfigView::start(Arc::clone(&log) as _, &health, shutdown.clone()).await.unwrap();
    Core {
        log,
        clock: Arc::new(SystemClock::default()),
        ids: Ids::default(),
        health,
        config,
        shutdown,
        tasks: TaskTracker::new(),
    }
}

/// Projects the history, which the live loop is said to have folded.
async fn build(model: &ReadModel, history: History, path: &std::path::Path) {
    let mut observer = model.observer().unwrap();
    observer.started_from(STREAM, history.last(), &State::default());
    let start = Instant::now();
    model.wait_for(STREAM, history.last()).await;
    while model.status().await.unwrap().building {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let took = start.elapsed();
    let status = model.status().await.unwrap();
    println!(
        "{} runs of {} stacks, {} records: built in {:.1} s ({:.0} records/s), {} bytes a run, {} MiB",
        status.runs,
        history.stacks,
        history.last(),
        took.as_secs_f64(),
        rate(history.last().0, took),
        status.bytes / status.runs,
        status.bytes >> 20
    );
    sizes(path);
}

#[expect(clippy::cast_precision_loss, reason = "a rate needs no more")]
fn rate(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// What takes how much of the file.
fn sizes(path: &std::path::Path) {
    let tables =
        rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut statement = tables
        .prepare("SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC LIMIT 16")
        .unwrap();
    let sizes = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, u64>(1)?))).unwrap();
    for size in sizes {
        let (name, bytes) = size.unwrap();
        println!("  {:>6} MiB  {name}", bytes >> 20);
    }
}

/// Fifty rows by their primary key, as fast as SQLite gives them.
fn floor(path: &std::path::Path) {
    let tables =
        rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let keys: Vec<i64> = {
        let mut statement = tables.prepare("SELECT key FROM runs ORDER BY key DESC LIMIT 50").unwrap();
        let keys = statement.query_map([], |row| row.get(0)).unwrap();
        keys.map(Result::unwrap).collect()
    };
    let took = (0..50).map(|_| {
        let start = Instant::now();
        let mut statement = tables.prepare_cached("SELECT * FROM runs WHERE key = ?").unwrap();
        for key in &keys {
            statement.query_row([key], |row| row.get::<_, String>("id")).unwrap();
        }
        start.elapsed()
    });
    FLOOR.set(took.min().unwrap()).unwrap();
    println!("floor: fifty rows by primary key in {:.3} ms", FLOOR.get().unwrap().as_secs_f64() * 1e3);
    println!("{:<64} {:>9} {:>9} {:>7} {:>5}", "first page of 50", "cold ms", "best ms", "ratio", "rows");
}

static FLOOR: std::sync::OnceLock<Duration> = std::sync::OnceLock::new();

/// Once as it comes, then the best of some.
async fn tell<T, F: Future<Output = Result<Page<T>, ReadError>>>(what: &str, ask: impl Fn(PageRequest) -> F) {
    let page = || PageRequest { size: 50, token: String::new() };
    let start = Instant::now();
    let rows = ask(page()).await.unwrap().rows.len();
    let cold = start.elapsed();
    let mut best = cold;
    for _ in 0..5 {
        let start = Instant::now();
        ask(page()).await.unwrap();
        best = best.min(start.elapsed());
    }
    let ratio = best.as_secs_f64() / FLOOR.get().unwrap().as_secs_f64();
    let ms = |took: Duration| took.as_secs_f64() * 1e3;
    println!("{what:<64} {:>9.2} {:>9.2} {ratio:>7.1} {rows:>5}", ms(cold), ms(best));
}

async fn lists(model: &ReadModel, history: History) {
    let old = history.life(history.finished / 2);
    let rare = RepositoryId(1_000_000 + history::REPOSITORIES - 1);
    runs(model, &old, rare).await;
    stacks(model, &old, rare).await;
    others(model, &old, rare).await;
    let start = Instant::now();
    assert!(model.find_run(old.run.clone()).await.unwrap().is_some());
    println!("{:<64} {:>9.2}", "one run by its id", start.elapsed().as_secs_f64() * 1e3);
}

async fn runs(model: &ReadModel, old: &Life, rare: RepositoryId) {
    let any = RunsQuery::default;
    let workspace = Some(WorkspaceId::default_workspace());
    let of = |text: &str| RunsQuery { text: text.to_owned(), ..any() };
    let (running, closed) = (Some(RunPhase::Running), Some(RunPhase::Closed));
    let middle = old.opened_at();
    let queries = [
        ("runs", any()),
        ("runs that are running", RunsQuery { status: running, ..any() }),
        ("runs that failed (none)", RunsQuery { status: Some(RunPhase::Failed), ..any() }),
        ("runs of a repository", RunsQuery { repository: Some(old.repository), ..any() }),
        (
            "runs of a repository, running",
            RunsQuery { repository: Some(old.repository), status: running, ..any() },
        ),
        ("runs of a repository of long ago", RunsQuery { repository: Some(rare), ..any() }),
        (
            "runs of a repository of long ago, running (none)",
            RunsQuery { repository: Some(rare), status: running, ..any() },
        ),
        ("runs of a workspace", RunsQuery { workspace: workspace.clone(), ..any() }),
        ("runs of a workspace, closed", RunsQuery { workspace: workspace.clone(), status: closed, ..any() }),
        ("runs of a workspace that has none", RunsQuery { workspace: Some("other".into()), ..any() }),
        ("runs of a pull request's number, anywhere", RunsQuery { pull_request: Some(old.pull), ..any() }),
        (
            "runs of a pull request",
            RunsQuery { pull_request: Some(old.pull), repository: Some(old.repository), ..any() },
        ),
        (
            "runs of a pull request and workspace, closed",
            RunsQuery { pull_request: Some(old.pull), workspace, status: closed, ..any() },
        ),
        ("runs before the middle", RunsQuery { opened_before: Some(middle), ..any() }),
        (
            "runs of a second in the middle",
            RunsQuery {
                opened_after: Some(middle),
                opened_before: Some(middle + jiff::SignedDuration::from_secs(1)),
                ..any()
            },
        ),
        (
            "runs before the middle, running (none)",
            RunsQuery { opened_before: Some(middle), status: running, ..any() },
        ),
        ("runs: `pr` (all)", of("pr")),
        ("runs: `zz` (none)", of("zz")),
        ("runs: `synchronize` (all)", of("synchronize")),
        ("runs: a whole id", of(old.run.as_str())),
        ("runs: 7 of a commit's digits", of(&old.head_sha.as_str()[11..18])),
        ("runs: 4 of a commit's digits", of(&old.head_sha.as_str()[11..15])),
        ("runs: 3 of a commit's digits", of(&old.head_sha.as_str()[11..14])),
        ("runs: a branch of long ago", of(&format!("feature/change-{}-{}", old.repository, old.pull))),
        ("runs: `change-10001` in a branch", of("change-10001")),
        ("runs: a repository's name", of("acme/infra-17")),
        ("runs: the name of a repository of long ago", of("infra-199")),
        ("runs: no such text", of("there-is-no-such-text")),
        (
            "runs: `synchronize`, closed, of a repository",
            RunsQuery { status: closed, repository: Some(old.repository), ..of("synchronize") },
        ),
        (
            "runs: 3 of a commit's digits, running",
            RunsQuery { status: running, ..of(&old.head_sha.as_str()[11..14]) },
        ),
        (
            "runs: 4 of a commit's digits, closed",
            RunsQuery { status: closed, ..of(&old.head_sha.as_str()[11..15]) },
        ),
    ];
    for (what, query) in queries {
        tell(what, |page| model.runs(query.clone(), page)).await;
    }
}

async fn stacks(model: &ReadModel, old: &Life, rare: RepositoryId) {
    let any = StacksQuery::default;
    let of = |text: &str| StacksQuery { text: text.to_owned(), ..any() };
    let component = Some("component-7".into());
    let stack = Some("plat-ue1-dev".into());
    let (running, failed) = (Some(Status::Running), Some(Status::Failed));
    let repository = Some(old.repository);
    let latest = || StacksQuery { latest_only: true, ..any() };
    let queries = [
        ("stacks", any()),
        ("stacks of a run", StacksQuery { run: Some(old.run.clone()), ..any() }),
        ("stacks that are running", StacksQuery { status: running, ..any() }),
        ("stacks that are held (none)", StacksQuery { status: Some(Status::Held), ..any() }),
        ("stacks of a repository", StacksQuery { repository, ..any() }),
        ("stacks of a repository, failed", StacksQuery { repository, status: failed, ..any() }),
        ("stacks of a repository of long ago", StacksQuery { repository: Some(rare), ..any() }),
        ("stacks of a component", StacksQuery { component: component.clone(), ..any() }),
        (
            "stacks of a component, failed",
            StacksQuery { component: component.clone(), status: failed, ..any() },
        ),
        ("stacks of a stack", StacksQuery { stack: stack.clone(), ..any() }),
        (
            "stacks of a component in a stack",
            StacksQuery { component: component.clone(), stack: stack.clone(), ..any() },
        ),
        (
            "stacks of a component in a repository",
            StacksQuery { component: component.clone(), repository, ..any() },
        ),
        (
            "stacks of a stack in a repository, running",
            StacksQuery { stack: stack.clone(), repository, status: running, ..any() },
        ),
        ("one stack's history", StacksQuery { component, stack, repository, ..any() }),
        ("stacks: `component` (all)", of("component")),
        ("stacks: `-59`", of("-59")),
        ("stacks: no such text", of("no-such-text")),
        ("stacks: `-59`, running, of a repository", StacksQuery { status: running, repository, ..of("-59") }),
        ("newest of each stack", latest()),
        ("newest of each stack, failed", StacksQuery { status: failed, ..latest() }),
        ("newest of each stack, of a repository", StacksQuery { repository, ..latest() }),
        ("newest of each stack: `-59`", StacksQuery { text: "-59".to_owned(), ..latest() }),
        (
            "newest of each stack: `prod`, of a repository of long ago",
            StacksQuery { text: "prod".to_owned(), repository: Some(rare), ..latest() },
        ),
    ];
    for (what, query) in queries {
        tell(what, |page| model.stacks(query.clone(), page)).await;
    }
}

async fn others(model: &ReadModel, old: &Life, rare: RepositoryId) {
    let repository = Some(old.repository);
    let text = |text: &str| PullsQuery { text: text.to_owned(), ..PullsQuery::default() };
    for (what, query) in [
        ("pull requests", PullsQuery::default()),
        ("pull requests, open", PullsQuery { open_only: true, ..PullsQuery::default() }),
        ("pull requests of a repository", PullsQuery { repository, ..PullsQuery::default() }),
        ("pull requests: a number", text(&old.pull.to_string())),
        (
            "pull requests: a title",
            text(&format!("change number {} of the platform in {}", old.pull, old.repository)),
        ),
        ("pull requests: `platform` (all)", text("platform")),
        ("pull requests: no such text", text("no-such-text")),
    ] {
        tell(what, |page| model.pulls(query.clone(), page)).await;
    }
    for (what, head_sha) in [
        ("uploads", String::new()),
        ("uploads of a commit", old.head_sha.to_string()),
        ("uploads of 7 digits", old.head_sha.as_str()[..7].to_owned()),
        ("uploads of 2 digits", old.head_sha.as_str()[..2].to_owned()),
        ("uploads of no such commit", "0123456789".to_owned()),
    ] {
        let query = UploadsQuery { head_sha, ..UploadsQuery::default() };
        tell(what, |page| model.uploads(query.clone(), page)).await;
    }
    let query = UploadsQuery { repository: Some(rare), ..UploadsQuery::default() };
    tell("uploads of a repository of long ago", |page| model.uploads(query.clone(), page)).await;
    let any = DispatchesQuery::default;
    for (what, query) in [
        ("dispatches", any()),
        ("dispatches of a run", DispatchesQuery { run: Some(old.run.clone()), ..any() }),
        ("dispatches of a repository", DispatchesQuery { repository, ..any() }),
        (
            "dispatches that were accepted",
            DispatchesQuery { status: Some(DispatchStatus::Accepted), ..any() },
        ),
        (
            "dispatches that are unknown (none)",
            DispatchesQuery { status: Some(DispatchStatus::Unknown), repository, ..any() },
        ),
        (
            "dispatches of a workflow run",
            DispatchesQuery { workflow_run: Some(old.a_workflow_run()), ..any() },
        ),
    ] {
        tell(what, |page| model.dispatches(query.clone(), page)).await;
    }
    let any = DeliveriesQuery::default;
    for (what, query) in [
        ("deliveries", any()),
        ("deliveries of a repository", DeliveriesQuery { repository, ..any() }),
        ("deliveries of an event", DeliveriesQuery { event: Some("pull_request".to_owned()), ..any() }),
        (
            "deliveries of an event that never came",
            DeliveriesQuery { event: Some("push".to_owned()), repository, ..any() },
        ),
        ("deliveries of a repository of long ago", DeliveriesQuery { repository: Some(rare), ..any() }),
        (
            "deliveries of a GUID that there is not",
            DeliveriesQuery { delivery: Some("72d3162e-cc78-11e3-81ab-4c9367dc0958".into()), ..any() },
        ),
    ] {
        tell(what, |page| model.deliveries(query.clone(), page)).await;
    }
    tell("commands", |page| model.commands(CommandsQuery::default(), page)).await;
}
