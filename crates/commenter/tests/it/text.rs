//! The text, as people read it.

use crate::scenario::{Story, graph, landing_zone, sha};
use insta::assert_snapshot;
use stackwave_domain::{
    event::{RunOutcome, Successor},
    workflow::{Conclusion, RunStatus},
};
use std::time::Duration;

#[test]
fn an_opened_run_shows_its_roots_about_to_go_and_the_rest_waiting() {
    let mut story = Story::default();
    let run = story.open("opened", "abc1234", &landing_zone());
    story.release(&run, "vpc@plat-ue2-dev");
    story.release(&run, "dns@plat-gbl-dev");
    assert_snapshot!(story.comment());
}

#[test]
fn a_running_run_links_each_workflow_run() {
    let mut story = Story::default();
    let run = story.open("synchronize", "abc1234", &landing_zone());
    story.finish(&run, "vpc@plat-ue2-dev", Conclusion::Success);
    story.start(&run, "dns@plat-gbl-dev");
    story.accept(&run, "rds@plat-ue2-dev");
    let waiting = story.accept(&run, "eks/cluster@plat-ue2-dev");
    story.observe_run(waiting, 1, RunStatus::Waiting, None);
    assert_snapshot!(story.comment());
}

#[test]
fn a_failed_plan_blocks_its_descendants_and_says_what_to_do() {
    let mut story = Story::default();
    let run = story.open("opened", "abc1234", &landing_zone());
    story.finish(&run, "vpc@plat-ue2-dev", Conclusion::Success);
    story.finish(&run, "dns@plat-gbl-dev", Conclusion::Success);
    let failed = story.finish(&run, "eks/cluster@plat-ue2-dev", Conclusion::Failure);
    story.observe_run(failed, 2, RunStatus::Completed, Some(Conclusion::Failure));
    story.refuse(&run, "rds@plat-ue2-dev", "Unexpected inputs provided: [\"atmos_pro_run_id\", \"sha\"]");
    assert_snapshot!(story.comment());
}

#[test]
fn an_apply_is_shown_rather_than_the_plans_before_it() {
    let mut story = Story::default();
    let first = story.open("opened", "abc1234", &landing_zone());
    story.finish(&first, "vpc@plat-ue2-dev", Conclusion::Success);
    story.supersede(&first, Successor::Push { head_sha: sha("bcd2345") });
    let second = story.open("synchronize", "bcd2345", &graph(&["vpc@plat-ue2-dev"]));
    story.finish(&second, "vpc@plat-ue2-dev", Conclusion::Success);
    story.end(&second, RunOutcome::Succeeded);
    let apply = story.open_with("merged", "bcd2345", &graph(&["vpc@plat-ue2-dev"]), |opened| {
        opened.sha = sha("fade000");
    });
    story.start(&apply, "vpc@plat-ue2-dev");
    assert_snapshot!(story.comment());
}

#[test]
fn an_empty_upload_says_that_nothing_is_affected() {
    let mut story = Story::default();
    let run = story.open("opened", "abc1234", &graph(&[]));
    story.end(&run, RunOutcome::NothingAffected);
    assert_snapshot!(story.comment(), @r"
    <!-- stackwave:v1 workspace=default pr=12 -->
    ### ✅ Plan for `pull_request.opened` at `abc1234`: nothing affected

    Nothing is affected: the upload names no stack.

    <sub>Run `pr12-opened-abc1234-49e101affe0a`, kept up to date by Stackwave.</sub>
    ");
}

#[test]
fn a_superseded_run_says_by_what_and_that_its_waiting_stacks_stopped() {
    let mut story = Story::default();
    let run = story.open("opened", "abc1234", &graph(&["vpc@dev > eks@dev"]));
    story.start(&run, "vpc@dev");
    story.supersede(&run, Successor::Push { head_sha: sha("bcd2345") });
    assert_snapshot!(story.comment());
}

#[test]
fn a_closed_run_says_why() {
    let mut story = Story::default();
    let run = story.open("opened", "abc1234", &graph(&["vpc@dev"]));
    story.close(&run, "the pull request was closed without a merge");
    assert_snapshot!(story.comment());
}

#[test]
fn a_cycle_is_named_and_the_rest_runs() {
    let mut story = Story::default();
    let fragment = graph(&["a@dev > b@dev > a@dev", "b@dev > below@dev", "vpc@dev"]);
    let run = story.open("opened", "abc1234", &fragment);
    story.start(&run, "vpc@dev");
    assert_snapshot!(story.comment());
}

#[test]
fn warnings_and_an_inferred_trigger_are_told() {
    let mut story = Story::default();
    let mut fragment = graph(&["vpc@dev"]);
    fragment.warnings = (0..12).map(|n| format!("odd{n}/dev names itself as a dependent")).collect();
    story.open_with("opened", "abc1234", &fragment, |opened| opened.inferred = true);
    assert_snapshot!(story.comment_with(false));
}

#[test]
fn an_incomplete_upload_is_told_once_it_is_overdue() {
    let mut story = Story::default();
    story.pull("abc1234");
    story.chunk("abc1234", 0, 3);
    story.chunk("abc1234", 2, 3);
    assert_eq!(story.comment_after(true, Duration::from_secs(30)), None);
    assert_snapshot!(story.comment(), @r"
    <!-- stackwave:v1 workspace=default pr=12 -->
    ### ⚠️ Upload incomplete

    ⚠️ An upload for `abc1234` is incomplete: 2 of 3 chunks have come. Nothing is started for it until the rest comes; re-run the workflow that uploads affected stacks.
    ");
}

#[test]
fn equal_states_give_equal_texts() {
    let story = || {
        let mut story = Story::default();
        let run = story.open("opened", "abc1234", &landing_zone());
        story.start(&run, "vpc@plat-ue2-dev");
        story.comment()
    };
    assert_eq!(story(), story());
}

#[test]
fn what_is_expected_of_a_run_is_told_from_its_past_and_does_not_change_as_time_passes() {
    let mut story = Story::default();
    let first = story.open("opened", "abc1234", &graph(&["vpc@dev > eks@dev"]));
    story.finish(&first, "vpc@dev", Conclusion::Success);
    story.finish(&first, "eks@dev", Conclusion::Success);
    story.end(&first, RunOutcome::Succeeded);
    let run = story.open("synchronize", "bcd2345", &graph(&["vpc@dev > eks@dev"]));
    story.start(&run, "vpc@dev");
    let comment = story.comment();
    assert!(comment.contains("critical path `vpc/dev` → `eks/dev`\n"), "{comment}");
    assert_eq!(story.comment_after(true, Duration::from_secs(3_600)), Some(comment));
    let silent = story.comment_with(false);
    assert!(!silent.contains("critical path"), "nothing goes on where nothing is sent: {silent}");
}
