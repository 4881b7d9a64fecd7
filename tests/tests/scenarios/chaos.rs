//! Everything goes wrong at once, by a seed: webhooks are lost, late, repeated and overtaken, GitHub fails before and
//! after it accepts, lists late and limits, and the process is killed again and again. In the end everything has run once
//! and in order.
//!
//! `STACKWAVE_CHAOS_SEEDS=100-120` tries other seeds than the usual ones.

use futures::future::join_all;
use stackwave_e2e::{Setup, Shape, World};
use stackwave_github_sim::{DispatchPhase, Endpoint, Failure, HttpFault, ListingFault, Then, WebhookFaults};
use stackwave_testkit::stacks::Stacks;
use std::{env, time::Duration};

const STACKS: &str = "vpc -> a b c d e; a b -> app; c -> web; app web -> cdn; dns -> web";
const COUNT: usize = 10;
const SEEDS: [u64; 3] = [7, 21, 42];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_on_sqlite_runs_everything_once_and_in_order() {
    for few in seeds().chunks(4) {
        join_all(few.iter().map(|seed| chaos(Shape::Sqlite, ["dispatcher"; 3], *seed))).await;
    }
}

/// The dispatcher's death has its own tests: its claims are taken over 30 s later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_for_each_role_on_jetstream_runs_everything_once_and_in_order() {
    if !Shape::Apart.is_possible() {
        return;
    }
    let roles = ["orchestrator", "webhook-receiver", "commenter"];
    for seed in seeds().into_iter().skip(2) {
        chaos(Shape::Apart, roles, seed).await;
    }
}

fn seeds() -> Vec<u64> {
    let Ok(range) = env::var("STACKWAVE_CHAOS_SEEDS") else { return SEEDS.to_vec() };
    let (from, to) = range.split_once('-').expect("a range such as 100-120");
    (from.parse().unwrap()..=to.parse().unwrap()).collect()
}

async fn chaos(shape: Shape, roles: [&'static str; 3], seed: u64) {
    let mut dice = Dice(seed);
    let patience = Duration::from_secs(240);
    let world = Setup::new(shape).seed(seed).patience(patience).with_refusals().start().await;
    disturb(&world);
    let pull = world.open_pull_request();
    let body = Stacks::of(STACKS).upload(&pull.head, &pull.base);
    let mut left = COUNT as u64;
    let mut dead = None;
    for role in roles {
        let phases = [DispatchPhase::BeforeAccept, DispatchPhase::AfterAccept, DispatchPhase::BeforeAnswer];
        let thens = [Then::Proceed, Then::Fail(Failure::Reset)];
        let nth = 1 + dice.below(left / 3);
        left -= nth.min(left - 3);
        let (phase, then) = (phases[dice.below(3) as usize], thens[dice.below(2) as usize].clone());
        let killed = world.kill_in_dispatch(role, nth, phase, then);
        match dead {
            None => drop(world.upload(body.clone()).await),
            Some(role) => world.start_again(role).await,
        }
        dead = Some(role);
        if !killed.happened_or(world.is_succeeded(pull.number, "opened")).await {
            break;
        }
    }
    if let Some(role) = dead {
        world.kill(role).await;
        world.start_again(role).await;
    }
    world.until_succeeded(pull.number, "opened").await;
    assert_eq!(world.accepted("tf-plan.yaml").len(), COUNT, "with seed {seed}");
    world.github.heal();
    world.finish().await;
}

fn disturb(world: &World) {
    world.github.disturb_webhooks(WebhookFaults {
        lost: 0.05,
        late: 0.15,
        late_by: Duration::from_millis(300),
        repeated: 0.15,
        overtaken: 0.15,
    });
    world.github.always_list_late(Some(ListingFault::After(Duration::from_millis(700))));
    let failures = [Failure::status(500), Failure::status(504), Failure::Reset, Failure::secondary_limit(1)];
    for failure in failures {
        let fault = HttpFault::at(Endpoint::Dispatch, failure.clone()).until_healed().chance(0.06);
        world.github.fail(fault.clone());
        // A limit is told before anything is done.
        if failure != Failure::secondary_limit(1) {
            world.github.fail(fault.after_accept());
        }
    }
    for endpoint in [Endpoint::WorkflowRuns, Endpoint::Runs, Endpoint::UpdateComment, Endpoint::Contents] {
        world.github.fail(HttpFault::at(endpoint, Failure::status(502)).until_healed().chance(0.1));
    }
}

/// A small generator (splitmix64): the same seed gives the same kills.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit.max(1)
    }
}
