//! The GitHub App: what it may, what it hears, and what it missed.

use crate::{Finding, log::skew_finding};
use jiff::SignedDuration;
use stackwave_domain::Timestamp;
use stackwave_github::port::{AppFacts, CallError, DeliveryFacts, InstallationFacts, WebhookFacts};
use std::collections::{BTreeMap, BTreeSet};

/// What Stackwave cannot do without, and what for.
///
/// Source: GitHub Docs "Permissions required for GitHub Apps".
pub const PERMISSIONS: &[(&str, &str, &str)] = &[
    ("actions", "write", "start workflows and read their runs"),
    ("contents", "read", "read workflow files, and hear of pushes and dispatches"),
    ("metadata", "read", "see the repository"),
    ("pull_requests", "write", "read pull requests and comment on them"),
];

/// What is needed for something that not everybody uses, and for what.
pub const USEFUL_PERMISSIONS: &[(&str, &str, &str)] = &[
    ("checks", "write", "check runs"),
    ("issues", "read", "comments that were changed or deleted"),
    ("merge_queues", "read", "runs for a merge queue"),
];

/// Events without which something is only found by looking, minutes later or never.
pub const EVENTS: &[(&str, &str)] = &[
    ("pull_request", "no run is opened before a look finds the pull request"),
    ("workflow_run", "a workflow's end is found by the next look only"),
    ("workflow_job", "an approval that is waited for is not shown"),
    ("workflow_dispatch", "a dispatch whose answer was lost is harder to find"),
    ("push", "a moved default branch is not noticed"),
];

/// Events for what not everybody uses.
pub const USEFUL_EVENTS: &[(&str, &str)] = &[
    ("check_run", "a check's Re-run button does nothing"),
    ("issue_comment", "a deleted comment is not written anew"),
    ("merge_group", "a merge queue opens no run"),
    ("release", "a release opens no run"),
];

/// Where the App's settings are, for advice.
const SETTINGS: &str = "on the App's settings page at GitHub";

/// Judges the App itself. `now` is this machine's clock when GitHub answered.
#[must_use]
pub fn judge(app: &Result<AppFacts, CallError>, now: Timestamp) -> Vec<Finding> {
    let app = match app {
        Ok(app) => app,
        Err(error) => return vec![unreachable("github.app", error)],
    };
    let mut findings =
        vec![Finding::ok("github.app", format!("signed in as `{}` (App {})", app.slug, app.id))];
    findings.extend(app.at.map(|at| {
        // GitHub tells whole seconds.
        skew_finding("github.clock", "GitHub", at.duration_since(now).abs(), SignedDuration::from_secs(1))
    }));
    findings.extend(permissions(&app.permissions, None));
    findings.extend(events(&app.events));
    findings
}

/// Why GitHub could not be asked.
#[must_use]
pub fn unreachable(check: &'static str, error: &CallError) -> Finding {
    let advice = match error {
        CallError::Unauthorized(_) => {
            "check STACKWAVE_GITHUB_APP_ID, that STACKWAVE_GITHUB_APP_PRIVATE_KEY_FILE holds a key of that App, and this \
             machine's clock"
        }
        CallError::Unavailable(_) => {
            "check STACKWAVE_GITHUB_API_URL, and that this machine reaches it (proxy, firewall, certificates); where GitHub \
             itself answers with an error, see https://www.githubstatus.com and ask again"
        }
        CallError::RateLimited { .. } => "wait, and ask again",
        CallError::NotFound(_) => {
            "check STACKWAVE_GITHUB_API_URL: `https://api.github.com`, `https://api.SUBDOMAIN.ghe.com` or \
             `https://HOST/api/v3`"
        }
        CallError::Refused { .. } => "see what GitHub says; the App may lack a permission",
    };
    Finding::problem(check, error.to_string(), advice)
}

