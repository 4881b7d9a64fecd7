//! One thing that was looked at, and what it was found to be.

use serde::Serialize;
use std::fmt::{self, Write as _};

/// How well something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Nothing follows from it, but it is good to know.
    Note,
    /// It works, and will hurt.
    Warning,
    /// It does not work.
    Problem,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Problem => "problem",
        })
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check's name, stable, for programs: `github.permissions`.
    pub check: &'static str,
    /// How well.
    pub level: Level,
    /// What it is about, where a check is made of several things: a repository, an account, a stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// What was found, in a sentence without a full stop.
    pub found: String,
    /// What to change; none where nothing has to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Finding {
    /// As it should be.
    pub fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, level: Level::Ok, about: None, found: found.into(), advice: None }
    }

    /// Good to know.
    pub fn note(check: &'static str, found: impl Into<String>) -> Self {
        Self { level: Level::Note, ..Self::ok(check, found) }
    }

    /// It works, and will hurt.
    pub fn warning(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { level: Level::Warning, advice: Some(advice.into()), ..Self::ok(check, found) }
    }

    /// It does not work.
    pub fn problem(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { level: Level::Problem, advice: Some(advice.into()), ..Self::ok(check, found) }
    }

    /// Names what it is about.
    #[must_use]
    pub fn about(mut self, about: impl Into<String>) -> Self {
        self.about = Some(about.into());
        self
    }
}

/// Everything that was found, in the order in which it was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What was found.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Adds what a check found.
    pub fn add(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.findings.extend(findings);
    }

    /// How many findings have this level.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    /// For people: a line a finding with its advice below, and a line that counts them.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for Finding { check, level, about, found, advice } in &self.findings {
            let about = about.as_ref().map(|about| format!("{about}: ")).unwrap_or_default();
            // Writing into memory cannot fail.
            let _ = writeln!(text, "{level:<8} {check:<22} {about}{found}");
            if let Some(advice) = advice {
                let _ = writeln!(text, "{:<31} → {advice}", "");
            }
        }
        let (problems, warnings) = (self.count(Level::Problem), self.count(Level::Warning));
        let _ = writeln!(text, "\n{}, {}", counted(problems, "problem"), counted(warnings, "warning"));
        text
    }
}

fn counted(count: usize, what: &str) -> String {
    match count {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        more => format!("{more} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_reads_line_by_line_and_ends_with_its_count() {
        let mut report = Report::default();
        report.add([
            Finding::ok("log.reachable", "SQLite 3.50.4"),
            Finding::problem("github.webhook", "the App has no webhook", "set its URL").about("stackwave"),
        ]);
        assert_eq!(
            report.text(),
            "ok       log.reachable          SQLite 3.50.4\n\
             problem  github.webhook         stackwave: the App has no webhook\n\
             \x20                               → set its URL\n\n\
             1 problem, no warnings\n"
        );
    }
}
