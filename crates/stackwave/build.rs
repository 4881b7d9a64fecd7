//! Tells the executable which commit it is built from. Never fails a build: what cannot be learnt is `unknown`.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=STACKWAVE_BUILD_COMMIT");
    println!("cargo::rerun-if-env-changed=STACKWAVE_BUILD_DATE");
    let (commit, date) = from_git().unwrap_or_default();
    println!("cargo::rustc-env=STACKWAVE_COMMIT={}", given("STACKWAVE_BUILD_COMMIT", &commit));
    println!("cargo::rustc-env=STACKWAVE_COMMIT_DATE={}", given("STACKWAVE_BUILD_DATE", &date));
}

/// The override, for builds without the repository (images, packages); else what Git says.
fn given(variable: &str, from_git: &str) -> String {
    let text = env::var(variable).unwrap_or_default();
    [text.trim(), from_git, "unknown"]
        .into_iter()
        .find(|text| !text.is_empty())
        .unwrap_or_default()
        .to_owned()
}

/// The commit and the day on which it was made.
fn from_git() -> Option<(String, String)> {
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR")?);
    // A copy of the sources inside somebody else's repository must not show that repository's commit.
    git(&folder, &["ls-files", "--error-unmatch", "build.rs"])?;
    let mut moves = vec!["HEAD".to_owned(), "logs/HEAD".to_owned(), "packed-refs".to_owned()];
    moves.extend(git(&folder, &["symbolic-ref", "--quiet", "HEAD"]));
    for file in moves {
        let Some(path) = git(&folder, &["rev-parse", "--git-path", &file]) else { continue };
        let path = folder.join(path);
        // A path that does not exist would make every build run this again.
        if path.exists() {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
    let line = git(&folder, &["log", "-1", "--abbrev=9", "--format=%h %cs"])?;
    let (commit, date) = line.split_once(' ')?;
    Some((commit.to_owned(), date.to_owned()))
}

fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").current_dir(folder).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
