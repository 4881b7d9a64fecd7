//! How long stacks took when they succeeded: what forecasts are made of. Bounded, and forgotten by the records' times.

use super::{RepositoryState, Run, WorkflowRun};
use crate::words::between;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use stackwave_domain::{RunId, RunPlan, StackKey, Timestamp};
use std::collections::{BTreeMap, VecDeque};

/// So many successes of one stack are kept, the newest.
const KEEP: usize = 10;
/// So many stacks of one repository are known at once.
const MAX_STACKS: usize = 20_000;
/// A stack that has not succeeded for so long is forgotten.
const KEEP_STACK: SignedDuration = SignedDuration::from_hours(180 * 24);

/// How long one success took, by GitHub's clock, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Took {
    /// From the workflow run's creation to its start.
    pub queue_s: u32,
    /// From its start to its conclusion.
    pub run_s: u32,
}

/// What an estimate rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Past successes of the same stack.
    Stack,
    /// The repository's stacks, since this one has no past.
    Repository,
}

/// How long a stack will take, as far as the past tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// The medians of the past.
    pub took: Took,
    /// Whose past.
    pub basis: Basis,
}

/// The past successes of a repository's stacks, plans and changes apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Line>", into = "Vec<Line>")]
pub struct Past {
    stacks: BTreeMap<(bool, StackKey), Successes>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Successes {
    last: Timestamp,
    took: VecDeque<Took>,
}

/// One stack, as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Line {
    mutating: bool,
    key: StackKey,
    last: Timestamp,
    took: VecDeque<Took>,
}

impl From<Vec<Line>> for Past {
    fn from(lines: Vec<Line>) -> Self {
        let stacks = lines
            .into_iter()
            .map(|line| ((line.mutating, line.key), Successes { last: line.last, took: line.took }));
        Self { stacks: stacks.collect() }
    }
}

impl From<Past> for Vec<Line> {
    fn from(past: Past) -> Self {
        let lines = past.stacks.into_iter().map(|((mutating, key), successes)| Line {
            mutating,
            key,
            last: successes.last,
            took: successes.took,
        });
        lines.collect()
    }
}

impl Past {
    /// What the past says of each stack of a plan; none for all of them when nothing of the kind ever succeeded.
    #[must_use]
    pub fn estimates(&self, plan: &RunPlan, mutating: bool) -> Vec<Option<Estimate>> {
        let typical = self.typical(mutating).map(|took| Estimate { took, basis: Basis::Repository });
        plan.stacks
            .iter()
            .map(|stack| {
                let own = self.stacks.get(&(mutating, stack.key.clone())).and_then(Successes::median);
                own.map(|took| Estimate { took, basis: Basis::Stack }).or(typical)
            })
            .collect()
    }

    /// The median of the repository's stacks.
    fn typical(&self, mutating: bool) -> Option<Took> {
        let of_kind = self.stacks.iter().filter(|((kind, _), _)| *kind == mutating);
        median(of_kind.filter_map(|(_, successes)| successes.median()))
    }

    fn add(&mut self, key: StackKey, mutating: bool, took: Took, at: Timestamp) {
        let key = (mutating, key);
        if self.stacks.len() >= MAX_STACKS && !self.stacks.contains_key(&key) {
            let oldest = self.stacks.iter().min_by_key(|(_, successes)| successes.last);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                self.stacks.remove(&oldest);
            }
        }
        let successes =
            self.stacks.entry(key).or_insert_with(|| Successes { last: at, took: VecDeque::new() });
        successes.last = successes.last.max(at);
        if successes.took.len() >= KEEP {
            successes.took.pop_front();
        }
        successes.took.push_back(took);
    }

    /// How many stacks are known.
    pub(super) fn len(&self) -> usize {
        self.stacks.len()
    }

    pub(super) fn has_old(&self, now: Timestamp) -> bool {
        let oldest = oldest(now);
        self.stacks.values().any(|successes| successes.last < oldest)
    }

    pub(super) fn sweep(&mut self, now: Timestamp) {
        let oldest = oldest(now);
        self.stacks.retain(|_, successes| successes.last >= oldest);
    }
}

