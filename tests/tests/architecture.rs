//! Who may depend on whom: the table of the architecture document, held against what Cargo has resolved.

use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What services may use; each also knows its own libraries.
const FOR_SERVICES: &[&str] = &["domain", "engine", "event-log", "github", "auth", "runtime"];

/// Each crate with the crates of this workspace that it may depend on, tests apart.
fn table() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let service = |more: &[&'static str]| [FOR_SERVICES, more].concat();
    [
        ("domain", vec![]),
        ("engine", vec!["domain"]),
        ("event-log", vec!["domain"]),
        ("github", vec!["domain"]),
        ("auth", vec!["domain"]),
        ("event-log-nats", vec!["event-log", "domain"]),
        ("event-log-sqlite", vec!["event-log", "domain"]),
        ("github-client", vec!["github", "domain"]),
        ("runtime", vec!["domain", "engine", "event-log"]),
        ("telemetry", vec!["domain", "engine", "event-log", "runtime", "auth"]),
        ("replay", vec!["domain", "engine", "event-log"]),
        ("doctor", vec!["domain", "event-log", "github"]),
        ("read-model", vec!["domain", "engine", "event-log", "runtime"]),
        ("ingest-api", service(&[])),
        ("webhook-receiver", service(&[])),
        ("orchestrator", service(&[])),
        ("dispatcher", service(&[])),
        ("commenter", service(&[])),
        ("admin", service(&["admin-proto", "read-model", "telemetry"])),
        ("admin-proto", vec![]),
        ("client", vec!["admin-proto"]),
        ("github-sim", vec!["github"]),
        (
            "stackwave",
            service(&[
                "event-log-nats",
                "event-log-sqlite",
                "github-client",
                "ingest-api",
                "webhook-receiver",
                "orchestrator",
                "dispatcher",
                "commenter",
                "admin",
                "admin-proto",
                "client",
                "doctor",
                "github-sim",
                "read-model",
                "replay",
                "telemetry",
            ]),
        ),
        ("xtask", vec![]),
    ]
    .map(|(name, may)| (name, may.into_iter().collect()))
    .into()
}

/// Crates for tests: they may depend on anything, and nothing in production on them.
const FOR_TESTS: &[&str] = &["testkit", "e2e"];

/// Libraries that do I/O or run it. `engine` and `domain` must not reach them, however far down.
const IO: &[&str] = &[
    "async-io",
    "async-nats",
    "async-std",
    "axum",
    "hyper",
    "hyper-util",
    "mio",
    "opentelemetry",
    "polling",
    "prost",
    "reqwest",
    "rusqlite",
    "rustls",
    "smol",
    "socket2",
    "tokio",
    "tokio-util",
    "tonic",
    "tower",
    "ureq",
];

/// Libraries that one place knows, so that it can be exchanged there.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("async-nats", &["event-log-nats"]),
    ("rusqlite", &["event-log-sqlite", "read-model"]),
    // The demonstration plays the Atmos CLI.
    ("reqwest", &["github-client", "stackwave", "telemetry"]),
    ("tonic", &["admin", "admin-proto", "client"]),
    ("petgraph", &["engine"]),
];

#[test]
fn each_crate_depends_only_on_the_crates_that_the_table_allows() {
    let workspace = Workspace::load();
    let table = table();
    for (name, package) in &workspace.ours {
        if FOR_TESTS.contains(&name.as_str()) {
            continue;
        }
        let Some(may) = table.get(name.as_str()) else {
            panic!("`{name}` is not in the table of the architecture")
        };
        for dependency in &package.direct {
            let Some(ours) = short_name(dependency) else { continue };
            assert!(may.contains(ours), "`{name}` depends on `{ours}`, which the table does not allow");
        }
    }
    for name in table.keys() {
        assert!(workspace.ours.contains_key(*name), "the table names `{name}`, which is no crate");
    }
}

