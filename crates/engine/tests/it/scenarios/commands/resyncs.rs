//! "Look at GitHub."

use super::super::scenarios;
use crate::world::{Delivery, graph::Graph};
use stackwave_engine::{command::Ask, view::Status};

scenarios! {
    fn a_rerun_that_nobody_told_of_is_found_by_a_look(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc > app"));
        w.fail("vpc");
        w.delivery = Delivery::Lost;
        w.rerun("vpc");
        assert_eq!(w.status("opened", "vpc"), Status::Failed);
        let command = w.resync(Some(w.run_id("opened")), None);
        assert_eq!(w.outcome_of(&command), "done");
        assert_eq!(w.status("opened", "vpc"), Status::Queued);
        w.delivery = Delivery::Now;
        w.finish_all();
        w.assert_dispatched("plan:vpc plan:app");
    }

    fn a_rerun_that_nobody_told_of_is_found_within_minutes(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc > app"));
        w.fail("vpc");
        w.delivery = Delivery::Lost;
        w.rerun("vpc");
        w.finish("vpc");
        w.pass(320);
        w.delivery = Delivery::Now;
        w.settle();
        w.finish_all();
        w.assert_dispatched("plan:vpc plan:app");
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn a_conclusion_that_nobody_told_of_is_found_at_once(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc > app"));
        w.delivery = Delivery::Lost;
        w.finish("vpc");
        let command = w.resync(None, None);
        assert_eq!(w.outcome_of(&command), "done");
        w.assert_dispatched("plan:vpc plan:app");
        w.delivery = Delivery::Now;
        w.finish_all();
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn a_merge_that_nobody_told_of_is_found_by_its_pull_request(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc"));
        w.fail("vpc");
        w.pass(60);
        w.delivery = Delivery::Lost;
        w.merge(7);
        let command = w.resync(None, Some(7));
        assert_eq!(w.outcome_of(&command), "done");
        assert_eq!(w.runs(), "opened superseded");
        w.delivery = Delivery::Now;
    }

    fn a_parked_upload_is_looked_up_at_once(w) {
        w.delivery = Delivery::Lost;
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc"));
        assert!(w.repository().runs.is_empty());
        let command = w.resync(None, None);
        assert_eq!(w.outcome_of(&command), "done");
        w.assert_dispatched("plan:vpc");
        w.delivery = Delivery::Now;
        w.finish_all();
    }

    fn a_look_at_what_is_not_there_is_refused(w) {
        w.open_pull(7, "aaa");
        let ask = Ask::Resync { run: Some("nowhere".into()), pull_request: None };
        assert!(w.check_ask(&ask).unwrap_err().is_unknown());
        let command = w.command(&ask);
        assert_eq!(w.outcome_of(&command), "unknown-run");
    }
}
