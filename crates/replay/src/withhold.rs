//! What never leaves: secrets are impossible in a recording by construction.
//!
//! Only events that are listed here are taken ([`EXPORTED`]); of the configuration that is what a repository is called,
//! and nothing of keys, tokens or people. An event that this version does not know keeps its name and loses its content.
//! Bodies of uploads are not taken at all. In what is taken, every text that looks like a secret is replaced: Stackwave
//! stores none, but what people write into inputs, titles and reasons is theirs.

use crate::json;
use serde_json::Value;
use stackwave_domain::{Entry, Event};
use std::borrow::Cow;

/// The events that are taken.
pub const EXPORTED: &[&str] = &[
    "upload_received",
    "pull_request_observed",
    "workflow_run_observed",
    "workflow_job_waiting",
    "workflow_dispatch_observed",
    "push_observed",
    "merge_group_observed",
    "release_observed",
    "check_run_observed",
    "issue_comment_observed",
    "upload_looked_up",
    "run_opened",
    "stack_released",
    "stack_skipped",
    "run_superseded",
    "run_closed",
    "run_ended",
    "run_cancelled",
    "stack_withdrawn",
    "retry_dropped",
    "dispatch_claimed",
    "dispatch_taken_over",
    "dispatch_resending",
    "dispatch_accepted",
    "dispatch_refused",
    "dispatch_delayed",
    "dispatch_outcome_unknown",
    "dispatch_found",
    "dispatch_undecidable",
    "comment_claimed",
    "comment_posted",
    "comment_refused",
    "repository_registered",
    "retry_requested",
    "cancel_requested",
    "resync_requested",
    "dispatch_resolved",
    "workflow_cancel_requested",
    "workflow_cancel_answered",
    "resynced",
    "command_failed",
];

/// The events that are not: credentials, who used them, and what concerns no repository.
pub const WITHHELD: &[&str] = &[
    "api_key_registered",
    "api_key_revoked",
    "admin_token_registered",
    "admin_token_revoked",
    "credential_used",
    "workspace_registered",
    "installation_observed",
    "installation_repositories_observed",
    "ping_observed",
    "pending_upload_resolved",
    "checkpoint_written",
];

/// What stands in the place of a secret.
const REPLACED: &str = "[withheld]";

/// Takes out of a record whatever may not leave, and counts what looked like a secret.
pub fn withhold(entry: &mut Entry) -> u64 {
    for event in &mut entry.record.events {
        let known = EXPORTED.contains(&event.name());
        if !known || matches!(event, Event::Unknown { .. }) {
            *event = Event::Unknown { name: event.name().to_owned(), json: "{}".to_owned() };
        }
    }
    if !may_hold(&json::text_of(&entry.record)) {
        return 0;
    }
    let mut value = json::of_record(&entry.record);
    let count = clean(&mut value, false);
    if count > 0 {
        match json::to_record(&value) {
            Ok(record) => entry.record = record,
            // A text that means something to us is gone: the record goes with it, all but its envelope.
            Err(_) => entry.record.events.clear(),
        }
    }
    count
}

/// Whether anything in a text can be a secret: a quick look, so that the many that hold none are not taken apart.
fn may_hold(text: &str) -> bool {
    const MARKS: &[&str] = &["-----begin ", "eyj", "bearer ", "basic "];
    let text = text.to_ascii_lowercase();
    let has = |mark: &str| text.contains(mark);
    let tokens = || TOKENS.iter().any(|(prefix, _)| has(&prefix.to_ascii_lowercase()));
    let names = || SECRET_NAMES.iter().any(|name| has(name) || has(&name.replace('_', "-")));
    (has("://") && has("@")) || MARKS.iter().any(|mark| has(mark)) || names() || tokens()
}

/// Takes secrets out of a content's JSON.
pub(crate) fn withhold_text(json: &str) -> (Cow<'_, str>, u64) {
    if !may_hold(json) {
        return (Cow::Borrowed(json), 0);
    }
    let Ok(mut value) = serde_json::from_str::<Value>(json) else {
        let (text, count) = clean_text(json);
        return (text, count);
    };
    match clean(&mut value, false) {
        0 => (Cow::Borrowed(json), 0),
        count => (Cow::Owned(value.to_string()), count),
    }
}

