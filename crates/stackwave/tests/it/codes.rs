use crate::support::{err, out, stackwave, with_input};

const ONE_STACK: &str = r#"[{"component": "vpc", "stack": "dev", "settings": {"pro": {"enabled": true,
    "pull_request": {"opened": {"workflows": {"plan.yaml": {}}}}}}}]"#;

#[test]
fn the_version_names_the_commit_and_its_day() {
    let output = stackwave(&["--version"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(out(&output).starts_with(concat!("stackwave ", env!("CARGO_PKG_VERSION"), " (")), "{output:?}");
}

#[test]
fn help_tells_examples_and_exit_codes_of_every_command() {
    for arguments in
        [&["--help"][..], &["serve", "--help"], &["demo", "--help"], &["plan", "--help"], &["log", "--help"]]
    {
        let output = stackwave(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        for part in ["Examples:", "Exit codes:"] {
            assert!(out(&output).contains(part), "{arguments:?}");
        }
    }
}

#[test]
fn a_plan_is_read_from_the_standard_input_and_printed_to_the_standard_output() {
    let output = with_input(&["plan", "-"], ONE_STACK);
    assert_eq!((output.status.code(), err(&output).as_str()), (Some(0), ""));
    assert!(out(&output).contains("vpc/dev  plan.yaml"), "{output:?}");
}

#[test]
fn input_that_is_no_upload_names_the_field_and_ends_with_one() {
    let output = with_input(&["plan", "-"], r#"{"stacks": [{"component": "vpc", "stack": 3}]}"#);
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(1), ""));
    assert!(err(&output).contains("`stacks[0].stack` must be a string, not a number"), "{output:?}");

    let output = stackwave(&["plan", "no/such/file.json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("`no/such/file.json`"), "{output:?}");
}

#[test]
fn a_log_that_is_not_there_is_named_and_ends_with_one() {
    let output = stackwave(&["log", "show", "--log", "sqlite:no/such/log.db"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("no/such/log.db"), "{output:?}");
}

#[test]
fn wrong_use_and_a_wrong_configuration_end_with_two() {
    for arguments in [&["plan"][..], &["serve", "cook"], &["serve", "--dispatch", "maybe"], &[]] {
        let output = stackwave(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        assert!(!err(&output).is_empty());
    }
    let output = stackwave(&["log", "show", "--log", "postgres://me:hush@db"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("`--log`") && !err(&output).contains("hush"), "{output:?}");
    let output = stackwave(&["serve"]).env("STACKWAVE_HTTP_ADR", "x").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("STACKWAVE_HTTP_ADR"), "{output:?}");
}

#[test]
fn the_configuration_file_may_be_named_by_a_variable() {
    let output = stackwave(&["serve"]).env("STACKWAVE_CONFIG", "no/such.toml").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("`no/such.toml`"), "{output:?}");
    // A flag wins, and an empty variable counts as none.
    let output = stackwave(&["serve", "--config", "another.toml"])
        .env("STACKWAVE_CONFIG", "no/such.toml")
        .output()
        .unwrap();
    assert!(err(&output).contains("`another.toml`") && !err(&output).contains("no/such"), "{output:?}");
    let output = stackwave(&["serve"]).env("STACKWAVE_CONFIG", "").output().unwrap();
    assert!(err(&output).contains("is missing") && !err(&output).contains("file `"), "{output:?}");
}
