//! Graphs in one line: `vpc > cluster > app; db > app`. Commas give several on one side: `vpc > a, b > app`. A name is
//! `component` or `component/stack`; the stack is `dev` unless named.

use stackwave_domain::{
    Fragment, StackKey,
    fragment::{AffectedStack, FragmentBuilder, ProSettings, WorkflowCall},
};
use std::collections::BTreeMap;

/// What an upload will say.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    stacks: BTreeMap<StackKey, AffectedStack>,
    edges: Vec<(StackKey, StackKey)>,
}

/// The key that a short name means.
pub(crate) fn key(name: &str) -> StackKey {
    let (component, stack) = name.split_once('/').unwrap_or((name, "dev"));
    StackKey::new(stack, component)
}

/// The short name of a key.
pub(crate) fn name(key: &StackKey) -> String {
    match key.stack.as_str() {
        "dev" => key.component.to_string(),
        stack => format!("{}/{stack}", key.component),
    }
}

const PLANS: [&str; 3] = ["pull_request.opened", "pull_request.synchronize", "pull_request.reopened"];

fn call(key: &StackKey, workflow: &str) -> WorkflowCall {
    let inputs = [("component", key.component.as_str()), ("stack", key.stack.as_str())];
    WorkflowCall {
        workflow: workflow.into(),
        inputs: inputs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
    }
}

/// A stack that plans on a pull request and applies on its merge.
fn usual(key: &StackKey) -> AffectedStack {
    let mut pro = ProSettings { enabled: true, ..ProSettings::default() };
    for activity in PLANS {
        pro.add_call(activity, call(key, "plan.yaml"));
    }
    pro.add_call("pull_request.merged", call(key, "apply.yaml"));
    AffectedStack { key: key.clone(), directly_affected: true, deleted: None, pro: Some(pro) }
}

impl Graph {
    pub(crate) fn of(notation: &str) -> Self {
        let mut graph = Self { stacks: BTreeMap::new(), edges: Vec::new() };
        for chain in notation.split(';').map(str::trim).filter(|chain| !chain.is_empty()) {
            let mut before: Vec<StackKey> = Vec::new();
            for level in chain.split('>') {
                let keys: Vec<StackKey> = level.split(',').map(|name| key(name.trim())).collect();
                for key in &keys {
                    graph.stacks.entry(key.clone()).or_insert_with(|| usual(key));
                    graph.edges.extend(before.iter().map(|parent| (parent.clone(), key.clone())));
                }
                before = keys;
            }
        }
        graph
    }

    pub(crate) fn change(mut self, stack: &str, change: impl FnOnce(&mut AffectedStack)) -> Self {
        change(self.stacks.get_mut(&key(stack)).unwrap_or_else(|| panic!("no stack {stack}")));
        self
    }

    /// No `settings.pro`.
    pub(crate) fn without_settings(self, stack: &str) -> Self {
        self.change(stack, |stack| stack.pro = None)
    }

    pub(crate) fn disabled(self, stack: &str) -> Self {
        self.change(stack, |stack| stack.pro.as_mut().unwrap().enabled = false)
    }

    pub(crate) fn deleted(self, stack: &str) -> Self {
        self.change(stack, |stack| {
            stack.pro = None;
            stack.deleted = Some("component".to_owned());
        })
    }

    /// One more workflow for an activity.
    pub(crate) fn on(self, stack: &str, activity: &str, workflow: &str) -> Self {
        let call = call(&key(stack), workflow);
        self.change(stack, |stack| stack.pro.as_mut().unwrap().add_call(activity, call))
    }

    /// No workflow for an activity.
    pub(crate) fn not_on(self, stack: &str, activity: &str) -> Self {
        self.change(stack, |stack| drop(stack.pro.as_mut().unwrap().on.remove(activity)))
    }

    /// One more input of every workflow.
    pub(crate) fn input(self, stack: &str, input: &str, value: &str) -> Self {
        self.change(stack, |stack| {
            for call in &mut stack.pro.as_mut().unwrap().calls {
                call.inputs.insert(input, value);
            }
        })
    }

    pub(crate) fn fragment(&self) -> Fragment {
        let mut builder = FragmentBuilder::default();
        for stack in self.stacks.values() {
            builder.add(stack.clone());
        }
        for (parent, child) in &self.edges {
            builder.edge(parent, child);
        }
        builder.build()
    }
}
