use super::*;
use crate::cli::PlanFormat;
use jiff::Timestamp;
use serde_json::{Value, json};
use stackwave_domain::event::Trigger;

/// A stack whose plan workflow runs when a pull request is opened.
fn stack(component: &str, dependents: Value) -> Value {
    let workflow =
        json!({"plan.yaml": {"inputs": {"component": "{{ .atmos_component }}", "sha": "{{ .sha }}"}}});
    json!({
        "component": component,
        "stack": "dev",
        "settings": {"pro": {"enabled": true, "pull_request": {"opened": {"workflows": workflow}}}},
        "dependents": dependents,
    })
}

/// As text, as JSON, or as a flowchart.
fn printed(upload: &Value, trigger: (&str, &str), format: PlanFormat) -> String {
    let bytes = upload.to_string().into_bytes();
    let fragment = parse_affected(&bytes, Limits::default()).unwrap();
    let trigger = Trigger::new(trigger.0, trigger.1);
    let forecast = Forecast::new(&fragment, &trigger, &head_sha(&bytes), None);
    match format {
        PlanFormat::Text => text::render(&forecast, Timestamp::UNIX_EPOCH),
        PlanFormat::Mermaid => mermaid::render(&forecast),
        PlanFormat::Json => json::render(&forecast, Timestamp::UNIX_EPOCH).unwrap(),
    }
}

fn opened(upload: &Value, format: PlanFormat) -> String {
    printed(upload, ("pull_request", "opened"), format)
}

