//! What GitHub told.

use super::{super::index::Links, dispatch::name, source};
use stackwave_domain::{
    WorkflowRunId,
    event::{
        CheckRunObserved, IssueCommentObserved, MergeGroupObserved, PullRequestObserved, PushObserved,
        ReleaseObserved, WorkflowDispatchObserved, WorkflowJobWaiting, WorkflowRunObserved,
    },
};

pub(super) fn pull_request(observed: &PullRequestObserved) -> String {
    let action = observed.action.as_deref().unwrap_or("looked at");
    let state = match (observed.merged, observed.open) {
        (true, _) => "merged",
        (false, true) => "open",
        (false, false) => "closed",
    };
    format!(
        "#{} {action}, {state}, head {} into {}{}",
        observed.number,
        observed.head_sha.short(),
        observed.base_ref,
        source(&observed.source)
    )
}

pub(super) fn workflow_run(links: &Links, observed: &WorkflowRunObserved) -> String {
    let how = match &observed.conclusion {
        Some(conclusion) => format!("{} with {conclusion}", observed.status),
        None => observed.status.to_string(),
    };
    let attempt =
        if observed.attempt > 1 { format!(", attempt {}", observed.attempt) } else { String::new() };
    format!(
        "{} {how}{attempt}{}{}",
        run_name(links, observed.run, observed.workflow.as_str()),
        owner(links, observed.run),
        source(&observed.source)
    )
}

pub(super) fn job_waiting(links: &Links, waiting: &WorkflowJobWaiting) -> String {
    format!(
        "job `{}` of workflow run {} waits for an approval{}{}",
        waiting.name,
        waiting.run,
        owner(links, waiting.run),
        source(&waiting.source)
    )
}

fn run_name(links: &Links, run: WorkflowRunId, workflow: &str) -> String {
    // With its stack, the workflow's name stands behind.
    if links.dispatch_of(run).is_some() {
        format!("workflow run {run}")
    } else {
        format!("workflow run {run} of {workflow}")
    }
}

/// The stack of a workflow run, for the end of a sentence.
fn owner(links: &Links, run: WorkflowRunId) -> String {
    links.dispatch_of(run).map(|dispatch| format!(": {}", name(links, dispatch))).unwrap_or_default()
}

pub(super) fn workflow_dispatch(observed: &WorkflowDispatchObserved) -> String {
    let inputs: Vec<String> = observed.inputs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let sender = observed.sender.as_ref().map(|sender| format!(" by {sender}")).unwrap_or_default();
    format!(
        "{} on {}{sender} with {}{}",
        observed.workflow,
        observed.git_ref,
        inputs.join(", "),
        source(&observed.source)
    )
}

pub(super) fn push(push: &PushObserved) -> String {
    format!("{} from {} to {}{}", push.git_ref, push.before.short(), push.after.short(), source(&push.source))
}

pub(super) fn merge_group(group: &MergeGroupObserved) -> String {
    let pull = group.pull_request.map(|number| format!(" for #{number}")).unwrap_or_default();
    let reason = group.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    format!(
        "{}{reason}{pull} at {} into {}{}",
        group.action,
        group.head_sha.short(),
        group.base_ref,
        source(&group.source)
    )
}

pub(super) fn release(release: &ReleaseObserved) -> String {
    let action = release.action.as_deref().unwrap_or("looked at");
    let commit = release.commit.as_ref().map(|commit| format!(" at {}", commit.short())).unwrap_or_default();
    format!("{} {action}{commit}{}", release.tag, source(&release.source))
}

pub(super) fn check_run(check: &CheckRunObserved) -> String {
    let how = check.conclusion.as_ref().map(|how| format!(" with {how}")).unwrap_or_default();
    format!("`{}` {}{how} at {}{}", check.name, check.action, check.head_sha.short(), source(&check.source))
}

pub(super) fn issue_comment(comment: &IssueCommentObserved) -> String {
    let sender = comment.sender.as_deref().unwrap_or(comment.author.as_str());
    format!(
        "comment {} on #{} {} by {sender}{}",
        comment.comment,
        comment.number,
        comment.action,
        source(&comment.source)
    )
}
