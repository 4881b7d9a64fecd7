//! What was due at a record: what each role would have done, had it been asked there.

use crate::{Player, json};
use serde::Serialize;
use stackwave_domain::{Digest, Event};
use stackwave_engine::due::{due_cancels, due_decisions, due_dispatches, due_polls};

/// So many dispatches are listed.
const MAX_DISPATCHES: usize = 1_000;

/// One thing that was due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DueAction {
    /// Whose it was: `orchestrator`, `dispatcher`, `commenter`.
    pub role: &'static str,
    /// What: `stack_released`, `dispatch`, `poll`, `cancel`, `comment`, ….
    pub action: String,
    /// What it is about, in words.
    pub about: String,
}

/// Everything that was due. `comment` is the text that the pull request's comment should have had; none without one.
#[must_use]
pub fn due_actions(player: &Player, comment: Option<&str>) -> Vec<DueAction> {
    let Some(state) = player.repository() else { return Vec::new() };
    let now = player.now();
    let act = |role, action: &str, about: String| DueAction { role, action: action.to_owned(), about };
    let decisions = due_decisions(state, &player.config(), now).now;
    let mut due: Vec<DueAction> =
        decisions.iter().map(|event| act("orchestrator", event.name(), about(event))).collect();
    for candidate in due_dispatches(state, MAX_DISPATCHES) {
        let text = format!("{} by {} ({})", candidate.key, candidate.call.workflow, candidate.dispatch);
        due.push(act("dispatcher", "dispatch", text));
    }
    for dispatch in state.open_claims() {
        let text = format!("{} ({}): whether it happened", dispatch.claimed.key, dispatch.claimed.dispatch);
        due.push(act("dispatcher", "search", text));
    }
    for cancel in due_cancels(state) {
        due.push(act("dispatcher", "cancel", format!("workflow run {}", cancel.workflow_run)));
    }
    let polls = due_polls(state, now).now;
    let mut poll = |text: String| due.push(act("dispatcher", "poll", text));
    polls.pulls.iter().for_each(|number| poll(format!("pull request #{number}")));
    polls.uploads.iter().for_each(|sha| poll(format!("which pull requests hold {}", sha.short())));
    polls.releases.iter().for_each(|(_, tag)| poll(format!("the commit of tag {tag}")));
    polls.silent.iter().for_each(|run| poll(format!("workflow run {run}, which has been silent")));
    polls.resyncs.iter().for_each(|resync| poll(format!("what command {} asks for", resync.command)));
    polls.lookups.iter().for_each(|lookup| poll(format!("workflow run {}", lookup.workflow_run)));
    due.extend(comment.and_then(|text| due_comment(player, text)));
    due
}

fn due_comment(player: &Player, text: &str) -> Option<DueAction> {
    let number = player.run().and_then(|run| run.pull_request).or_else(|| player.about().pull_request)?;
    let state = player.repository()?;
    let posted = state.comments.iter().find(|((_, of), _)| *of == number).map(|(_, comment)| comment);
    if posted.is_some_and(|comment| comment.says.as_ref() == Some(&Digest::of(text.as_bytes()))) {
        return None;
    }
    let action = if posted.is_some_and(|comment| comment.id.is_some()) { "edit" } else { "create" };
    Some(DueAction { role: "commenter", action: format!("{action}_comment"), about: format!("on #{number}") })
}

/// What a decision is about.
fn about(event: &Event) -> String {
    let value = json::of_event(event);
    let fields = value.as_object().and_then(|event| event.values().next());
    let text = |name: &str| fields.and_then(|fields| fields.get(name)).and_then(serde_json::Value::as_str);
    match (text("component"), text("stack"), text("run")) {
        (Some(component), Some(stack), Some(run)) => format!("{component}/{stack} in {run}"),
        (_, _, Some(run)) => run.to_owned(),
        _ => String::new(),
    }
}
