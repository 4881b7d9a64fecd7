//! The command line as Markdown.

use crate::cli::Cli;
use clap::{Arg, Command, CommandFactory as _};
use std::fmt::Write as _;

/// The heading of the options that every verb has which asks a server.
const COMMON: &str = "Server and output";
/// The heading of the options that are settings.
const SETTINGS: &str = "Settings";

/// Every command with its path, such as `stackwave runs list`.
pub(super) fn walk(visit: &mut impl FnMut(&Command, &str)) {
    let mut cli = Cli::command();
    cli.build();
    walk_below(&cli, "stackwave", visit);
}

fn walk_below(command: &Command, path: &str, visit: &mut impl FnMut(&Command, &str)) {
    visit(command, path);
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        walk_below(below, &format!("{path} {}", below.get_name()), visit);
    }
}

/// The options of every verb that asks a server.
pub(super) fn common_options() -> String {
    let mut cli = Cli::command();
    cli.build();
    let runs = cli.find_subcommand("runs").unwrap();
    options(runs, |heading| heading == Some(COMMON))
}

/// A section for each command.
pub(super) fn commands() -> String {
    let mut page = String::new();
    walk(&mut |command, path| {
        if path != "stackwave" {
            section(&mut page, command, path);
        }
    });
    page
}

fn section(page: &mut String, command: &Command, path: &str) {
    let level = path.split(' ').count();
    writeln!(page, "\n{} {path}\n", "#".repeat(level)).unwrap();
    let about = command.get_long_about().or_else(|| command.get_about()).unwrap().to_string();
    writeln!(page, "{}\n", sentence(about.trim())).unwrap();
    let usage = command.clone().render_usage().to_string();
    writeln!(page, "```\n{}\n```", usage.trim_start_matches("Usage: ").trim()).unwrap();
    let names: Vec<String> = command.get_visible_aliases().map(|alias| format!("`{alias}`")).collect();
    if !names.is_empty() {
        writeln!(page, "\nAlso: {}", names.join(", ")).unwrap();
    }
    let own = options(command, |heading| heading != Some(COMMON) && heading != Some(SETTINGS));
    if !own.is_empty() {
        write!(page, "\n{own}").unwrap();
    }
    let has = |wanted| command.get_arguments().any(|argument| argument.get_help_heading() == Some(wanted));
    if has(SETTINGS) {
        writeln!(
            page,
            "\nEach setting of [configuration.md](configuration.md) but secrets is an option, too."
        )
        .unwrap();
    }
    if has(COMMON) && !command.has_subcommands() {
        writeln!(page, "\nTakes the [options of every verb](#options-of-every-verb).").unwrap();
    }
    if let Some(after) = command.get_after_help() {
        writeln!(page, "\n```\n{}\n```", after.to_string().trim()).unwrap();
    }
}

/// The options and arguments of a command below some headings, one an item.
fn options(command: &Command, wanted: impl Fn(Option<&str>) -> bool) -> String {
    command
        .get_arguments()
        .filter(|argument| wanted(argument.get_help_heading()))
        .filter(|argument| !matches!(argument.get_id().as_str(), "help" | "version"))
        .map(|argument| format!("- `{}`: {}\n", names(argument), help(argument)))
        .collect()
}

/// `-n, --limit <N>`.
fn names(argument: &Arg) -> String {
    let takes = argument.get_action().takes_values();
    let value = argument.get_value_names().filter(|_| takes).map(|names| format!("<{}>", names[0]));
    let Some(long) = argument.get_long() else { return value.unwrap_or_default() };
    let short = argument.get_short().map(|short| format!("-{short}, ")).unwrap_or_default();
    let value = value.map(|value| format!(" {value}")).unwrap_or_default();
    format!("{short}--{long}{value}")
}

fn help(argument: &Arg) -> String {
    let help = argument.get_long_help().or_else(|| argument.get_help()).unwrap().to_string();
    let mut text = sentence(&help.split_whitespace().collect::<Vec<_>>().join(" "));
    if !argument.get_action().takes_values() {
        return text;
    }
    let values: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if !values.is_empty() {
        write!(text, " One of {}.", values.join(", ")).unwrap();
    }
    let defaults: Vec<String> =
        argument.get_default_values().iter().map(|value| value.to_string_lossy().into()).collect();
    if defaults.iter().any(|value| !value.is_empty()) {
        write!(text, " By default `{}`.", defaults.join(" ")).unwrap();
    }
    text
}

/// A text with a full stop.
fn sentence(text: &str) -> String {
    if text.ends_with(['.', ':', '!']) { text.to_owned() } else { format!("{text}.") }
}
