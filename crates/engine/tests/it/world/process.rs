//! One process of ours: it decides, claims, sends, searches and asks, as the services do, but at once and in memory.

use super::{
    World,
    github::{Reply, later},
    graph,
};
use stackwave_domain::{
    DispatchId, Event, Position, ProcessId, Timestamp,
    event::{
        DispatchAccepted, DispatchClaimed, DispatchDelayed, DispatchFound, DispatchOutcomeUnknown,
        DispatchRefused, DispatchResending, DispatchTakenOver, DispatchUndecidable, FoundBy, ReleaseObserved,
        SearchEvidence, Source, UploadLookedUp,
    },
};
use stackwave_engine::{
    due::{self, Candidate, Identification},
    state::Answer,
};
use std::collections::BTreeMap;

/// GitHub is searched for so long.
const GRACE: i64 = 60;
/// It is asked at most so often.
const ASK_EVERY: i64 = 5;

/// What a process remembers and a restart forgets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    /// When the search for a dispatch began.
    searching: BTreeMap<DispatchId, Timestamp>,
    asked: Option<Timestamp>,
    listed: Option<Timestamp>,
    pub(super) failed_asked: Option<Timestamp>,
}

impl World {
    /// One thing that is due; false when nothing is.
    pub(super) fn act(&mut self) -> bool {
        self.decide() || self.claim() || self.cancel() || self.recover() || self.ask()
    }

    fn decide(&mut self) -> bool {
        let due = due::due_decisions(self.repository(), &self.config, self.decision_time());
        self.wake(due.again_at);
        if due.now.is_empty() {
            return false;
        }
        self.append_ledger("orchestrator", due.now);
        true
    }

    fn claim(&mut self) -> bool {
        let candidates = due::due_dispatches(self.repository(), self.claims_at_once);
        let mut claims: Vec<DispatchClaimed> = Vec::new();
        for candidate in &candidates {
            let claimed = self.claim_of(candidate);
            let tells = claimed.title.as_ref().is_some_and(|title| title.contains(claimed.dispatch.as_str()));
            if due::may_claim(self.repository(), &claims, &claimed.workflow, &claimed.git_ref, tells) {
                claims.push(claimed);
            }
        }
        if claims.is_empty() {
            return false;
        }
        let process = self.process;
        if self.append_ledger("dispatcher", claims.iter().cloned().map(Event::from).collect()) {
            for claimed in &claims {
                // A process that died in between sends no more.
                if self.process == process {
                    self.send(claimed, 1);
                }
            }
        }
        true
    }

    fn claim_of(&self, candidate: &Candidate) -> DispatchClaimed {
        let declared = self.declares.as_ref();
        let mut claimed = DispatchClaimed {
            dispatch: candidate.dispatch.clone(),
            run: candidate.run.clone(),
            key: candidate.key.clone(),
            attempt: candidate.attempt,
            claimant: self.process_id(),
            workflow: candidate.call.workflow.clone(),
            git_ref: candidate.git_ref.clone(),
            inputs: due::inputs_for(candidate, declared),
            title: None,
        };
        claimed.title = self.github.title(&claimed);
        claimed
    }

    pub(super) fn send(&mut self, claimed: &DispatchClaimed, epoch: u32) {
        let dispatch = claimed.dispatch.clone();
        let replies = self.github.replies.get_mut(&graph::name(&claimed.key));
        let reply = match replies {
            // A definite no stays one, however often it is asked for.
            Some(replies) if matches!(replies.front(), Some(Reply::Refuse(_))) => replies[0].clone(),
            Some(replies) => replies.pop_front().unwrap_or(Reply::Accept),
            None => Reply::Accept,
        };
        let result: Event = match reply {
            Reply::Accept => {
                let run = self.github.start(claimed, self.now);
                let workflow_run = self.github.names_runs.then_some(run);
                DispatchAccepted { dispatch, epoch, workflow_run, html_url: None }.into()
            }
            Reply::AcceptUnheard => {
                self.github.start(claimed, self.now);
                DispatchOutcomeUnknown { dispatch, epoch, error: "the connection was reset".to_owned() }
                    .into()
            }
            Reply::LoseRequest => {
                DispatchOutcomeUnknown { dispatch, epoch, error: "the request timed out".to_owned() }.into()
            }
            Reply::Refuse(reason) => {
                DispatchRefused { dispatch, epoch, status: 422, reason, message: "No".to_owned() }.into()
            }
            Reply::Limit(seconds) => {
                let until = later(self.now, seconds);
                DispatchDelayed { dispatch, epoch, until, reason: "GitHub's rate limit".to_owned() }.into()
            }
        };
        // The answer is on its way to the log while GitHub's webhooks may overtake it.
        if self.webhooks_first {
            self.deliver_webhooks();
        }
        self.append_result(result);
        self.deliver_webhooks();
    }

