//! Merges and their applies.

use super::scenarios;
use crate::world::{Delivery, World, graph::Graph};
use stackwave_engine::view::Status;

/// A pull request with its plan done, merged, with its apply upload.
fn merged(w: &mut World, number: u64, head: &str, graph: &Graph) {
    w.open_pull(number, head);
    w.merge(number);
    w.upload(head, graph);
}

scenarios! {
    fn a_merge_and_its_upload_of_the_same_commits_are_an_apply_run(w) {
        let graph = Graph::of("vpc > app");
        w.open_pull(7, "aaa");
        w.upload("aaa", &graph);
        w.finish_all();
        w.merge(7);
        w.upload("aaa", &graph);
        w.finish_all();
        w.assert_dispatched("plan:vpc plan:app apply:vpc apply:app");
        assert_eq!(w.runs(), "opened succeeded, merged succeeded");
        assert_eq!(w.run("merged").sha.as_str(), "merge-7");
        assert_eq!(w.run("merged").git_ref.as_str(), "main");
    }

    fn a_merge_while_plans_run_takes_their_place(w) {
        let graph = Graph::of("vpc > app");
        w.open_pull(7, "aaa");
        w.upload("aaa", &graph);
        w.pass(10);
        w.merge(7);
        assert_eq!(w.runs(), "opened superseded");
        w.upload("aaa", &graph);
        w.finish_all();
        w.assert_dispatched("plan:vpc apply:vpc apply:app");
        assert_eq!(w.runs(), "opened superseded, merged succeeded");
    }

    fn an_apply_upload_that_outruns_its_webhook_waits_for_a_look(w) {
        let graph = Graph::of("vpc");
        w.open_pull(7, "aaa");
        w.upload("aaa", &graph);
        w.finish_all();
        w.delivery = Delivery::Held;
        w.merge(7);
        w.upload("aaa", &graph);
        w.assert_dispatched("plan:vpc apply:vpc");
        w.delivery = Delivery::Now;
        w.settle();
        w.finish_all();
        assert_eq!(w.runs(), "opened succeeded, merged succeeded");
    }

    fn a_close_that_is_lost_is_found_by_the_apply_upload(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc"));
        w.delivery = Delivery::Lost;
        w.merge(7);
        w.delivery = Delivery::Now;
        // Another order of the same graph gives other bytes; another graph does too.
        w.upload("aaa", &Graph::of("vpc > app"));
        w.finish_all();
        w.assert_dispatched("plan:vpc apply:vpc apply:app");
        assert_eq!(w.runs(), "opened superseded, merged succeeded");
    }

    fn an_upload_of_the_merge_commit_finds_the_lost_merge(w) {
        w.open_pull(7, "aaa");
        w.delivery = Delivery::Lost;
        w.merge(7);
        w.delivery = Delivery::Now;
        w.upload("merge-7", &Graph::of("vpc"));
        w.pass(30);
        w.assert_dispatched("apply:vpc");
    }

    fn plan_and_apply_uploads_may_be_byte_identical_within_a_minute(w) {
        let graph = Graph::of("vpc");
        w.open_pull(7, "aaa");
        w.upload("aaa", &graph);
        w.upload("aaa", &graph);
        w.assert_dispatched("plan:vpc");
        w.finish_all();
        w.pass(10);
        w.merge(7);
        w.assert_dispatched("plan:vpc");
        w.upload("aaa", &graph);
        w.upload("aaa", &graph);
        w.finish_all();
        w.assert_dispatched("plan:vpc apply:vpc");
        assert_eq!(w.runs(), "opened succeeded, merged succeeded");
    }

    fn both_uploads_may_come_before_all_webhooks(w) {
        let graph = Graph::of("vpc");
        w.delivery = Delivery::Held;
        w.open_pull(7, "aaa");
        w.upload("aaa", &graph);
        w.pass(10);
        w.merge(7);
        w.upload("aaa", &graph);
        w.assert_dispatched("");
        w.delivery = Delivery::Now;
        w.settle();
        w.finish_all();
        w.assert_dispatched("apply:vpc");
        assert_eq!(w.runs(), "merged succeeded");
    }

    /// The apply upload parks beside the plan upload; then only `opened` comes.
    fn an_apply_upload_before_the_opened_webhook_is_no_plans(w) {
        w.delivery = Delivery::Lost;
        w.open_pull(7, "aaa");
        w.github.tell_pull(stackwave_domain::PrNumber(7), "opened", None);
        let opened = w.github.outbox.pop().unwrap();
        w.upload("aaa", &Graph::of("vpc"));
        w.pass(10);
        w.merge(7);
        w.upload("aaa", &Graph::of("vpc > app"));
        w.delivery = Delivery::Now;
        w.deliver(&opened.0, opened.1);
        w.settle();
        // A claim that is searched for while the merge becomes known is taken back.
        w.cut_from = w.log.len();
        w.finish_all();
        assert_eq!(w.runs(), "opened superseded, merged succeeded");
        w.assert_dispatched("plan:vpc apply:vpc apply:app");
    }

    fn nothing_is_applied_without_an_upload_after_the_merge(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc"));
        w.finish_all();
        w.pass(60);
        w.merge(7);
        w.pass(3600);
        w.assert_dispatched("plan:vpc");
    }

    fn another_graph_after_the_apply_has_ended_is_a_new_generation(w) {
        merged(w, 7, "aaa", &Graph::of("vpc"));
        w.finish_all();
        w.upload("aaa", &Graph::of("vpc > app"));
        w.finish_all();
        w.assert_dispatched("apply:vpc apply:vpc apply:app");
        assert_eq!(w.run("merged").generation, 2);
    }

    fn two_merges_that_change_one_stack_go_in_merge_order(w) {
        merged(w, 7, "aaa", &Graph::of("vpc > app"));
        merged(w, 8, "bbb", &Graph::of("vpc; dns"));
        w.assert_dispatched("apply:vpc apply:dns");
        assert_eq!(w.status("merged", "vpc"), Status::Held);
        assert!(w.reason("merged", "vpc").contains("has this stack in flight"));
        w.finish("vpc");
        w.assert_dispatched("apply:vpc apply:dns apply:app apply:vpc");
        w.finish_all();
        assert_eq!(w.runs(), "merged succeeded, merged succeeded");
    }

    fn a_newer_merge_waits_for_an_older_one_that_has_not_come_to_the_stack(w) {
        merged(w, 7, "aaa", &Graph::of("vpc > app"));
        merged(w, 8, "bbb", &Graph::of("app"));
        w.assert_dispatched("apply:vpc");
        assert!(w.reason("merged", "app").contains("deploys this stack first"));
        w.finish("vpc");
        w.finish("app");
        w.assert_dispatched("apply:vpc apply:app apply:app");
        w.finish_all();
    }

    fn a_newer_merge_goes_when_the_older_one_failed(w) {
        merged(w, 7, "aaa", &Graph::of("vpc > app"));
        merged(w, 8, "bbb", &Graph::of("vpc; app"));
        w.assert_dispatched("apply:vpc");
        w.fail("vpc");
        // The older one's app is blocked and does not hold the newer one's.
        w.assert_dispatched("apply:vpc apply:app apply:vpc");
        w.finish_all();
        assert_eq!(w.runs(), "merged failed, merged succeeded");
    }

    fn an_older_merge_that_comes_late_does_not_go_over_a_newer_one(w) {
        let graph = Graph::of("vpc > app");
        w.open_pull(7, "aaa");
        w.open_pull(8, "bbb");
        w.merge(7);
        w.merge(8);
        w.upload("bbb", &graph);
        w.upload("aaa", &graph);
        w.assert_dispatched("apply:vpc");
        w.finish_all();
        // The newer one had not come to the app.
        w.assert_dispatched("apply:vpc apply:app apply:app");
        let run = w.repository().runs.values().find(|run| run.head_sha.as_str() == "aaa").unwrap();
        let newer = w.repository().runs.values().find(|run| run.head_sha.as_str() == "bbb").unwrap();
        let view = stackwave_engine::view::run_view(w.repository(), run);
        assert_eq!(view.stacks[1].status, Status::Skipped);
        assert_eq!(
            view.stacks[1].reason,
            Some(format!("the newer run {} has deployed this stack", newer.id))
        );
    }

    fn an_older_merge_waits_for_a_newer_one_that_failed_to_be_re_run(w) {
        w.open_pull(7, "aaa");
        w.open_pull(8, "bbb");
        w.merge(7);
        w.merge(8);
        w.upload("bbb", &Graph::of("vpc"));
        w.fail("vpc");
        w.upload("aaa", &Graph::of("vpc > app"));
        w.assert_dispatched("apply:vpc");
        w.rerun("vpc");
        w.finish_all();
        w.assert_dispatched("apply:vpc apply:app");
        assert_eq!(w.runs(), "merged succeeded, merged succeeded");
    }

    fn an_older_merge_that_waits_for_a_re_run_is_ended_in_the_end(w) {
        w.open_pull(7, "aaa");
        w.open_pull(8, "bbb");
        w.merge(7);
        w.merge(8);
        w.upload("bbb", &Graph::of("vpc"));
        w.fail("vpc");
        w.upload("aaa", &Graph::of("vpc"));
        w.pass(31 * 24 * 3600);
        assert_eq!(w.runs(), "merged failed, merged failed");
        assert!(w.repository().active_runs().is_empty());
    }

    fn a_push_after_the_merge_was_seen_never_stops_an_apply(w) {
        merged(w, 7, "aaa", &Graph::of("vpc > app"));
        w.act_on_pull(7, "labeled");
        w.finish_all();
        w.assert_dispatched("apply:vpc apply:app");
    }
}
