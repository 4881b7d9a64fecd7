//! GitHub promises no order, and delivers again: every order of a life's webhooks, and every repeat, comes to one end.

use crate::world::{Delivery, World, graph::Graph};
use stackwave_domain::Event;
use stackwave_engine::view::Status;

type Webhook = (String, Event);

fn orders(webhooks: &[Webhook]) -> Vec<Vec<Webhook>> {
    if webhooks.len() < 2 {
        return vec![webhooks.to_vec()];
    }
    let mut all = Vec::new();
    for first in 0..webhooks.len() {
        let mut rest = webhooks.to_vec();
        let first = rest.remove(first);
        for mut order in orders(&rest) {
            order.insert(0, first.clone());
            all.push(order);
        }
    }
    all
}

/// Every order, and every order with each of its webhooks once more at each later place.
fn orders_and_repeats(webhooks: &[Webhook]) -> Vec<Vec<Webhook>> {
    let mut all = Vec::new();
    for order in orders(webhooks) {
        for which in 0..order.len() {
            for place in which + 1..=order.len() {
                let mut repeated = order.clone();
                repeated.insert(place, order[which].clone());
                all.push(repeated);
            }
        }
        all.push(order);
    }
    all
}

/// Runs a life with its webhooks held, and gives them back.
fn webhooks_of(before: fn(&mut World), life: fn(&mut World)) -> Vec<Webhook> {
    let mut world = World::new();
    before(&mut world);
    world.delivery = Delivery::Held;
    life(&mut world);
    std::mem::take(&mut world.github.outbox)
}

/// The world after a life whose webhooks came in another order.
fn deliver(before: fn(&mut World), life: fn(&mut World), order: Vec<Webhook>) -> World {
    let mut world = World::new();
    before(&mut world);
    world.delivery = Delivery::Lost;
    life(&mut world);
    world.delivery = Delivery::Now;
    for (event, content) in order {
        world.deliver(&event, content);
        world.settle();
    }
    world
}

fn nothing(_: &mut World) {}

#[test]
fn a_pull_request_that_was_opened_pushed_and_merged() {
    let life: fn(&mut World) = |w| {
        w.open_pull(7, "aaa");
        w.push(7, "bbb");
        w.act_on_pull(7, "labeled");
        w.merge(7);
    };
    for order in orders_and_repeats(&webhooks_of(nothing, life)) {
        let mut w = deliver(nothing, life, order);
        w.upload("bbb", &Graph::of("vpc"));
        w.assert_dispatched("apply:vpc");
        w.finish_all();
        assert_eq!(w.runs(), "merged succeeded");
        w.end();
    }
}

#[test]
fn a_pull_request_that_was_planned_before_each_webhook_is_planned_once_a_head() {
    let life: fn(&mut World) = |w| {
        w.open_pull(7, "aaa");
        w.push(7, "bbb");
        w.push(7, "ccc");
    };
    for order in orders_and_repeats(&webhooks_of(nothing, life)) {
        let upload: fn(&mut World) = |w| {
            for head in ["aaa", "bbb", "ccc"] {
                w.upload(head, &Graph::of("vpc"));
            }
        };
        let mut w = deliver(upload, life, order);
        assert_eq!(w.run("synchronize").head_sha.as_str(), "ccc");
        w.finish_all();
        let heads: Vec<&str> = w.repository().runs.values().map(|run| run.head_sha.as_str()).collect();
        let mut once = heads.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(heads.len(), once.len(), "a head was planned twice: {}", w.runs());
        assert!(w.runs().ends_with("synchronize succeeded"));
        w.end();
    }
}

#[test]
fn a_pull_request_that_was_closed_and_reopened() {
    let life: fn(&mut World) = |w| {
        w.open_pull(7, "aaa");
        w.close(7);
        w.reopen(7);
    };
    for order in orders_and_repeats(&webhooks_of(nothing, life)) {
        let upload: fn(&mut World) = |w| w.upload("aaa", &Graph::of("vpc"));
        let mut w = deliver(upload, life, order);
        w.finish_all();
        assert!(w.runs().ends_with("reopened succeeded"), "{}", w.runs());
        assert!(w.repository().pulls.values().all(|pull| pull.open));
        w.end();
    }
}

fn dispatched(w: &mut World) {
    w.open_pull(7, "aaa");
    w.upload("aaa", &Graph::of("vpc > app"));
}

#[test]
fn a_workflow_run_that_was_started_and_failed() {
    let life: fn(&mut World) = |w| {
        w.start("vpc");
        w.fail("vpc");
    };
    for order in orders_and_repeats(&webhooks_of(dispatched, life)) {
        let w = deliver(dispatched, life, order);
        assert_eq!(w.status("opened", "vpc"), Status::Failed);
        w.assert_dispatched("plan:vpc");
        w.end();
    }
}

#[test]
fn a_workflow_run_that_failed_and_was_run_again() {
    let life: fn(&mut World) = |w| {
        w.start("vpc");
        w.fail("vpc");
        w.rerun("vpc");
        w.finish("vpc");
    };
    for order in orders_and_repeats(&webhooks_of(dispatched, life)) {
        let w = deliver(dispatched, life, order);
        assert_eq!(w.status("opened", "vpc"), Status::Succeeded);
        w.assert_dispatched("plan:vpc plan:app");
        w.end();
    }
}

#[test]
fn a_workflow_run_whose_states_all_fall_into_one_second() {
    let before: fn(&mut World) = |w| {
        dispatched(w);
        w.same_second = true;
    };
    let life: fn(&mut World) = |w| {
        w.start("vpc");
        w.finish("vpc");
    };
    for order in orders_and_repeats(&webhooks_of(before, life)) {
        let w = deliver(before, life, order);
        assert_eq!(w.status("opened", "vpc"), Status::Succeeded);
        w.end();
    }
}
