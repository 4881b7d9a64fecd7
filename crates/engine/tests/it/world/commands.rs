//! What people command, and what the process does for it.

use super::{REPOSITORY, STREAM, World, github::later, graph::key};
use stackwave_domain::{
    CommandId, DispatchId, Event, PrNumber, RunId, StackKey, Subject, WorkflowRunId,
    event::{
        CancelAnswer, CommandFailed, DispatchRefused, DispatchResending, RefusalReason, Resolution, Resynced,
        SearchEvidence, Source, UploadLookedUp, WorkflowCancelAnswered, WorkflowCancelRequested,
    },
    workflow::{Conclusion, RunStatus},
};
use stackwave_engine::{
    command::{self, Ask, Outcome, Refusal},
    due::{self, Identification},
    state::Dispatch,
};

/// A process looks at failed runs so often.
const LOOK_AT_FAILED_EVERY: i64 = 300;

impl World {
    // People.

    /// Alice commands something, whatever may be in its way, and it is carried out.
    pub(crate) fn command(&mut self, ask: &Ask) -> CommandId {
        self.commands += 1;
        let id = CommandId::new(format!("command-{}", self.commands));
        self.now = later(self.now, 1);
        self.append(Subject::command(STREAM, REPOSITORY), "alice", vec![ask.event(id.clone(), None)]);
        self.settle();
        id
    }

    pub(crate) fn run_id(&self, activity: &str) -> RunId {
        self.run(activity).id.clone()
    }

    fn keyed(stack: &str) -> Option<StackKey> {
        (!stack.is_empty()).then(|| key(stack))
    }

    /// No stack: all that failed.
    pub(crate) fn retry(&mut self, activity: &str, stack: &str) -> CommandId {
        self.command(&Ask::Retry { run: self.run_id(activity), key: Self::keyed(stack) })
    }

    /// No stack: the whole run.
    pub(crate) fn cancel_by_hand(&mut self, activity: &str, stack: &str, force: bool) -> CommandId {
        self.command(&Ask::Cancel { run: self.run_id(activity), key: Self::keyed(stack), force })
    }

    pub(crate) fn resync(&mut self, run: Option<RunId>, pull_request: Option<u64>) -> CommandId {
        self.command(&Ask::Resync { run, pull_request: pull_request.map(PrNumber) })
    }

    /// None: it did not happen.
    pub(crate) fn resolve(&mut self, dispatch: &DispatchId, run: Option<WorkflowRunId>) -> CommandId {
        let outcome =
            run.map_or(Resolution::NotHappened, |workflow_run| Resolution::Happened { workflow_run });
        self.command(&Ask::Resolve { dispatch: dispatch.clone(), outcome })
    }

    /// What somebody who asks first would be told.
    pub(crate) fn check_ask(&self, ask: &Ask) -> Result<(), Refusal> {
        command::check(self.repository(), ask, self.now.max(self.repository().last_at))
    }

    /// What came of a command, in one word: its refusal's code, or why it failed.
    pub(crate) fn outcome_of(&self, id: &CommandId) -> String {
        match &self.repository().command(id).expect("the command is known").outcome {
            Outcome::Accepted => "accepted".to_owned(),
            Outcome::Done { .. } => "done".to_owned(),
            Outcome::Refused(refusal) => refusal.code.to_string(),
            Outcome::Failed { reason, .. } => reason.clone(),
        }
    }

    // The process.

    /// Asks GitHub to cancel one workflow run.
    pub(super) fn cancel(&mut self) -> bool {
        let Some(due) = due::due_cancels(self.repository()).into_iter().next() else { return false };
        if due.look_first {
            let asked_at = self.repository().last_position();
            let look = self.github.run_observed(due.workflow_run, Source::Poll { asked_at });
            if self.repository().is_news(&look) {
                self.append_observation("workflow_run", "dispatcher", vec![look.into()]);
                return true;
            }
        }
        let (dispatch, workflow_run, attempt) = (due.dispatch, due.workflow_run, due.attempt);
        let process = self.process;
        if !due.asked {
            let requested = WorkflowCancelRequested {
                dispatch: dispatch.clone(),
                workflow_run,
                attempt,
                command: due.command,
            };
            if !self.append_result(requested.into()) || self.process != process {
                return true;
            }
        }
        let open = self.github.runs[&workflow_run].status != RunStatus::Completed;
        if open {
            self.github.change(workflow_run, RunStatus::Completed, Some(Conclusion::Cancelled), self.now);
        }
        let answer = if open { CancelAnswer::Accepted } else { CancelAnswer::TooLate };
        self.append_result(WorkflowCancelAnswered { dispatch, workflow_run, attempt, answer }.into());
        true
    }

