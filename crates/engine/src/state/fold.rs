//! One record onto one repository.

use super::{Class, Phase, RepositoryState, Run, stack::Progress};
use stackwave_domain::{
    Entry, Event, Position, RunId, Timestamp,
    event::{
        PullRequestObserved, RunClosed, RunEnded, RunOpened, RunSuperseded, StackReleased, StackSkipped,
    },
    plan::Verdict,
    record::SCHEMA_VERSION,
};
use std::sync::Arc;

/// So many violations are kept; a strange log must not fill the memory.
const MAX_VIOLATIONS: usize = 100;

/// The record that is being folded.
pub(super) struct Fold<'a> {
    pub(super) entry: &'a Entry,
    pub(super) position: Position,
    pub(super) at: Timestamp,
}

impl Fold<'_> {
    /// The record's W3C trace context.
    pub(super) fn trace(&self) -> Option<Arc<str>> {
        self.entry.record.trace.as_deref().map(Arc::from)
    }

    /// Whether the writer of a decision knew what another record says: it was at or before the position that made him
    /// write.
    pub(super) fn knew(&self, position: Option<Position>) -> bool {
        position.is_some_and(|position| self.entry.record.cause.is_none_or(|cause| position <= cause))
    }
}

impl RepositoryState {
    pub(super) fn fold(&mut self, entry: &Entry) -> Vec<Class> {
        let fold = Fold { entry, position: entry.position, at: entry.record.at };
        self.folded_to = fold.position;
        self.last_at = self.last_at.max(fold.at);
        if entry.subject.kind() == "ledger" {
            self.ledger = fold.position;
        }
        if entry.record.v > SCHEMA_VERSION {
            self.halt(fold.position, &format!("schema version {}", entry.record.v));
        }
        entry.record.events.iter().map(|event| self.fold_event(&fold, event)).collect()
    }

    fn halt(&mut self, position: Position, what: &str) {
        self.halted.get_or_insert_with(|| {
            format!("the record at {position} holds {what}, which this version does not know")
        });
    }

    /// Notes that a logged decision is none that the rules would have made. It stands all the same.
    pub(super) fn note_violation(&mut self, position: Position, what: String) {
        if self.violations.len() < MAX_VIOLATIONS {
            self.violations.push((position, what));
        }
    }

    fn fold_event(&mut self, fold: &Fold<'_>, event: &Event) -> Class {
        match event {
            Event::UploadReceived(upload) => self.receive_upload(fold, upload),
            Event::UploadLookedUp(looked_up) => self.look_up_upload(looked_up),
            Event::PullRequestObserved(observed) => self.observe_pull_in(fold, observed),
            Event::MergeGroupObserved(observed) => self.observe_merge_group(fold, observed),
            Event::ReleaseObserved(observed) => self.observe_release(fold.at, observed),
            Event::WorkflowRunObserved(observed) => self.observe_workflow_run(fold, observed),
            Event::WorkflowJobWaiting(waiting) => self.observe_job_waiting(fold, waiting),
            Event::WorkflowDispatchObserved(observed) => self.observe_dispatch_webhook(fold, observed),
            Event::IssueCommentObserved(observed) => self.observe_comment(fold.position, observed),
            Event::RunOpened(opened) => self.open_run(fold, opened),
            Event::StackReleased(released) => self.release(fold, released),
            Event::StackSkipped(skipped) => self.skip(fold, skipped),
            Event::RunSuperseded(superseded) => self.supersede(fold, superseded),
            Event::RunClosed(closed) => self.close(fold, closed),
            Event::RunEnded(ended) => self.end(fold, ended),
            Event::DispatchClaimed(claimed) => self.claim(fold, claimed),
            Event::DispatchTakenOver(taken) => self.take_over(fold, taken),
            Event::DispatchResending(resending) => self.resend(fold, resending),
            Event::DispatchAccepted(accepted) => self.accept(fold, accepted),
            Event::DispatchRefused(refused) => self.refuse(fold, refused),
            Event::DispatchDelayed(delayed) => self.delay(fold, delayed),
            Event::DispatchOutcomeUnknown(unknown) => self.lose_outcome(fold, unknown),
            Event::DispatchFound(found) => self.find(fold, found),
            Event::DispatchUndecidable(undecidable) => self.give_up(fold, undecidable),
            Event::CommentClaimed(claimed) => self.claim_comment(fold.entry, claimed),
            Event::CommentPosted(posted) => self.post_comment(fold.entry, posted),
            Event::CommentRefused(refused) => self.refuse_comment(fold.entry, refused),
            Event::RetryRequested(retry) => self.command_retry(fold, retry),
            Event::CancelRequested(cancel) => self.command_cancel(fold, cancel),
            Event::ResyncRequested(resync) => self.command_resync(fold, resync),
            Event::DispatchResolved(resolved) => self.command_resolve(fold, resolved),
            Event::RunCancelled(cancelled) => self.cancel_run(fold, cancelled),
            Event::StackWithdrawn(withdrawn) => self.withdraw(fold, withdrawn),
            Event::RetryDropped(dropped) => self.drop_retry(fold, dropped),
            Event::WorkflowCancelRequested(requested) => self.ask_to_cancel(fold, requested),
            Event::WorkflowCancelAnswered(answered) => self.answer_cancel(fold, answered),
            Event::Resynced(resynced) => self.resync(fold, resynced),
            Event::CommandFailed(failed) => self.fail_command(fold, failed),
            Event::PushObserved(_)
            | Event::CheckRunObserved(_)
            | Event::CheckpointWritten(_)
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
            | Event::PendingUploadResolved(_) => Class::Known,
            Event::Unknown { name, .. } => {
                self.halt(fold.position, &format!("the event `{name}`"));
                Class::Known
            }
        }
    }

