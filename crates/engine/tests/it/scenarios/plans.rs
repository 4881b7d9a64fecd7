//! From a pull request to its plans.

use super::scenarios;
use crate::world::{Delivery, graph::Graph};
use stackwave_engine::view::Status;

scenarios! {
    fn a_plan_runs_when_a_pull_request_is_opened(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc"));
        assert_eq!(w.dispatched(), "plan:vpc");
        assert_eq!(w.runs(), "opened running");
        w.finish("vpc");
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn a_child_waits_until_every_parent_has_succeeded(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc, rds > app"));
        assert_eq!(w.dispatched(), "plan:rds plan:vpc");
        assert_eq!(w.reason("opened", "app"), "waits for rds/dev, vpc/dev");
        w.finish("vpc");
        assert_eq!(w.status("opened", "app"), Status::Waiting);
        w.finish("rds");
        assert_eq!(w.dispatched(), "plan:rds plan:vpc plan:app");
        w.finish("app");
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn an_upload_may_come_before_its_webhook(w) {
        w.upload("aaa", &Graph::of("vpc > app"));
        assert_eq!(w.dispatched(), "");
        w.open_pull(7, "aaa");
        w.finish_all();
        assert_eq!(w.dispatched(), "plan:vpc plan:app");
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn an_upload_whose_webhook_is_lost_finds_its_pull_request(w) {
        w.delivery = Delivery::Lost;
        w.open_pull(7, "aaa");
        w.delivery = Delivery::Now;
        w.upload("aaa", &Graph::of("vpc"));
        w.pass(19);
        assert_eq!(w.dispatched(), "");
        w.pass(10);
        assert_eq!(w.dispatched(), "plan:vpc");
        assert!(w.run("opened").inferred);
    }
}
