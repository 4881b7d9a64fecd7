//! `docs/architecture.md` says what the code says: the tests that guard the invariants exist, and the crates depend on
//! each other as its table tells.

#![expect(clippy::unwrap_used, reason = "a page that cannot be read is a failed test")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The rows of the table between two comments, cell by cell.
fn table(name: &str) -> Vec<Vec<String>> {
    let page = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let (_, rest) = page.split_once(&format!("<!-- {name} -->\n")).unwrap();
    let (table, _) = rest.split_once(&format!("<!-- /{name} -->\n")).unwrap();
    let rows = table.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// What stands in code spans.
fn code_spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_invariant_names_tests_that_exist() {
    let mut sources = String::new();
    for folder in ["crates", "tests", "xtask"] {
        collect(&root().join(folder), &mut sources);
    }
    let rows = table("invariants");
    assert_eq!(rows.len(), 10, "the design has ten invariants");
    for row in rows {
        let tests: Vec<&str> = code_spans(row.last().unwrap()).collect();
        assert!(!tests.is_empty(), "no test guards: {}", row[1]);
        for test in tests {
            assert!(
                sources.contains(&format!("fn {test}(")),
                "there is no test `{test}` (invariant {})",
                row[0]
            );
        }
    }
}

fn collect(folder: &Path, sources: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn the_crates_depend_on_each_other_as_the_table_tells() {
    let told = told_dependencies();
    let mut seen = BTreeSet::new();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let Ok(manifest) = fs::read_to_string(folder.join("Cargo.toml")) else { continue };
        if let Some(told) = told.get(&name) {
            assert_eq!(
                dependencies(&manifest),
                *told,
                "`{name}` depends on something else than the page tells"
            );
        }
        seen.insert(name);
    }
    let free = ["stackwave", "testkit"].map(str::to_owned);
    let rows: BTreeSet<String> = told.into_keys().chain(free).collect();
    assert_eq!(rows, seen, "the page has other crates than the workspace");
}

/// Crate → what it depends on, of the rows that list code spans on both sides.
fn told_dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let mut told = BTreeMap::new();
    for row in table("dependencies") {
        let [crates, on] = row.as_slice() else { panic!("two cells were expected: {row:?}") };
        if on != "–" && !on.starts_with('`') {
            continue;
        }
        let on: BTreeSet<String> = code_spans(on).map(str::to_owned).collect();
        told.extend(code_spans(crates).map(|name| (name.to_owned(), on.clone())));
    }
    told
}

/// Our own crates among the dependencies of a manifest, without those of its tests.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let mut section = "";
    let mut dependencies = BTreeSet::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        } else if section == "[dependencies]"
            && let Some(rest) = line.strip_prefix("stackwave-")
        {
            let name = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap();
            dependencies.insert(name.to_owned());
        }
    }
    dependencies
}