    fn observe_pull_in(&mut self, fold: &Fold<'_>, observed: &PullRequestObserved) -> Class {
        let class = self.observe_pull(fold.position, observed);
        if class == Class::Applied
            && let Some(pull) = self.pulls.get_mut(&observed.number)
        {
            pull.trace = fold.trace();
        }
        class
    }

    fn open_run(&mut self, fold: &Fold<'_>, opened: &RunOpened) -> Class {
        if self.runs.contains_key(&opened.run) {
            return Class::Known;
        }
        let Some(plan) = opened.plan.get() else {
            return Class::Impossible("a run was folded without its plan".to_owned());
        };
        let mut run = Run::open(opened, &Arc::clone(plan), &self.past, fold.at, fold.position);
        let upload = self.uploads.get(&opened.upload);
        run.trace = upload.and_then(|upload| upload.trace.clone()).or_else(|| fold.trace());
        self.runs.insert(opened.run.clone(), run);
        self.active.insert(opened.run.clone());
        if let Some(upload) = self.uploads.get_mut(&opened.upload) {
            upload.used = true;
        }
        self.link_run(opened);
        self.touch_run(fold.position, &opened.run);
        Class::Applied
    }

    fn release(&mut self, fold: &Fold<'_>, released: &StackReleased) -> Class {
        let Some(run) = self.runs.get(&released.run) else {
            return Class::Impossible(format!("a release in the unknown run {}", released.run));
        };
        let Some(index) = run.find(&released.key) else {
            return Class::Impossible(format!("a release of {}, which the run does not have", released.key));
        };
        match &run.stacks[index].progress {
            Progress::Released { attempt, .. } if *attempt >= released.attempt => return Class::Known,
            Progress::Released { .. } | Progress::Waiting | Progress::Skipped(_) | Progress::Refused(_) => {}
        }
        if !matches!(run.plan.stacks[index].verdict, Verdict::Dispatch(_)) {
            return Class::Impossible(format!("a release of {}, which the plan does not run", released.key));
        }
        self.judge_release(fold, &released.run, index);
        let asked = self.runs.get(&released.run).and_then(|run| run.stacks[index].retry().cloned());
        if let Some(run) = self.runs.get_mut(&released.run) {
            run.release(index, released.attempt, fold.at, fold.position);
        }
        if let Some(asked) = asked {
            self.carried_out(fold.position, &asked.command);
        }
        self.touch_run(fold.position, &released.run);
        Class::Applied
    }

    /// Notes what is wrong with a release, as far as whoever decided it could have known.
    fn judge_release(&mut self, fold: &Fold<'_>, id: &RunId, index: usize) {
        let Some(run) = self.runs.get(id) else { return };
        let mut wrong = Vec::new();
        if !run.is_active() {
            wrong.push(format!("{} was released in the run {id}, which had stopped", run.key(index)));
        }
        let newest =
            run.parents(index).filter(|parent| !run.stacks[*parent].met).map(|p| self.told(run, p)).max();
        if newest.is_some_and(|newest| fold.knew(Some(newest))) {
            wrong.push(format!("{} was released before its parents had succeeded", run.key(index)));
        }
        if run.is_mutating()
            && let Some(other) = self.elsewhere_in_flight(run, index)
        {
            wrong.push(format!("{} was released while the run {other} had it in flight", run.key(index)));
        }
        for what in wrong {
            self.note_violation(fold.position, what);
        }
    }

    fn skip(&mut self, fold: &Fold<'_>, skipped: &StackSkipped) -> Class {
        let Some(run) = self.runs.get_mut(&skipped.run) else {
            return Class::Impossible(format!("a skip in the unknown run {}", skipped.run));
        };
        let Some(index) = run.find(&skipped.key) else {
            return Class::Impossible(format!("a skip of {}, which the run does not have", skipped.key));
        };
        if run.stacks[index].progress != Progress::Waiting {
            return Class::Known;
        }
        run.skip(index, skipped.reason.clone(), fold.position);
        self.touch_run(fold.position, &skipped.run);
        Class::Applied
    }

    fn supersede(&mut self, fold: &Fold<'_>, superseded: &RunSuperseded) -> Class {
        self.stop(fold, &superseded.run, Phase::Superseded(superseded.by.clone(), fold.at))
    }

    fn close(&mut self, fold: &Fold<'_>, closed: &RunClosed) -> Class {
        self.stop(fold, &closed.run, Phase::Closed(closed.reason.clone(), fold.at))
    }

    fn end(&mut self, fold: &Fold<'_>, ended: &RunEnded) -> Class {
        self.stop(fold, &ended.run, Phase::Ended(ended.outcome, fold.at))
    }

    pub(super) fn stop(&mut self, fold: &Fold<'_>, id: &RunId, phase: Phase) -> Class {
        let Some(run) = self.runs.get_mut(id) else {
            return Class::Impossible(format!("the unknown run {id} was stopped"));
        };
        if !run.is_active() {
            return Class::Known;
        }
        run.phase = phase;
        run.stopped = Some(fold.position);
        self.active.remove(id);
        self.wind_up(fold, id);
        self.touch_run(fold.position, id);
        Class::Applied
    }
}
