//! The search for workflow runs of dispatches whose outcome, or whose run, is not known: one loop a repository lists
//! the workflows concerned, records what it sees, and lets the state decide.

use crate::{
    Shared,
    work::{Search, Work},
};
use jiff::SignedDuration;
use stackwave_domain::{
    DispatchId, Event, Position, RepositoryId, StreamId, Subject, Timestamp, WorkflowFile,
    event::{DispatchUndecidable, SearchEvidence, Source, WorkflowRunObserved},
};
use stackwave_engine::{
    due::{self, Identification},
    state::RepositoryState,
};
use stackwave_github::port::{CallError, Target};
use stackwave_runtime::{PartitionView, Poke, Turn};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// GitHub lists a fresh run up to some 10 s late: the runs are listed this often …
const EVERY: Duration = Duration::from_secs(5);
/// … and, once the grace is over and only the run's identity is missing, this often.
const EVERY_LATER: Duration = Duration::from_secs(20);
/// So many observations go into one record.
const OBSERVED_AT_ONCE: usize = 256;
/// Runs are listed from this long before the claim: the two clocks are not the same.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(2);

/// Starts the loop, if there is something to search for and it does not run.
pub(crate) fn start(shared: &Arc<Shared>, work: &Work, turn: &Turn<'_>, target: &Target) {
    let mut under_way = work.lock();
    if under_way.searches.is_empty() || under_way.searching {
        return;
    }
    under_way.searching = true;
    let searcher = Searcher {
        shared: Arc::clone(shared),
        work: work.clone(),
        target: target.clone(),
        stream: turn.stream,
        poke: turn.poke.clone(),
    };
    tokio::spawn(searcher.run());
}

struct Searcher {
    shared: Arc<Shared>,
    work: Work,
    target: Target,
    stream: StreamId,
    poke: Poke,
}

impl Searcher {
    async fn run(self) {
        // The grace is cut into at least four looks, so that a short one is not one look long.
        let every = EVERY.min(self.shared.config.grace / 4).max(Duration::from_millis(100));
        // The slot is filled as soon as the loop was started; without a view there is nothing to judge by.
        while let Some(view) = self.shared.view.0.get() {
            let wanted = self.wanted(view);
            if wanted.is_empty() {
                break;
            }
            let pause = match self.list(view, &wanted).await {
                Ok(runs_seen) => {
                    self.judge(view, &wanted, &runs_seen).await;
                    if self.only_identities_missing(view) { EVERY_LATER.max(every) } else { every }
                }
                Err(error) => {
                    tracing::warn!(%error, repository.name = %self.target.name, "GitHub cannot be searched; trying again");
                    self.shared.core.health.detail("github", error.to_string());
                    match error {
                        CallError::RateLimited { wait } => wait,
                        CallError::NotFound(_)
                        | CallError::Refused { .. }
                        | CallError::Unavailable(_)
                        | CallError::Unauthorized(_) => every,
                    }
                }
            };
            self.poke.ask_again(self.target.id);
            tokio::select! {
                () = self.shared.core.shutdown.cancelled() => break,
                () = self.work.new_search.notified() => {},
                () = tokio::time::sleep(pause) => {},
            }
        }
        self.work.lock().searching = false;
        self.poke.ask_again(self.target.id);
    }

    /// The dispatches that still need a run, with their workflow and claim's time.
    fn wanted(&self, view: &PartitionView) -> BTreeMap<DispatchId, (WorkflowFile, Timestamp)> {
        let mut under_way = self.work.lock();
        view.read(|state| {
            let Some(repository) = state.repository(self.target.id) else { return BTreeMap::new() };
            under_way
                .searches
                .retain(|id, _| repository.dispatches.get(id).is_some_and(|found| found.lacks_run()));
            let searched = under_way.searches.iter().filter(|(_, search)| search.exhausted.is_none());
            searched
                .filter_map(|(id, _)| {
                    let dispatch = repository.dispatches.get(id)?;
                    Some((id.clone(), (dispatch.claimed.workflow.clone(), dispatch.at.0)))
                })
                .collect()
        })
    }

    /// Lists the runs of every workflow concerned, records what is new, and returns how many runs each had.
    async fn list(
        &self,
        view: &PartitionView,
        wanted: &BTreeMap<DispatchId, (WorkflowFile, Timestamp)>,
    ) -> Result<BTreeMap<WorkflowFile, u32>, CallError> {
        let asked_at = view.read(stackwave_engine::State::position);
        let Some(target) = self.shared.target(self.target.id) else {
            return Err(CallError::Unauthorized("the App is not installed in the repository".to_owned()));
        };
        let workflows: BTreeSet<&WorkflowFile> = wanted.values().map(|(workflow, _)| workflow).collect();
        let mut seen = BTreeMap::new();
        let mut news = Vec::new();
        for workflow in workflows {
            let oldest = wanted.values().filter(|(of, _)| of == workflow).map(|(_, at)| *at).min();
            let since = oldest.unwrap_or_default().checked_sub(CLOCKS_DIFFER).unwrap_or_default();
            let runs = match self.shared.github.runs.of_workflow(&target, workflow, since).await {
                Ok(runs) => runs,
                // GitHub knows no such workflow: then it has no runs.
                Err(CallError::NotFound(_)) => Vec::new(),
                Err(error) => return Err(error),
            };
            seen.insert(workflow.clone(), u32::try_from(runs.len()).unwrap_or(u32::MAX));
            news.extend(self.shared.news(view, self.target.id, runs, asked_at));
        }
        self.shared.core.health.detail("github", "reachable");
        if self.shared.observe(view, self.stream, self.target.id, "workflow_run", news, asked_at).await {
            Ok(seen)
        } else {
            // What was seen is not known: nothing may be concluded from it.
            Err(CallError::Unavailable("what GitHub listed could not be recorded".to_owned()))
        }
    }

