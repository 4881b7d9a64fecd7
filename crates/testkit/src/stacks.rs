//! Affected stacks as the Atmos CLI uploads them, from a short notation, and the graph that such uploads mean.

mod graph;
mod recorded;

pub use graph::{Graph, StackId};
pub use recorded::{bodies, recorded};

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The Atmos stack of a name that says none.
const STACK: &str = "dev";

/// Affected stacks, to be uploaded.
#[derive(Clone, Debug, Default)]
pub struct Stacks {
    stacks: BTreeMap<StackId, Changes>,
    edges: BTreeSet<(StackId, StackId)>,
}

/// How a stack differs from an ordinary one, which has a plan and an apply workflow.
#[derive(Clone, Debug, Default)]
struct Changes {
    /// It changed itself, although it depends on others.
    changed: bool,
    deleted: bool,
    settings: Option<Value>,
}

impl Stacks {
    /// Reads a notation such as `vpc -> cluster database; cluster database -> app; dns@prod`: each stack on the right
    /// of an arrow depends on each on its left. A name is `component@stack`; without `@` the stack is `dev`.
    ///
    /// # Panics
    /// The text has two arrows in one statement.
    #[must_use]
    pub fn of(notation: &str) -> Self {
        let mut stacks = Self::default();
        for statement in notation.split([';', '\n']).map(str::trim).filter(|text| !text.is_empty()) {
            let sides: Vec<Vec<StackId>> = statement.split("->").map(names).collect();
            assert!(sides.len() <= 2, "`{statement}` has more than one arrow");
            for name in sides.iter().flatten() {
                stacks.stacks.entry(name.clone()).or_default();
            }
            if let [parents, children] = sides.as_slice() {
                for parent in parents {
                    stacks.edges.extend(children.iter().map(|child| (parent.clone(), child.clone())));
                }
            }
        }
        stacks
    }

    /// These stacks changed themselves, although they depend on others.
    #[must_use]
    pub fn changed(mut self, stacks: &str) -> Self {
        for stack in names(stacks) {
            self.entry(stack).changed = true;
        }
        self
    }

    /// These stacks were removed.
    #[must_use]
    pub fn deleted(mut self, stacks: &str) -> Self {
        for stack in names(stacks) {
            self.entry(stack).deleted = true;
        }
        self
    }

    /// These stacks have such settings (`null`: none at all) in the place of the usual ones.
    #[must_use]
    pub fn with_settings(mut self, stacks: &str, settings: &Value) -> Self {
        for stack in names(stacks) {
            self.entry(stack).settings = Some(settings.clone());
        }
        self
    }

    /// The body of `atmos describe affected --upload` for `acme/landing-zone`.
    #[must_use]
    pub fn upload(&self, head_sha: &str, base_sha: &str) -> Vec<u8> {
        self.body(head_sha, base_sha).to_string().into_bytes()
    }

    /// The same as JSON, to be changed.
    #[must_use]
    pub fn body(&self, head_sha: &str, base_sha: &str) -> Value {
        let is_child = |stack: &StackId| self.edges.iter().any(|(_, child)| child == stack);
        let top: Vec<Value> = self
            .stacks
            .iter()
            .filter(|(stack, changes)| changes.changed || changes.deleted || !is_child(stack))
            .map(|(stack, changes)| {
                let mut entry = self.entry_of(stack);
                entry.insert("affected".to_owned(), json!(""));
                entry.insert("affected_all".to_owned(), Value::Null);
                if changes.deleted {
                    entry.insert("deleted".to_owned(), json!(true));
                    entry.insert("deletion_type".to_owned(), json!("component"));
                }
                Value::Object(entry)
            })
            .collect();
        json!({
            "head_sha": head_sha, "base_sha": base_sha,
            "repo_url": "https://github.com/acme/landing-zone.git",
            "repo_name": "landing-zone", "repo_owner": "acme", "repo_host": "github.com",
            "stacks": top,
        })
    }

    fn entry(&mut self, stack: StackId) -> &mut Changes {
        self.stacks.entry(stack).or_default()
    }

    fn entry_of(&self, stack: &StackId) -> Map<String, Value> {
        let changes = self.stacks.get(stack).cloned().unwrap_or_default();
        let settings = match (&changes.settings, changes.deleted) {
            (_, true) => Value::Null,
            (Some(settings), false) => settings.clone(),
            (None, false) => json!({ "pro": pro(stack) }),
        };
        let children = self.edges.iter().filter(|(parent, _)| parent == stack);
        let dependents: Vec<Value> = children.map(|(_, child)| Value::Object(self.entry_of(child))).collect();
        let entry = json!({
            "component": stack.component, "component_type": "", "component_path": "",
            "stack": stack.stack, "stack_slug": "", "included_in_dependents": false,
            "settings": settings, "dependents": dependents,
        });
        match entry {
            Value::Object(entry) => entry,
            _ => Map::new(),
        }
    }
}

/// `settings.pro` of an ordinary stack.
#[must_use]
pub fn pro(stack: &StackId) -> Value {
    let (component, name) = (&stack.component, &stack.stack);
    let plan =
        json!({ "workflows": { "tf-plan.yaml": { "inputs": { "component": component, "stack": name } } } });
    let apply = json!({ "workflows": { "tf-apply.yaml": { "inputs": {
        "component": component, "stack": name, "github_environment": name,
    } } } });
    json!({
        "enabled": true,
        "pull_request": { "opened": plan, "synchronize": plan, "reopened": plan, "merged": apply },
        "merge_group": { "checks_requested": plan },
    })
}

fn names(text: &str) -> Vec<StackId> {
    text.split_whitespace().map(name).collect()
}

fn name(text: &str) -> StackId {
    let (component, stack) = text.split_once('@').unwrap_or((text, STACK));
    StackId::new(component, stack)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notation_becomes_nested_dependents_and_reads_back_as_the_same_graph() {
        let stacks = Stacks::of("vpc -> cluster database; cluster database -> app; dns@prod").changed("app");
        let body = stacks.body(&"a".repeat(40), &"b".repeat(40));
        let top: Vec<&str> = body["stacks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["component"].as_str().unwrap())
            .collect();
        assert_eq!(top, ["app", "dns", "vpc"]);
        let graph = Graph::of_upload(body.to_string().as_bytes()).unwrap();
        assert_eq!(graph.stacks().count(), 5);
        let app = StackId::new("app", "dev");
        let above: Vec<String> = graph.ancestors(&app).iter().map(ToString::to_string).collect();
        assert_eq!(above, ["cluster/dev", "database/dev", "vpc/dev"]);
    }

    #[test]
    fn the_recorded_upload_has_the_graph_that_its_readme_tells() {
        let graph = Graph::of_upload(&bodies("affected")[0]).unwrap();
        assert_eq!((graph.stacks().count(), graph.edges().len()), (30, 36));
        let head = "c".repeat(40);
        let changed = recorded("affected", &head, &"d".repeat(40));
        assert_eq!(changed[0].len(), bodies("affected")[0].len());
        assert!(String::from_utf8(changed[0].clone()).unwrap().contains(&head));
    }
}
