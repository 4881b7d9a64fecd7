//! The longest path through what still has to run.

use jiff::SignedDuration;
use std::collections::VecDeque;

/// What a stack contributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// It is done.
    Done,
    /// It takes no time; order passes through.
    Passes,
    /// Neither it nor anything below it goes.
    Stuck,
    /// It takes so long; none = nobody knows.
    Takes(Option<SignedDuration>),
}

/// The longest path.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Longest {
    /// How long it takes; none when the past tells of no stack on it.
    pub(super) takes: Option<SignedDuration>,
    /// The stacks on it that take time.
    pub(super) path: Vec<usize>,
    /// Every stack that takes time and can go.
    pub(super) open: Vec<usize>,
}

/// The longest path by time, then by the number of stacks, then the one through the first of them; none when nothing can
/// go. Stacks on or below a cycle do not.
pub(super) fn longest<P, C>(
    nodes: &[Node],
    parents: impl Fn(usize) -> P,
    children: impl Fn(usize) -> C,
) -> Option<Longest>
where
    P: Iterator<Item = usize>,
    C: Iterator<Item = usize>,
{
    let mut missing: Vec<usize> = (0..nodes.len()).map(|index| parents(index).count()).collect();
    // Of each stack that was reached: when it is done, after how many stacks, and after which parent.
    let mut done: Vec<Option<(SignedDuration, usize, Option<usize>)>> = vec![None; nodes.len()];
    let mut open = Vec::new();
    let mut unknown = false;
    let mut queue: VecDeque<usize> = (0..nodes.len()).filter(|index| missing[*index] == 0).collect();
    while let Some(index) = queue.pop_front() {
        for child in children(index) {
            missing[child] -= 1;
            if missing[child] == 0 {
                queue.push_back(child);
            }
        }
        let mut after = Some((SignedDuration::ZERO, 0, None));
        for parent in parents(index) {
            after = match (after, done[parent]) {
                (Some(best), Some((at, count, _))) if (at, count) > (best.0, best.1) => {
                    Some((at, count, Some(parent)))
                }
                (best, Some(_)) => best,
                (_, None) => None,
            };
        }
        let done_all_the_same = || (nodes[index] == Node::Done).then_some(NOW);
        let Some((at, count, by)) = after.or_else(done_all_the_same) else { continue };
        done[index] = match nodes[index] {
            Node::Done => Some(NOW),
            Node::Passes => Some((at, count, by)),
            Node::Stuck => None,
            Node::Takes(takes) => {
                open.push(index);
                unknown |= takes.is_none();
                let at = at.checked_add(takes.unwrap_or_default()).unwrap_or(at);
                Some((at, count + 1, by))
            }
        };
    }
    open.sort_unstable();
    let ends = open.iter().filter_map(|index| done[*index].map(|(at, count, _)| (*index, at, count)));
    let (last, at, _) =
        ends.reduce(|best, end| if (end.1, end.2) > (best.1, best.2) { end } else { best })?;
    let mut path = Vec::new();
    let mut next = Some(last);
    while let Some(index) = next {
        if matches!(nodes[index], Node::Takes(_)) {
            path.push(index);
        }
        next = done[index].and_then(|(_, _, by)| by);
    }
    path.reverse();
    Some(Longest { takes: (!unknown).then_some(at), path, open })
}

const NOW: (SignedDuration, usize, Option<usize>) = (SignedDuration::ZERO, 0, None);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use std::collections::BTreeSet;

    fn of(nodes: &[Node], edges: &[(u32, u32)]) -> Option<Longest> {
        let graph = Graph::new(nodes.len(), &BTreeSet::from_iter(edges.iter().copied()));
        longest(nodes, |index| graph.parents(index), |index| graph.children(index))
    }

    const fn takes(seconds: i64) -> Node {
        Node::Takes(Some(SignedDuration::from_secs(seconds)))
    }

    #[test]
    fn the_longest_in_time_wins_over_the_longest_in_stacks() {
        let nodes = [takes(1), takes(1), takes(1), takes(9)];
        let found = of(&nodes, &[(0, 1), (1, 2)]).unwrap();
        assert_eq!((found.takes, found.path), (Some(SignedDuration::from_secs(9)), vec![3]));
    }

    #[test]
    fn what_passes_takes_no_time_and_what_is_below_a_failure_does_not_go() {
        let nodes = [takes(2), Node::Passes, takes(3), Node::Stuck, takes(50)];
        let found = of(&nodes, &[(0, 1), (1, 2), (3, 4)]).unwrap();
        assert_eq!((found.takes, found.path), (Some(SignedDuration::from_secs(5)), vec![0, 2]));
        assert_eq!(found.open, [0, 2]);
    }

    #[test]
    fn without_any_past_the_path_with_most_stacks_is_the_critical_one() {
        let nodes = [Node::Takes(None); 3];
        let found = of(&nodes, &[(1, 2)]).unwrap();
        assert_eq!((found.takes, found.path), (None, vec![1, 2]));
    }

    #[test]
    fn nothing_that_goes_is_nothing_to_expect_and_a_cycle_does_not_go() {
        assert_eq!(of(&[Node::Done, Node::Stuck], &[]), None);
        assert_eq!(of(&[takes(1), takes(1)], &[(0, 1), (1, 0)]), None);
    }
}
