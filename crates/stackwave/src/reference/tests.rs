mod page;

use super::*;
use clap_complete::Shell;
use std::process::{Command, Stdio};

#[test]
fn the_page_about_the_command_line_says_what_the_commands_take() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md");
    let written = fs::read_to_string(path).unwrap();
    let mut wanted = written.clone();
    for (name, text) in [("options", page::common_options()), ("commands", page::commands())] {
        let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
        let (before, rest) = wanted.split_once(&open).unwrap();
        let (_, after) = rest.split_once(&close).unwrap();
        wanted = format!("{before}{open}{text}{close}{after}");
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, &wanted).unwrap();
    } else {
        let first = written.lines().zip(wanted.lines()).find(|(written, wanted)| written != wanted);
        assert!(
            written == wanted,
            "docs/cli.md is not what the commands say ({first:?}); run `UPDATE_DOCS=1 cargo test -p stackwave reference`"
        );
    }
}

#[test]
fn every_command_and_option_says_what_it_is_for() {
    page::walk(&mut |command, path| {
        assert!(command.get_about().is_some(), "`{path}` says nothing");
        for argument in command.get_arguments() {
            let id = argument.get_id();
            assert!(
                argument.get_help().is_some() || argument.get_long_help().is_some(),
                "`{path}`: {id} says nothing"
            );
        }
    });
}

/// What a shell's script is.
fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "stackwave", &mut script);
    String::from_utf8(script).unwrap()
}

#[test]
fn completions_know_the_verbs_in_every_shell() {
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell, Shell::Elvish] {
        let script = script(shell);
        for word in ["runs", "explain", "dispatches", "page-token", "not-happened"] {
            assert!(script.contains(word), "{shell}: `{word}`");
        }
    }
}

#[test]
fn bash_reads_its_completions() {
    let mut bash = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
    bash.stdin.take().unwrap().write_all(script(Shell::Bash).as_bytes()).unwrap();
    assert!(bash.wait().unwrap().success());
}

#[test]
fn bash_completes_a_verb_and_its_options() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stackwave.bash");
    // As a file that is sourced: it is longer than an argument may be.
    fs::write(&path, script(Shell::Bash)).unwrap();
    let asked = "
        source \"$0\"
        COMP_WORDS=(stackwave runs list --stat)
        COMP_CWORD=3
        _stackwave stackwave --stat list
        echo \"${COMPREPLY[@]}\"";
    let answer = Command::new("bash").arg("-c").arg(asked).arg(&path).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&answer.stdout).trim(), "--status", "{answer:?}");
}

#[test]
fn each_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("man1");
    man(&ManOptions { dir: Some(dir.clone()) }).unwrap();
    page::walk(&mut |_, path| {
        let page = dir.join(format!("{}.1", path.replace(' ', "-")));
        let text = fs::read_to_string(&page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        assert!(text.contains(".SH NAME") && text.contains(".SH SYNOPSIS"), "{path}");
    });
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = man(&ManOptions { dir: Some(file.path().join("man1")) }).unwrap_err();
    assert!(format!("{error:#}").contains("man1"), "{error:#}");
}
