//! What an event says, in words.

mod command;
mod decision;
mod dispatch;
mod github;
mod setting;

use super::index::Links;
use crate::output::counted;
use stackwave_domain::{
    Event,
    digest::{BlobRef, Stored},
    event::{Source, UploadLookedUp, UploadReceived},
    fragment::Fragment,
};

/// The essential fields of an event.
pub(super) fn words(links: &Links, event: &Event) -> String {
    match event {
        Event::UploadReceived(upload) => upload_received(upload),
        Event::UploadLookedUp(looked_up) => upload_looked_up(looked_up),
        Event::PullRequestObserved(observed) => github::pull_request(observed),
        Event::WorkflowRunObserved(observed) => github::workflow_run(links, observed),
        Event::WorkflowJobWaiting(waiting) => github::job_waiting(links, waiting),
        Event::WorkflowDispatchObserved(observed) => github::workflow_dispatch(observed),
        Event::PushObserved(push) => github::push(push),
        Event::MergeGroupObserved(group) => github::merge_group(group),
        Event::ReleaseObserved(release) => github::release(release),
        Event::CheckRunObserved(check) => github::check_run(check),
        Event::IssueCommentObserved(comment) => github::issue_comment(comment),
        Event::RunOpened(run) => decision::run_opened(run),
        Event::StackReleased(released) => decision::stack_released(released),
        Event::StackSkipped(skipped) => decision::stack_skipped(skipped),
        Event::RunSuperseded(superseded) => decision::run_superseded(superseded),
        Event::RunClosed(closed) => format!("{}: {}", closed.run, closed.reason),
        Event::RunEnded(ended) => decision::run_ended(ended),
        Event::DispatchClaimed(claimed) => dispatch::claimed(claimed),
        Event::DispatchTakenOver(taken) => dispatch::taken_over(links, taken),
        Event::DispatchResending(resending) => dispatch::resending(links, resending),
        Event::DispatchAccepted(accepted) => dispatch::accepted(links, accepted),
        Event::DispatchRefused(refused) => dispatch::refused(links, refused),
        Event::DispatchDelayed(delayed) => dispatch::delayed(links, delayed),
        Event::DispatchOutcomeUnknown(unknown) => dispatch::outcome_unknown(links, unknown),
        Event::DispatchFound(found) => dispatch::found(links, found),
        Event::DispatchUndecidable(undecidable) => dispatch::undecidable(links, undecidable),
        Event::RetryRequested(retry) => command::retry_requested(retry),
        Event::CancelRequested(cancel) => command::cancel_requested(cancel),
        Event::ResyncRequested(resync) => command::resync_requested(resync),
        Event::DispatchResolved(resolved) => command::dispatch_resolved(links, resolved),
        Event::RunCancelled(cancelled) => command::run_cancelled(cancelled),
        Event::StackWithdrawn(withdrawn) => command::stack_withdrawn(withdrawn),
        Event::RetryDropped(dropped) => command::retry_dropped(dropped),
        Event::WorkflowCancelRequested(requested) => command::workflow_cancel_requested(links, requested),
        Event::WorkflowCancelAnswered(answered) => command::workflow_cancel_answered(links, answered),
        Event::Resynced(resynced) => command::resynced(links, resynced),
        Event::CommandFailed(failed) => command::command_failed(links, failed),
        Event::CommentClaimed(claimed) => {
            format!("on #{}, to be created by process {}", claimed.number, claimed.claimant)
        }
        Event::CommentPosted(posted) => {
            let found = if posted.found { ", which stood there already" } else { "" };
            format!(
                "on #{}: comment {}{found}, text {}",
                posted.number,
                posted.comment,
                posted.digest.prefix(12)
            )
        }
        Event::CommentRefused(refused) => {
            format!("on #{}: GitHub answered {}: {}", refused.number, refused.status, refused.message)
        }
        Event::CheckpointWritten(checkpoint) => format!(
            "everything up to {}, format {}, engine {}, {} bytes in blob {}",
            checkpoint.at,
            checkpoint.format,
            checkpoint.engine,
            checkpoint.state.bytes,
            checkpoint.state.digest.prefix(12)
        ),
        Event::RepositoryRegistered(registered) => setting::repository(registered),
        Event::ApiKeyRegistered(key) => setting::api_key(key),
        Event::ApiKeyRevoked(revoked) => setting::revoked(&revoked.credential, &revoked.reason),
        Event::AdminTokenRegistered(token) => setting::admin_token(token),
        Event::AdminTokenRevoked(revoked) => setting::revoked(&revoked.credential, &revoked.reason),
        Event::CredentialUsed(used) => used.credential.to_string(),
        Event::WorkspaceRegistered(workspace) => setting::workspace(workspace),
        Event::InstallationObserved(installation) => setting::installation(installation),
        Event::InstallationRepositoriesObserved(change) => setting::installation_repositories(change),
        Event::PingObserved(ping) => format!("webhook {}{}", ping.hook, source(&ping.source)),
        Event::PendingUploadResolved(resolved) => match resolved.repository {
            Some(repository) => format!("the upload at {} is of repository {repository}", resolved.upload),
            None => format!("the upload at {} is of a repository that GitHub does not know", resolved.upload),
        },
        Event::Unknown { json, .. } => format!("not known to this version: {json}"),
    }
}

fn upload_received(upload: &UploadReceived) -> String {
    let chunk = match &upload.batch {
        Some(batch) => format!("chunk {} of {} of batch {}, ", batch.index + 1, batch.total, batch.id),
        None => String::new(),
    };
    let size = stored(&upload.fragment, |fragment: &Fragment| {
        format!("{}, {}", counted(fragment.stacks.len(), "stack"), counted(fragment.edges.len(), "edge"))
    });
    format!(
        "{chunk}{size} at {} for {} by {}, digest {}",
        upload.head_sha.short(),
        upload.repository,
        upload.credential,
        upload.digest.prefix(12)
    )
}

fn upload_looked_up(looked_up: &UploadLookedUp) -> String {
    let pulls: Vec<String> = looked_up.pull_requests.iter().map(|number| format!("#{number}")).collect();
    match pulls.as_slice() {
        [] => format!("no pull request holds {}", looked_up.head_sha.short()),
        pulls => format!("{} is in {}", looked_up.head_sha.short(), pulls.join(", ")),
    }
}

/// What stands in the record, or how large it is elsewhere.
fn stored<T>(stored: &Stored<T>, say: impl FnOnce(&T) -> String) -> String {
    match stored {
        Stored::Inline(value) => say(value),
        Stored::Blob(BlobRef { digest, bytes }) => format!("{bytes} bytes in blob {}", digest.prefix(12)),
    }
}

/// How an observation reached us, for the end of a sentence.
fn source(source: &Source) -> String {
    match source {
        Source::Webhook { delivery } => format!(" (webhook {delivery})"),
        Source::Poll { .. } => " (asked)".to_owned(),
    }
}
