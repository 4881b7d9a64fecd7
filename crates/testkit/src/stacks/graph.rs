//! The graph that uploads mean, read here once more and in the plainest way: what the product makes of an upload is
//! held against it.

use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// One component in one Atmos stack.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StackId {
    /// The component.
    pub component: String,
    /// The Atmos stack.
    pub stack: String,
}

impl StackId {
    /// From its two names.
    #[must_use]
    pub fn new(component: &str, stack: &str) -> Self {
        Self { component: component.to_owned(), stack: stack.to_owned() }
    }
}

impl fmt::Display for StackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.component, self.stack)
    }
}

/// Stacks and what depends on what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    stacks: BTreeSet<StackId>,
    edges: BTreeSet<(StackId, StackId)>,
}

impl Graph {
    /// The graph of one upload or chunk; none when the body is no upload.
    #[must_use]
    pub fn of_upload(body: &[u8]) -> Option<Self> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let mut graph = Self::default();
        for entry in body["stacks"].as_array()? {
            graph.visit(entry)?;
        }
        Some(graph)
    }

    fn visit(&mut self, entry: &Value) -> Option<StackId> {
        let stack = StackId::new(entry["component"].as_str()?, entry["stack"].as_str()?);
        for dependent in entry["dependents"].as_array().into_iter().flatten() {
            let child = self.visit(dependent)?;
            self.edges.insert((stack.clone(), child));
        }
        self.stacks.insert(stack.clone());
        Some(stack)
    }

    /// Adds another chunk.
    pub fn unite(&mut self, other: &Self) {
        self.stacks.extend(other.stacks.iter().cloned());
        self.edges.extend(other.edges.iter().cloned());
    }

    /// All stacks, by name.
    pub fn stacks(&self) -> impl Iterator<Item = &StackId> {
        self.stacks.iter()
    }

    /// Parent and child of every edge.
    #[must_use]
    pub const fn edges(&self) -> &BTreeSet<(StackId, StackId)> {
        &self.edges
    }

    /// Everything that a stack waits for, directly or not.
    #[must_use]
    pub fn ancestors(&self, stack: &StackId) -> BTreeSet<StackId> {
        let mut parents: BTreeMap<&StackId, Vec<&StackId>> = BTreeMap::new();
        for (parent, child) in &self.edges {
            parents.entry(child).or_default().push(parent);
        }
        let mut found = BTreeSet::new();
        let mut queue = vec![stack];
        while let Some(next) = queue.pop() {
            for parent in parents.get(next).into_iter().flatten() {
                if found.insert((*parent).clone()) {
                    queue.push(parent);
                }
            }
        }
        found
    }
}
