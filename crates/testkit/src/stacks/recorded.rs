//! Requests that were recorded from the real Atmos CLI (`tests/fixtures/atmos`, whose README says what each is).

use serde_json::Value;
use std::{fs, path::Path};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/atmos");

/// The bodies of a recorded case, byte for byte, in the order in which they were sent.
///
/// # Panics
/// There is no such case.
#[must_use]
pub fn bodies(case: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(FOLDER).join(case);
    let bodies: Vec<Vec<u8>> =
        (1..).map_while(|number| fs::read(folder.join(format!("{number}.json"))).ok()).collect();
    assert!(!bodies.is_empty(), "there is no recorded case at `{}`", folder.display());
    bodies
}

/// The bodies of a recorded case for other commits. Everything else stays, to the byte.
///
/// # Panics
/// There is no such case, or a commit is not as long as the recorded one.
#[must_use]
pub fn recorded(case: &str, head_sha: &str, base_sha: &str) -> Vec<Vec<u8>> {
    let bodies = bodies(case).into_iter();
    bodies.map(|body| replace(&replace(&body, "head_sha", head_sha), "base_sha", base_sha)).collect()
}

fn replace(body: &[u8], field: &str, sha: &str) -> Vec<u8> {
    let text = std::str::from_utf8(body).expect("the recorded bodies are UTF-8");
    let json: Value = serde_json::from_str(text).expect("the recorded bodies are JSON");
    let old = json[field].as_str().expect("a commit");
    assert_eq!(old.len(), sha.len(), "`{sha}` cannot stand for `{old}`");
    text.replacen(&format!("\"{field}\":\"{old}\""), &format!("\"{field}\":\"{sha}\""), 1).into_bytes()
}
