use super::{explain, json, moment::Shown, play, source, text};
use crate::cli::ReplayFormat;
use serde_json::Value;
use stackwave_domain::{Position, RunId};
use stackwave_replay::{Moment, Player, Recording};

/// A run under faults, exported on another machine.
pub(super) fn incident() -> Recording {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../replay/tests/incident.jsonl");
    stackwave_replay::read(std::fs::File::open(path).unwrap()).unwrap()
}

fn player() -> Player {
    Player::new(&incident()).unwrap()
}

/// After the last record of a kind.
fn after(player: &mut Player, event: &str) {
    let found = player.entries().iter().rposition(|entry| entry.record.events[0].name() == event);
    player.seek(Moment::Step(found.unwrap() + 1));
}

/// When rds had failed.
fn at_the_failure(player: &mut Player) {
    let failed = |text: &str| text.contains("failure");
    let index = player
        .entries()
        .iter()
        .rposition(|entry| failed(&format!("{:?}", entry.record.events).to_lowercase()));
    player.seek(Moment::Step(index.unwrap() + 1));
}

fn explained(player: &Player, stack: &str, dispatch: bool, format: Option<ReplayFormat>) -> String {
    let mut out = Vec::new();
    explain::run(player, stack, dispatch, format, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_moment_shows_record_stacks_graph_due_actions_and_comment() {
    let mut player = player();
    after(&mut player, "run_opened");
    let text = text::render(&Shown::of(&player));
    for part in [
        "acme/infra  SW_00:",
        "by orchestrator, on ledger",
        "Run pr7-synchronize-bbbbbbb-",
        "critical path vpc/dev → eks/dev → app/dev (5 of 6 stacks have a past)",
        "wave 1: ▷ cache/dev",
        "orchestrator: stack_released cache/dev in pr7-synchronize-bbbbbbb-",
        "commenter: edit_comment on #7",
        "Comment (as it should be; not posted yet)",
        "<!-- stackwave:v1 workspace=default pr=7 -->",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn json_holds_what_the_text_shows() {
    let mut player = player();
    at_the_failure(&mut player);
    let shown: Value = serde_json::from_str(&json::render(&Shown::of(&player)).unwrap()).unwrap();
    let stacks = shown["run"]["stacks"].as_array().unwrap();
    let app = stacks.iter().find(|stack| stack["component"] == "app").unwrap();
    assert_eq!(app["status"], "blocked");
    assert_eq!(app["reason"], "rds/dev failed in workflow run 9600");
    assert_eq!(app["causes"][0]["kind"], "blocked");
    assert!(shown["run"]["mermaid"].as_str().unwrap().contains(":::bad"), "{shown}");
    assert_eq!(shown["position"], shown["record"]["position"]);
}

#[test]
fn why_a_stack_did_not_go_is_told_down_to_the_root_with_the_records_that_prove_it() {
    let mut player = player();
    at_the_failure(&mut player);
    let position = player.entry().unwrap().position;
    let told = explained(&player, "app", false, None);
    let lines: Vec<&str> = told.lines().collect();
    assert!(
        lines[0]
            .starts_with(&format!("app/dev is blocked: rds/dev failed in workflow run 9600  [{position}, ")),
        "{told}"
    );
    assert!(lines[1].starts_with(&format!("rds/dev failed in workflow run 9600  [{position}")), "{told}");
    let error = explain::run(&player, "nothing", false, None, &mut Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "the run has no stack `nothing`");
}

#[test]
fn the_evidence_tells_how_a_lost_answer_and_a_lost_request_ended() {
    let player = player();
    let vpc = explained(&player, "vpc", true, None);
    assert!(vpc.contains("GitHub's answer was lost; found by its id in the run's title (at "), "{vpc}");
    assert!(vpc.ends_with("→ it happened once\n"), "{vpc}");
    let rds = explained(&player, "rds/dev", true, Some(ReplayFormat::Json));
    let rds: Value = serde_json::from_str(&rds).unwrap();
    let steps = rds["dispatches"][0]["steps"].as_array().unwrap();
    let kinds: Vec<&str> = steps.iter().filter_map(|step| step["kind"].as_str()).collect();
    assert_eq!(
        kinds,
        ["released", "claimed", "resent", "answered", "workflow_run", "first_webhook", "others"]
    );
    assert_eq!(rds["dispatches"][0]["verdict"], "once");
}

#[tokio::test]
async fn a_play_without_a_terminal_prints_every_record_and_each_change() {
    let mut out = Vec::new();
    play::play(player(), 1e9, &mut out).await.unwrap();
    let played = String::from_utf8(out).unwrap();
    for entry in player().entries() {
        assert!(played.contains(&format!("  {}  {}: ", entry.position, entry.record.events[0].name())));
    }
    assert!(played.contains("    app/dev blocked: rds/dev failed in workflow run 9600\n"), "{played}");
}

#[test]
fn pauses_follow_the_records_times_and_are_never_long() {
    let second = |text: &str| text.parse().unwrap();
    let (from, to) = (second("2026-11-24T10:00:00Z"), second("2026-11-24T10:00:10Z"));
    assert_eq!(play::pause(Some(from), to, 10.0).as_secs(), 1);
    assert_eq!(play::pause(Some(from), to, 0.001), play::LONGEST_PAUSE);
    assert_eq!(play::pause(Some(to), from, 1.0).as_secs(), 0);
    assert_eq!(play::pause(None, to, 1.0).as_secs(), 0);
}

#[test]
fn a_place_of_another_stream_is_refused() {
    let player = player();
    assert!(source::check_stream(&player, 0).is_ok());
    let error = source::check_stream(&player, 7).unwrap_err();
    assert_eq!(error.to_string(), "the run's records are in SW_00, not in SW_07");
}

#[test]
fn a_run_is_named_by_how_its_id_begins_when_only_one_does() {
    let mut player = player();
    let runs: Vec<RunId> = player.repository().unwrap().runs.keys().cloned().collect();
    for run in &runs {
        let begin: RunId = RunId::new(&run.as_str()[..run.as_str().len() - 3]);
        source::choose_run(&mut player, Some(&begin)).unwrap();
        assert_eq!(player.run().map(|shown| &shown.id), Some(run));
    }
    let error = source::choose_run(&mut player, Some(&RunId::new("pr999"))).unwrap_err();
    assert_eq!(error.to_string(), "the recording has no run `pr999`, and none whose id begins so");
    let error = source::choose_run(&mut player, Some(&RunId::new("pr"))).unwrap_err();
    assert!(error.to_string().contains("these begin so: "), "{error}");
}

#[test]
fn before_the_first_record_no_time_is_told() {
    let mut player = player();
    player.seek(Moment::Step(0));
    let text = text::render(&Shown::of(&player));
    assert!(text.contains("before the first of ") && !text.contains("1970"), "{text}");
}

#[test]
fn before_the_run_was_opened_there_is_nothing_to_show_of_it() {
    let mut player = player();
    player.seek(Moment::Position(Position(1)));
    let text = text::render(&Shown::of(&player));
    assert!(text.contains("The run is not open yet."), "{text}");
}