#[test]
fn nothing_in_production_depends_on_what_is_for_tests() {
    for (name, package) in &Workspace::load().ours {
        let for_tests =
            package.direct.iter().filter_map(|name| short_name(name)).find(|n| FOR_TESTS.contains(n));
        assert!(
            for_tests.is_none() || FOR_TESTS.contains(&name.as_str()),
            "`{name}` depends on `{for_tests:?}`"
        );
    }
}

#[test]
fn engine_and_domain_reach_no_library_that_does_io() {
    let workspace = Workspace::load();
    for name in ["domain", "engine"] {
        let reached = workspace.reach(&workspace.ours[name].id);
        let io: Vec<&String> = reached.iter().filter(|name| IO.contains(&name.as_str())).collect();
        assert!(io.is_empty(), "`{name}` reaches {io:?}");
    }
}

#[test]
fn each_replaceable_library_is_known_in_one_place() {
    let workspace = Workspace::load();
    for (library, places) in ONLY_IN {
        let known: Vec<&String> = workspace
            .ours
            .iter()
            .filter(|(name, package)| {
                package.direct.contains(*library) && !FOR_TESTS.contains(&name.as_str())
            })
            .map(|(name, _)| name)
            .collect();
        let elsewhere = known.iter().find(|name| !places.contains(&name.as_str()));
        assert!(elsewhere.is_none(), "`{library}` is known in {known:?}, and should be in {places:?} only");
    }
}

#[test]
fn the_simulated_github_is_started_by_the_demonstration_alone() {
    let sources = Path::new(ROOT).join("crates/stackwave/src");
    for file in rust_files(&sources) {
        let text = fs::read_to_string(&file).unwrap();
        let inside = file.strip_prefix(&sources).unwrap();
        let of_the_demo = inside.starts_with("demo") || inside == Path::new("demo.rs");
        assert!(of_the_demo || !text.contains("stackwave_github_sim"), "`{}` knows it", inside.display());
    }
}

/// The packages of the workspace by their folder's name, with what they depend on.
struct Workspace {
    ours: BTreeMap<String, Package>,
    names: BTreeMap<String, String>,
    edges: BTreeMap<String, Vec<String>>,
}

struct Package {
    id: String,
    /// Names of direct dependencies; those of tests apart.
    direct: BTreeSet<String>,
}

impl Workspace {
    fn load() -> Self {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["metadata", "--format-version", "1", "--locked", "--offline"])
            .current_dir(ROOT)
            .output()
            .expect("cargo should run");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let list = |value: &Value| value.as_array().expect("a list").clone();

        let names: BTreeMap<String, String> = list(&metadata["packages"])
            .iter()
            .map(|package| (text(&package["id"]), text(&package["name"])))
            .collect();
        let edges: BTreeMap<String, Vec<String>> = list(&metadata["resolve"]["nodes"])
            .iter()
            .map(|node| {
                let deps = list(&node["deps"])
                    .into_iter()
                    .filter(|dep| list(&dep["dep_kinds"]).iter().any(|kind| kind["kind"].is_null()));
                (text(&node["id"]), deps.map(|dep| text(&dep["pkg"])).collect())
            })
            .collect();
        let ours = list(&metadata["workspace_members"])
            .iter()
            .map(|id| {
                let id = text(id);
                let direct = edges[&id].iter().map(|dependency| names[dependency].clone()).collect();
                let name = short_name(&names[&id]).unwrap_or(&names[&id]).to_owned();
                (name, Package { id, direct })
            })
            .collect();
        Self { ours, names, edges }
    }

    /// The names of everything that a package reaches.
    fn reach(&self, id: &str) -> BTreeSet<String> {
        let mut reached = BTreeSet::new();
        let mut queue = vec![id];
        while let Some(next) = queue.pop() {
            for dependency in &self.edges[next] {
                if reached.insert(self.names[dependency].clone()) {
                    queue.push(dependency);
                }
            }
        }
        reached
    }
}

/// The name of a crate of ours without the prefix; none for a library of others.
fn short_name(package: &str) -> Option<&str> {
    match package {
        "stackwave" => Some(package),
        other => other.strip_prefix("stackwave-"),
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => rust_files(&path),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}
