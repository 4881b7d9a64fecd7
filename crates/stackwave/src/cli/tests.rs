use super::*;
use crate::config::SETTINGS;
use clap::{CommandFactory as _, error::ErrorKind};

fn parse(arguments: &[&str]) -> Result<Command, clap::Error> {
    Cli::try_parse_from([&["stackwave"], arguments].concat()).map(|cli| cli.command)
}

#[test]
fn the_definition_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn a_commands_own_help_says_more_than_its_line_in_the_list() {
    let cli = Cli::command();
    for name in ["serve", "demo", "plan", "doctor", "log", "replay", "export", "explain", "events"] {
        let command = cli.find_subcommand(name).unwrap();
        let (line, whole) = (command.get_about().unwrap(), command.get_long_about().unwrap());
        assert!(whole.to_string().len() > line.to_string().len(), "{name}: {whole}");
    }
}

#[test]
fn serve_without_a_role_has_all_of_them() {
    let Command::Serve(options) = parse(&["serve"]).unwrap() else { panic!("not serve") };
    assert_eq!(options.roles().len(), Role::ALL.len());
    let Command::Serve(options) = parse(&["serve", "dispatcher", "ingest-api"]).unwrap() else {
        panic!("not serve")
    };
    assert_eq!(options.roles().into_iter().collect::<Vec<_>>(), [Role::IngestApi, Role::Dispatcher]);
}

#[test]
fn every_setting_but_a_secret_has_a_flag_that_is_kept_under_its_key() {
    let flags: Vec<String> =
        SETTINGS.iter().filter_map(|setting| Some(format!("--{}=1", setting.flag()?))).collect();
    let arguments: Vec<&str> = std::iter::once("serve").chain(flags.iter().map(String::as_str)).collect();
    let Command::Serve(options) = parse(&arguments).unwrap() else { panic!("not serve") };
    let given = options.sources().flags;
    for setting in SETTINGS {
        assert_eq!(given.contains_key(setting.key), !setting.secret, "{}", setting.key);
    }
}

#[test]
fn wrong_use_is_told_apart() {
    for (arguments, kind) in [
        (&["serve", "cook"][..], ErrorKind::InvalidValue),
        (&["serve", "--admin-token", "x"], ErrorKind::UnknownArgument),
        (&["plan"], ErrorKind::MissingRequiredArgument),
        (&["plan", "x.json", "--trigger", "merged"], ErrorKind::ValueValidation),
        (&["log", "tail", "--from", "3", "--limit", "2"], ErrorKind::ArgumentConflict),
    ] {
        assert_eq!(parse(arguments).map(|_| ()).unwrap_err().kind(), kind, "{arguments:?}");
    }
}

#[test]
fn a_plan_is_for_an_opened_pull_request_unless_told_otherwise() {
    let Command::Plan(options) = parse(&["plan", "-"]).unwrap() else { panic!("not plan") };
    assert_eq!(options.trigger.to_string(), "pull_request.opened");
    let Command::Plan(options) = parse(&["plan", "-", "--trigger", "release.published"]).unwrap() else {
        panic!("not plan")
    };
    assert_eq!(options.trigger.to_string(), "release.published");
}

/// What stands in the guide for a value of somebody's own, and is one where a number is wanted.
fn as_typed(word: &str) -> &str {
    match word {
        "NUMBER" | "ID" => "7",
        "STACK" => "vpc/prod",
        word => word.trim_matches('\'').trim_matches('"'),
    }
}

#[test]
fn every_command_of_the_operations_guide_is_one() {
    let guide = include_str!("../../../../docs/operations.md");
    // Code within lines, and whole lines of blocks.
    let code = guide.split('`').filter(|text| !text.contains('\n')).chain(guide.lines());
    let (mut found, mut wrong) = (0, Vec::new());
    for command in code.map(str::trim) {
        let command = command.strip_prefix("STACKWAVE_DISPATCH=off ").unwrap_or(command);
        let Some(arguments) = command.strip_prefix("stackwave ") else { continue };
        // A command's name alone.
        if !arguments.contains(' ')
            || arguments.contains(['…', '`'])
            || arguments.starts_with(char::is_uppercase)
        {
            continue;
        }
        let mut words = Vec::new();
        // What is within quotes is one word.
        for (index, part) in arguments.split('\'').enumerate() {
            if index % 2 == 0 {
                words.extend(part.split_whitespace().map(as_typed));
            } else {
                words.push(part);
            }
        }
        wrong.extend(parse(&words).err().map(|error| format!("`{command}`: {error}")));
        found += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(found > 60, "{found}");
}
