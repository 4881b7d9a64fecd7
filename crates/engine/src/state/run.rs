//! A run: its plan, its graph, and how far each stack is.

use super::{
    past::{Estimate, Past},
    stack::{Call, Orders, Progress, Stack, Stage},
};
use crate::{command::Asked, graph::Graph, identity};
use serde::{Deserialize, Serialize};
use stackwave_domain::{
    CommitSha, Digest, DispatchId, GitRef, Position, PrNumber, RunId, RunPlan, StackKey, Timestamp,
    WorkspaceId,
    event::{RunOpened, RunOutcome, Successor, Trigger},
    plan::{SkipReason, Verdict},
};
use std::{collections::BTreeSet, sync::Arc};

/// One ordered deployment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// Why it runs.
    pub trigger: Trigger,
    /// The trigger was inferred from a look.
    pub inferred: bool,
    /// Which run of the same trigger.
    pub generation: u32,
    /// The pull request.
    pub pull_request: Option<PrNumber>,
    /// The release, by GitHub's id.
    pub release: Option<u64>,
    /// The trigger's commit.
    pub head_sha: CommitSha,
    /// The commit that workflows check out.
    pub sha: CommitSha,
    /// The branch or tag on which workflows start.
    pub git_ref: GitRef,
    /// The upload whose graph this is.
    pub upload: Digest,
    /// Merge order among mutating runs.
    pub merged_at: Option<Timestamp>,
    /// When it was opened, and where the log says so.
    pub opened: (Timestamp, Position),
    /// Whether it still dispatches.
    pub phase: Phase,
    /// Where the log says that it stopped.
    pub stopped: Option<Position>,
    /// Somebody cancelled it; once that is decided, its phase says so.
    #[serde(default)]
    pub cancel: Option<Asked>,
    /// W3C trace context: its upload's, so that one trace shows an upload and everything that came of it.
    #[serde(default)]
    pub trace: Option<Arc<str>>,
    /// What it intends.
    pub plan: Arc<RunPlan>,
    /// Stacks by their index in the plan.
    pub stacks: Vec<Stack>,
    /// How long each stack will take, as the past told when the run was opened: what is said of a run does not change
    /// because another one ended.
    #[serde(default)]
    pub estimates: Vec<Option<Estimate>>,
    /// When something about it was last folded, by the record's time.
    #[serde(default)]
    pub changed_at: Timestamp,
    // What follows from the rest is worked out again, not stored: see [`Run::restore`].
    #[serde(skip)]
    graph: Arc<Graph>,
    #[serde(skip)]
    ready: BTreeSet<usize>,
    #[serde(skip)]
    unclaimed: BTreeSet<(usize, usize)>,
    /// Stacks of which somebody wants something that is not decided yet.
    #[serde(skip)]
    ordered: BTreeSet<usize>,
    #[serde(skip)]
    unmet: usize,
    #[serde(skip)]
    flying: usize,
}

/// Whether a run still dispatches, and if not, why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// It does.
    Active,
    /// Something newer took its place.
    Superseded(Successor, Timestamp),
    /// Its pull request or merge group was closed.
    Closed(String, Timestamp),
    /// Somebody cancelled it.
    Cancelled(Asked, Timestamp),
    /// Nothing is left to do.
    Ended(RunOutcome, Timestamp),
}

impl Run {
    pub(super) fn open(
        opened: &RunOpened,
        plan: &Arc<RunPlan>,
        past: &Past,
        at: Timestamp,
        position: Position,
    ) -> Self {
        let stacks = plan
            .stacks
            .iter()
            .map(|planned| Stack {
                progress: match &planned.verdict {
                    Verdict::Dispatch(_) => Progress::Waiting,
                    Verdict::Skip(reason) => Progress::Skipped(reason.clone()),
                    Verdict::Refuse(reason) => Progress::Refused(reason.clone()),
                },
                decided: None,
                calls: Vec::new(),
                orders: None,
                unmet_parents: 0,
                met: false,
            })
            .collect();
        let mut run = Self {
            id: opened.run.clone(),
            workspace: opened.workspace.clone(),
            trigger: opened.trigger.clone(),
            inferred: opened.inferred,
            generation: opened.generation,
            pull_request: opened.pull_request,
            release: opened.release,
            head_sha: opened.head_sha.clone(),
            sha: opened.sha.clone(),
            git_ref: opened.git_ref.clone(),
            upload: opened.upload.clone(),
            merged_at: opened.merged_at,
            trace: None,
            opened: (at, position),
            phase: Phase::Active,
            stopped: None,
            cancel: None,
            plan: Arc::clone(plan),
            stacks,
            estimates: past.estimates(plan, opened.trigger.is_mutating()),
            changed_at: at,
            graph: Arc::default(),
            ready: BTreeSet::new(),
            unclaimed: BTreeSet::new(),
            ordered: BTreeSet::new(),
            unmet: 0,
            flying: 0,
        };
        run.restore();
        run
    }