    /// Sends again, or takes back, what a person said did not happen.
    pub(super) fn obey_resolution(&mut self, dispatch: &Dispatch) -> bool {
        let said = dispatch.unsettled_resolution().map(|resolved| resolved.outcome);
        if said != Some(Resolution::NotHappened) {
            return false;
        }
        if self.find(dispatch) {
            return true;
        }
        if self.take_back(dispatch) {
            return true;
        }
        let id = dispatch.claimed.dispatch.clone();
        let evidence = SearchEvidence { listings: 0, runs_seen: 0, searched_ms: 0 };
        let epoch = dispatch.epoch.0 + 1;
        let resending =
            DispatchResending { dispatch: id.clone(), epoch, claimant: self.process_id(), evidence };
        let process = self.process;
        if self.append_ledger("dispatcher", vec![resending.into()]) && self.process == process {
            let again = self.repository().dispatches[&id].clone();
            if due::identify(self.repository(), &again) == Identification::Nothing && again.is_open() {
                self.send(&again.claimed, epoch);
            }
        }
        true
    }

    /// Ends a claim that GitHub certainly did not take and that must not be sent any more.
    pub(super) fn take_back(&mut self, dispatch: &Dispatch) -> bool {
        if self.repository().may_be_sent(dispatch) {
            return false;
        }
        let refused = DispatchRefused {
            dispatch: dispatch.claimed.dispatch.clone(),
            epoch: dispatch.epoch.0,
            status: 0,
            reason: RefusalReason::Withdrawn,
            message: "the run was stopped before GitHub took the dispatch".to_owned(),
        };
        self.append_result(refused.into());
        true
    }

    fn look_at_runs(&mut self, runs: &[WorkflowRunId]) -> u32 {
        let asked_at = self.repository().last_position();
        let looks = runs.iter().map(|run| self.github.run_observed(*run, Source::Poll { asked_at }));
        let news: Vec<Event> =
            looks.filter(|look| self.repository().is_news(look)).map(Event::from).collect();
        let count = news.len();
        if count > 0 {
            self.append_observation("workflow_run", "dispatcher", news);
        }
        u32::try_from(count).unwrap()
    }

    /// Looks that people asked for.
    pub(super) fn look_for_people(&mut self, polls: &due::Polls) -> bool {
        if let Some(lookup) = polls.lookups.first() {
            if self.github.runs.contains_key(&lookup.workflow_run) {
                self.look_at_runs(&[lookup.workflow_run]);
            } else {
                let reason = format!("GitHub does not know the workflow run {}", lookup.workflow_run);
                self.append_result(CommandFailed { command: lookup.command.clone(), reason }.into());
            }
            return true;
        }
        let Some(resync) = polls.resyncs.first() else { return false };
        let process = self.process;
        let asked_at = self.repository().last_position();
        let news = self.look_at_runs(&resync.workflow_runs);
        for number in &resync.pulls {
            let look = self.github.observed(*number, Source::Poll { asked_at }, None);
            self.append_observation("pull_request", "dispatcher", vec![look.into()]);
        }
        for head_sha in resync.uploads.clone() {
            let holds = |pull: &super::github::Pull| pull.head == head_sha;
            let pulls = self.github.pulls.iter().filter(|(_, pull)| holds(pull));
            let numbers: Vec<PrNumber> = pulls.map(|(number, _)| *number).collect();
            let mut events: Vec<Event> = numbers
                .iter()
                .map(|number| self.github.observed(*number, Source::Poll { asked_at }, None).into())
                .collect();
            events.push(UploadLookedUp { head_sha, pull_requests: numbers }.into());
            self.append_observation("pull_request", "dispatcher", events);
        }
        if self.process == process {
            let count = |number: usize| u32::try_from(number).unwrap();
            let resynced = Resynced {
                command: resync.command.clone(),
                workflow_runs: count(resync.workflow_runs.len()),
                pull_requests: count(resync.pulls.len()),
                uploads: count(resync.uploads.len()),
                news,
            };
            self.append_result(resynced.into());
        }
        true
    }

    /// Now and then, at runs that failed and may have been re-run.
    pub(super) fn look_at_failed(&mut self) -> bool {
        let failed = due::due_failed(self.repository());
        if failed.is_empty() {
            return false;
        }
        let next = self.memory.failed_asked.map_or(self.now, |asked| later(asked, LOOK_AT_FAILED_EVERY));
        if self.now < next {
            self.wake(Some(next));
            return false;
        }
        self.memory.failed_asked = Some(self.now);
        self.look_at_runs(&failed);
        true
    }
}