    /// Claims without a result, dispatches without a workflow run.
    fn recover(&mut self) -> bool {
        let open: Vec<_> = self.repository().open_claims().cloned().collect();
        for dispatch in open {
            let id = dispatch.claimed.dispatch.clone();
            let epoch = dispatch.epoch.0;
            match &dispatch.answer {
                // Said since this process holds the claim. What another was told before it died says nothing of what
                // it sent after.
                Answer::Delayed { until, .. }
                    if dispatch.claimant == self.process_id()
                        && dispatch.answered > Some(dispatch.epoch.1) =>
                {
                    if self.take_back(&dispatch) {
                        return true;
                    }
                    if *until <= self.now {
                        self.send(&dispatch.claimed, epoch);
                        return true;
                    }
                    self.wake(Some(*until));
                    continue;
                }
                Answer::Undecidable { .. } => {}
                Answer::None | Answer::Unknown { .. } | Answer::Delayed { .. } => {
                    if dispatch.claimant != self.process_id() {
                        let taken =
                            DispatchTakenOver { dispatch: id, epoch: epoch + 1, claimant: self.process_id() };
                        self.append_ledger("dispatcher", vec![taken.into()]);
                        return true;
                    }
                }
                Answer::Accepted | Answer::Refused { .. } => continue,
            }
            if self.obey_resolution(&dispatch) || self.search(&dispatch) {
                return true;
            }
        }
        let lacking: Vec<_> = self.repository().in_flight().filter(|it| it.lacks_run()).cloned().collect();
        lacking.iter().any(|dispatch| self.find(dispatch)) || (!lacking.is_empty() && self.list())
    }

