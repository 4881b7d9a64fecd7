//! "Stop that."

use super::super::scenarios;
use crate::world::{
    World,
    github::Reply,
    graph::{Graph, key},
};
use stackwave_domain::{
    event::CancelAnswer,
    workflow::{Conclusion, RunStatus},
};
use stackwave_engine::{command::Ask, view::Status};

fn planned(w: &mut World, graph: &str) {
    w.open_pull(7, "aaa");
    w.upload("aaa", &Graph::of(graph));
}

fn applied(w: &mut World, graph: &str) {
    w.open_pull(7, "aaa");
    w.merge(7);
    w.upload("aaa", &Graph::of(graph));
}

scenarios! {
    fn a_cancelled_plan_is_cancelled_at_github_whether_it_runs_or_not(w) {
        planned(w, "vpc > app; dns");
        w.start("vpc");
        let command = w.cancel_by_hand("opened", "", false);
        assert_eq!(w.outcome_of(&command), "done");
        assert_eq!(w.runs(), "opened cancelled");
        assert_eq!(w.status("opened", "vpc"), Status::Cancelled);
        assert_eq!(w.reason("opened", "vpc"), "its workflow run was cancelled by alice");
        assert_eq!(w.status("opened", "dns"), Status::Cancelled);
        assert_eq!(w.status("opened", "app"), Status::Stopped);
        assert_eq!(w.reason("opened", "app"), "cancelled by alice");
        w.assert_dispatched("plan:dns plan:vpc");
        let again = w.cancel_by_hand("opened", "", true);
        assert_eq!(w.outcome_of(&again), "nothing-to-cancel");
        let retry = w.retry("opened", "");
        assert_eq!(w.outcome_of(&retry), "run-stopped");
    }

    fn of_a_cancelled_apply_what_runs_goes_on_and_nothing_after_it(w) {
        applied(w, "vpc > app; dns; db");
        w.start("vpc");
        w.change_run("db", RunStatus::Waiting, None);
        let command = w.cancel_by_hand("merged", "", false);
        assert_eq!(w.outcome_of(&command), "done");
        assert_eq!(w.status("merged", "vpc"), Status::Running);
        assert_eq!(w.status("merged", "dns"), Status::Cancelled);
        assert_eq!(w.status("merged", "db"), Status::Cancelled);
        let refusal = w.check_ask(&Ask::Cancel { run: w.run_id("merged"), key: None, force: false });
        assert_eq!(refusal.unwrap_err().code.as_str(), "needs-force");
        w.finish("vpc");
        assert_eq!(w.status("merged", "vpc"), Status::Succeeded);
        assert_eq!(w.status("merged", "app"), Status::Stopped);
        assert_eq!(w.runs(), "merged cancelled");
        w.assert_dispatched("apply:db apply:dns apply:vpc");
    }

    fn a_running_apply_is_cancelled_with_force(w) {
        applied(w, "vpc > app");
        w.start("vpc");
        w.cancel_by_hand("merged", "", false);
        assert_eq!(w.status("merged", "vpc"), Status::Running);
        let command = w.cancel_by_hand("merged", "", true);
        assert_eq!(w.outcome_of(&command), "done");
        assert_eq!(w.status("merged", "vpc"), Status::Cancelled);
        assert_eq!(w.status("merged", "app"), Status::Stopped);
    }

    fn an_apply_that_started_unnoticed_is_seen_before_it_is_cancelled(w) {
        applied(w, "vpc");
        w.delivery = crate::world::Delivery::Lost;
        w.start("vpc");
        assert_eq!(w.status("merged", "vpc"), Status::Queued);
        w.cancel_by_hand("merged", "", false);
        assert_eq!(w.status("merged", "vpc"), Status::Running);
        w.delivery = crate::world::Delivery::Now;
        w.finish("vpc");
    }

    fn a_push_cancels_the_queued_plans_of_the_commit_before(w) {
        planned(w, "vpc > app; dns; db");
        w.start("vpc");
        w.finish("db");
        w.push(7, "bbb");
        assert_eq!(w.status("opened", "vpc"), Status::Running);
        assert_eq!(w.status("opened", "dns"), Status::Cancelled);
        assert_eq!(w.reason("opened", "dns"), "its workflow run was cancelled, since its run stopped before it started");
        assert_eq!(w.status("opened", "db"), Status::Succeeded);
        w.finish("vpc");
        w.assert_dispatched("plan:db plan:dns plan:vpc");
        // Somebody wants the old plan all the same: that is his affair.
        w.rerun("dns");
        assert_eq!(w.status("opened", "dns"), Status::Queued);
        w.finish("dns");
    }

    fn a_running_plan_of_a_superseded_run_can_be_cancelled(w) {
        planned(w, "vpc");
        w.start("vpc");
        w.push(7, "bbb");
        let command = w.cancel_by_hand("opened", "", false);
        assert_eq!(w.outcome_of(&command), "done");
        assert_eq!(w.status("opened", "vpc"), Status::Cancelled);
    }

    fn a_stack_that_waits_is_cancelled_and_blocks_until_it_is_retried(w) {
        planned(w, "vpc > app > dns; db");
        let command = w.cancel_by_hand("opened", "app", false);
        assert_eq!(w.outcome_of(&command), "done");
        assert_eq!(w.status("opened", "app"), Status::Cancelled);
        assert_eq!(w.reason("opened", "app"), "cancelled by alice");
        assert_eq!(w.status("opened", "dns"), Status::Blocked);
        assert_eq!(w.reason("opened", "dns"), "app/dev was cancelled by alice");
        let again = w.cancel_by_hand("opened", "app", false);
        assert_eq!(w.outcome_of(&again), "already-asked");
        w.finish_all();
        w.assert_dispatched("plan:db plan:vpc");
        assert_eq!(w.runs(), "opened failed");
        let retry = w.retry("opened", "app");
        assert_eq!(w.outcome_of(&retry), "done");
        w.finish_all();
        w.assert_dispatched("plan:db plan:vpc plan:app plan:dns");
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn a_running_plan_of_one_stack_is_cancelled_and_retried(w) {
        planned(w, "vpc > app; dns");
        w.start("vpc");
        w.cancel_by_hand("opened", "vpc", false);
        assert_eq!(w.status("opened", "vpc"), Status::Cancelled);
        assert_eq!(w.status("opened", "app"), Status::Blocked);
        assert_eq!(w.status("opened", "dns"), Status::Queued);
        w.retry("opened", "vpc");
        w.finish_all();
        w.assert_dispatched("plan:dns plan:vpc plan:vpc plan:app");
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn a_running_apply_of_one_stack_needs_force(w) {
        applied(w, "vpc > app; dns");
        w.start("vpc");
        let command = w.cancel_by_hand("merged", "vpc", false);
        assert_eq!(w.outcome_of(&command), "needs-force");
        let command = w.cancel_by_hand("merged", "vpc", true);
        assert_eq!(w.outcome_of(&command), "done");
        assert_eq!(w.status("merged", "vpc"), Status::Cancelled);
        w.finish_all();
        assert_eq!(w.runs(), "merged failed");
        w.retry("merged", "");
        w.finish_all();
        assert_eq!(w.runs(), "merged succeeded");
    }

    fn what_cannot_be_cancelled_is_refused_with_its_reason(w) {
        planned(w, "vpc; odd; dns");
        w.finish("vpc");
        w.fail("dns");
        let run = w.run_id("opened");
        for (stack, code) in [("vpc", "ended"), ("dns", "ended"), ("none", "unknown-stack")] {
            let ask = Ask::Cancel { run: run.clone(), key: Some(key(stack)), force: false };
            assert_eq!(w.check_ask(&ask).unwrap_err().code.as_str(), code, "{stack}");
            let command = w.command(&ask);
            assert_eq!(w.outcome_of(&command), code);
        }
        w.finish_all();
    }

    fn a_dispatch_that_a_limit_delays_is_taken_back(w) {
        w.github.replies.entry("vpc".to_owned()).or_default().push_back(Reply::Limit(120));
        planned(w, "vpc > app; dns");
        assert_eq!(w.status("opened", "vpc"), Status::Dispatching);
        w.cut_from = w.log.len();
        w.cancel_by_hand("opened", "", false);
        w.pass(300);
        w.assert_dispatched("plan:dns");
        assert_eq!(w.status("opened", "vpc"), Status::Stopped);
        assert_eq!(w.reason("opened", "vpc"), "cancelled by alice");
    }

    fn a_delayed_dispatch_of_one_stack_is_taken_back_and_goes_again(w) {
        w.github.replies.entry("vpc".to_owned()).or_default().push_back(Reply::Limit(120));
        planned(w, "vpc > app");
        w.cut_from = w.log.len();
        w.cancel_by_hand("opened", "vpc", false);
        w.pass(300);
        assert_eq!(w.dispatched(), "");
        assert_eq!(w.status("opened", "vpc"), Status::Cancelled);
        w.retry("opened", "vpc");
        w.finish_all();
        w.assert_dispatched("plan:vpc plan:app");
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn a_rerun_after_a_cancellation_is_left_alone(w) {
        planned(w, "vpc > app");
        w.cancel_by_hand("opened", "vpc", false);
        assert_eq!(w.status("opened", "vpc"), Status::Cancelled);
        w.rerun("vpc");
        assert_eq!(w.status("opened", "vpc"), Status::Queued);
        w.finish("vpc");
        // It succeeded after all: what is below it goes.
        w.finish_all();
        w.assert_dispatched("plan:vpc plan:app");
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn a_cancelled_apply_lets_an_earlier_and_a_later_one_go(w) {
        applied(w, "vpc > app");
        let first = w.run_id("merged");
        w.open_pull(8, "bbb");
        w.merge(8);
        w.upload("bbb", &Graph::of("vpc > app"));
        assert_eq!(w.status("merged", "vpc"), Status::Held);
        w.command(&Ask::Cancel { run: first, key: None, force: false });
        w.finish_all();
        w.assert_dispatched("apply:vpc apply:vpc apply:app");
        assert_eq!(w.runs(), "merged cancelled, merged succeeded");
    }

    fn a_stack_that_another_merge_holds_is_cancelled_and_does_not_go(w) {
        applied(w, "vpc > app");
        w.open_pull(8, "bbb");
        w.merge(8);
        w.upload("bbb", &Graph::of("vpc > db"));
        assert_eq!(w.status("merged", "vpc"), Status::Held);
        let command = w.cancel_by_hand("merged", "vpc", false);
        assert_eq!(w.outcome_of(&command), "done");
        w.finish_all();
        assert_eq!(w.status("merged", "vpc"), Status::Cancelled);
        w.assert_dispatched("apply:vpc apply:app");
        w.retry("merged", "vpc");
        w.finish_all();
        w.assert_dispatched("apply:vpc apply:app apply:vpc apply:db");
        assert_eq!(w.runs(), "merged succeeded, merged succeeded");
    }

    fn a_newer_apply_that_was_cancelled_before_it_ran_holds_no_older_one(w) {
        applied(w, "net > vpc");
        let first = w.run_id("merged");
        w.open_pull(8, "bbb");
        w.merge(8);
        w.upload("bbb", &Graph::of("vpc"));
        w.cancel_by_hand("merged", "", false);
        w.finish_all();
        w.assert_dispatched("apply:net apply:vpc");
        assert!(w.repository().runs[&first].stopped_at().is_some());
        assert_eq!(w.runs(), "merged succeeded, merged cancelled");
    }

    fn what_ended_meanwhile_is_told_as_too_late(w) {
        planned(w, "vpc");
        w.delivery = crate::world::Delivery::Lost;
        w.conclude("vpc", Conclusion::Success);
        w.cancel_by_hand("opened", "", false);
        let cancel = w.repository().dispatches.values().find_map(|dispatch| dispatch.cancel.clone()).unwrap();
        // A process that died after it asked has looked before it asked again.
        assert_ne!(cancel.answer.map(|(answer, _)| answer), Some(CancelAnswer::Accepted));
        w.delivery = crate::world::Delivery::Now;
        w.pass(60);
        assert_eq!(w.status("opened", "vpc"), Status::Succeeded);
    }
}
