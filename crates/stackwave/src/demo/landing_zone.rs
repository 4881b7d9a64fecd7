//! What the demonstration uploads: a landing zone of ten components in several environments, in the shape in which the
//! Atmos CLI uploads affected stacks (nested dependents, settings rendered, no order promised).

use serde_json::{Value, json};

/// Each component with the components that it depends on.
const COMPONENTS: [(&str, &[&str]); 10] = [
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

/// The components that the pull request changes; everything else depends on them.
const CHANGED: [&str; 2] = ["vpc", "object-storage"];

/// How many stacks are affected when nobody says: ten components in three environments.
pub(super) const STACKS: u32 = 30;

/// The workflow that plans a stack.
pub(super) const PLAN_WORKFLOW: &str = "\
name: plan
run-name: plan ${{ inputs.component }}/${{ inputs.stack }}/${{ inputs.atmos_pro_run_id }}
on:
  workflow_dispatch:
    inputs:
      component: { required: true, type: string }
      stack: { required: true, type: string }
      sha: { required: true, type: string }
      atmos_pro_run_id: { required: true, type: string }
      traceparent: { required: false, type: string }
jobs:
  plan:
    runs-on: ubuntu-latest
    steps:
      - run: atmos terraform plan
";

/// The workflow that applies a stack.
pub(super) const APPLY_WORKFLOW: &str = "\
name: apply
run-name: apply ${{ inputs.component }}/${{ inputs.stack }}/${{ inputs.atmos_pro_run_id }}
on:
  workflow_dispatch:
    inputs:
      component: { required: true, type: string }
      stack: { required: true, type: string }
      github_environment: { required: true, type: string }
      sha: { required: true, type: string }
      atmos_pro_run_id: { required: true, type: string }
      traceparent: { required: false, type: string }
jobs:
  apply:
    runs-on: ubuntu-latest
    environment: ${{ inputs.github_environment }}
    steps:
      - run: atmos terraform deploy
";

/// The affected stacks of one pull request.
pub(super) struct LandingZone {
    stacks: u32,
}

impl LandingZone {
    pub(super) const fn new(stacks: u32) -> Self {
        Self { stacks }
    }

    /// The body that `atmos describe affected --upload` posts.
    pub(super) fn upload(&self, head_sha: &str, base_sha: &str) -> Value {
        let mut entries = Vec::new();
        for (environment, components) in self.environments() {
            for component in CHANGED.iter().filter(|changed| components.contains(changed)) {
                let mut entry = entry(component, &environment, &components);
                entry["affected"] = json!("");
                entry["affected_all"] = Value::Null;
                entries.push(entry);
            }
        }
        json!({
            "head_sha": head_sha, "base_sha": base_sha,
            "repo_url": "https://github.com/acme/landing-zone.git",
            "repo_name": "landing-zone", "repo_owner": "acme", "repo_host": "github.com",
            "stacks": entries,
        })
    }

    /// Every environment with its components: the last one may have fewer.
    fn environments(&self) -> Vec<(String, Vec<&'static str>)> {
        let mut left = self.stacks as usize;
        let mut environments = Vec::new();
        while left > 0 {
            let take = left.min(COMPONENTS.len());
            let name = match environments.len() {
                0 => "dev".to_owned(),
                1 => "staging".to_owned(),
                2 => "prod".to_owned(),
                more => format!("region-{:03}", more - 2),
            };
            environments.push((name, COMPONENTS.iter().take(take).map(|(name, _)| *name).collect()));
            left -= take;
        }
        environments
    }
}

fn entry(component: &str, stack: &str, present: &[&str]) -> Value {
    let dependents: Vec<Value> = COMPONENTS
        .iter()
        .filter(|(name, needs)| present.contains(name) && needs.contains(&component))
        .map(|(name, _)| entry(name, stack, present))
        .collect();
    json!({
        "component": component, "component_type": "", "component_path": "", "stack": stack, "stack_slug": "",
        "included_in_dependents": false, "settings": { "pro": pro(component, stack) }, "dependents": dependents,
    })
}

fn pro(component: &str, stack: &str) -> Value {
    let plan =
        json!({ "workflows": { "tf-plan.yaml": { "inputs": { "component": component, "stack": stack } } } });
    let apply = json!({ "workflows": { "tf-apply.yaml": { "inputs": {
        "component": component, "stack": stack, "github_environment": stack,
    } } } });
    json!({ "enabled": true, "pull_request": { "opened": plan, "synchronize": plan, "reopened": plan, "merged": apply } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_landing_zone_has_the_asked_for_number_of_stacks() {
        for stacks in [1, 9, 30, 57] {
            let body = LandingZone::new(stacks).upload(&"a".repeat(40), &"b".repeat(40));
            let text = body.to_string();
            let mut seen = std::collections::BTreeSet::new();
            collect(&body["stacks"], &mut seen);
            assert_eq!(seen.len(), stacks as usize, "{text}");
        }
    }

    fn collect(entries: &Value, seen: &mut std::collections::BTreeSet<(String, String)>) {
        for entry in entries.as_array().into_iter().flatten() {
            seen.insert((entry["stack"].to_string(), entry["component"].to_string()));
            collect(&entry["dependents"], seen);
        }
    }
}
