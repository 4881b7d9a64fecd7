//! What an upload says, each thing once: the affected stacks, the edges between them, and their `settings.pro`.
//!
//! An upload repeats whole subtrees (contract §5.2); a fragment is its union by (stack, component), so it is as large
//! as the graph and not as the JSON. Chunks give one fragment each, united by [`Fragment::unite`].

use crate::{Inputs, StackKey, WorkflowFile, digest::Digest};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The union of an upload's (or one chunk's) entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fragment {
    /// Every stack that occurs, ordered by key, each once.
    pub stacks: Vec<AffectedStack>,
    /// Parent → child, as indices into `stacks`: the child declares a direct dependency on the parent. A set, ordered.
    pub edges: BTreeSet<(u32, u32)>,
    /// What was odd about the upload and did not stop it, for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// One stack as an upload describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AffectedStack {
    /// Which stack.
    #[serde(flatten)]
    pub key: StackKey,
    /// It stands at the top level: it changed itself, and is not only a dependent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub directly_affected: bool,
    /// It was removed (`component` or `stack`, as Atmos says what was removed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<String>,
    /// Its `settings.pro`; none when the upload carries none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pro: Option<ProSettings>,
}

/// `settings.pro` of one stack, as far as dispatching needs it (contract §6). Equal calls are stored once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProSettings {
    /// The master switch; true unless the upload says `false`.
    pub enabled: bool,
    /// The workflow calls that any activity makes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<WorkflowCall>,
    /// Activity (`pull_request.merged`) → indices into `calls`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub on: BTreeMap<String, Vec<u16>>,
}

/// One workflow with the inputs that a stack configures for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WorkflowCall {
    /// The workflow's file name.
    pub workflow: WorkflowFile,
    /// Input name → value; numbers and booleans are already texts.
    #[serde(default, skip_serializing_if = "Inputs::is_empty")]
    pub inputs: Inputs,
}

impl ProSettings {
    /// Adds a call for an activity, sharing it with equal calls.
    pub fn add_call(&mut self, activity: &str, call: WorkflowCall) {
        let index = self.calls.iter().position(|known| *known == call).unwrap_or_else(|| {
            self.calls.push(call);
            self.calls.len() - 1
        });
        let index = u16::try_from(index).unwrap_or(u16::MAX);
        let calls = self.on.entry(activity.to_owned()).or_default();
        if !calls.contains(&index) {
            calls.push(index);
        }
    }

    /// Whether the activity is configured.
    #[must_use]
    pub fn has_activity(&self, activity: &str) -> bool {
        self.on.contains_key(activity)
    }

    /// The calls configured for an activity.
    pub fn calls_on(&self, activity: &str) -> impl Iterator<Item = &WorkflowCall> {
        self.on.get(activity).into_iter().flatten().filter_map(|index| self.calls.get(usize::from(*index)))
    }
}

impl Fragment {
    /// The union of several fragments (the chunks of one batch, in index order): attributes merge by contract §5.1
    /// rule 5, edges are a set.
    #[must_use]
    pub fn unite<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut builder = FragmentBuilder::default();
        for part in parts {
            for stack in &part.stacks {
                builder.add(stack.clone());
            }
            for (parent, child) in &part.edges {
                let (Some(parent), Some(child)) =
                    (part.stacks.get(*parent as usize), part.stacks.get(*child as usize))
                else {
                    continue;
                };
                builder.edge(&parent.key, &child.key);
            }
            builder.warnings.extend(part.warnings.iter().cloned());
        }
        builder.build()
    }

    /// A digest of the graph and its settings, whatever the order of the upload's entries.
    #[must_use]
    pub fn graph_digest(&self) -> Digest {
        // Serialising into memory cannot fail: every key is a string and nothing is skipped by error.
        let bytes = serde_json::to_vec(&(&self.stacks, &self.edges)).unwrap_or_default();
        Digest::of(&bytes)
    }
}

/// Collects stacks and edges by key in any order and yields the ordered [`Fragment`].
#[derive(Debug, Default)]
pub struct FragmentBuilder {
    stacks: BTreeMap<StackKey, AffectedStack>,
    edges: BTreeSet<(StackKey, StackKey)>,
    /// What was odd, in the order of reading.
    pub warnings: Vec<String>,
}

impl FragmentBuilder {
    /// Adds one occurrence of a stack and merges it with earlier ones: settings come from the top level if any, else
    /// the first that is given.
    pub fn add(&mut self, stack: AffectedStack) {
        let Some(known) = self.stacks.get_mut(&stack.key) else {
            self.stacks.insert(stack.key.clone(), stack);
            return;
        };
        let differs = known.pro.is_some() && stack.pro.is_some() && known.pro != stack.pro;
        if differs {
            self.warnings
                .push(format!("{} occurs with different settings; the top level's were taken", stack.key));
        }
        let prefer_new = stack.directly_affected && !known.directly_affected;
        if stack.pro.is_some() && (known.pro.is_none() || prefer_new) {
            known.pro = stack.pro;
        }
        known.directly_affected |= stack.directly_affected;
        if known.deleted.is_none() {
            known.deleted = stack.deleted;
        }
    }

    /// Adds an edge; a self-edge is dropped with a warning.
    pub fn edge(&mut self, parent: &StackKey, child: &StackKey) {
        if parent == child {
            self.warnings.push(format!("{parent} names itself as a dependent; the edge was dropped"));
            return;
        }
        if !self.edges.contains(&(parent.clone(), child.clone())) {
            self.edges.insert((parent.clone(), child.clone()));
        }
    }

    /// The ordered union. Edges to stacks that were never added are dropped.
    #[must_use]
    pub fn build(self) -> Fragment {
        let index: BTreeMap<&StackKey, u32> = self.stacks.keys().zip(0u32..).collect();
        let edges = self
            .edges
            .iter()
            .filter_map(|(parent, child)| Some((*index.get(parent)?, *index.get(child)?)))
            .collect();
        let mut warnings = self.warnings;
        let mut seen = BTreeSet::new();
        warnings.retain(|warning| seen.insert(warning.clone()));
        Fragment { stacks: self.stacks.into_values().collect(), edges, warnings }
    }
}
