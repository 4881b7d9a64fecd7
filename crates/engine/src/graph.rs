//! The dependency graph of a run. petgraph holds it and stays private: outside there are stack keys, never node indices
//! of the library.

use petgraph::{
    Direction,
    algo::tarjan_scc,
    graph::{DiGraph, NodeIndex},
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Stacks (by their index in the plan) and "parent → child" edges.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    dag: DiGraph<(), (), u32>,
}

impl Graph {
    /// A graph of `stacks` nodes. Edges that name no node, or one node twice, are left out.
    #[must_use]
    pub fn new(stacks: usize, edges: &BTreeSet<(u32, u32)>) -> Self {
        let mut dag = DiGraph::with_capacity(stacks, edges.len());
        for _ in 0..stacks {
            dag.add_node(());
        }
        // petgraph lists neighbours last in, first out: adding in reverse makes every walk ascend.
        for (parent, child) in edges.iter().rev() {
            if parent != child && (*parent as usize) < stacks && (*child as usize) < stacks {
                dag.add_edge(NodeIndex::new(*parent as usize), NodeIndex::new(*child as usize), ());
            }
        }
        Self { dag }
    }

    /// How many stacks there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.dag.node_count()
    }

    /// Whether there is no stack.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.dag.node_count() == 0
    }

    /// The stacks that `stack` waits for, ascending.
    pub fn parents(&self, stack: usize) -> impl Iterator<Item = usize> + '_ {
        self.dag.neighbors_directed(NodeIndex::new(stack), Direction::Incoming).map(NodeIndex::index)
    }

    /// The stacks that wait for `stack`, ascending.
    pub fn children(&self, stack: usize) -> impl Iterator<Item = usize> + '_ {
        self.dag.neighbors_directed(NodeIndex::new(stack), Direction::Outgoing).map(NodeIndex::index)
    }

    /// For every stack that lies on a cycle, a shortest cycle's path from the smallest stack of its knot, with that
    /// stack again at the end.
    #[must_use]
    pub fn cycles(&self) -> BTreeMap<usize, Vec<usize>> {
        let mut on_cycle = BTreeMap::new();
        for knot in tarjan_scc(&self.dag) {
            let knot: BTreeSet<usize> = knot.into_iter().map(NodeIndex::index).collect();
            let Some(first) = knot.first().copied() else { continue };
            if knot.len() < 2 {
                continue;
            }
            let path = self.cycle_through(first, &knot);
            for stack in knot {
                on_cycle.insert(stack, path.clone());
            }
        }
        on_cycle
    }

    fn cycle_through(&self, first: usize, knot: &BTreeSet<usize>) -> Vec<usize> {
        let mut came_from = BTreeMap::new();
        let mut queue = VecDeque::from([first]);
        while let Some(stack) = queue.pop_front() {
            for child in self.children(stack).filter(|child| knot.contains(child)) {
                if child == first {
                    let mut path = vec![first];
                    let mut back = stack;
                    while back != first {
                        path.push(back);
                        back = came_from.get(&back).copied().unwrap_or(first);
                    }
                    path.push(first);
                    path.reverse();
                    return path;
                }
                if let std::collections::btree_map::Entry::Vacant(entry) = came_from.entry(child) {
                    entry.insert(stack);
                    queue.push_back(child);
                }
            }
        }
        vec![first]
    }

    /// The wave of each stack: the number of counting stacks on its longest path from a root, itself left out. Stacks
    /// on or below a cycle have none.
    #[must_use]
    pub fn waves(&self, counts: impl Fn(usize) -> bool) -> Vec<Option<u32>> {
        let mut open: Vec<usize> = (0..self.len()).map(|stack| self.parents(stack).count()).collect();
        let mut depth = vec![0u32; self.len()];
        let mut waves = vec![None; self.len()];
        let mut queue: VecDeque<usize> =
            (0..self.len()).filter(|stack| open.get(*stack) == Some(&0)).collect();
        while let Some(stack) = queue.pop_front() {
            waves[stack] = Some(depth[stack]);
            let below = depth[stack] + u32::from(counts(stack));
            for child in self.children(stack) {
                depth[child] = depth[child].max(below);
                open[child] -= 1;
                if open[child] == 0 {
                    queue.push_back(child);
                }
            }
        }
        waves
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waves_count_the_longest_path() {
        let graph = Graph::new(4, &BTreeSet::from([(0, 1), (1, 2), (0, 2), (2, 3)]));
        assert_eq!(graph.waves(|_| true), vec![Some(0), Some(1), Some(2), Some(3)]);
        assert_eq!(graph.waves(|stack| stack != 1), vec![Some(0), Some(1), Some(1), Some(2)]);
    }

    #[test]
    fn a_cycle_is_named_with_its_path_and_what_lies_below_has_no_wave() {
        let graph = Graph::new(5, &BTreeSet::from([(0, 1), (1, 2), (2, 1), (2, 3)]));
        let cycles = graph.cycles();
        assert_eq!(cycles.get(&1), Some(&vec![1, 2, 1]));
        assert_eq!(cycles.get(&2), Some(&vec![1, 2, 1]));
        assert_eq!(cycles.len(), 2);
        assert_eq!(graph.waves(|_| true), vec![Some(0), None, None, None, Some(0)]);
    }
}
