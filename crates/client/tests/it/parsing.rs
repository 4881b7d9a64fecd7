//! What is taken as wrong use before anything is sent, and the names that a verb has besides its own.

use crate::asking::{Cli, parse};
use clap::{CommandFactory as _, error::ErrorKind};

#[test]
fn the_definition_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn wrong_use_is_told_apart() {
    for (line, kind) in [
        ("runs show", ErrorKind::MissingRequiredArgument),
        ("runs list --status mended", ErrorKind::InvalidValue),
        ("runs list --limit 0", ErrorKind::ValueValidation),
        ("runs list --all --limit 3", ErrorKind::ArgumentConflict),
        ("runs list --since yesterday", ErrorKind::ValueValidation),
        ("runs show r1 --at SW_00", ErrorKind::ValueValidation),
        ("runs show r1 --at 12:05", ErrorKind::ValueValidation),
        ("explain r1 --at SW_00:12:05", ErrorKind::ValueValidation),
        ("explain r1 vpc", ErrorKind::ValueValidation),
        ("explain r1 vpc/prod --dispatch --at 3", ErrorKind::ArgumentConflict),
        ("resync", ErrorKind::MissingRequiredArgument),
        ("resolve d1", ErrorKind::MissingRequiredArgument),
        ("resolve d1 --not-happened --workflow-run 3", ErrorKind::ArgumentConflict),
        ("events", ErrorKind::MissingRequiredArgument),
        ("events --run r1 --stream SW_00", ErrorKind::ArgumentConflict),
        ("events --run r1 --from 3 --since 1h", ErrorKind::ArgumentConflict),
        ("events show 118", ErrorKind::ValueValidation),
        ("tokens create alice", ErrorKind::MissingRequiredArgument),
        ("keys create ci --valid-for soon", ErrorKind::ValueValidation),
        ("whoami --token swt_secret", ErrorKind::UnknownArgument),
    ] {
        assert_eq!(parse(line).map(|_| ()).unwrap_err().kind(), kind, "{line}");
    }
}

#[test]
fn people_find_a_verb_under_the_names_that_they_expect() {
    for line in [
        "run ls",
        "runs get r1",
        "pull-requests ls",
        "repos ls",
        "repo show acme/infra",
        "api-keys ls",
        "key delete k1",
        "dispatch show d1",
        "events --repo acme/infra -f",
        "event show SW_00:1",
        "who-am-i",
        "why r1",
    ] {
        assert!(parse(line).is_ok(), "{line}: {:?}", parse(line).err());
    }
}

#[test]
fn how_the_server_is_reached_may_stand_before_and_after_the_verb() {
    for line in [
        "runs --server http://x:1 list",
        "runs list --server http://x:1 -o json",
        "whoami -o json --timeout 3s",
    ] {
        assert!(parse(line).is_ok(), "{line}: {:?}", parse(line).err());
    }
}

#[test]
fn a_configuration_file_is_known_before_anything_is_asked() {
    let command = parse("runs list --config stackwave.toml").unwrap();
    assert_eq!(command.config().unwrap().to_str(), Some("stackwave.toml"));
}