/// Why nothing can be learnt of a repository of an App that can sign in.
#[must_use]
pub fn unreachable_repository(check: &'static str, error: &CallError) -> Finding {
    match error {
        // The App's own key was taken: it is this one installation that gives no token.
        CallError::Unauthorized(_) => Finding::problem(
            check,
            error.to_string(),
            "see that the installation is not suspended, under \"Installed GitHub Apps\" of the repository's owner",
        ),
        CallError::Unavailable(_)
        | CallError::RateLimited { .. }
        | CallError::NotFound(_)
        | CallError::Refused { .. } => unreachable(check, error),
    }
}

fn permissions(granted: &BTreeMap<String, String>, about: Option<&str>) -> Vec<Finding> {
    const CHECK: &str = "github.permissions";
    let lacks = |(name, level, _): &&(&str, &str, &str)| !grants(granted, name, level);
    let named = |wanted: &[&(&str, &str, &str)]| -> String {
        let each = wanted.iter().map(|(name, level, what)| format!("`{name}: {level}` ({what})"));
        each.collect::<Vec<_>>().join(", ")
    };
    let needed: Vec<_> = PERMISSIONS.iter().filter(lacks).collect();
    let useful: Vec<_> = USEFUL_PERMISSIONS.iter().filter(lacks).collect();
    let advice = match about {
        None => format!(
            "grant it under \"Permissions & events\" {SETTINGS}; each account's owner then has to accept"
        ),
        Some(account) => {
            format!(
                "an owner of `{account}` has to accept the App's new permissions, under \"Installed GitHub Apps\""
            )
        }
    };
    let mut findings = Vec::new();
    if !needed.is_empty() {
        findings.push(Finding::problem(CHECK, format!("it lacks {}", named(&needed)), advice.clone()));
    }
    if !useful.is_empty() {
        findings.push(Finding::warning(CHECK, format!("without {}", named(&useful)), advice));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(CHECK, "it may do all that is needed"));
    }
    match about {
        None => findings,
        Some(account) => findings.into_iter().map(|finding| finding.about(account)).collect(),
    }
}

/// `write` includes `read`, and `admin` both.
fn grants(granted: &BTreeMap<String, String>, name: &str, level: &str) -> bool {
    let rank = |level: &str| match level {
        "read" => 1,
        "write" => 2,
        "admin" => 3,
        _ => 0,
    };
    granted.get(name).is_some_and(|has| rank(has) >= rank(level))
}

fn events(subscribed: &BTreeSet<String>) -> Vec<Finding> {
    const CHECK: &str = "github.events";
    let missing = |wanted: &'static [(&'static str, &'static str)]| -> Vec<String> {
        let lacking = wanted.iter().filter(|(event, _)| !subscribed.contains(*event));
        lacking.map(|(event, so)| format!("`{event}`: {so}")).collect()
    };
    let advice = format!("subscribe under \"Permissions & events\" {SETTINGS}");
    let mut findings = Vec::new();
    let (needed, useful) = (missing(EVENTS), missing(USEFUL_EVENTS));
    if !needed.is_empty() {
        let found = format!("the App does not hear of {}", needed.join("; "));
        findings.push(Finding::problem(CHECK, found, advice.clone()));
    }
    if !useful.is_empty() {
        findings.push(Finding::warning(CHECK, format!("not subscribed to {}", useful.join("; ")), advice));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(CHECK, "the App hears of everything that is used"));
    }
    findings
}

/// Judges where the App is installed.
#[must_use]
pub fn judge_installations(installations: &[InstallationFacts]) -> Vec<Finding> {
    const CHECK: &str = "github.installations";
    if installations.is_empty() {
        return vec![Finding::problem(
            CHECK,
            "the App is installed nowhere",
            format!("install it in your organization, under \"Install App\" {SETTINGS}"),
        )];
    }
    let mut findings = Vec::new();
    for installation in installations {
        let account = &installation.account;
        if installation.suspended {
            findings.push(
                Finding::problem(
                    CHECK,
                    format!("the installation {} is suspended", installation.id),
                    format!("an owner of `{account}` has to unsuspend it, under \"Installed GitHub Apps\""),
                )
                .about(account),
            );
            continue;
        }
        findings.push(Finding::ok(CHECK, format!("installed as {}", installation.id)).about(account));
        let lacking = permissions(&installation.permissions, Some(account));
        findings.extend(lacking.into_iter().filter(|finding| finding.advice.is_some()));
    }
    findings
}

