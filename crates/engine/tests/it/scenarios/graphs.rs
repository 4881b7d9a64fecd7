//! What a graph may hold besides stacks that simply run.

use super::scenarios;
use crate::world::graph::{Graph, key};
use stackwave_domain::workflow::Conclusion;
use stackwave_engine::view::Status;

scenarios! {
    fn skipped_stacks_in_the_middle_keep_the_order_and_block_nothing(w) {
        let graph = Graph::of("vpc > postgres > proxy > web; gone").without_settings("postgres").disabled("proxy");
        w.open_pull(7, "aaa");
        w.upload("aaa", &graph.deleted("gone"));
        w.assert_dispatched("plan:vpc");
        assert_eq!(w.reason("opened", "web"), "waits for vpc/dev");
        assert_eq!(w.reason("opened", "gone"), "deleted (component); Atmos uploads no workflow for deleted stacks");
        w.finish("vpc");
        w.assert_dispatched("plan:vpc plan:web");
        w.finish("web");
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn a_failure_blocks_through_skipped_stacks(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc > postgres > web").not_on("postgres", "pull_request.opened"));
        w.fail("vpc");
        assert_eq!(w.status("opened", "web"), Status::Blocked);
        assert_eq!(w.reason("opened", "postgres"), "no workflow is configured for `pull_request.opened`");
    }

    fn nothing_that_would_run_is_a_success(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc > app").disabled("vpc").without_settings("app"));
        w.assert_dispatched("");
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn an_empty_upload_says_that_nothing_is_affected(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of(""));
        assert_eq!(w.runs(), "opened nothingaffected");
    }

    fn a_cycle_is_reported_and_everything_else_runs(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc > a > b > c > a; c > below; dns > mail"));
        w.finish_all();
        w.assert_dispatched("plan:dns plan:vpc plan:mail");
        assert_eq!(w.reason("opened", "b"), "part of a dependency cycle: a/dev → b/dev → c/dev → a/dev");
        assert_eq!(w.status("opened", "below"), Status::Blocked);
        assert_eq!(w.runs(), "opened failed");
    }

    fn a_stack_with_several_workflows_succeeds_when_all_do(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc > app").on("vpc", "pull_request.opened", "scan.yaml"));
        w.assert_dispatched("plan:vpc scan:vpc");
        // The newest is the scan.
        w.finish("vpc");
        assert_eq!(w.status("opened", "vpc"), Status::Queued);
        w.assert_dispatched("plan:vpc scan:vpc");
        w.finish_all();
        w.assert_dispatched("plan:vpc scan:vpc plan:app");
    }

    fn one_of_several_workflows_that_fails_blocks(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc > app").on("vpc", "pull_request.opened", "scan.yaml"));
        w.fail("vpc");
        w.finish_all();
        assert_eq!(w.status("opened", "vpc"), Status::Failed);
        assert_eq!(w.status("opened", "app"), Status::Blocked);
        w.rerun("vpc");
        w.finish_all();
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn a_template_that_nobody_can_fill_refuses_its_stack(w) {
        let graph = Graph::of("vpc > app; dns").input("vpc", "region", "{{ .vars.region }}");
        w.open_pull(7, "aaa");
        w.upload("aaa", &graph.input("dns", "path", "{{ .atmos_component }}@{{ .sha }}"));
        w.assert_dispatched("plan:dns");
        assert!(w.reason("opened", "vpc").contains("`{{ .vars.region }}`"));
        assert_eq!(w.status("opened", "app"), Status::Blocked);
        let run = w.github.runs.values().next().unwrap();
        assert_eq!(run.claimed.inputs.get("path"), Some("dns@aaa"));
    }

    fn the_same_component_in_two_stacks_is_two_stacks(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc/dev > vpc/prod; a-b/c, a/b-c"));
        w.assert_dispatched("plan:a/b-c plan:a-b/c plan:vpc");
        w.finish_all();
        assert_eq!(w.status("opened", "vpc/prod"), Status::Succeeded);
    }

    fn only_success_and_neutral_let_children_go(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("a > a2; b > b2; c > c2; d > d2; e > e2"));
        w.conclude("a", Conclusion::Neutral);
        w.conclude("b", Conclusion::Cancelled);
        w.conclude("c", Conclusion::Skipped);
        w.conclude("d", Conclusion::TimedOut);
        w.conclude("e", Conclusion::Other("exploded".to_owned()));
        w.assert_dispatched("plan:a plan:b plan:c plan:d plan:e plan:a2");
        assert_eq!(w.status("opened", "b"), Status::Cancelled);
        assert!(w.reason("opened", "b2").starts_with("b/dev was cancelled in workflow run "));
        assert_eq!(w.reason("opened", "e"), "its workflow run ended with `exploded`");
    }

    fn a_diamond_runs_its_tip_once_after_both_sides(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("network > cluster, postgres > web; network > web; cluster > addons"));
        w.finish("network");
        w.finish("cluster");
        w.assert_dispatched("plan:network plan:cluster plan:postgres plan:addons");
        w.finish_all();
        w.assert_dispatched("plan:network plan:cluster plan:postgres plan:addons plan:web");
        let run = w.run("opened");
        let waves = run.waves();
        assert_eq!(waves[run.find(&key("web")).unwrap()], Some(2));
    }
}
