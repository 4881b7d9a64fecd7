//! What one event is about.

use super::Links;
use stackwave_domain::{CommandId, CommitSha, DispatchId, Event, PrNumber, RunId, StackKey, WorkflowRunId};
use std::collections::BTreeSet;

/// The runs, pull requests and stacks that an event belongs to.
#[derive(Default)]
pub(in crate::log) struct About<'a> {
    pub(in crate::log) runs: BTreeSet<&'a RunId>,
    pub(in crate::log) pulls: BTreeSet<PrNumber>,
    pub(in crate::log) stacks: Vec<&'a StackKey>,
}

impl Links {
    /// What an event is about, as far as the records that were folded tell.
    pub(in crate::log) fn about<'a>(&'a self, event: &'a Event) -> About<'a> {
        let mut about = About::default();
        match event {
            Event::UploadReceived(upload) => {
                let whole = self.whole.get(&upload.digest).unwrap_or(&upload.digest);
                for run in self.runs_of_upload.get(whole).into_iter().flatten() {
                    about.run(self, run);
                }
                about.commit(self, &upload.head_sha);
                let stacks = upload.fragment.get().into_iter().flat_map(|fragment| &fragment.stacks);
                about.stacks.extend(stacks.map(|stack| &stack.key));
            }
            Event::UploadLookedUp(looked_up) => {
                about.commit(self, &looked_up.head_sha);
                about.pulls.extend(&looked_up.pull_requests);
            }
            Event::PullRequestObserved(pull) => about.pull(pull.number),
            Event::WorkflowRunObserved(observed) => {
                about.workflow_run(self, observed.run);
                about.words(self, &observed.title);
            }
            Event::WorkflowJobWaiting(waiting) => about.workflow_run(self, waiting.run),
            Event::WorkflowDispatchObserved(observed) => {
                observed.inputs.iter().for_each(|(_, value)| about.words(self, value));
            }
            Event::MergeGroupObserved(group) => about.pulls.extend(group.pull_request),
            Event::CheckRunObserved(check) => about.commit(self, &check.head_sha),
            Event::IssueCommentObserved(comment) => about.pull(comment.number),
            Event::RunOpened(run) => {
                about.run(self, &run.run);
                about.pulls.extend(run.pull_request);
                let stacks = run.plan.get().into_iter().flat_map(|plan| &plan.stacks);
                about.stacks.extend(stacks.map(|stack| &stack.key));
            }
            Event::StackReleased(released) => about.stack(self, &released.run, &released.key),
            Event::StackSkipped(skipped) => about.stack(self, &skipped.run, &skipped.key),
            Event::RunSuperseded(superseded) => about.run(self, &superseded.run),
            Event::RunClosed(closed) => about.run(self, &closed.run),
            Event::RunEnded(ended) => about.run(self, &ended.run),
            Event::DispatchClaimed(claimed) => about.stack(self, &claimed.run, &claimed.key),
            Event::DispatchTakenOver(taken) => about.dispatch(self, &taken.dispatch),
            Event::DispatchResending(resending) => about.dispatch(self, &resending.dispatch),
            Event::DispatchAccepted(accepted) => about.dispatch(self, &accepted.dispatch),
            Event::DispatchRefused(refused) => about.dispatch(self, &refused.dispatch),
            Event::DispatchDelayed(delayed) => about.dispatch(self, &delayed.dispatch),
            Event::DispatchOutcomeUnknown(unknown) => about.dispatch(self, &unknown.dispatch),
            Event::DispatchFound(found) => about.dispatch(self, &found.dispatch),
            Event::DispatchUndecidable(undecidable) => about.dispatch(self, &undecidable.dispatch),
            Event::RetryRequested(retry) => about.ordered(self, &retry.run, retry.key.as_ref()),
            Event::CancelRequested(cancel) => about.ordered(self, &cancel.run, cancel.key.as_ref()),
            Event::ResyncRequested(resync) => {
                if let Some(run) = &resync.run {
                    about.run(self, run);
                }
                about.pulls.extend(resync.pull_request);
            }
            Event::DispatchResolved(resolved) => about.dispatch(self, &resolved.dispatch),
            Event::RunCancelled(cancelled) => about.run(self, &cancelled.run),
            Event::StackWithdrawn(withdrawn) => about.stack(self, &withdrawn.run, &withdrawn.key),
            Event::RetryDropped(dropped) => about.stack(self, &dropped.run, &dropped.key),
            Event::WorkflowCancelRequested(requested) => about.dispatch(self, &requested.dispatch),
            Event::WorkflowCancelAnswered(answered) => about.dispatch(self, &answered.dispatch),
            Event::Resynced(resynced) => about.command(self, &resynced.command),
            Event::CommandFailed(failed) => about.command(self, &failed.command),
            Event::CommentClaimed(claimed) => about.pull(claimed.number),
            Event::CommentPosted(posted) => about.pull(posted.number),
            Event::CommentRefused(refused) => about.pull(refused.number),
            Event::PushObserved(_)
            | Event::ReleaseObserved(_)
            | Event::RepositoryRegistered(_)
            | Event::ApiKeyRegistered(_)
            | Event::ApiKeyRevoked(_)
            | Event::AdminTokenRegistered(_)
            | Event::AdminTokenRevoked(_)
            | Event::CredentialUsed(_)
            | Event::WorkspaceRegistered(_)
            | Event::InstallationObserved(_)
            | Event::InstallationRepositoriesObserved(_)
            | Event::PingObserved(_)
            | Event::PendingUploadResolved(_)
            | Event::CheckpointWritten(_)
            | Event::Unknown { .. } => {}
        }
        about
    }
}

impl<'a> About<'a> {
    fn pull(&mut self, number: PrNumber) {
        self.pulls.insert(number);
    }

    fn commit(&mut self, links: &'a Links, commit: &CommitSha) {
        self.pulls.extend(links.pulls_of_commit.get(commit).into_iter().flatten());
    }

    fn run(&mut self, links: &'a Links, run: &'a RunId) {
        self.runs.insert(run);
        self.pulls.extend(links.pulls_of_run.get(run).copied().flatten());
    }

    fn stack(&mut self, links: &'a Links, run: &'a RunId, key: &'a StackKey) {
        self.run(links, run);
        self.stacks.push(key);
    }

    fn dispatch(&mut self, links: &'a Links, dispatch: &DispatchId) {
        if let Some(sent) = links.dispatches.get(dispatch) {
            self.stack(links, &sent.run, &sent.key);
        }
    }

    fn ordered(&mut self, links: &'a Links, run: &'a RunId, key: Option<&'a StackKey>) {
        self.run(links, run);
        self.stacks.extend(key);
    }

    fn command(&mut self, links: &'a Links, command: &CommandId) {
        if let Some(run) = links.commanded(command) {
            self.run(links, run);
        }
    }

    fn workflow_run(&mut self, links: &'a Links, run: WorkflowRunId) {
        if let Some(dispatch) = links.workflow_runs.get(&run) {
            self.dispatch(links, dispatch);
        }
    }

    /// Dispatch ids in a title or an input.
    fn words(&mut self, links: &'a Links, text: &str) {
        for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            if word.starts_with(DISPATCH_PREFIX) {
                self.dispatch(links, &DispatchId::new(word));
            }
        }
    }
}

/// How every dispatch id begins (`stackwave_engine::identity`); words that do not are not looked up.
const DISPATCH_PREFIX: &str = "swd_";
