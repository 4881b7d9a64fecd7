//! One record onto one repository.

use super::{Class, Phase, RepositoryState, Run, run::Progress, upload};
use stackwave_domain::{
    Entry, Event, Position, Timestamp,
    event::{RunClosed, RunEnded, RunOpened, RunSuperseded, StackReleased, StackSkipped},
    record::SCHEMA_VERSION,
};
use std::sync::Arc;

impl RepositoryState {
    pub(super) fn fold(&mut self, entry: &Entry) -> Vec<Class> {
        let (position, record) = (entry.position, &entry.record);
        self.folded_to = position;
        self.last_at = self.last_at.max(record.at);
        if entry.subject.kind() == "ledger" {
            self.ledger = position;
        }
        if record.v > SCHEMA_VERSION {
            self.halt(position, &format!("schema version {}", record.v));
        }
        record.events.iter().map(|event| self.fold_event(entry, record.at, event)).collect()
    }

    fn halt(&mut self, position: Position, what: &str) {
        self.halted.get_or_insert_with(|| {
            format!("the record at {position} holds {what}, which this version does not know")
        });
    }

    fn fold_event(&mut self, entry: &Entry, at: Timestamp, event: &Event) -> Class {
        let position = entry.position;
        match event {
            Event::UploadReceived(upload) => {
                let receipt =
                    upload::Receipt { position, at: upload.received_at, record: entry.record.id.clone() };
                self.receive_upload(receipt, upload)
            }
            Event::UploadLookedUp(looked_up) => self.look_up_upload(at, looked_up),
            Event::PullRequestObserved(observed) => self.observe_pull(position, observed),
            Event::MergeGroupObserved(observed) => self.observe_merge_group(observed),
            Event::ReleaseObserved(observed) => self.observe_release(at, observed),
            Event::WorkflowRunObserved(observed) => self.observe_workflow_run(at, position, observed),
            Event::WorkflowJobWaiting(waiting) => self.observe_job_waiting(at, position, waiting),
            Event::WorkflowDispatchObserved(observed) => self.observe_dispatch_webhook(position, observed),
            Event::IssueCommentObserved(observed) => self.observe_comment(position, observed),
            Event::RunOpened(opened) => self.open_run(at, position, opened),
            Event::StackReleased(released) => self.release(at, position, released),
            Event::StackSkipped(skipped) => self.skip(position, skipped),
            Event::RunSuperseded(superseded) => self.supersede(at, position, superseded),
            Event::RunClosed(closed) => self.close(at, position, closed),
            Event::RunEnded(ended) => self.end(at, position, ended),
            Event::DispatchClaimed(claimed) => self.claim(at, position, claimed),
            Event::DispatchTakenOver(taken) => self.take_over(position, taken),
            Event::DispatchResending(resending) => self.resend(position, resending),
            Event::DispatchAccepted(accepted) => self.accept(at, position, accepted),
            Event::DispatchRefused(refused) => self.refuse(position, refused),
            Event::DispatchDelayed(delayed) => self.delay(position, delayed),
            Event::DispatchOutcomeUnknown(unknown) => self.lose_outcome(position, unknown),
            Event::DispatchFound(found) => self.find(at, position, found),
            Event::DispatchUndecidable(undecidable) => self.give_up(position, undecidable),
            Event::CommentClaimed(claimed) => self.claim_comment(entry, claimed),
            Event::CommentPosted(posted) => self.post_comment(entry, posted),
            Event::CommentRefused(refused) => self.refuse_comment(entry, refused),
            Event::PushObserved(_)
            | Event::CheckRunObserved(_)
            | Event::RepositoryRegistered(_)
            | Event::ApiKeyRegistered(_)
            | Event::InstallationObserved(_)
            | Event::InstallationRepositoriesObserved(_)
            | Event::PingObserved(_)
            | Event::PendingUploadResolved(_) => Class::Known,
            Event::Unknown { name, .. } => {
                self.halt(position, &format!("the event `{name}`"));
                Class::Known
            }
        }
    }

    fn open_run(&mut self, at: Timestamp, position: Position, opened: &RunOpened) -> Class {
        if self.runs.contains_key(&opened.run) {
            return Class::Known;
        }
        let Some(plan) = opened.plan.get() else {
            return Class::Impossible("a run was folded without its plan".to_owned());
        };
        self.runs.insert(opened.run.clone(), Run::open(opened, &Arc::clone(plan), at, position));
        self.active.insert(opened.run.clone());
        let repeated_at = self.uploads.get_mut(&opened.upload).and_then(|upload| {
            upload.used = true;
            (upload.last.position > upload.first.position).then_some(upload.last.position)
        });
        self.link_run(opened, repeated_at);
        self.touch_run(position, &opened.run);
        Class::Applied
    }

    fn release(&mut self, at: Timestamp, position: Position, released: &StackReleased) -> Class {
        let Some(run) = self.runs.get_mut(&released.run) else {
            return Class::Impossible(format!("a release in the unknown run {}", released.run));
        };
        let Some(index) = run.find(&released.key) else {
            return Class::Impossible(format!("a release of {}, which the run does not have", released.key));
        };
        match &run.stacks[index].progress {
            Progress::Released { attempt, .. } if *attempt >= released.attempt => return Class::Known,
            Progress::Refused(_) => {
                return Class::Impossible(format!("a release of {}, which cannot run", released.key));
            }
            Progress::Released { .. } | Progress::Waiting | Progress::Skipped(_) => {}
        }
        run.release(index, released.attempt, at);
        self.touch_run(position, &released.run);
        Class::Applied
    }

    fn skip(&mut self, position: Position, skipped: &StackSkipped) -> Class {
        let Some(run) = self.runs.get_mut(&skipped.run) else {
            return Class::Impossible(format!("a skip in the unknown run {}", skipped.run));
        };
        let Some(index) = run.find(&skipped.key) else {
            return Class::Impossible(format!("a skip of {}, which the run does not have", skipped.key));
        };
        if run.stacks[index].progress != Progress::Waiting {
            return Class::Known;
        }
        run.skip(index, skipped.reason.clone());
        self.touch_run(position, &skipped.run);
        Class::Applied
    }

    fn supersede(&mut self, at: Timestamp, position: Position, superseded: &RunSuperseded) -> Class {
        self.stop(position, &superseded.run, Phase::Superseded(superseded.by.clone(), at))
    }

    fn close(&mut self, at: Timestamp, position: Position, closed: &RunClosed) -> Class {
        self.stop(position, &closed.run, Phase::Closed(closed.reason.clone(), at))
    }

    fn end(&mut self, at: Timestamp, position: Position, ended: &RunEnded) -> Class {
        self.stop(position, &ended.run, Phase::Ended(ended.outcome, at))
    }

    fn stop(&mut self, position: Position, id: &stackwave_domain::RunId, phase: Phase) -> Class {
        let Some(run) = self.runs.get_mut(id) else {
            return Class::Impossible(format!("the unknown run {id} was stopped"));
        };
        if !run.is_active() {
            return Class::Known;
        }
        run.phase = phase;
        self.active.remove(id);
        self.touch_run(position, id);
        Class::Applied
    }
}