/// Judges where webhooks go.
#[must_use]
pub fn judge_webhook(webhook: &WebhookFacts) -> Vec<Finding> {
    const CHECK: &str = "github.webhook";
    const PATH: &str = "/webhooks/github";
    let Some(url) = &webhook.url else {
        return vec![Finding::problem(
            CHECK,
            "the App has no webhook: nothing tells when a pull request or a workflow run changes",
            format!(
                "set its URL to `https://YOUR-HOST{PATH}` and its secret to STACKWAVE_GITHUB_WEBHOOK_SECRET, {SETTINGS}"
            ),
        )];
    };
    let parsed = url::Url::parse(url);
    let path = parsed.as_ref().map(|url| url.path().trim_end_matches('/').to_owned()).unwrap_or_default();
    let is_plain = parsed.as_ref().is_ok_and(|url| url.scheme() == "http");
    let mut findings = Vec::new();
    if path.ends_with(PATH) {
        findings.push(Finding::ok(CHECK, format!("webhooks go to {url}")));
    } else {
        findings.push(Finding::problem(
            CHECK,
            format!("webhooks go to {url}, and Stackwave takes them at `{PATH}`"),
            format!("set the URL to `https://YOUR-HOST{PATH}` {SETTINGS}, unless a proxy rewrites the path"),
        ));
    }
    if is_plain {
        findings.push(Finding::warning(
            CHECK,
            "webhooks travel without TLS: anybody on the way reads them",
            "put a reverse proxy with a certificate before `serve`, and make the URL `https://`",
        ));
    }
    if webhook.insecure_ssl {
        findings.push(Finding::warning(
            CHECK,
            "GitHub does not check the certificate of the webhook's address",
            format!("enable SSL verification {SETTINGS}"),
        ));
    }
    if webhook.content_type != "json" {
        findings.push(Finding::note(
            CHECK,
            "webhooks come as forms; `application/json` is smaller, and both are taken",
        ));
    }
    findings
}

/// So many events that were missed one after the other are no restart.
const IN_A_ROW: usize = 3;

/// Judges what became of deliveries, newest first: an event is missed when none of its attempts was taken. That nothing
/// is taken any more is a problem; that something was not is a warning.
#[must_use]
pub fn judge_deliveries(deliveries: &[DeliveryFacts]) -> Finding {
    const CHECK: &str = "github.deliveries";
    let mut taken: BTreeMap<&str, bool> = BTreeMap::new();
    for delivery in deliveries {
        *taken.entry(&delivery.guid).or_default() |= was_taken(delivery);
    }
    if taken.is_empty() {
        return Finding::note(CHECK, "GitHub has delivered nothing yet");
    }
    let mut missed: BTreeMap<&str, &DeliveryFacts> = BTreeMap::new();
    for delivery in deliveries.iter().filter(|delivery| taken.get(delivery.guid.as_str()) == Some(&false)) {
        // They come newest first: the first one that is met is the last attempt.
        missed.entry(&delivery.guid).or_insert(delivery);
    }
    let Some(newest) = missed.values().max_by_key(|delivery| delivery.delivered_at) else {
        return Finding::ok(CHECK, format!("GitHub's last {} deliveries were taken", taken.len()));
    };
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for delivery in missed.values() {
        *kinds.entry(&delivery.event).or_default() += 1;
    }
    let kinds: Vec<String> = kinds.iter().map(|(event, count)| format!("{count} × `{event}`")).collect();
    let found = format!(
        "of GitHub's last {} events {} were not taken ({}); the newest at {}: {} (GUID {})",
        taken.len(),
        missed.len(),
        kinds.join(", "),
        newest.delivered_at,
        newest.status,
        newest.guid,
    );
    let then = format!(
        "{}. Redeliver what was missed under \"Advanced\" {SETTINGS}: a repeat changes nothing. What it said about workflow \
         runs and pull requests is found by looking meanwhile (`stackwave resync`)",
        cause(newest)
    );
    let newest_first: Vec<&str> = deliveries.iter().map(|delivery| delivery.guid.as_str()).collect();
    let mut seen = BTreeSet::new();
    let mut events = newest_first.into_iter().filter(|guid| seen.insert(*guid)).take(IN_A_ROW);
    if events.any(|guid| taken.get(guid) == Some(&true)) {
        return Finding::warning(CHECK, found, then);
    }
    Finding::problem(CHECK, format!("{found}; none of the newest was taken"), then)
}

