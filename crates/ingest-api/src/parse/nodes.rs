//! The union of the entries read so far: each stack once, each edge once, each different `settings.pro` once.

use super::{
    ParseError,
    json::{SyntaxError, Value},
    limits::Limits,
    problem::Problem,
    settings,
};
use stackwave_domain::{
    Fragment, StackKey,
    fragment::{AffectedStack, FragmentBuilder, ProSettings},
};
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

/// How many warnings an upload keeps; more would only be scrolled past.
const MAX_WARNINGS: usize = 100;

/// One stack of the union.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Node(u32);

/// One of the different `settings.pro`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ProRef(u32);

/// Maps here are only looked up, never iterated: their order could not reach the log.
pub(super) struct Nodes<'a> {
    limits: Limits,
    known: HashMap<(Cow<'a, str>, Cow<'a, str>), Node>,
    keys: Vec<StackKey>,
    edges: HashSet<(Node, Node)>,
    occurrences: HashSet<(Node, bool, bool, Option<ProRef>)>,
    /// Settings by their text: the repeats of an upload are equal byte for byte.
    read: HashMap<&'a str, ProRef>,
    /// With the number of inputs that each configures.
    pros: Vec<(ProSettings, usize)>,
    inputs: usize,
    builder: FragmentBuilder,
}

impl<'a> Nodes<'a> {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            known: HashMap::new(),
            keys: Vec::new(),
            edges: HashSet::new(),
            occurrences: HashSet::new(),
            read: HashMap::new(),
            pros: Vec::new(),
            inputs: 0,
            builder: FragmentBuilder::default(),
        }
    }

    /// The node of a stack, by exact names.
    pub(super) fn intern(&mut self, stack: Cow<'a, str>, component: Cow<'a, str>) -> Node {
        let next = Node(u32::try_from(self.keys.len()).unwrap_or(u32::MAX));
        let keys = &mut self.keys;
        *self.known.entry((stack, component)).or_insert_with_key(|(stack, component)| {
            keys.push(StackKey::new(stack, component));
            next
        })
    }

    /// One occurrence of a stack; a repeat of an equal one costs a look-up.
    pub(super) fn occurs(
        &mut self,
        node: Node,
        directly_affected: bool,
        deleted: Option<Cow<'a, str>>,
        pro: Option<ProRef>,
    ) -> Result<(), ParseError> {
        if !self.occurrences.insert((node, directly_affected, deleted.is_some(), pro)) {
            return Ok(());
        }
        let Some(key) = self.keys.get(node.0 as usize).cloned() else { return Ok(()) };
        let pro = pro.and_then(|pro| self.pros.get(pro.0 as usize));
        self.inputs += pro.map_or(0, |(_, inputs)| *inputs);
        if self.inputs > self.limits.inputs {
            return Err(ParseError::TooManyInputs { limit: self.limits.inputs });
        }
        let pro = pro.map(|(pro, _)| pro.clone());
        let deleted = deleted.map(Cow::into_owned);
        self.builder.add(AffectedStack { key, directly_affected, deleted, pro });
        self.builder.warnings.truncate(MAX_WARNINGS);
        Ok(())
    }

    /// One edge; a repeat costs a look-up.
    pub(super) fn edge(&mut self, parent: Node, child: Node) {
        if !self.edges.insert((parent, child)) {
            return;
        }
        let (Some(parent), Some(child)) = (self.keys.get(parent.0 as usize), self.keys.get(child.0 as usize))
        else {
            return;
        };
        self.builder.edge(parent, child);
        self.builder.warnings.truncate(MAX_WARNINGS);
    }

    /// Reads a `pro` block, or finds that an equal one was read before.
    pub(super) fn settings(&mut self, block: Value<'a>) -> Result<Result<ProRef, Vec<Problem>>, SyntaxError> {
        if let Some(known) = self.read.get(block.raw()) {
            return Ok(Ok(*known));
        }
        let parsed = settings::parse(block)?;
        if !parsed.problems.is_empty() {
            return Ok(Err(parsed.problems));
        }
        let pro = ProRef(u32::try_from(self.pros.len()).unwrap_or(u32::MAX));
        self.pros.push((parsed.pro, parsed.inputs));
        self.read.insert(block.raw(), pro);
        Ok(Ok(pro))
    }

    pub(super) fn into_fragment(self) -> Fragment {
        self.builder.build()
    }
}
