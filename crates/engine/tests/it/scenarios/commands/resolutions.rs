//! "That did happen", "that did not".

use super::super::scenarios;
use crate::world::{
    Delivery, World,
    github::{Reply, Titles},
    graph::{Graph, key},
};
use stackwave_domain::{
    DispatchId, WorkflowRunId,
    event::{FoundBy, Resolution},
};
use stackwave_engine::{command::Ask, view::Status};

/// Two dispatches whose answers were lost, and nothing that tells their runs apart.
fn undecidable(w: &mut World, db: Reply, dns: Reply) {
    w.github.titles = Titles::Alike;
    w.declares = Some(std::collections::BTreeSet::new());
    w.open_pull(7, "aaa");
    w.github.replies.entry("db".to_owned()).or_default().push_back(db);
    w.github.replies.entry("dns".to_owned()).or_default().push_back(dns);
    w.upload("aaa", &Graph::of("vpc > db, dns; db > app"));
    w.delivery = Delivery::Lost;
    w.finish("vpc");
    w.pass(30);
    w.pass(120);
    w.delivery = Delivery::Now;
    for stack in ["db", "dns"] {
        assert_eq!(w.status("opened", stack), Status::Undecidable, "{}", w.reason("opened", stack));
    }
    w.cut_from = w.log.len();
}

fn dispatch(w: &World, stack: &str) -> DispatchId {
    let run = w.run("opened");
    run.stacks[run.find(&key(stack)).unwrap()].calls[0].dispatch.clone()
}

scenarios! {
    fn a_person_says_which_run_it_is(w) {
        undecidable(w, Reply::AcceptUnheard, Reply::AcceptUnheard);
        assert_eq!(w.status("opened", "app"), Status::Blocked);
        assert_eq!(w.reason("opened", "app"), "db/dev is undecidable");
        let (db, run) = (dispatch(w, "db"), w.workflow_run("db"));
        let command = w.resolve(&db, Some(run));
        assert_eq!(w.outcome_of(&command), "done");
        let found = &w.repository().dispatches[&db];
        assert_eq!((found.workflow_run, found.found_by), (Some(run), Some(FoundBy::Person)));
        // The other one is the only one left.
        w.pass(30);
        assert_eq!(w.repository().dispatches[&dispatch(w, "dns")].workflow_run, Some(w.workflow_run("dns")));
        w.finish_all();
        w.assert_dispatched("plan:vpc plan:db plan:dns plan:app");
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn a_person_says_that_it_did_not_happen(w) {
        undecidable(w, Reply::LoseRequest, Reply::AcceptUnheard);
        let db = dispatch(w, "db");
        let command = w.resolve(&db, None);
        assert_eq!(w.outcome_of(&command), "done");
        let sent = &w.repository().dispatches[&db];
        assert!(sent.epoch.0 >= 2, "{sent:?}");
        if w.status("opened", "db") == Status::Undecidable {
            // The answer of the second request was lost as well, with the process.
            let run = w.workflow_run("db");
            let command = w.resolve(&db, Some(run));
            assert_eq!(w.outcome_of(&command), "done");
        }
        w.pass(30);
        w.finish_all();
        w.assert_dispatched("plan:vpc plan:dns plan:db plan:app");
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn a_run_that_is_another_s_is_refused(w) {
        undecidable(w, Reply::AcceptUnheard, Reply::AcceptUnheard);
        let (db, vpc) = (dispatch(w, "db"), w.workflow_run("vpc"));
        let command = w.resolve(&db, Some(vpc));
        assert_eq!(w.outcome_of(&command), "other-workflow-run");
        let nowhere = w.resolve(&db, Some(WorkflowRunId(1)));
        assert_eq!(w.outcome_of(&nowhere), "GitHub does not know the workflow run 1");
        let run = w.workflow_run("db");
        let command = w.resolve(&db, Some(run));
        assert_eq!(w.outcome_of(&command), "done");
        w.pass(30);
        w.finish_all();
    }

    fn what_is_decided_is_not_resolved(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc"));
        let vpc = dispatch(w, "vpc");
        let command = w.resolve(&vpc, None);
        assert_eq!(w.outcome_of(&command), "decided");
        let ask = Ask::Resolve { dispatch: DispatchId::new("swd_none"), outcome: Resolution::NotHappened };
        assert!(w.check_ask(&ask).unwrap_err().is_unknown());
        w.assert_dispatched("plan:vpc");
        w.finish_all();
    }

    fn an_undecidable_stack_is_resolved_before_it_is_retried_or_cancelled(w) {
        undecidable(w, Reply::AcceptUnheard, Reply::AcceptUnheard);
        let run = w.run_id("opened");
        let retry = Ask::Retry { run: run.clone(), key: Some(key("db")) };
        assert_eq!(w.check_ask(&retry).unwrap_err().code.as_str(), "undecidable");
        let cancel = Ask::Cancel { run, key: Some(key("db")), force: false };
        assert_eq!(w.check_ask(&cancel).unwrap_err().code.as_str(), "undecidable");
        let db = dispatch(w, "db");
        let run = w.workflow_run("db");
        w.resolve(&db, Some(run));
        w.pass(30);
        w.fail("db");
        w.retry("opened", "db");
        w.finish_all();
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn in_a_cancelled_run_it_is_taken_back(w) {
        undecidable(w, Reply::LoseRequest, Reply::AcceptUnheard);
        w.cancel_by_hand("opened", "", false);
        let db = dispatch(w, "db");
        let command = w.resolve(&db, None);
        assert_eq!(w.outcome_of(&command), "done");
        assert!(w.repository().dispatches[&db].is_withdrawn());
        w.pass(30);
        assert_eq!(w.status("opened", "dns"), Status::Cancelled);
        w.assert_dispatched("plan:vpc plan:dns");
    }
}