/// What the real CLI uploaded.
fn recorded(case: &str) -> Value {
    let path = format!("{}/../../tests/fixtures/atmos/{case}/1.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// `vpc` → `skipped` → `app`, and `broken`, with `below` under it.
fn mixed() -> Value {
    let skipped = json!({
        "component": "skipped", "stack": "dev", "settings": {"pro": {"enabled": false}},
        "dependents": [stack("app", json!([]))],
    });
    let mut broken = stack("broken", json!([stack("below", json!([]))]));
    broken["settings"]["pro"]["pull_request"]["opened"]["workflows"]["plan.yaml"]["inputs"]["component"] =
        json!("{{ .vars.name }}");
    json!([stack("vpc", json!([skipped])), broken])
}

/// `a` → `b` → `a`, and `c` below.
fn knotted() -> Value {
    let a_again = json!({"component": "a", "stack": "dev"});
    json!([
        stack("a", json!([stack("b", json!([a_again, stack("c", json!([]))]))])),
        stack("free", json!([]))
    ])
}

#[test]
fn the_recorded_landing_zone_has_six_waves_of_thirty_dispatches() {
    for case in ["affected", "affected-ci-opened", "affected-retried"] {
        let plan: Value = serde_json::from_str(&opened(&recorded(case), PlanFormat::Json)).unwrap();
        let totals = json!({"stacks": 30, "edges": 36, "waves": 6, "dispatches": 30, "skipped": 0, "refused": 0, "blocked": 0});
        assert_eq!(plan["totals"], totals, "{case}");
        let frontend =
            plan["stacks"].as_array().unwrap().iter().find(|stack| stack["component"] == "frontend");
        assert_eq!(frontend.unwrap()["wave"], 5);
    }
}

#[test]
fn an_upload_and_the_output_of_atmos_give_the_same_plan() {
    let upload = recorded("affected");
    let bare = upload["stacks"].clone();
    assert_eq!(opened(&upload, PlanFormat::Text), opened(&bare, PlanFormat::Text));
    let only_stacks = json!({"stacks": bare});
    assert_eq!(opened(&upload, PlanFormat::Mermaid), opened(&only_stacks, PlanFormat::Mermaid));
}

#[test]
fn the_trigger_selects_the_workflows() {
    let merged = printed(&recorded("affected-one-stack"), ("pull_request", "merged"), PlanFormat::Text);
    assert!(merged.contains("10 workflow dispatches: tf-apply.yaml × 10"), "{merged}");
    let labeled = printed(&recorded("affected-one-stack"), ("pull_request", "labeled"), PlanFormat::Text);
    assert!(labeled.contains("0 workflow dispatches\nworkflows are configured for "), "{labeled}");
    assert!(labeled.contains("pull_request.merged"), "{labeled}");
}

#[test]
fn deleted_stacks_are_skipped_with_a_word_about_them() {
    let text = opened(&recorded("affected-deleted"), PlanFormat::Text);
    assert!(text.contains("Skipped, and ordering passes through: 11 stacks"), "{text}");
    assert!(text.contains("deleted (component)"), "{text}");
}

#[test]
fn an_empty_upload_says_that_nothing_is_affected() {
    let text = opened(&recorded("affected-empty"), PlanFormat::Text);
    assert!(text.contains("nothing is affected"), "{text}");
    assert_eq!(opened(&json!([]), PlanFormat::Mermaid).lines().next(), Some("flowchart LR"));
}

#[test]
fn the_text_shows_waves_skipped_stacks_stacks_that_cannot_run_and_edges() {
    let text = opened(&mixed(), PlanFormat::Text);
    let wanted = "\
pull_request.opened: 5 stacks (2 directly affected), 3 edges, 2 waves
2 workflow dispatches: plan.yaml × 2
critical path: vpc/dev → app/dev

Wave 1: 1 stack
  vpc/dev  plan.yaml  (directly affected)

Wave 2: 1 stack
  app/dev  plan.yaml

Skipped, and ordering passes through: 1 stack
  skipped/dev  `settings.pro.enabled` is false

Cannot run: 2 stacks
  below/dev   depends on broken/dev, which cannot run
  broken/dev  the input `component` still holds the template `{{ .vars.name }}`: check `templates.settings.enabled` \
and `--process-templates` of the Atmos CLI

Edges: 3 (a stack → one that waits for it)
  broken/dev → below/dev
  skipped/dev → app/dev
  vpc/dev → skipped/dev
";
    assert_eq!(text, wanted);
}

#[test]
fn a_cycle_is_printed_with_its_path_and_what_is_not_below_it_runs() {
    let text = opened(&knotted(), PlanFormat::Text);
    assert!(text.contains("1 workflow dispatch: plan.yaml × 1"), "{text}");
    assert!(text.contains("Cycles: 1\n  a/dev → b/dev → a/dev\n"), "{text}");
    assert!(text.contains("c/dev  depends on b/dev, which cannot run"), "{text}");
    let plan: Value = serde_json::from_str(&opened(&knotted(), PlanFormat::Json)).unwrap();
    let key = |component: &str| json!({"component": component, "stack": "dev"});
    assert_eq!(plan["cycles"], json!([[key("a"), key("b"), key("a")]]));
    let actions: Vec<&str> =
        plan["stacks"].as_array().unwrap().iter().filter_map(|stack| stack["action"].as_str()).collect();
    assert_eq!(actions, ["refuse", "refuse", "block", "dispatch"]);
}

#[test]
fn the_flowchart_marks_what_does_not_run() {
    let chart = opened(&mixed(), PlanFormat::Mermaid);
    for line in [
        "  s0[\"app<br/>dev\"]",
        "  s1[\"below<br/>dev\"]:::blocked",
        "  s2[\"broken<br/>dev\"]:::refused",
        "  s3[\"skipped<br/>dev\"]:::skipped",
        "  s4 --> s3",
    ] {
        assert!(chart.lines().any(|drawn| drawn == line), "{line}\n{chart}");
    }
}

#[test]
fn inputs_are_filled_with_the_commit_of_an_upload_and_with_a_stand_in_otherwise() {
    let sha = "9f2c1d7e5e1b9a04c2d39f2c1d7e5e1b9a04c2d3";
    for (upload, filled) in [
        (json!({"head_sha": sha, "stacks": [stack("vpc", json!([]))]}), sha),
        (json!([stack("vpc", json!([]))]), UNKNOWN_SHA),
    ] {
        let plan: Value = serde_json::from_str(&opened(&upload, PlanFormat::Json)).unwrap();
        let inputs = &plan["stacks"][0]["workflows"][0]["inputs"];
        assert_eq!(*inputs, json!({"component": "vpc", "sha": filled}));
    }
}

#[test]
fn with_a_history_the_plan_tells_when_it_would_be_done() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../replay/tests/incident.jsonl");
    let recording = stackwave_replay::read(std::fs::File::open(path).unwrap()).unwrap();
    let player = stackwave_replay::Player::new(&recording).unwrap();
    let past = &player.repository().unwrap().past;
    let upload = json!([stack("vpc", json!([stack("eks", json!([]))])), stack("new", json!([]))]);
    let bytes = upload.to_string().into_bytes();
    let fragment = parse_affected(&bytes, Limits::default()).unwrap();
    let trigger = Trigger::new("pull_request", "opened");
    let forecast = Forecast::new(&fragment, &trigger, &head_sha(&bytes), Some(past));
    let text = text::render(&forecast, Timestamp::UNIX_EPOCH);
    assert!(text.contains("critical path: vpc/dev → eks/dev\n"), "{text}");
    assert!(text.contains("expected: ≈ ") && text.contains("(2 of 3 stacks have a past)"), "{text}");
    let plan: Value = serde_json::from_str(&json::render(&forecast, Timestamp::UNIX_EPOCH).unwrap()).unwrap();
    assert!(plan["expected"]["takes_s"].as_i64().unwrap() > 600, "{plan}");
    assert_eq!(plan["expected"]["rests_on"], json!({"same_stack": 2, "other_stacks": 1, "nothing": 0}));
}