    fn search(&mut self, dispatch: &stackwave_engine::state::Dispatch) -> bool {
        let id = dispatch.claimed.dispatch.clone();
        if self.find(dispatch) || self.list() {
            return true;
        }
        if matches!(dispatch.answer, Answer::Undecidable { .. }) {
            return false;
        }
        let began = *self.memory.searching.entry(id.clone()).or_insert(self.now);
        let ends = later(began, GRACE);
        if self.now < ends {
            self.wake(Some(ends));
            return false;
        }
        self.memory.searching.remove(&id);
        let epoch = dispatch.epoch.0;
        if let Identification::Ambiguous(candidates) = due::identify(self.repository(), dispatch) {
            let reason = "nothing tells the runs apart".to_owned();
            self.append_result(DispatchUndecidable { dispatch: id, epoch, candidates, reason }.into());
            return true;
        }
        if self.take_back(dispatch) {
            return true;
        }
        let evidence = SearchEvidence { listings: 12, runs_seen: 0, searched_ms: 60_000 };
        let epoch = epoch + 1;
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

    /// Looks for a dispatch's run in the state.
    pub(super) fn find(&mut self, dispatch: &stackwave_engine::state::Dispatch) -> bool {
        let found = match due::identify(self.repository(), dispatch) {
            Identification::Run(run, by) => (Some(run), by),
            Identification::Accepted if dispatch.is_open() => (None, FoundBy::DispatchWebhook),
            Identification::Accepted | Identification::Ambiguous(_) | Identification::Nothing => {
                return false;
            }
        };
        let (workflow_run, by) = found;
        let (dispatch, epoch) = (dispatch.claimed.dispatch.clone(), dispatch.epoch.0);
        self.append_result(DispatchFound { dispatch, epoch, workflow_run, by }.into());
        true
    }

    /// Lists the workflow runs at GitHub; false when it was done a moment ago or told nothing.
    fn list(&mut self) -> bool {
        if !self.paced(|memory| &mut memory.listed) {
            return false;
        }
        let source = Source::Poll { asked_at: self.repository().last_position() };
        let news: Vec<Event> = self
            .github
            .runs
            .iter()
            .filter(|(_, run)| run.listed_at <= self.now)
            .map(|(id, _)| self.github.run_observed(*id, source.clone()))
            .filter(|run| {
                self.repository().workflow_runs.get(&run.run).is_none_or(|known| known.is_news(run))
            })
            .map(Event::from)
            .collect();
        if !news.is_empty() {
            self.append_observation("workflow_run", "dispatcher", news);
        }
        true
    }

    /// Asks GitHub what webhooks did not tell.
    fn ask(&mut self) -> bool {
        let polls = due::due_polls(self.repository(), self.decision_time());
        self.wake(polls.again_at);
        let polls = polls.now;
        if self.look_for_people(&polls) || self.look_at_failed() {
            return true;
        }
        if polls.is_empty() || !self.paced(|memory| &mut memory.asked) {
            return false;
        }
        let asked_at = self.repository().last_position();
        let poll = Source::Poll { asked_at };
        for number in polls.pulls {
            let look = self.github.observed(number, poll.clone(), None);
            self.append_observation("pull_request", "dispatcher", vec![look.into()]);
        }
        for head_sha in polls.uploads {
            let holds = |pull: &super::github::Pull| {
                pull.head == head_sha || pull.merge_commit.as_ref() == Some(&head_sha)
            };
            let numbers: Vec<_> =
                self.github.pulls.iter().filter(|(_, pull)| holds(pull)).map(|(number, _)| *number).collect();
            let mut events: Vec<Event> = numbers
                .iter()
                .map(|number| self.github.observed(*number, poll.clone(), None).into())
                .collect();
            events.push(UploadLookedUp { head_sha, pull_requests: numbers }.into());
            self.append_observation("pull_request", "dispatcher", events);
        }
        for (release, tag) in polls.releases {
            let commit = self.github.tags.get(&release).cloned();
            let look = ReleaseObserved {
                source: poll.clone(),
                action: None,
                release,
                tag,
                commit,
                published_at: None,
            };
            self.append_observation("release", "dispatcher", vec![look.into()]);
        }
        if !polls.silent.is_empty() {
            self.list();
        }
        true
    }

    fn paced(&mut self, last: impl FnOnce(&mut Memory) -> &mut Option<Timestamp>) -> bool {
        let now = self.now;
        let last = last(&mut self.memory);
        let next = last.map_or(now, |last| later(last, ASK_EVERY));
        if now < next {
            self.wake(Some(next));
            return false;
        }
        *last = Some(now);
        true
    }

    /// Whether a search is under way that only time can end.
    pub(super) fn is_recovering(&self) -> bool {
        let open = self.repository().open_claims().any(|dispatch| match dispatch.answer {
            Answer::None | Answer::Unknown { .. } => true,
            Answer::Delayed { .. } => {
                dispatch.claimant != self.process_id() || dispatch.answered <= Some(dispatch.epoch.1)
            }
            Answer::Undecidable { .. } | Answer::Accepted | Answer::Refused { .. } => false,
        });
        open || self.repository().in_flight().any(|dispatch| dispatch.lacks_run())
    }

    pub(super) fn process_id(&self) -> ProcessId {
        ProcessId::new(format!("process-{}", self.process))
    }

    /// As the services ask: never behind the newest record.
    fn decision_time(&self) -> Timestamp {
        self.now.max(self.repository().last_at)
    }

    pub(super) fn last_position(&self) -> Position {
        Position(self.log.len() as u64)
    }
}