    /// Works out all that follows from the plan and from how far each stack is.
    pub(super) fn restore(&mut self) {
        self.graph = Arc::new(Graph::new(self.plan.stacks.len(), &self.plan.edges));
        self.ready.clear();
        self.unclaimed.clear();
        self.ordered.clear();
        self.flying = self.stacks.iter().filter(|stack| stack.in_flight()).count();
        self.unmet = self.stacks.len();
        for (index, stack) in self.stacks.iter_mut().enumerate() {
            stack.unmet_parents = u32::try_from(self.graph.parents(index).count()).unwrap_or(u32::MAX);
            stack.met = false;
            self.unclaimed.extend(stack.to_be_claimed().map(|call| (index, call)));
            if stack.is_ordered() {
                self.ordered.insert(index);
            }
        }
        for index in 0..self.stacks.len() {
            self.settle(index);
        }
    }

    /// Whether its workflows change infrastructure.
    #[must_use]
    pub fn is_mutating(&self) -> bool {
        self.trigger.is_mutating()
    }

    /// Whether it still dispatches.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        matches!(self.phase, Phase::Active)
    }

    /// Merge order: when it was merged or released, else when it was opened; then by the log; then, for two that one
    /// record opened, by their ids.
    #[must_use]
    pub fn order(&self) -> (Timestamp, Position, &RunId) {
        (self.merged_at.unwrap_or(self.opened.0), self.opened.1, &self.id)
    }

    /// When it stopped to dispatch.
    #[must_use]
    pub const fn stopped_at(&self) -> Option<Timestamp> {
        match &self.phase {
            Phase::Active => None,
            Phase::Superseded(_, at)
            | Phase::Closed(_, at)
            | Phase::Cancelled(_, at)
            | Phase::Ended(_, at) => Some(*at),
        }
    }

    /// The key of a stack by its index in the plan.
    #[must_use]
    pub fn key(&self, index: usize) -> &StackKey {
        &self.plan.stacks[index].key
    }

    /// The index of a stack in the plan.
    #[must_use]
    pub fn find(&self, key: &StackKey) -> Option<usize> {
        self.plan.stacks.binary_search_by(|planned| planned.key.cmp(key)).ok()
    }

    /// The stacks that one waits for.
    pub fn parents(&self, index: usize) -> impl Iterator<Item = usize> + '_ {
        self.graph.parents(index)
    }

    /// The stacks that wait for one.
    pub fn children(&self, index: usize) -> impl Iterator<Item = usize> + '_ {
        self.graph.children(index)
    }

    /// The wave of each stack, for people.
    #[must_use]
    pub fn waves(&self) -> Vec<Option<u32>> {
        self.graph.waves(|index| matches!(self.plan.stacks[index].verdict, Verdict::Dispatch(_)))
    }

    /// Stacks whose parents have succeeded and that were not released yet.
    pub fn ready(&self) -> impl Iterator<Item = usize> + '_ {
        self.ready.iter().copied()
    }

    /// Released dispatches without a claim: (stack, call).
    pub fn unclaimed(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.unclaimed.iter().copied()
    }

    /// Stacks of which somebody wants something that is not decided yet.
    pub fn ordered(&self) -> impl Iterator<Item = usize> + '_ {
        self.ordered.iter().copied()
    }

    /// Whether every stack succeeded or was skipped.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.unmet == 0
    }

    /// Whether something of it may be running at GitHub, or about to.
    #[must_use]
    pub const fn is_in_flight(&self) -> bool {
        self.flying > 0
    }

    pub(super) fn release(&mut self, index: usize, attempt: u32, at: Timestamp, position: Position) {
        let Verdict::Dispatch(calls) = &self.plan.stacks[index].verdict else { return };
        let key = &self.plan.stacks[index].key;
        let calls: Vec<Call> = calls
            .iter()
            .map(|call| Call {
                dispatch: identity::dispatch_id(&self.id, key, &call.workflow, attempt),
                stage: Stage::Unclaimed,
            })
            .collect();
        self.flying -= usize::from(self.stacks[index].in_flight());
        let stack = &mut self.stacks[index];
        stack.calls = calls;
        stack.progress = Progress::Released { attempt, at };
        stack.decided = Some(position);
        self.set_orders(index, |orders| {
            orders.retried = orders.retry.take();
            orders.withdrawn = None;
        });
    }

    pub(super) fn skip(&mut self, index: usize, reason: SkipReason, position: Position) {
        self.stacks[index].progress = Progress::Skipped(reason);
        self.stacks[index].decided = Some(position);
        self.settle(index);
    }

    /// Takes note of what people want of a stack, and works out what follows.
    pub(super) fn set_orders(&mut self, index: usize, change: impl FnOnce(&mut Orders)) {
        let stack = &mut self.stacks[index];
        let mut orders = stack.orders.take().unwrap_or_default();
        change(&mut orders);
        stack.orders = (*orders != Orders::default()).then_some(orders);
        if stack.is_ordered() {
            self.ordered.insert(index);
        } else {
            self.ordered.remove(&index);
        }
        let calls: Vec<(usize, usize)> =
            self.unclaimed.range((index, 0)..=(index, usize::MAX)).copied().collect();
        for call in calls {
            self.unclaimed.remove(&call);
        }
        self.unclaimed.extend(self.stacks[index].to_be_claimed().map(|call| (index, call)));
        self.settle(index);
    }

    /// Takes note of how far a dispatch is; whether that was news. One of an earlier attempt changes nothing.
    pub(super) fn set_stage(
        &mut self,
        index: usize,
        call: usize,
        dispatch: &DispatchId,
        stage: Stage,
    ) -> bool {
        let Some(stack) = self.stacks.get_mut(index) else { return false };
        let flew = stack.in_flight();
        let Some(known) = stack.calls.get_mut(call).filter(|call| call.dispatch == *dispatch) else {
            return false;
        };
        if known.stage == stage {
            return false;
        }
        if known.stage == Stage::Unclaimed {
            self.unclaimed.remove(&(index, call));
        }
        known.stage = stage;
        let flies = stack.in_flight();
        self.flying = self.flying + usize::from(flies) - usize::from(flew);
        self.settle(index);
        true
    }

    pub(crate) const fn counts(&self) -> Counts<'_> {
        Counts {
            ready: &self.ready,
            unclaimed: &self.unclaimed,
            ordered: &self.ordered,
            unmet: self.unmet,
            flying: self.flying,
        }
    }

    /// Works out whether a stack lets its children go, and tells them when that changed.
    fn settle(&mut self, index: usize) {
        let mut queue = vec![index];
        while let Some(index) = queue.pop() {
            let stack = &self.stacks[index];
            let met = match &stack.progress {
                Progress::Skipped(_) => stack.unmet_parents == 0,
                Progress::Released { .. } => stack.succeeded(),
                Progress::Waiting | Progress::Refused(_) => false,
            };
            if stack.may_be_released() && stack.unmet_parents == 0 {
                self.ready.insert(index);
            } else {
                self.ready.remove(&index);
            }
            if met == stack.met {
                continue;
            }
            self.stacks[index].met = met;
            if met {
                self.unmet -= 1;
            } else {
                self.unmet += 1;
            }
            let children: Vec<usize> = self.graph.children(index).collect();
            for child in children {
                let unmet = &mut self.stacks[child].unmet_parents;
                *unmet = if met { unmet.saturating_sub(1) } else { *unmet + 1 };
                queue.push(child);
            }
        }
    }
}

/// What a run keeps beside its stacks, for [`crate::check`].
pub(crate) struct Counts<'a> {
    pub(crate) ready: &'a BTreeSet<usize>,
    pub(crate) unclaimed: &'a BTreeSet<(usize, usize)>,
    pub(crate) ordered: &'a BTreeSet<usize>,
    pub(crate) unmet: usize,
    pub(crate) flying: usize,
}

impl PartialEq for Run {
    fn eq(&self, other: &Self) -> bool {
        // The graph is a function of the plan.
        self.id == other.id
            && self.phase == other.phase
            && self.opened == other.opened
            && self.plan == other.plan
            && self.stacks == other.stacks
            && self.ready == other.ready
            && self.unclaimed == other.unclaimed
            && self.unmet == other.unmet
            && self.flying == other.flying
            && self.stopped == other.stopped
            && self.cancel == other.cancel
            && self.ordered == other.ordered
            && self.estimates == other.estimates
            && self.changed_at == other.changed_at
    }
}

impl Eq for Run {}