/// Replaces what looks like a secret, in every text below; `named`: under a name that promises one.
fn clean(value: &mut Value, named: bool) -> u64 {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => match replaced(text, named) {
            Some((clean, count)) => {
                *text = clean;
                count
            }
            None => 0,
        },
        Value::Array(values) => values.iter_mut().map(|value| clean(value, named)).sum(),
        Value::Object(fields) => {
            fields.iter_mut().map(|(name, value)| clean(value, is_secret_name(name))).sum()
        }
    }
}

/// A text without its secrets, if it has any; `named`: all of it is one.
pub(crate) fn replaced(text: &str, named: bool) -> Option<(String, u64)> {
    if named && !text.is_empty() && text != REPLACED && !is_template(text) {
        return Some((REPLACED.to_owned(), 1));
    }
    match clean_text(text) {
        (Cow::Owned(clean), count) => Some((clean, count)),
        (Cow::Borrowed(_), _) => None,
    }
}

/// A template names a secret and holds none.
fn is_template(text: &str) -> bool {
    text.trim().starts_with("{{") && text.trim().ends_with("}}")
}

/// Words at the end of a name under which people keep secrets.
const SECRET_NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "api_key",
    "accesskey",
    "access_key",
    "secret_key",
    "secretkey",
    "privatekey",
    "private_key",
    "client_secret",
    "authorization",
    "credentials",
];

pub(crate) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    SECRET_NAMES.iter().any(|secret| name.ends_with(secret))
}

/// How tokens begin, and the least number of letters, digits, `_` and `-` behind.
const TOKENS: &[(&str, usize)] = &[
    ("ghp_", 16),
    ("gho_", 16),
    ("ghu_", 16),
    ("ghs_", 16),
    ("ghr_", 16),
    ("github_pat_", 16),
    ("swk_", 16),
    ("swt_", 16),
    ("glpat-", 16),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxa-", 10),
    ("npm_", 20),
    ("sk-", 20),
    ("sk_live_", 12),
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 30),
    ("hvs.", 20),
    ("dop_v1_", 20),
];

/// Replaces every secret in a text.
fn clean_text(text: &str) -> (Cow<'_, str>, u64) {
    let mut out = String::new();
    let (mut copied, mut at, mut count) = (0, 0, 0);
    while let Some(rest) = text.get(at..) {
        let Some(first) = rest.chars().next() else { break };
        let before = text[..at].chars().next_back();
        match secret_at(rest, before) {
            Some((from, to)) => {
                out.push_str(&text[copied..at + from]);
                out.push_str(REPLACED);
                at += to;
                copied = at;
                count += 1;
            }
            None => at += first.len_utf8(),
        }
    }
    if count == 0 {
        return (Cow::Borrowed(text), 0);
    }
    out.push_str(&text[copied..]);
    (Cow::Owned(out), count)
}

/// Whether a secret begins here: from where to where it is replaced.
fn secret_at(rest: &str, before: Option<char>) -> Option<(usize, usize)> {
    let starts_word = before.is_none_or(|c| !c.is_ascii_alphanumeric());
    if rest.starts_with("-----BEGIN ") && rest[..rest.len().min(60)].contains("PRIVATE KEY") {
        let end = rest.find("-----END ").and_then(|end| {
            let tail = rest[end + 9..].find("-----")?;
            Some(end + 9 + tail + 5)
        });
        return Some((0, end.unwrap_or(rest.len())));
    }
    if let Some(authority) = rest.strip_prefix("://") {
        let end = authority.find(['/', '?', '#', ' ', '"', '\'']).unwrap_or(authority.len());
        let user = authority[..end].rfind('@')?;
        return (user > 0).then_some((3, 3 + user));
    }
    if !starts_word {
        return None;
    }
    for (prefix, least) in TOKENS {
        if let Some(tail) = rest.strip_prefix(prefix) {
            let length = tail.len() - tail.trim_start_matches(is_token).len();
            if length >= *least {
                return Some((0, prefix.len() + length));
            }
        }
    }
    web_token(rest).or_else(|| spoken(rest))
}

const fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

/// A JSON web token: three parts, of which the first says `{"`.
fn web_token(rest: &str) -> Option<(usize, usize)> {
    rest.starts_with("eyJ").then_some(())?;
    let length = rest.len() - rest.trim_start_matches(|c| is_token(c) || c == '.').len();
    let parts: Vec<&str> = rest[..length].trim_end_matches('.').split('.').collect();
    let whole = parts.len() >= 2 && parts[0].len() >= 10 && parts[1].len() >= 8;
    whole.then_some((0, length))
}

