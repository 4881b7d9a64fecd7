//! What would happen to each stack, were nothing to fail.

use stackwave_domain::{
    CommitSha, Fragment, StackKey,
    event::Trigger,
    fragment::WorkflowCall,
    plan::{PlannedStack, RefuseReason, Verdict},
};
use stackwave_engine::{
    forecast::{PlanForecast, of_plan},
    graph::Graph,
    planning,
    state::Past,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A plan with what people ask of it.
pub(super) struct Forecast {
    /// The trigger that it is for.
    pub(super) trigger: Trigger,
    /// In the plan's order.
    pub(super) stacks: Vec<Outlook>,
    /// Parent → child, as indices into `stacks`.
    pub(super) edges: BTreeSet<(u32, u32)>,
    /// What was odd.
    pub(super) warnings: Vec<String>,
    /// How long it would take and along which path; none when nothing runs.
    pub(super) expected: Option<PlanForecast>,
    /// The activities for which some stack configures a workflow.
    pub(super) configured: BTreeSet<String>,
}

/// One stack.
pub(super) struct Outlook {
    pub(super) key: StackKey,
    pub(super) directly_affected: bool,
    /// The first wave is 1; none when it will not be dispatched.
    pub(super) wave: Option<u32>,
    pub(super) fate: Fate,
}

/// What would happen to a stack.
pub(super) enum Fate {
    /// These workflows are started.
    Dispatched(Vec<WorkflowCall>),
    /// It does not run, and its children wait for its parents.
    Skipped(String),
    /// It cannot run.
    Refused(RefuseReason),
    /// A stack that it depends on, directly or not, cannot run: the nearest one.
    Blocked(StackKey),
}

impl Forecast {
    pub(super) fn new(fragment: &Fragment, trigger: &Trigger, sha: &CommitSha, past: Option<&Past>) -> Self {
        let plan = planning::plan(fragment, trigger, sha);
        let graph = Graph::new(plan.stacks.len(), &plan.edges);
        let expected = of_plan(&plan, trigger.is_mutating(), past);
        let refused = |stack: &PlannedStack| matches!(stack.verdict, Verdict::Refuse(_));
        let blockers = nearest_above(&graph, |index| refused(&plan.stacks[index]));
        let waves = graph.waves(|index| matches!(plan.stacks[index].verdict, Verdict::Dispatch(_)));
        let stacks = plan
            .stacks
            .iter()
            .enumerate()
            .map(|(index, stack)| {
                let fate = match (&stack.verdict, blockers[index]) {
                    (Verdict::Skip(reason), _) => Fate::Skipped(reason.to_string()),
                    (Verdict::Refuse(reason), _) => Fate::Refused(reason.clone()),
                    (Verdict::Dispatch(_), Some(by)) => Fate::Blocked(plan.stacks[by].key.clone()),
                    (Verdict::Dispatch(calls), None) => Fate::Dispatched(calls.clone()),
                };
                let wave = matches!(fate, Fate::Dispatched(_)).then_some(waves[index]).flatten();
                Outlook {
                    key: stack.key.clone(),
                    directly_affected: stack.directly_affected,
                    wave: wave.map(|wave| wave + 1),
                    fate,
                }
            })
            .collect();
        let configured = fragment
            .stacks
            .iter()
            .filter_map(|stack| stack.pro.as_ref())
            .filter(|pro| pro.enabled)
            .flat_map(|pro| pro.on.keys().cloned())
            .collect();
        Self {
            trigger: trigger.clone(),
            stacks,
            edges: plan.edges,
            warnings: plan.warnings,
            expected,
            configured,
        }
    }

    /// The stacks of each wave, by its number.
    pub(super) fn waves(&self) -> BTreeMap<u32, Vec<&Outlook>> {
        let mut waves: BTreeMap<u32, Vec<&Outlook>> = BTreeMap::new();
        for stack in &self.stacks {
            if let Some(wave) = stack.wave {
                waves.entry(wave).or_default().push(stack);
            }
        }
        waves
    }

    /// How many workflows would be started.
    pub(super) fn dispatches(&self) -> usize {
        self.stacks
            .iter()
            .map(|stack| match &stack.fate {
                Fate::Dispatched(calls) => calls.len(),
                Fate::Skipped(_) | Fate::Refused(_) | Fate::Blocked(_) => 0,
            })
            .sum()
    }

    /// Each cycle's path once, its first stack again at the end.
    pub(super) fn cycles(&self) -> BTreeSet<&[StackKey]> {
        self.stacks
            .iter()
            .filter_map(|stack| match &stack.fate {
                Fate::Refused(RefuseReason::Cycle { path }) => Some(path.as_slice()),
                Fate::Refused(RefuseReason::Template { .. })
                | Fate::Dispatched(_)
                | Fate::Skipped(_)
                | Fate::Blocked(_) => None,
            })
            .collect()
    }

    /// Parent and child of each edge.
    pub(super) fn edges(&self) -> impl Iterator<Item = (&StackKey, &StackKey)> {
        self.edges.iter().filter_map(|(parent, child)| {
            Some((&self.stacks.get(*parent as usize)?.key, &self.stacks.get(*child as usize)?.key))
        })
    }
}

/// For each stack the nearest marked one above it, itself left out.
fn nearest_above(graph: &Graph, marked: impl Fn(usize) -> bool) -> Vec<Option<usize>> {
    let mut above = vec![None; graph.len()];
    let mut queue: VecDeque<(usize, usize)> =
        (0..graph.len()).filter(|index| marked(*index)).map(|index| (index, index)).collect();
    while let Some((index, by)) = queue.pop_front() {
        for child in graph.children(index) {
            if above[child].is_none() && !marked(child) {
                above[child] = Some(by);
                queue.push_back((child, by));
            }
        }
    }
    above
}
