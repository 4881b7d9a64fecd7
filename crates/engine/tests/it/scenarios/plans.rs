//! From a pull request to its plans, through pushes, closes and reopenings.

use super::scenarios;
use crate::world::{Delivery, graph::Graph};
use stackwave_domain::workflow::RunStatus;
use stackwave_engine::view::Status;

scenarios! {
    fn a_plan_runs_when_a_pull_request_is_opened(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc"));
        w.assert_dispatched("plan:vpc");
        assert_eq!(w.runs(), "opened running");
        w.finish("vpc");
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn a_child_waits_until_every_parent_has_succeeded(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc, rds > app"));
        w.assert_dispatched("plan:rds plan:vpc");
        assert_eq!(w.reason("opened", "app"), "waits for rds/dev, vpc/dev");
        w.finish("vpc");
        assert_eq!(w.status("opened", "app"), Status::Waiting);
        w.finish("rds");
        w.assert_dispatched("plan:rds plan:vpc plan:app");
        w.finish("app");
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn an_upload_may_come_before_its_webhook(w) {
        w.upload("aaa", &Graph::of("vpc > app"));
        w.assert_dispatched("");
        w.open_pull(7, "aaa");
        w.finish_all();
        w.assert_dispatched("plan:vpc plan:app");
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn a_push_supersedes_the_run_of_the_head_before(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc > app"));
        w.push(7, "bbb");
        assert_eq!(w.runs(), "opened superseded");
        assert_eq!(w.reason("opened", "app"), "superseded by the push of bbb");
        // A late conclusion is recorded and releases nothing.
        w.finish("vpc");
        assert_eq!(w.status("opened", "vpc"), Status::Succeeded);
        w.assert_dispatched("plan:vpc");
        w.upload("bbb", &Graph::of("vpc > app"));
        w.finish_all();
        w.assert_dispatched("plan:vpc plan:vpc plan:app");
        assert_eq!(w.runs(), "opened superseded, synchronize succeeded");
    }

    fn a_stack_that_was_released_in_a_superseded_run_is_never_claimed(w) {
        w.claims_at_once = 0;
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc"));
        assert_eq!(w.status("opened", "vpc"), Status::Released);
        w.push(7, "bbb");
        w.claims_at_once = 100;
        w.settle();
        w.assert_dispatched("");
        assert_eq!(w.status("opened", "vpc"), Status::Stopped);
    }

    fn a_head_that_is_pushed_away_and_back_is_planned_again(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc"));
        w.push(7, "bbb");
        w.upload("bbb", &Graph::of("vpc"));
        w.push(7, "aaa");
        w.upload("aaa", &Graph::of("vpc"));
        w.push(7, "bbb");
        w.finish_all();
        w.assert_dispatched("plan:vpc plan:vpc plan:vpc plan:vpc");
        assert_eq!(
            w.runs(),
            "opened superseded, synchronize superseded, synchronize superseded, synchronize succeeded"
        );
        assert_eq!(w.run("synchronize").generation, 2);
    }

    fn everything_within_one_second_ends_at_the_newest_head(w) {
        w.same_second = true;
        w.open_pull(7, "aaa");
        w.push(7, "bbb");
        w.push(7, "aaa");
        w.push(7, "ccc");
        w.upload("aaa", &Graph::of("vpc"));
        w.upload("ccc", &Graph::of("vpc"));
        assert_eq!(w.runs(), "synchronize running");
        w.assert_dispatched("plan:vpc");
        assert_eq!(w.run("synchronize").head_sha.as_str(), "ccc");
    }

    fn a_pull_request_that_is_closed_stops_its_waiting_stacks(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc > app"));
        w.close(7);
        w.finish("vpc");
        w.assert_dispatched("plan:vpc");
        assert_eq!(w.runs(), "opened closed");
        assert_eq!(w.reason("opened", "app"), "the pull request was closed without a merge");
    }

    fn a_reopened_pull_request_is_planned_as_reopened(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc"));
        w.close(7);
        w.reopen(7);
        w.upload("aaa", &Graph::of("vpc"));
        w.finish_all();
        w.assert_dispatched("plan:vpc plan:vpc");
        assert_eq!(w.runs(), "opened closed, reopened succeeded");
    }

    fn a_reopening_whose_webhook_is_lost_is_found_by_its_upload(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc"));
        w.close(7);
        w.delivery = Delivery::Lost;
        w.reopen(7);
        w.delivery = Delivery::Now;
        w.upload("aaa", &Graph::of("vpc"));
        assert_eq!(w.runs(), "opened closed, reopened running");
        assert!(w.run("reopened").inferred);
        w.finish_all();
    }

    fn a_reopening_after_a_look_is_not_taken_for_the_lost_webhook(w) {
        w.delivery = Delivery::Lost;
        w.open_pull(7, "aaa");
        w.delivery = Delivery::Now;
        w.upload("aaa", &Graph::of("vpc"));
        w.pass(25);
        w.close(7);
        w.reopen(7);
        assert_eq!(w.runs(), "opened closed, reopened running");
        w.finish_all();
    }

    fn an_upload_whose_webhook_is_lost_finds_its_pull_request(w) {
        w.delivery = Delivery::Lost;
        w.open_pull(7, "aaa");
        w.delivery = Delivery::Now;
        w.upload("aaa", &Graph::of("vpc"));
        w.pass(19);
        w.assert_dispatched("");
        w.pass(10);
        w.assert_dispatched("plan:vpc");
        assert!(w.run("opened").inferred);
    }

    fn a_webhook_that_comes_after_the_look_opens_no_second_run(w) {
        w.delivery = Delivery::Held;
        w.open_pull(7, "aaa");
        w.push(7, "bbb");
        w.upload("bbb", &Graph::of("vpc"));
        w.pass(30);
        w.delivery = Delivery::Now;
        w.settle();
        w.assert_dispatched("plan:vpc");
        // Nothing was known of the pull request when it was looked at.
        assert_eq!(w.runs(), "opened running");
    }

    fn a_head_that_another_webhook_shows_first_is_planned_once(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc"));
        w.delivery = Delivery::Held;
        w.push(7, "bbb");
        w.act_on_pull(7, "labeled");
        w.github.outbox.reverse();
        let (event, content) = w.github.outbox.remove(0);
        w.deliver(&event, content);
        assert_eq!(w.runs(), "opened running");
        w.upload("bbb", &Graph::of("vpc > app"));
        assert_eq!(w.runs(), "opened superseded, synchronize running");
        w.delivery = Delivery::Now;
        w.settle();
        w.finish_all();
        assert_eq!(w.runs(), "opened superseded, synchronize succeeded");
    }

    fn two_pull_requests_with_the_same_head_are_planned_apart(w) {
        w.open_pull(7, "aaa");
        w.open_pull(8, "aaa");
        w.upload("aaa", &Graph::of("vpc"));
        w.assert_dispatched("plan:vpc plan:vpc");
        w.close(8);
        assert_eq!(w.runs(), "opened running, opened closed");
        w.finish_all();
    }

    fn a_failure_blocks_what_is_below_and_a_re_run_revives_it(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc > cluster > app; dns"));
        w.fail("vpc");
        w.finish("dns");
        assert_eq!(w.status("opened", "app"), Status::Blocked);
        assert!(w.reason("opened", "app").starts_with("vpc/dev failed in workflow run "));
        assert_eq!(w.runs(), "opened failed");
        w.assert_dispatched("plan:dns plan:vpc");
        w.rerun("vpc");
        assert_eq!(w.status("opened", "app"), Status::Waiting);
        w.assert_dispatched("plan:dns plan:vpc");
        w.finish_all();
        w.assert_dispatched("plan:dns plan:vpc plan:cluster plan:app");
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn a_re_run_of_a_parent_does_not_disturb_children_that_have_started(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc > cluster > app; vpc, slow > late"));
        w.finish("vpc");
        w.start("cluster");
        w.rerun("vpc");
        assert_eq!(w.status("opened", "cluster"), Status::Running);
        w.finish("cluster");
        assert_eq!(w.status("opened", "app"), Status::Queued);
        // What has not started waits for the newest attempt.
        w.finish("slow");
        assert_eq!(w.status("opened", "late"), Status::Waiting);
        w.fail("vpc");
        assert_eq!(w.status("opened", "late"), Status::Blocked);
        w.finish("app");
        w.rerun("vpc");
        w.finish_all();
        assert_eq!(w.runs(), "opened succeeded");
        w.assert_dispatched("plan:slow plan:vpc plan:cluster plan:app plan:late");
    }

    fn a_job_that_waits_for_an_approval_is_shown(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc > app"));
        w.start("vpc");
        w.change_run("vpc", RunStatus::Waiting, None);
        assert_eq!(w.status("opened", "vpc"), Status::AwaitingApproval);
        w.pass(40 * 3600);
        assert_eq!(w.runs(), "opened running");
        w.start("vpc");
        assert_eq!(w.status("opened", "vpc"), Status::Running);
        w.change_run("vpc", RunStatus::Waiting, None);
        w.finish_all();
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn a_run_that_failed_is_ended_after_thirty_days(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc > app"));
        w.fail("vpc");
        w.pass(29 * 24 * 3600);
        assert!(w.run("opened").is_active());
        w.pass(2 * 24 * 3600);
        assert!(!w.run("opened").is_active());
        assert_eq!(w.runs(), "opened failed");
    }
}
