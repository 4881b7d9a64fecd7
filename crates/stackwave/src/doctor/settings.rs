//! The configuration, as `serve` with all roles would take it.

use crate::config::{LogTarget, Problem, Settings, SettingsError};
use stackwave_doctor::Finding;

const CHECK: &str = "configuration";

/// What is missing says itself what to do.
fn problem(problem: &Problem) -> Finding {
    let advice = "docs/configuration.md lists every setting, and what it takes";
    let finding = Finding::problem(CHECK, problem.to_string(), advice);
    match problem {
        Problem::Missing { .. } => Finding { advice: None, ..finding },
        _ => finding,
    }
}

/// Judges what was loaded; everything that is wrong is a problem of its own.
pub(super) fn judge(loaded: &Result<Settings, SettingsError>) -> Vec<Finding> {
    let settings = match loaded {
        Ok(settings) => settings,
        Err(error) => {
            return error.problems.iter().map(problem).collect();
        }
    };
    let mut findings = vec![Finding::ok(CHECK, "every setting can be used")];
    if settings.admin_token.is_none() {
        findings.push(Finding::warning(
            CHECK,
            "there is no first admin token: the admin API refuses every call but health and reflection",
            "set STACKWAVE_ADMIN_TOKEN_FILE to a file with a long random text (`openssl rand -base64 32`)",
        ));
    }
    if settings.http_addr.ip().is_loopback() {
        findings.push(Finding::note(
            CHECK,
            format!(
                "HTTP is served on {} only: uploads and webhooks reach it through a proxy on this machine, or not at all",
                settings.http_addr
            ),
        ));
    }
    if !settings.dispatch {
        findings.push(Finding::note(CHECK, "STACKWAVE_DISPATCH is off: nothing is started"));
    }
    if let LogTarget::Nats(url) = &settings.log.target
        && url.starts_with("nats://")
        && settings.log.nats_credentials.is_none()
        && !url.contains('@')
    {
        findings.push(Finding::warning(
            CHECK,
            "the NATS server is used without credentials and without TLS: whoever reaches it may write decisions",
            "give Stackwave a NATS user of its own (STACKWAVE_NATS_CREDENTIALS_FILE), and use `tls://`",
        ));
    }
    findings
}
