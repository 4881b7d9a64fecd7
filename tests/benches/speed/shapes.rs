//! What is uploaded: graphs in the form in which the Atmos CLI uploads affected stacks.

use serde_json::{Value, json};

/// The one workflow of the benchmark's repository.
pub(crate) const WORKFLOW: &str = "\
name: plan
run-name: plan ${{ inputs.component }}/${{ inputs.stack }}/${{ inputs.atmos_pro_run_id }}
on:
  workflow_dispatch:
    inputs:
      component: { required: true, type: string }
      stack: { required: true, type: string }
      sha: { required: true, type: string }
      atmos_pro_run_id: { required: true, type: string }
jobs:
  plan:
    runs-on: ubuntu-latest
    steps:
      - run: atmos terraform plan
";

/// The components of an environment of the landing zone, each with those that it depends on.
const LANDING_ZONE: [(&str, &[&str]); 10] = [
    ("vpc", &[]),
    ("object-storage", &[]),
    ("cache", &["vpc"]),
    ("database", &["vpc"]),
    ("load-balancer", &["vpc"]),
    ("cluster", &["vpc", "load-balancer"]),
    ("api", &["database", "cluster"]),
    ("monitoring", &["cluster"]),
    ("frontend", &["cache", "api"]),
    ("cdn", &["object-storage", "frontend"]),
];

/// A graph as entries of an upload.
pub(crate) struct Shape {
    entries: Vec<Value>,
    /// How many stacks it has.
    pub(crate) stacks: usize,
}

impl Shape {
    /// Stacks one after the other.
    pub(crate) fn chain(length: usize) -> Self {
        Self::layers(length, 1)
    }

    /// One stack with so many dependents.
    pub(crate) fn fan_out(width: usize) -> Self {
        let names: Vec<String> = (0..width).map(|number| format!("leaf-{number:04}")).collect();
        Self {
            entries: vec![entry("root", "prod", names.iter().map(|name| leaf(name)).collect())],
            stacks: width + 1,
        }
    }

    /// Layers in which every stack depends on every stack of the layer above. Each entry names its direct dependents
    /// only: nested to the bottom, the tree would have more entries than there are atoms.
    pub(crate) fn layers(layers: usize, width: usize) -> Self {
        let name = |layer: usize, number: usize| format!("l{layer:03}-{number:02}");
        let mut entries = Vec::new();
        for layer in 0..layers {
            for number in 0..width {
                let below = if layer + 1 < layers { width } else { 0 };
                let dependents = (0..below).map(|child| leaf(&name(layer + 1, child))).collect();
                entries.push(entry(&name(layer, number), "prod", dependents));
            }
        }
        Self { entries, stacks: layers * width }
    }

    /// A landing zone of ten components in so many environments, nested as the CLI nests dependents.
    pub(crate) fn landing_zones(environments: usize) -> Self {
        let mut entries = Vec::new();
        for number in 0..environments {
            let environment = format!("region-{number:03}");
            entries.extend(["vpc", "object-storage"].map(|changed| nested(changed, &environment)));
        }
        Self { entries, stacks: environments * LANDING_ZONE.len() }
    }

    /// The body that `atmos describe affected --upload` posts.
    pub(crate) fn upload(&self, head_sha: &str, base_sha: &str) -> Vec<u8> {
        json!({
            "head_sha": head_sha, "base_sha": base_sha,
            "repo_url": "https://github.com/acme/landing-zone.git",
            "repo_name": "landing-zone", "repo_owner": "acme", "repo_host": "github.com",
            "stacks": self.entries,
        })
        .to_string()
        .into_bytes()
    }
}

fn nested(component: &str, stack: &str) -> Value {
    let dependents = LANDING_ZONE
        .iter()
        .filter(|(_, needs)| needs.contains(&component))
        .map(|(name, _)| nested(name, stack))
        .collect();
    entry(component, stack, dependents)
}

fn leaf(component: &str) -> Value {
    entry(component, "prod", Vec::new())
}

fn entry(component: &str, stack: &str, dependents: Vec<Value>) -> Value {
    let inputs = json!({ "component": component, "stack": stack });
    let plan = json!({ "workflows": { "tf-plan.yaml": { "inputs": inputs } } });
    let pro = json!({ "enabled": true, "pull_request": { "opened": plan, "synchronize": plan } });
    json!({
        "component": component, "component_type": "terraform", "component_path": format!("components/terraform/{component}"),
        "stack": stack, "stack_slug": format!("{stack}-{component}"), "affected": "stack.vars", "affected_all": ["stack.vars"],
        "included_in_dependents": false, "settings": { "pro": pro }, "dependents": dependents,
    })
}
