//! What differs between two runs.

use crate::{
    incident::incident,
    world::{ACME, World, graph, graph_with},
};
use jiff::SignedDuration;
use stackwave_domain::workflow::Conclusion;
use stackwave_replay::{Change, Depth, Player, Side, Story, Wanted, diff};

async fn stories(world: &World) -> Vec<Story> {
    let mut runs: Vec<_> = world.repository().runs.values().collect();
    runs.sort_by_key(|run| run.opened.1);
    let mut stories = Vec::new();
    for run in runs {
        let recording = world.collect(Wanted::Run(run.id.clone()), Depth::Near).await.unwrap();
        stories.push(Story::of(&mut Player::new(&recording).unwrap(), None).unwrap());
    }
    stories
}

#[tokio::test]
async fn a_run_does_not_differ_from_itself() {
    let stories = stories(&incident().await).await;
    let same = diff(&stories[1], &stories[1], SignedDuration::ZERO);
    assert_eq!(same.changes, []);
    assert!(same.to_string().ends_with("do not differ\n"));
}

#[tokio::test]
async fn stacks_edges_statuses_and_timings_that_differ_are_told() {
    let stories = stories(&incident().await).await;
    let found = diff(&stories[0], &stories[1], SignedDuration::from_secs(60));
    let has = |wanted: &Change| found.changes.contains(wanted);
    assert!(has(&Change::Stack { stack: "cache/dev".to_owned(), only_in: Side::B }), "{found}");
    assert!(
        has(&Change::Timing {
            stack: "rds/dev".to_owned(),
            step: "start_to_end",
            a_s: Some(301),
            b_s: Some(501)
        }),
        "{found}"
    );
    assert!(!found.changes.iter().any(|change| matches!(change, Change::Edge { .. })), "{found}");
    let text = found.to_string();
    assert!(
        text.contains("+ cache/dev\n") && text.contains("rds/dev: start to end: 5 min → 8 min"),
        "{text}"
    );
}

#[tokio::test]
async fn edges_inputs_and_decisions_that_differ_are_told() {
    let mut world = World::new().await;
    for (head, action, fragment) in [
        ("aaaaaaa", "opened", graph("vpc > eks; dns")),
        ("bbbbbbb", "synchronize", graph_with("vpc; eks; dns", &[("size", "2")])),
    ] {
        world.pull(ACME, 7, action, head).await;
        world.upload(ACME, head, fragment).await;
        world.dispatch().await;
        world.run_for("vpc", 5, Conclusion::Success).await;
    }
    let stories = stories(&world).await;
    let found = diff(&stories[0], &stories[1], SignedDuration::from_secs(60));
    let edge = Change::Edge { parent: "vpc/dev".to_owned(), child: "eks/dev".to_owned(), only_in: Side::A };
    assert!(found.changes.contains(&edge), "{found}");
    let input = Change::Settings {
        stack: "vpc/dev".to_owned(),
        field: "input size of plan.yaml".to_owned(),
        a: None,
        b: Some("2".to_owned()),
    };
    assert!(found.changes.contains(&input), "{found}");
    let decisions = found.changes.iter().filter(|change| matches!(change, Change::Decision { .. }));
    assert!(decisions.count() > 0, "eks went at once in the second: {found}");
}
