//! Random acyclic graphs in a world where webhooks are lost, late, repeated and reordered, answers are lost, and the
//! process dies now and then.

use crate::world::{
    Delivery, World,
    github::{Reply, Titles},
    graph::{Graph, key, name},
};
use proptest::prelude::*;
use stackwave_domain::{
    PrNumber, RunId, StackKey,
    workflow::{Conclusion, RunStatus},
};
use stackwave_engine::{
    command::Ask,
    view::{self, RunPhase, Status},
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A graph by numbers: an edge only goes from a smaller number to a greater one.
#[derive(Clone, Debug)]
struct Plan {
    stacks: usize,
    edges: BTreeSet<(usize, usize)>,
    skipped: BTreeSet<usize>,
    failing: BTreeSet<usize>,
}

fn stack(number: usize) -> String {
    format!("s{number}")
}

impl Plan {
    fn graph(&self) -> Graph {
        let mut notation: Vec<String> = (0..self.stacks).map(stack).collect();
        notation.extend(
            self.edges.iter().map(|(parent, child)| format!("{} > {}", stack(*parent), stack(*child))),
        );
        let graph = Graph::of(&notation.join("; "));
        self.skipped.iter().fold(graph, |graph, skipped| graph.without_settings(&stack(*skipped)))
    }

    /// The stacks that one waits for, through skipped ones.
    fn waits_for(&self, child: usize) -> BTreeSet<usize> {
        let parents = self.edges.iter().filter(|(_, to)| *to == child).map(|(from, _)| *from);
        parents
            .flat_map(|parent| {
                if self.skipped.contains(&parent) { self.waits_for(parent) } else { BTreeSet::from([parent]) }
            })
            .collect()
    }

    /// The stacks that must be dispatched: those without a failure above them.
    fn reachable(&self) -> BTreeSet<usize> {
        let mut reachable = BTreeSet::new();
        for number in 0..self.stacks {
            let above = self.waits_for(number);
            let goes =
                above.iter().all(|parent| reachable.contains(parent) && !self.failing.contains(parent));
            if goes && !self.skipped.contains(&number) {
                reachable.insert(number);
            }
        }
        reachable
    }
}

fn plans() -> impl Strategy<Value = Plan> {
    (1usize..9).prop_flat_map(|stacks| {
        let pairs: Vec<(usize, usize)> =
            (0..stacks).flat_map(|to| (0..to).map(move |from| (from, to))).collect();
        let edges = prop::collection::vec(prop::bool::weighted(0.35), pairs.len());
        let marks = |chance| prop::collection::vec(prop::bool::weighted(chance), stacks);
        (edges, marks(0.2), marks(0.15)).prop_map(move |(edges, skipped, failing)| {
            let numbers = |marks: Vec<bool>| -> BTreeSet<usize> {
                marks
                    .into_iter()
                    .enumerate()
                    .filter_map(|(number, marked)| marked.then_some(number))
                    .collect()
            };
            Plan {
                stacks,
                edges: pairs.iter().copied().zip(edges).filter_map(|(pair, is)| is.then_some(pair)).collect(),
                skipped: numbers(skipped),
                failing: numbers(failing),
            }
        })
    })
}

/// Decisions of fate, one byte each, from the start again when they are used up.
#[derive(Clone, Debug)]
struct Fate {
    bytes: Vec<u8>,
    next: usize,
}

impl Fate {
    fn of(&mut self, sides: usize) -> usize {
        let byte = self.bytes[self.next % self.bytes.len()];
        // A different number at each pass.
        let turn = self.next / self.bytes.len();
        self.next += 1;
        (usize::from(byte) + turn * 31) % sides
    }
}

fn fates() -> impl Strategy<Value = Fate> {
    prop::collection::vec(any::<u8>(), 32..128).prop_map(|bytes| Fate { bytes, next: 0 })
}

struct Ordeal {
    world: World,
    fate: Fate,
    late: Vec<(String, stackwave_domain::Event)>,
    failing: BTreeSet<StackKey>,
}

impl Ordeal {
    fn new(fate: Fate, failing: BTreeSet<StackKey>) -> Self {
        let mut ordeal = Self { world: World::new(), fate, late: Vec::new(), failing };
        ordeal.world.delivery = Delivery::Held;
        ordeal.world.claims_at_once = 1 + ordeal.fate.of(4);
        ordeal.world.github.names_runs = ordeal.fate.of(4) != 0;
        ordeal.world.github.titles = [Titles::WithId, Titles::WithId, Titles::Inputs][ordeal.fate.of(3)];
        ordeal.world.github.lists_after = [0, 0, 20][ordeal.fate.of(3)];
        ordeal
    }

    /// GitHub's answers to the first requests for each stack.
    fn script(&mut self, stacks: usize) {
        for number in 0..stacks {
            let replies: VecDeque<Reply> = (0..self.fate.of(3))
                .map(|_| match self.fate.of(6) {
                    0 => Reply::LoseRequest,
                    1 => Reply::AcceptUnheard,
                    2 => Reply::Limit(15),
                    _ => Reply::Accept,
                })
                .collect();
            self.world.github.replies.insert(stack(number), replies);
        }
    }

    /// Delivers what is in the outbox, or not, or later, or twice.
    fn post(&mut self) {
        for webhook in std::mem::take(&mut self.world.github.outbox) {
            match self.fate.of(6) {
                0 => {}
                1 => self.late.push(webhook),
                2 => {
                    self.world.deliver(&webhook.0, webhook.1.clone());
                    self.late.push(webhook);
                }
                _ => self.world.deliver(&webhook.0, webhook.1),
            }
        }
        if !self.late.is_empty() && self.fate.of(3) == 0 {
            let which = self.fate.of(self.late.len());
            let webhook = self.late.remove(which);
            self.world.deliver(&webhook.0, webhook.1);
        }
        self.world.settle();
        if self.fate.of(16) == 0 {
            self.world.restart();
            self.world.settle();
        }
    }

    /// Some workflow run gets further; false when all have ended.
    fn work(&mut self) -> bool {
        let open: Vec<_> = self
            .world
            .github
            .runs
            .iter()
            .filter(|(_, run)| run.status != RunStatus::Completed)
            .map(|(id, run)| (*id, run.status.clone(), run.claimed.key.clone()))
            .collect();
        if open.is_empty() {
            return false;
        }
        let (id, status, key) = open[self.fate.of(open.len())].clone();
        self.world.now = crate::world::github::later(self.world.now, 1);
        let now = self.world.now;
        if status == RunStatus::Queued && self.fate.of(2) == 0 {
            self.world.github.change(id, RunStatus::InProgress, None, now);
        } else {
            let conclusion =
                if self.failing.contains(&key) { Conclusion::Failure } else { Conclusion::Success };
            self.world.github.change(id, RunStatus::Completed, Some(conclusion), now);
        }
        true
    }

    /// Somebody commands something of a run, sensible or not.
    fn command(&mut self, stacks: usize) {
        let runs: Vec<RunId> = self.world.repository().runs.keys().cloned().collect();
        if runs.is_empty() {
            return;
        }
        let run = runs[self.fate.of(runs.len())].clone();
        let one = Some(key(&stack(self.fate.of(stacks))));
        let ask = match self.fate.of(6) {
            0 | 1 => Ask::Retry { run, key: None },
            2 => Ask::Retry { run, key: one },
            3 => Ask::Cancel { run, key: one, force: self.fate.of(2) == 0 },
            4 => Ask::Resync { run: None, pull_request: None },
            _ => Ask::Resync { run: Some(run), pull_request: Some(PrNumber(7)) },
        };
        self.world.command(&ask);
    }

    /// Works on until nothing happens any more, however long nothing is told.
    fn live(&mut self, mut look: impl FnMut(&World)) {
        let mut quiet = 0;
        while quiet < 3 {
            self.post();
            look(&self.world);
            if self.work() {
                quiet = 0;
            } else {
                self.world.pass(150);
                quiet += 1;
            }
        }
        for (event, content) in std::mem::take(&mut self.late) {
            self.world.deliver(&event, content);
            self.world.settle();
        }
        look(&self.world);
    }
}

/// Every dispatch so far went after all that it waits for had succeeded.
fn assert_order(world: &World, plan: &Plan) {
    let succeeded: BTreeSet<String> = world
        .github
        .runs
        .values()
        .filter(|run| run.conclusion == Some(Conclusion::Success))
        .map(|run| name(&run.claimed.key))
        .collect();
    for number in 0..plan.stacks {
        if world.github.runs.values().any(|run| run.claimed.key == key(&stack(number))) {
            for parent in plan.waits_for(number) {
                assert!(succeeded.contains(&stack(parent)), "s{number} went before s{parent} had succeeded");
            }
        }
    }
}

fn keys(numbers: &BTreeSet<usize>) -> BTreeSet<StackKey> {
    numbers.iter().map(|number| key(&stack(*number))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_reachable_stack_goes_once_and_after_its_parents(plan in plans(), fate in fates()) {
        let mut ordeal = Ordeal::new(fate, keys(&plan.failing));
        ordeal.script(plan.stacks);
        if ordeal.fate.of(2) == 0 {
            ordeal.world.open_pull(7, "aaa");
            ordeal.world.upload("aaa", &plan.graph());
        } else {
            ordeal.world.upload("aaa", &plan.graph());
            ordeal.world.open_pull(7, "aaa");
        }
        ordeal.live(|world| assert_order(world, &plan));
        ordeal.world.end();
        let dispatched: Vec<String> =
            ordeal.world.github.runs.values().map(|run| name(&run.claimed.key)).collect();
        let mut sorted = dispatched.clone();
        sorted.sort();
        prop_assert_eq!(sorted, plan.reachable().into_iter().map(stack).collect::<Vec<_>>());
    }

    #[test]
    fn merges_of_the_same_stacks_all_come_to_an_end(one in plans(), two in plans(), fate in fates()) {
        let mut ordeal = Ordeal::new(fate, BTreeSet::new());
        ordeal.script(one.stacks.max(two.stacks));
        ordeal.world.open_pull(7, "aaa");
        ordeal.world.open_pull(8, "bbb");
        let mut steps = [plan_merge_apply(7, "aaa", &one), plan_merge_apply(8, "bbb", &two)];
        while steps.iter().any(|steps| !steps.is_empty()) {
            let which = ordeal.fate.of(2);
            match steps[which].pop_front() {
                Some(Step::Merge(number)) => ordeal.world.merge(number),
                Some(Step::Upload(head, graph)) => ordeal.world.upload(head, &graph),
                None => {}
            }
            ordeal.post();
            let _ = ordeal.work();
            ordeal.world.pass(6);
        }
        ordeal.live(|_| {});
        ordeal.world.end();
        let applies = ordeal.world.repository().runs.values().filter(|run| run.is_mutating());
        let mut seen = BTreeMap::new();
        for run in applies {
            seen.insert(run.head_sha.to_string(), run.generation);
            for stack in view::run_view(ordeal.world.repository(), run).stacks {
                let done = matches!(stack.status, Status::Succeeded | Status::Skipped);
                prop_assert!(done, "{} of {} is {:?}: {:?}", stack.key, run.id, stack.status, stack.reason);
            }
        }
        prop_assert_eq!(seen.len(), 2, "an apply was lost: {}", ordeal.world.runs());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_people_command_everything_can_be_retried_to_its_end(plan in plans(), fate in fates()) {
        let mut ordeal = Ordeal::new(fate, keys(&plan.failing));
        ordeal.script(plan.stacks);
        ordeal.world.open_pull(7, "aaa");
        ordeal.world.upload("aaa", &plan.graph());
        for _ in 0..60 {
            ordeal.post();
            assert_order(&ordeal.world, &plan);
            if ordeal.fate.of(4) == 0 {
                ordeal.command(plan.stacks);
            }
            ordeal.work();
        }
        ordeal.failing.clear();
        retry_to_the_end(&mut ordeal, |world| assert_order(world, &plan));
        ordeal.world.end();
    }

    #[test]
    fn whatever_people_command_two_merges_never_meet(one in plans(), two in plans(), fate in fates()) {
        let failing = keys(&one.failing.union(&two.failing).copied().collect());
        let mut ordeal = Ordeal::new(fate, failing);
        // Two plans of one stack may have the same title otherwise, and nobody can tell them apart.
        ordeal.world.github.titles = Titles::WithId;
        ordeal.script(one.stacks.max(two.stacks));
        ordeal.world.open_pull(7, "aaa");
        ordeal.world.open_pull(8, "bbb");
        let mut steps = [plan_merge_apply(7, "aaa", &one), plan_merge_apply(8, "bbb", &two)];
        while steps.iter().any(|steps| !steps.is_empty()) {
            let which = ordeal.fate.of(2);
            match steps[which].pop_front() {
                Some(Step::Merge(number)) => ordeal.world.merge(number),
                Some(Step::Upload(head, graph)) => ordeal.world.upload(head, &graph),
                None => {}
            }
            ordeal.post();
            if ordeal.fate.of(3) == 0 {
                ordeal.command(one.stacks.max(two.stacks));
            }
            ordeal.work();
            ordeal.world.pass(6);
        }
        // The state is checked after every record: two mutating runs never have a stack in flight together.
        ordeal.live(|_| {});
        ordeal.world.end();
        let pending = ordeal.world.repository().commands().filter(|command| command.is_pending()).count();
        prop_assert_eq!(pending, 0);
    }
}

/// With nothing that fails any more, retrying what failed brings every run that goes on to its end.
fn retry_to_the_end(ordeal: &mut Ordeal, mut look: impl FnMut(&World)) {
    for _ in 0..20 {
        ordeal.live(&mut look);
        let failed: Vec<RunId> = {
            let repository = ordeal.world.repository();
            let runs = repository.runs.values();
            let failed = runs.filter(|run| view::run_view(repository, run).status == RunPhase::Failed);
            failed.map(|run| run.id.clone()).collect()
        };
        if failed.is_empty() {
            let repository = ordeal.world.repository();
            for run in repository.runs.values() {
                let view = view::run_view(repository, run);
                assert_eq!(view.status, RunPhase::Succeeded, "{:?}", view.totals);
            }
            let pending: Vec<_> = repository.commands().filter(|command| command.is_pending()).collect();
            assert!(pending.is_empty(), "{pending:#?}");
            return;
        }
        for run in failed {
            ordeal.world.command(&Ask::Retry { run, key: None });
        }
    }
    panic!("retrying never ends: {}", ordeal.world.runs());
}

enum Step {
    Merge(u64),
    Upload(&'static str, Graph),
}

fn plan_merge_apply(number: u64, head: &'static str, plan: &Plan) -> VecDeque<Step> {
    [Step::Upload(head, plan.graph()), Step::Merge(number), Step::Upload(head, plan.graph())].into()
}