/// `Bearer …`, and `password=…` or `token: …` in running text.
fn spoken(rest: &str) -> Option<(usize, usize)> {
    let is_value = |c: char| !c.is_whitespace() && !matches!(c, '"' | '\'' | ',' | ';' | '&' | ')' | '`');
    let word = &rest[..rest.len() - rest.trim_start_matches(|c: char| is_token(c)).len()];
    let behind = &rest[word.len()..];
    let bearer = word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("basic");
    let gap = if (bearer && behind.starts_with(' ')) || (is_secret_name(word) && behind.starts_with('=')) {
        1
    } else if is_secret_name(word) && behind.starts_with(": ") {
        2
    } else {
        return None;
    };
    let value = &behind[gap..];
    // `Authorization: Bearer …`: the scheme goes with what follows it.
    let scheme = ["bearer ", "basic ", "token "]
        .iter()
        .find(|scheme| value.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    let skipped = scheme.map_or(0, |scheme| scheme.len());
    let secret = &value[skipped..];
    let length = skipped + secret.len() - secret.trim_start_matches(is_value).len();
    // A short word behind is rather a word.
    (length >= 6).then_some((word.len() + gap, word.len() + gap + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_keys_and_passwords_are_replaced_wherever_they_stand() {
        for (text, clean) in [
            ("a ghp_0123456789abcdefABCD b", "a [withheld] b"),
            ("x=swk_0123456789abcdefABCD.", "x=[withheld]."),
            ("git clone https://me:pa55@host/x", "git clone https://[withheld]@host/x"),
            ("Authorization: Bearer abc.def", "Authorization: [withheld]"),
            ("failed with password=hunter22&x=1", "failed with password=[withheld]&x=1"),
            ("AKIAABCDEFGHIJKLMNOP", "[withheld]"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "[withheld]"),
            ("k -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- z", "k [withheld] z"),
        ] {
            assert_eq!(clean_text(text).0, clean, "{text}");
        }
    }

    #[test]
    fn ordinary_words_stay() {
        for text in [
            "swd_5e1b9a04c2d35e1b9a04",
            "pr7-opened-9f2c1d7-5e1b9a04c2d3",
            "token: none",
            "the token is wrong",
            "https://github.com/acme/infra/actions/runs/9000",
            "{{ .secret }}",
            "task-sk-1",
        ] {
            assert_eq!(clean_text(text), (Cow::Borrowed(text), 0));
        }
    }

    #[test]
    fn the_quick_look_passes_over_nothing_that_is_replaced() {
        for text in [
            "ghp_0123456789abcdefABCD",
            "AKIAABCDEFGHIJKLMNOP",
            "AIzaABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
            "https://me:pa55@host/x",
            "Authorization: Bearer abc.def",
            "client-secret: abcdefg",
            "-----BEGIN PRIVATE KEY-----",
            r#"{"API-Key": "x"}"#,
            r#"{"dbPassword": "x"}"#,
        ] {
            assert!(may_hold(text), "{text}");
        }
        assert!(!may_hold("https://github.com/acme/infra/actions/runs/9000"));
    }

    #[test]
    fn a_value_under_a_secret_name_is_replaced_and_a_template_is_not() {
        let mut value =
            serde_json::json!({"inputs": {"db_password": "x", "sha": "y", "api-token": "{{ .t }}"}});
        assert_eq!(clean(&mut value, false), 1);
        assert_eq!(
            value,
            serde_json::json!({"inputs": {"db_password": "[withheld]", "sha": "y", "api-token": "{{ .t }}"}})
        );
    }

    #[test]
    fn every_event_of_the_catalogue_is_either_taken_or_withheld() {
        let listed: std::collections::BTreeSet<&str> = EXPORTED.iter().chain(WITHHELD).copied().collect();
        let all: std::collections::BTreeSet<&str> = Event::NAMES.iter().copied().collect();
        assert_eq!(listed, all, "decide in `withhold.rs` whether a new event may leave");
        assert_eq!(listed.len(), EXPORTED.len() + WITHHELD.len());
    }
}
