//! "Try that again."

use super::super::scenarios;
use crate::world::{
    Delivery, World,
    github::Reply,
    graph::{Graph, key},
};
use stackwave_domain::{event::RefusalReason, workflow::Conclusion};
use stackwave_engine::{command::Ask, view::Status};

fn failed(w: &mut World, graph: &str) {
    w.open_pull(7, "aaa");
    w.upload("aaa", &Graph::of(graph));
    w.fail("vpc");
}

fn merged(w: &mut World, number: u64, head: &'static str, graph: &str) {
    w.open_pull(number, head);
    w.merge(number);
    w.upload(head, &Graph::of(graph));
}

scenarios! {
    fn a_failed_stack_goes_again_and_revives_what_it_blocked(w) {
        failed(w, "vpc > app > dns");
        assert_eq!(w.status("opened", "app"), Status::Blocked);
        let command = w.retry("opened", "vpc");
        assert_eq!(w.outcome_of(&command), "done");
        assert_eq!(w.status("opened", "vpc"), Status::Queued);
        assert_eq!(w.status("opened", "app"), Status::Waiting);
        assert_eq!(w.reason("opened", "vpc"), "attempt 2, asked for by alice");
        w.finish_all();
        w.assert_dispatched("plan:vpc plan:vpc plan:app plan:dns");
        assert_eq!(w.runs(), "opened succeeded");
        let attempts: Vec<u32> = w.run("opened").stacks.iter().map(|stack| stack.attempt()).collect();
        assert_eq!(attempts, [1, 1, 2]);
    }

    fn all_that_failed_goes_again(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc > app; dns > db; key"));
        w.fail("vpc");
        w.conclude("dns", Conclusion::TimedOut);
        w.finish("key");
        let command = w.retry("opened", "");
        assert_eq!(w.outcome_of(&command), "done");
        w.finish_all();
        w.assert_dispatched("plan:dns plan:key plan:vpc plan:dns plan:vpc plan:db plan:app");
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn what_fails_again_can_be_retried_again(w) {
        failed(w, "vpc > app");
        w.retry("opened", "vpc");
        w.fail("vpc");
        assert_eq!(w.status("opened", "app"), Status::Blocked);
        w.retry("opened", "");
        assert_eq!(w.reason("opened", "vpc"), "attempt 3, asked for by alice");
        w.finish_all();
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn what_github_refused_goes_again_once_it_is_mended(w) {
        w.github.replies.entry("vpc".to_owned()).or_default().push_back(Reply::Refuse(RefusalReason::WorkflowDisabled));
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc > app"));
        assert_eq!(w.status("opened", "vpc"), Status::DispatchRefused);
        w.github.replies.clear();
        w.retry("opened", "vpc");
        w.finish_all();
        w.assert_dispatched("plan:vpc plan:app");
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn what_cannot_be_retried_is_refused_with_its_reason(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc > app; dns > db; key; odd").without_settings("odd"));
        w.fail("vpc");
        w.finish("key");
        let run = w.run_id("opened");
        let ask = |stack: &str| Ask::Retry { run: run.clone(), key: Some(key(stack)) };
        for (stack, code) in [
            ("app", "not-dispatched"),
            ("dns", "in-flight"),
            ("db", "not-dispatched"),
            ("key", "succeeded"),
            ("odd", "does-not-run"),
            ("none", "unknown-stack"),
        ] {
            let refusal = w.check_ask(&ask(stack)).unwrap_err();
            assert_eq!(refusal.code.as_str(), code, "{stack}: {refusal}");
            let command = w.command(&ask(stack));
            assert_eq!(w.outcome_of(&command), code);
        }
        let nowhere = Ask::Retry { run: "nowhere".into(), key: None };
        assert!(w.check_ask(&nowhere).unwrap_err().is_unknown());
        assert_eq!(w.check_ask(&ask("vpc")), Ok(()));
        w.assert_dispatched("plan:dns plan:key plan:vpc");
        w.finish_all();
    }

    fn a_stopped_run_is_not_retried(w) {
        failed(w, "vpc > app");
        w.push(7, "bbb");
        let command = w.retry("opened", "vpc");
        assert_eq!(w.outcome_of(&command), "run-stopped");
        assert_eq!(w.check_ask(&Ask::Retry { run: w.run_id("opened"), key: None }).unwrap_err().to_string(),
            format!("the run {} dispatches nothing any more: superseded by the push of bbb", w.run_id("opened")));
        w.assert_dispatched("plan:vpc");
    }

    fn a_rerun_at_github_of_an_earlier_attempt_is_waited_for(w) {
        failed(w, "vpc");
        let first = w.workflow_run("vpc");
        w.retry("opened", "vpc");
        w.fail("vpc");
        w.github.rerun(first, w.now);
        w.settle();
        let command = w.retry("opened", "vpc");
        assert_eq!(w.outcome_of(&command), "in-flight");
        w.github.change(first, stackwave_domain::workflow::RunStatus::Completed, Some(Conclusion::Failure), w.now);
        w.settle();
        w.retry("opened", "vpc");
        w.finish_all();
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn the_same_command_twice_is_one(w) {
        failed(w, "vpc");
        let ask = Ask::Retry { run: w.run_id("opened"), key: None };
        let command = w.command(&ask);
        w.fail("vpc");
        w.commands -= 1;
        assert_eq!(w.command(&ask), command);
        w.assert_dispatched("plan:vpc plan:vpc");
        w.retry("opened", "");
        w.finish_all();
    }

    fn what_a_newer_merge_has_had_is_not_retried_in_an_older_one(w) {
        merged(w, 7, "aaa", "vpc > app");
        w.fail("vpc");
        let older = w.run_id("merged");
        merged(w, 8, "bbb", "vpc");
        // It is in flight there: the retry waits, and is dropped when that has succeeded.
        let command = w.command(&Ask::Retry { run: older.clone(), key: Some(key("vpc")) });
        assert_eq!(w.outcome_of(&command), "accepted");
        w.finish_all();
        assert!(w.outcome_of(&command).contains("has deployed this stack"), "{}", w.outcome_of(&command));
        let again = w.command(&Ask::Retry { run: older, key: Some(key("vpc")) });
        assert_eq!(w.outcome_of(&again), "newer-run");
        w.assert_dispatched("apply:vpc apply:vpc");
    }

    fn a_retry_of_an_apply_goes_before_a_later_merge(w) {
        merged(w, 7, "aaa", "net; vpc > app");
        w.fail("vpc");
        let first = w.run_id("merged");
        merged(w, 8, "bbb", "net > vpc");
        // The later merge waits for the earlier one's `net`.
        let command = w.command(&Ask::Retry { run: first, key: Some(key("vpc")) });
        assert_eq!(w.outcome_of(&command), "done");
        w.finish_all();
        w.assert_dispatched("apply:net apply:vpc apply:vpc apply:net apply:app apply:vpc");
        assert_eq!(w.runs(), "merged succeeded, merged succeeded");
    }

    fn a_retry_below_one_that_fails_again_is_dropped(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc > app"));
        w.finish("vpc");
        w.fail("app");
        w.rerun("vpc");
        w.fail("vpc");
        let alone = Ask::Retry { run: w.run_id("opened"), key: Some(key("app")) };
        assert_eq!(w.check_ask(&alone).unwrap_err().code.as_str(), "parent-failed");
        let command = w.retry("opened", "");
        assert_eq!(w.outcome_of(&command), "accepted");
        assert_eq!(w.reason("opened", "app"), "waits for vpc/dev (attempt 2, asked for by alice)");
        w.fail("vpc");
        // One of the two was carried out.
        assert_eq!(w.outcome_of(&command), "app/dev: vpc/dev above it has not succeeded");
        w.retry("opened", "");
        w.finish_all();
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn a_retry_that_waits_ends_with_its_run(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc > app"));
        w.finish("vpc");
        w.fail("app");
        w.rerun("vpc");
        w.fail("vpc");
        let command = w.retry("opened", "");
        w.close(7);
        assert!(w.outcome_of(&command).starts_with("the run stopped before that"), "{}", w.outcome_of(&command));
    }

    fn a_retried_stack_whose_webhooks_are_lost_is_found(w) {
        failed(w, "vpc > app");
        w.delivery = Delivery::Lost;
        w.retry("opened", "vpc");
        w.finish("vpc");
        w.pass(30);
        w.finish_all();
        w.pass(30);
        assert_eq!(w.runs(), "opened succeeded");
    }
}