fn was_taken(delivery: &DeliveryFacts) -> bool {
    delivery.status == "OK"
}

/// Where to look, by what GitHub was answered.
///
/// Source: GitHub Docs "Troubleshooting webhooks": without an answer the status says so in words (`failed to connect to
/// host`, `timed out`, `peer certificate cannot be authenticated …`), and the status code is 502 or 504.
fn cause(delivery: &DeliveryFacts) -> &'static str {
    let status = delivery.status.to_ascii_lowercase();
    if status.contains("timed out") {
        return "GitHub waits ten seconds for an answer: see that it reaches the webhook's URL, and how long `serve` takes \
                (`stackwave_hop_duration_seconds`)";
    }
    if !status.contains("http response") {
        return "see that GitHub reaches the webhook's URL: DNS, firewall, certificate, and whether `serve` runs behind it";
    }
    match delivery.status_code {
        401 | 403 => {
            "the webhook's secret at GitHub has to be one of STACKWAVE_GITHUB_WEBHOOK_SECRET, and no proxy may change the body"
        }
        300..=399 | 404 | 405 => {
            "the webhook's URL does not lead to Stackwave's `/webhooks/github`: correct it, or the proxy before it"
        }
        413 => "a proxy before Stackwave refuses large bodies: let it pass 25 MiB",
        500.. => "see the log of `serve`, and of the proxy before it: the event log may have been away",
        _ => "see the answer under \"Advanced\"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Level;

    fn facts() -> AppFacts {
        let wanted = PERMISSIONS.iter().chain(USEFUL_PERMISSIONS);
        let events = EVENTS.iter().chain(USEFUL_EVENTS);
        AppFacts {
            id: 1,
            slug: "stackwave".to_owned(),
            permissions: wanted.map(|(name, level, _)| ((*name).to_owned(), (*level).to_owned())).collect(),
            events: events.map(|(event, _)| (*event).to_owned()).collect(),
            at: Some(Timestamp::UNIX_EPOCH),
        }
    }

    fn worst(findings: &[Finding], check: &str) -> Level {
        findings.iter().filter(|finding| finding.check == check).map(|finding| finding.level).max().unwrap()
    }

    #[test]
    fn an_app_with_all_it_needs_is_well() {
        let findings = judge(&Ok(facts()), Timestamp::UNIX_EPOCH);
        assert!(findings.iter().all(|finding| finding.level == Level::Ok), "{findings:#?}");
    }

    #[test]
    fn a_missing_permission_and_event_are_named_with_what_they_are_for() {
        let mut app = facts();
        app.permissions.insert("actions".to_owned(), "read".to_owned());
        app.events.remove("workflow_run");
        let findings = judge(&Ok(app), Timestamp::UNIX_EPOCH);
        assert_eq!(worst(&findings, "github.permissions"), Level::Problem);
        assert_eq!(worst(&findings, "github.events"), Level::Problem);
        let said = findings.iter().map(|finding| finding.found.as_str()).collect::<Vec<_>>().join("\n");
        assert!(said.contains("`actions: write` (start workflows"), "{said}");
        assert!(said.contains("`workflow_run`: a workflow's end"), "{said}");
    }

    #[test]
    fn a_key_that_does_not_fit_says_which_settings_to_check() {
        let refused = Err(CallError::Unauthorized("A JSON web token could not be decoded".to_owned()));
        let findings = judge(&refused, Timestamp::UNIX_EPOCH);
        assert!(findings[0].advice.as_ref().unwrap().contains("STACKWAVE_GITHUB_APP_PRIVATE_KEY_FILE"));
    }

    #[test]
    fn a_webhook_that_goes_elsewhere_is_a_problem() {
        let facts = |url: Option<&str>| WebhookFacts {
            url: url.map(str::to_owned),
            content_type: "json".to_owned(),
            insecure_ssl: false,
        };
        let level = |url| worst(&judge_webhook(&facts(url)), "github.webhook");
        assert_eq!(level(Some("https://deploy.example.com/webhooks/github")), Level::Ok);
        assert_eq!(level(Some("http://deploy.example.com/webhooks/github")), Level::Warning);
        assert_eq!(level(Some("https://deploy.example.com/hooks")), Level::Problem);
        assert_eq!(level(None), Level::Problem);
    }

    #[test]
    fn an_event_that_was_taken_at_last_was_not_missed() {
        let attempt = |guid: &str, status: &str, at: i64| DeliveryFacts {
            guid: guid.to_owned(),
            event: "workflow_run".to_owned(),
            action: Some("completed".to_owned()),
            delivered_at: Timestamp::from_second(at).unwrap(),
            status: status.to_owned(),
            status_code: 200,
        };
        let mended = [attempt("a", "OK", 3), attempt("a", "timed out", 2)];
        assert_eq!(judge_deliveries(&mended).level, Level::Ok);
        let missed = [attempt("b", "timed out", 4), attempt("a", "OK", 3)];
        let finding = judge_deliveries(&missed);
        assert_eq!(finding.level, Level::Warning);
        assert!(
            finding.found.contains("2 events 1 were not taken (1 × `workflow_run`)"),
            "{}",
            finding.found
        );
        let away = ["d", "c", "b"].map(|guid| attempt(guid, "timed out", 4));
        assert_eq!(judge_deliveries(&away).level, Level::Problem);
        assert_eq!(judge_deliveries(&[]).level, Level::Note);
    }

    #[test]
    fn what_was_answered_to_a_delivery_leads_to_its_cause() {
        let advice = |status: &str, status_code| {
            let delivery = DeliveryFacts {
                guid: "a".to_owned(),
                event: "push".to_owned(),
                action: None,
                delivered_at: Timestamp::UNIX_EPOCH,
                status: status.to_owned(),
                status_code,
            };
            judge_deliveries(&[delivery]).advice.unwrap()
        };
        let answered = "Invalid HTTP Response: …";
        assert!(advice("failed to connect to host", 502).contains("firewall"));
        assert!(advice("timed out", 504).contains("ten seconds"));
        assert!(advice(answered, 401).contains("STACKWAVE_GITHUB_WEBHOOK_SECRET"));
        assert!(advice(answered, 404).contains("/webhooks/github"));
        assert!(advice(answered, 503).contains("the log of `serve`"));
    }

    #[test]
    fn an_installation_without_a_token_is_not_taken_for_a_wrong_key() {
        let refused = CallError::Unauthorized("This installation has been suspended".to_owned());
        let finding = unreachable_repository("repository.installation", &refused);
        assert!(finding.advice.unwrap().contains("suspended"));
    }

    #[test]
    fn an_account_that_did_not_accept_new_permissions_is_named() {
        let mut granted = facts().permissions;
        granted.remove("actions");
        let installation = InstallationFacts {
            id: stackwave_domain::InstallationId(7),
            account: "acme".to_owned(),
            permissions: granted,
            events: BTreeSet::new(),
            suspended: false,
        };
        let findings = judge_installations(&[installation]);
        let lacking = findings.iter().find(|finding| finding.level == Level::Problem).unwrap();
        assert_eq!(lacking.about.as_deref(), Some("acme"));
        assert!(lacking.advice.as_ref().unwrap().contains("owner of `acme`"));
    }
}
