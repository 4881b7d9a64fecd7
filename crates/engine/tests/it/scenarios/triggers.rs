//! Merge groups, releases, optional activities.

use super::scenarios;
use crate::world::graph::Graph;
use stackwave_engine::view::Status;

scenarios! {
    fn a_merge_group_is_checked_like_a_push(w) {
        w.open_pull(7, "aaa");
        w.merge_group("queued", 7, "checks_requested");
        w.upload("queued", &Graph::of("vpc > app"));
        w.finish_all();
        w.assert_dispatched("plan:vpc plan:app");
        assert_eq!(w.runs(), "checks_requested succeeded");
        assert_eq!(w.run("checks_requested").sha.as_str(), "queued");
        assert_eq!(w.run("checks_requested").git_ref.as_str(), "main");
    }

    fn a_merge_group_has_an_activity_of_its_own(w) {
        let graph = Graph::of("vpc; dns").on("vpc", "merge_group.checks_requested", "check.yaml");
        w.upload("queued", &graph.not_on("dns", "pull_request.synchronize"));
        w.merge_group("queued", 7, "checks_requested");
        w.merge_group("queued", 7, "checks_requested");
        w.assert_dispatched("check:vpc");
        assert_eq!(
            w.reason("checks_requested", "dns"),
            "no workflow is configured for `merge_group.checks_requested`"
        );
        w.finish_all();
    }

    fn a_merge_group_that_is_destroyed_stops(w) {
        w.merge_group("queued", 7, "checks_requested");
        w.upload("queued", &Graph::of("vpc > app"));
        w.merge_group("queued", 7, "destroyed");
        w.finish("vpc");
        w.assert_dispatched("plan:vpc");
        assert_eq!(w.runs(), "checks_requested closed");
        assert_eq!(w.status("checks_requested", "app"), Status::Stopped);
    }

    fn a_merge_group_that_was_destroyed_before_its_upload_never_runs(w) {
        w.merge_group("queued", 7, "destroyed");
        w.merge_group("queued", 7, "checks_requested");
        w.upload("queued", &Graph::of("vpc"));
        w.assert_dispatched("");
    }

    fn a_release_runs_what_it_configures_once_for_each_activity(w) {
        let graph = Graph::of("vpc > app")
            .on("vpc", "release.published", "release.yaml")
            .on("app", "release.released", "ship.yaml");
        w.release(1, "tagged", &["created", "published", "released"]);
        w.upload("tagged", &graph);
        w.finish_all();
        w.assert_dispatched("release:vpc ship:app");
        assert_eq!(w.runs(), "published succeeded, released succeeded");
        assert_eq!(w.run("published").git_ref.as_str(), "main");
        assert_eq!(w.run("published").release, Some(1));
    }

    fn a_release_of_both_activities_deploys_a_stack_one_after_the_other(w) {
        let graph = Graph::of("vpc")
            .on("vpc", "release.published", "release.yaml")
            .on("vpc", "release.released", "ship.yaml");
        w.upload("tagged", &graph);
        w.release(1, "tagged", &["published", "released"]);
        w.assert_dispatched("release:vpc");
        assert_eq!(w.status("released", "vpc"), Status::Held);
        w.finish_all();
        w.assert_dispatched("release:vpc ship:vpc");
    }

    fn two_releases_of_one_commit_run_apart(w) {
        let graph = Graph::of("vpc").on("vpc", "release.published", "release.yaml");
        w.release(1, "tagged", &["published"]);
        w.release(2, "tagged", &["published"]);
        w.upload("tagged", &graph);
        w.pass(10);
        w.finish_all();
        w.assert_dispatched("release:vpc release:vpc");
        assert_eq!(w.runs(), "published succeeded, published succeeded");
    }

    fn an_old_upload_is_not_taken_for_a_release(w) {
        w.upload("tagged", &Graph::of("vpc").on("vpc", "release.published", "release.yaml"));
        w.pass(60);
        w.release(1, "tagged", &["published"]);
        w.assert_dispatched("");
    }

    fn a_release_of_a_merge_commit_does_not_apply_the_merge_again(w) {
        w.open_pull(7, "aaa");
        w.merge(7);
        w.upload("merge-7", &Graph::of("vpc"));
        w.finish_all();
        w.pass(60);
        w.release(1, "merge-7", &["published"]);
        w.upload("merge-7", &Graph::of("vpc > app").on("app", "release.published", "release.yaml"));
        w.finish_all();
        w.assert_dispatched("apply:vpc release:app");
    }

    fn an_optional_activity_runs_only_where_it_is_configured(w) {
        let graph = Graph::of("vpc; dns").on("dns", "pull_request.labeled", "label.yaml");
        w.open_pull(7, "aaa");
        w.act_on_pull(7, "assigned");
        w.upload("aaa", &graph);
        w.act_on_pull(7, "labeled");
        w.act_on_pull(7, "labeled");
        w.finish_all();
        w.assert_dispatched("plan:dns plan:vpc label:dns");
        assert_eq!(w.runs(), "opened succeeded, labeled succeeded");
        w.push(7, "bbb");
        w.upload("bbb", &graph);
        w.finish_all();
        assert_eq!(w.runs(), "opened succeeded, labeled succeeded, synchronize succeeded");
    }
}
