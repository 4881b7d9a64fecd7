//! Clients of the admin API in other languages, against the executable.

use stackwave_domain::{
    Digest, Event, GitRef, InstallationId, PrNumber, Record, RecordId, RepositoryId, RepositoryName, RunId,
    RunPlan, StackKey, StreamId, Subject, WorkflowFile, WorkspaceId,
    digest::Stored,
    event::{RepositoryRegistered, RunOpened, StackReleased, Trigger},
    fragment::WorkflowCall,
    plan::{PlannedStack, Verdict},
};
use stackwave_event_log::{Append, EventLog as _};
use stackwave_event_log_sqlite::SqliteLog;
use stackwave_runtime::{Clock as _, SystemClock};
use stackwave_testkit::process::{Environment, ServeProcess};
use std::{collections::BTreeSet, env, path::Path, path::PathBuf, time::Duration};
use tokio::process::Command;

const REPOSITORY: RepositoryId = RepositoryId(42);
const RUN: &str = "pr7-opened-9f2c1d7-5e1b9a04c2d3";
/// The generator and the scenario take a few seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// An interpreter with gRPC; none when there is none and the test is to be skipped.
fn python() -> Option<PathBuf> {
    let named = env::var_os("STACKWAVE_PYTHON").filter(|value| !value.is_empty()).map(PathBuf::from);
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/python/bin/python");
    let found = named.or_else(|| fetched.is_file().then_some(fetched));
    if found.is_none() {
        let required = env::var_os("STACKWAVE_REQUIRE_PYTHON").is_some_and(|value| value == "1");
        assert!(!required, "STACKWAVE_PYTHON names no interpreter, and `cargo xtask fetch` has made none");
        eprintln!("skipped: STACKWAVE_PYTHON names no interpreter, and `cargo xtask fetch` has made none");
    }
    found
}

/// A log that tells of one run.
async fn seed(path: &Path) {
    let log = SqliteLog::open(path, 1).unwrap();
    let registered = RepositoryRegistered {
        repository: REPOSITORY,
        name: RepositoryName::new("acme", "infra"),
        default_branch: GitRef::new("main"),
        installation: Some(InstallationId(1)),
        workspace: WorkspaceId::default_workspace(),
    };
    let call = WorkflowCall { workflow: WorkflowFile::new("plan.yaml"), inputs: Default::default() };
    let stack = |component: &str| PlannedStack {
        key: StackKey::new("dev", component),
        directly_affected: true,
        verdict: Verdict::Dispatch(vec![call.clone()]),
    };
    let plan = RunPlan {
        stacks: vec![stack("app"), stack("vpc")],
        edges: BTreeSet::from([(1, 0)]),
        warnings: Vec::new(),
    };
    let opened = RunOpened {
        run: RunId::new(RUN),
        workspace: WorkspaceId::default_workspace(),
        trigger: Trigger::new("pull_request", "opened"),
        inferred: false,
        generation: 1,
        pull_request: Some(PrNumber(7)),
        release: None,
        head_sha: "9f2c1d7a".into(),
        sha: "9f2c1d7b".into(),
        git_ref: GitRef::new("main"),
        upload: Digest::of(b"upload"),
        merged_at: None,
        plan: Stored::inline(plan),
    };
    let released = StackReleased { run: RunId::new(RUN), key: StackKey::new("dev", "vpc"), attempt: 1 };
    let ledger = Subject::ledger(StreamId::Partition(0), REPOSITORY);
    let records: [(Subject, Vec<Event>); 3] = [
        (Subject::config("repository", "42"), vec![registered.into()]),
        (ledger.clone(), vec![opened.into()]),
        (ledger, vec![released.into()]),
    ];
    for (index, (subject, events)) in records.into_iter().enumerate() {
        let id = RecordId::new(format!("seed-{index}"));
        let record = Record::new(id, SystemClock::default().now(), "orchestrator", events);
        log.append(Append::any(subject, record)).await.unwrap();
    }
}

/// Where the process serves gRPC, as its own log says.
fn grpc_address(process: &ServeProcess) -> String {
    let output = process.output();
    let address = output.lines().find_map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        line["grpc_addr"].as_str().map(str::to_owned)
    });
    address.unwrap_or_else(|| panic!("no address of gRPC in:\n{output}"))
}

#[tokio::test]
async fn a_client_that_python_generated_completes_a_scenario() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stackwave.db");
    seed(&path).await;
    let settings = Environment::from([
        ("STACKWAVE_LOG".to_owned(), format!("sqlite:{}", path.display())),
        ("STACKWAVE_ADMIN_TOKEN".to_owned(), "correct-horse".to_owned()),
    ]);
    let process = ServeProcess::start(&["admin"], &settings).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/python/scenario.py");
    let mut scenario = Command::new(python);
    scenario.arg(script).args([&grpc_address(&process), "correct-horse", RUN]).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, scenario.output()).await.unwrap().unwrap();
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{complained}\nthe server:\n{}", process.output());
    assert!(said.contains("the scenario is complete"), "{said}");
}
