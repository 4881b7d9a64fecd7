//! Every reason for which GitHub refuses a dispatch has a page under `docs/errors/` that says what to do.

use stackwave_domain::event::RefusalReason;
use std::{collections::BTreeSet, fs, path::PathBuf};

/// The outcome that is no refusal and needs a page all the same, and the overview.
const BESIDES: [&str; 2] = ["README", "undecidable"];

const SECTIONS: [&str; 4] =
    ["## What GitHub said", "## What it means", "## What to change", "## How to check"];

/// The match below does not compile until a new reason has its place here.
fn reasons() -> Vec<RefusalReason> {
    use RefusalReason as R;
    let mut reasons = vec![R::WorkflowNotFound];
    let next = |reason| match reason {
        R::WorkflowNotFound => Some(R::NotDispatchable),
        R::NotDispatchable => Some(R::RefNotFound),
        R::RefNotFound => Some(R::InputNotDeclared),
        R::InputNotDeclared => Some(R::InputInvalid),
        R::InputInvalid => Some(R::InputsTooLarge),
        R::InputsTooLarge => Some(R::WorkflowInvalid),
        R::WorkflowInvalid => Some(R::WorkflowDisabled),
        R::WorkflowDisabled => Some(R::PermissionMissing),
        R::PermissionMissing => Some(R::Withdrawn),
        R::Withdrawn => Some(R::Other),
        R::Other => None,
    };
    while let Some(reason) = reasons.last().copied().and_then(next) {
        reasons.push(reason);
    }
    reasons
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors")
}

#[test]
fn every_reason_has_its_page_and_every_page_its_reason() {
    let mut expected: BTreeSet<String> = reasons().iter().map(|reason| reason.code().to_owned()).collect();
    expected.extend(BESIDES.map(str::to_owned));
    let pages: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(pages, expected);
}

#[test]
fn every_page_says_what_happened_and_what_to_do() {
    for code in reasons().iter().map(|reason| reason.code()).chain(["undecidable"]) {
        let page = fs::read_to_string(folder().join(format!("{code}.md"))).unwrap();
        assert!(page.starts_with(&format!("# {code}\n")), "{code}.md does not begin with its name");
        for section in SECTIONS {
            assert!(page.contains(&format!("{section}\n")), "{code}.md lacks `{section}`");
        }
    }
}

#[test]
fn the_overview_links_every_page() {
    let overview = fs::read_to_string(folder().join("README.md")).unwrap();
    for code in reasons().iter().map(|reason| reason.code()).chain(["undecidable"]) {
        assert!(overview.contains(&format!("({code}.md)")), "the overview does not name {code}");
    }
}

#[test]
fn a_reason_is_written_in_the_log_as_its_page_is_named() {
    for reason in reasons() {
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.code());
    }
}
