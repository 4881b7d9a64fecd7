//! `docs/events.md` is written from the catalogue. `UPDATE_DOCS=1 cargo test -p stackwave-domain` writes it anew.

use stackwave_domain::{Event, record::SCHEMA_VERSION};
use std::{fmt::Write as _, fs, path::PathBuf};

#[test]
fn the_page_of_events_is_that_of_the_catalogue() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/events.md");
    let current = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &current).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == current,
        "docs/events.md is not what the catalogue says; run `UPDATE_DOCS=1 cargo test -p stackwave-domain`"
    );
}

fn page() -> String {
    let mut page = format!(
        "# Events\n\n\
         Generated from the catalogue in `crates/domain/src/event.rs` by the tests of `stackwave-domain`; edit it there.\n\n\
         A record is one immutable message: an envelope (`id`, schema version `v`, `at`, `actor`, and where they apply \
         `cause`, `correlation`, `trace`, `basis`) with one or more events. Each event is written as \
         `{{\"<name>\": {{…}}}}`. The schema version is {SCHEMA_VERSION}. The sample of each event is a whole record, \
         and every sample ever committed decodes for ever.\n\n\
         Subjects of a repository begin with `sw.<partition>.<repository id>.`; those that begin with `sw.config.` \
         lie in the configuration stream and are written out, as is the subject of checkpoints.\n"
    );
    let mut heading = "";
    for event in Event::CATALOGUE {
        let group = group(event.subject);
        if group != heading {
            heading = group;
            let _ = write!(page, "\n## {heading}\n\n");
            page.push_str("| event | subject | writer | meaning | sample |\n|---|---|---|---|---|\n");
        }
        let sample = format!("{}.v{SCHEMA_VERSION}.json", event.name);
        let _ = writeln!(
            page,
            "| `{}` | `{}` | {} | {} | [{sample}](../crates/domain/samples/{sample}) |",
            event.name,
            event.subject,
            event.writers,
            event.meaning.trim(),
        );
    }
    page
}

fn group(subject: &str) -> &'static str {
    if subject.starts_with("sw.config.") {
        "Configuration"
    } else if subject == "ledger" {
        "Decisions and claims"
    } else if subject == "obs.command" {
        "Commands"
    } else if subject == "obs.dispatch" {
        "Results of dispatches"
    } else if subject.ends_with(".checkpoint") {
        "Checkpoints"
    } else if subject.starts_with("comment.") {
        "Comments"
    } else {
        "Observations"
    }
}

#[test]
fn the_catalogue_is_in_the_order_of_its_names_and_says_something_of_each() {
    let names: Vec<&str> = Event::CATALOGUE.iter().map(|event| event.name).collect();
    assert_eq!(names, Event::NAMES);
    for event in Event::CATALOGUE {
        assert!(event.meaning.trim().ends_with('.'), "{}", event.name);
        assert!(!event.meaning.contains('|'), "{}", event.name);
    }
}
