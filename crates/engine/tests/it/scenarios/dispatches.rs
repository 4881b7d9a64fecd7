//! Exactly once, whatever GitHub answers.

use super::scenarios;
use crate::world::{
    Delivery,
    github::{Reply, Titles},
    graph::Graph,
};
use stackwave_domain::{
    event::{FoundBy, RefusalReason},
    workflow::RunStatus,
};
use stackwave_engine::view::Status;

fn reply(w: &mut crate::world::World, stack: &str, replies: impl IntoIterator<Item = Reply>) {
    w.github.replies.entry(stack.to_owned()).or_default().extend(replies);
}

scenarios! {
    fn an_answer_that_was_lost_is_found_by_the_title(w) {
        reply(w, "vpc", [Reply::AcceptUnheard]);
        w.delivery = Delivery::Lost;
        w.open_pull(7, "aaa");
        w.delivery = Delivery::Now;
        w.upload("aaa", &Graph::of("vpc > app"));
        w.pass(25);
        w.finish_all();
        w.assert_dispatched("plan:vpc plan:app");
    }

    fn a_request_that_was_lost_is_sent_again_after_a_search(w) {
        reply(w, "vpc", [Reply::LoseRequest, Reply::LoseRequest]);
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc > app"));
        w.finish_all();
        w.assert_dispatched("plan:vpc plan:app");

        assert!(w.repository().dispatches.values().any(|it| it.resends.len() >= 2));
    }

    fn a_run_that_is_listed_late_is_not_sent_twice(w) {
        w.github.lists_after = 40;
        reply(w, "vpc", [Reply::AcceptUnheard]);
        w.delivery = Delivery::Held;
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc"));
        w.pass(200);
        w.assert_dispatched("plan:vpc");
        w.delivery = Delivery::Now;
        w.settle();
        w.finish_all();
    }

    fn a_refusal_is_shown_and_blocks(w) {
        reply(w, "vpc", [Reply::Refuse(RefusalReason::InputNotDeclared)]);
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc > app; dns"));
        w.finish_all();
        w.assert_dispatched("plan:dns");
        assert_eq!(w.status("opened", "vpc"), Status::DispatchRefused);
        assert_eq!(w.reason("opened", "app"), "vpc/dev could not be dispatched");
        assert_eq!(w.runs(), "opened failed");
    }

    fn a_limit_delays_and_drops_nothing(w) {
        reply(w, "vpc", [Reply::Limit(120), Reply::Limit(30)]);
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc > app"));
        w.pass(300);
        w.finish_all();
        w.assert_dispatched("plan:vpc plan:app");
    }

    fn a_host_that_names_no_run_is_searched(w) {
        w.github.names_runs = false;
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc, dns > app"));
        w.finish_all();
        w.assert_dispatched("plan:dns plan:vpc plan:app");
        assert_eq!(w.runs(), "opened succeeded");
        assert_eq!(w.repository().returns_run_ids, Some(false));
    }

    fn runs_that_nothing_tells_apart_are_sent_one_at_a_time(w) {
        w.github.names_runs = false;
        w.github.titles = Titles::Alike;
        w.declares = Some(std::collections::BTreeSet::new());
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc, dns > app"));
        w.finish_all();
        w.assert_dispatched("plan:dns plan:vpc plan:app");
        assert_eq!(w.runs(), "opened succeeded");
        assert!(w.repository().dispatches.values().all(|it| it.found_by == Some(FoundBy::OnlyCandidate)));
    }

    fn exact_titles_tell_runs_apart(w) {
        w.github.names_runs = false;
        w.github.titles = Titles::Inputs;
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc, dns > app"));
        w.finish_all();
        w.assert_dispatched("plan:dns plan:vpc plan:app");
        assert!(w.repository().dispatches.values().all(|it| it.found_by == Some(FoundBy::ExactTitle)));
    }

    fn webhooks_may_overtake_the_answer(w) {
        w.webhooks_first = true;
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc, dns > app"));
        w.finish_all();
        w.assert_dispatched("plan:dns plan:vpc plan:app");
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn all_webhooks_of_workflow_runs_may_be_lost(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc > app"));
        w.delivery = Delivery::Lost;
        w.finish("vpc");
        w.assert_dispatched("plan:vpc");
        w.pass(30);
        w.assert_dispatched("plan:vpc plan:app");
        w.start("app");
        w.pass(30);
        assert_eq!(w.status("opened", "app"), Status::Running);
        w.finish("app");
        w.pass(30);
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn a_host_that_lists_late_and_tells_nothing_is_still_sent_to_once(w) {
        w.github.names_runs = false;
        w.github.lists_after = 15;
        reply(w, "vpc", [Reply::AcceptUnheard]);
        reply(w, "app", [Reply::LoseRequest]);
        w.delivery = Delivery::Lost;
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc > app"));
        w.pass(100);
        w.finish("vpc");
        w.pass(300);
        w.assert_dispatched("plan:vpc plan:app");
    }

    fn a_run_that_somebody_else_started_is_not_taken_for_ours(w) {
        w.github.titles = Titles::Alike;
        w.declares = Some(std::collections::BTreeSet::new());
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc > app"));
        reply(w, "app", [Reply::LoseRequest]);
        w.delivery = Delivery::Held;
        w.finish("vpc");
        w.delivery = Delivery::Now;
        // The conclusion comes, the app is sent, its request is lost; then somebody starts the same workflow.
        w.deliver_webhooks();
        w.somebody_starts("octocat");
        w.settle();
        w.finish_all();
        w.assert_dispatched("plan:vpc plan:app");
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn a_job_that_waits_may_be_told_before_its_run(w) {
        w.open_pull(7, "aaa");
        w.delivery = Delivery::Held;
        w.upload("aaa", &Graph::of("vpc"));
        w.change_run("vpc", RunStatus::Waiting, None);
        let waiting = w.github.outbox.pop().unwrap();
        w.deliver(&waiting.0, waiting.1);
        assert_eq!(w.status("opened", "vpc"), Status::AwaitingApproval);
        w.delivery = Delivery::Now;
        w.settle();
        assert_eq!(w.status("opened", "vpc"), Status::AwaitingApproval);
        assert!(w.repository().workflow_runs.values().all(|run| !run.html_url.is_empty()));
        w.finish_all();
    }
}