    /// After a listing was folded: what the state cannot tell even now, and was searched for long enough, is either
    /// sent again or held for a person.
    async fn judge(
        &self,
        view: &PartitionView,
        wanted: &BTreeMap<DispatchId, (WorkflowFile, Timestamp)>,
        runs_seen: &BTreeMap<WorkflowFile, u32>,
    ) {
        let now = self.shared.core.clock.monotonic();
        let mut undecidable = Vec::new();
        {
            let mut under_way = self.work.lock();
            for (id, (workflow, _)) in wanted {
                let Some(search) = under_way.searches.get_mut(id) else { continue };
                search.listings += 1;
                search.runs_seen = runs_seen.get(workflow).copied().unwrap_or(0);
                let searched = now.saturating_sub(search.since);
                if now < search.since || searched < self.shared.config.grace {
                    continue;
                }
                let verdict =
                    view.read(|state| judged(state.repository(self.target.id)?, id, search, searched));
                match verdict {
                    Some(Verdict::Resend(evidence)) => search.exhausted = Some(evidence),
                    Some(Verdict::Undecidable(event)) => {
                        under_way.searches.remove(id);
                        undecidable.push(Event::from(event));
                    }
                    None => {}
                }
            }
        }
        if !undecidable.is_empty() {
            let subject = Subject::dispatch(self.stream, self.target.id);
            let item = self.shared.results(self.target.id, undecidable, None);
            let position = self.shared.results.append_item_surely(&subject, item).await;
            if let Some(position) = position {
                view.wait_for(position).await;
            }
        }
    }

    /// The grace is over, and every dispatch that is still searched for was certainly taken.
    fn only_identities_missing(&self, view: &PartitionView) -> bool {
        let now = self.shared.core.clock.monotonic();
        let grace = self.shared.config.grace;
        let under_way = self.work.lock();
        view.read(|state| {
            under_way.searches.iter().all(|(id, search)| {
                let dispatch =
                    state.repository(self.target.id).and_then(|repository| repository.dispatches.get(id));
                now.saturating_sub(search.since) > grace
                    && dispatch.is_none_or(|dispatch| !dispatch.is_open())
            })
        })
    }
}

enum Verdict {
    Resend(SearchEvidence),
    Undecidable(DispatchUndecidable),
}

fn judged(state: &RepositoryState, id: &DispatchId, search: &Search, searched: Duration) -> Option<Verdict> {
    let dispatch = state.dispatches.get(id).filter(|dispatch| dispatch.is_open())?;
    match due::identify(state, dispatch) {
        Identification::Nothing => Some(Verdict::Resend(SearchEvidence {
            listings: search.listings,
            runs_seen: search.runs_seen,
            searched_ms: u64::try_from(searched.as_millis()).unwrap_or(u64::MAX),
        })),
        Identification::Ambiguous(candidates) => Some(Verdict::Undecidable(DispatchUndecidable {
            dispatch: id.clone(),
            epoch: dispatch.epoch.0,
            reason: format!(
                "GitHub's answer was lost, and nothing tells whether it is one of {} workflow runs; put \
                 `atmos_pro_run_id` into the workflow's `run-name` to avoid this",
                candidates.len()
            ),
            candidates,
        })),
        // The loop records what was found at its next turn.
        Identification::Run(..) | Identification::Accepted => None,
    }
}

impl Shared {
    /// What a listing tells that the state does not know.
    pub(crate) fn news(
        &self,
        view: &PartitionView,
        repository: RepositoryId,
        runs: Vec<WorkflowRunObserved>,
        asked_at: Position,
    ) -> Vec<Event> {
        view.read(|state| {
            let repository = state.repository(repository);
            runs.into_iter()
                .filter(|run| repository.is_some_and(|repository| repository.is_news(run)))
                .map(|run| WorkflowRunObserved { source: Source::Poll { asked_at }, ..run }.into())
                .collect()
        })
    }

    /// Records observations of a look, in parts, and returns once the state has them; false when not all were recorded.
    pub(crate) async fn observe(
        &self,
        view: &PartitionView,
        stream: StreamId,
        repository: RepositoryId,
        event: &str,
        mut events: Vec<Event>,
        asked_at: Position,
    ) -> bool {
        let subject = Subject::github(stream, repository, event);
        while !events.is_empty() {
            let rest = events.split_off(events.len().min(OBSERVED_AT_ONCE));
            let Some(position) = self.results.append_surely(&subject, events, Some(asked_at)).await else {
                return false;
            };
            view.wait_for(position).await;
            events = rest;
        }
        true
    }
}