fn oldest(now: Timestamp) -> Timestamp {
    now.checked_sub(KEEP_STACK).unwrap_or(Timestamp::MIN)
}

impl Successes {
    fn median(&self) -> Option<Took> {
        median(self.took.iter().copied())
    }
}

/// The medians of queue and run, each by itself.
pub(crate) fn median(took: impl Iterator<Item = Took>) -> Option<Took> {
    let (mut queues, mut runs): (Vec<u32>, Vec<u32>) = took.map(|took| (took.queue_s, took.run_s)).unzip();
    queues.sort_unstable();
    runs.sort_unstable();
    let middle = queues.len() / 2;
    Some(Took { queue_s: *queues.get(middle)?, run_s: *runs.get(middle)? })
}

impl RepositoryState {
    /// Notes how long a stack took that has just succeeded.
    pub(super) fn remember(&mut self, run: &RunId, stack: usize) {
        let Some(run) = self.runs.get(run) else { return };
        let Some(took) = self.took(run, stack) else { return };
        self.past.add(run.key(stack).clone(), run.is_mutating(), took, self.last_at);
    }

    /// How long a stack that succeeded took, all its workflows together.
    pub(crate) fn took(&self, run: &Run, stack: usize) -> Option<Took> {
        let calls = &run.stacks.get(stack)?.calls;
        let spans: Option<Vec<(Timestamp, Timestamp, Timestamp)>> = calls
            .iter()
            .map(|call| {
                let id = self.dispatches.get(&call.dispatch)?.workflow_run?;
                Some(span(self.workflow_runs.get(&id)?))
            })
            .collect();
        let spans = spans?;
        let created = spans.iter().map(|(created, _, _)| *created).min()?;
        let started = spans.iter().map(|(_, started, _)| *started).min()?;
        let ended = spans.iter().map(|(_, _, ended)| *ended).max()?;
        let seconds = |from, to| u32::try_from(between(from, to).as_secs()).unwrap_or(u32::MAX);
        Some(Took { queue_s: seconds(created, started), run_s: seconds(started, ended) })
    }
}

/// When a workflow run that ended was created, started and ended. A re-run keeps its first creation, so it did not
/// queue as far as anybody knows; one whose start was not heard of did not either.
fn span(run: &WorkflowRun) -> (Timestamp, Timestamp, Timestamp) {
    let started = run.started_at.unwrap_or(run.created_at);
    let created = if run.attempt > 1 { started } else { run.created_at };
    (created, started, run.since)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn took(queue_s: u32, run_s: u32) -> Took {
        Took { queue_s, run_s }
    }

    #[test]
    fn the_median_of_the_newest_ten_counts() {
        let mut past = Past::default();
        let key = StackKey::new("dev", "vpc");
        for run_s in [9_000, 9_000, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10] {
            past.add(key.clone(), true, took(1, run_s), Timestamp::UNIX_EPOCH);
        }
        let known = past.stacks.get(&(true, key)).unwrap();
        assert_eq!((known.took.len(), known.median()), (10, Some(took(1, 6))));
        assert_eq!(past.typical(false), None);
    }

    #[test]
    fn what_is_stored_reads_back() {
        let mut past = Past::default();
        past.add(StackKey::new("dev", "vpc"), false, took(2, 40), Timestamp::UNIX_EPOCH);
        let text = serde_json::to_string(&past).unwrap();
        assert_eq!(serde_json::from_str::<Past>(&text).unwrap(), past);
    }

    #[test]
    fn a_stack_of_long_ago_is_forgotten() {
        let mut past = Past::default();
        past.add(StackKey::new("dev", "vpc"), false, took(2, 40), Timestamp::UNIX_EPOCH);
        past.sweep(Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 181));
        assert_eq!(past, Past::default());
    }
}
