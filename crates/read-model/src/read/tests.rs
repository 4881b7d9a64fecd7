//! How SQLite finds the rows of each combination of filters: by an index, from the top down, and without sorting.

use super::keys::{Key, Merge};
use crate::{
    query::{PullsQuery, RunsQuery, StacksQuery},
    tests::model::Model,
    world::{World, graph::Graph},
};
use stackwave_domain::{PrNumber, WorkspaceId};
use stackwave_engine::view::{RunPhase, Status};

fn model() -> Model {
    let mut world = World::new();
    world.open_pull(7, "aaa");
    world.upload("aaa", &Graph::of("vpc > app"));
    world.finish("vpc");
    let mut model = Model::new();
    model.project(&world.log, 3, false);
    model
}

fn assert_by_index(model: &Model, ranges: &Merge, what: &impl std::fmt::Debug) {
    assert!(!ranges.ranges().is_empty(), "{what:?} is found by nothing");
    for range in ranges.ranges() {
        for line in range.plan(&model.tables) {
            let by_order =
                line.starts_with("SEARCH") || line.contains("USING PRIMARY KEY") || line == "SCAN runs";
            assert!(by_order && !line.contains("TEMP B-TREE"), "{what:?}: {line}");
        }
    }
}

/// Every subset of some filters.
fn subsets<Q: Default + Clone>(filters: &[fn(&mut Q)]) -> Vec<Q> {
    let subset = |bits: usize| {
        let mut query = Q::default();
        let set = filters.iter().enumerate().filter(|(index, _)| bits & (1 << index) != 0);
        set.for_each(|(_, filter)| filter(&mut query));
        query
    };
    (0..1 << filters.len()).map(subset).collect()
}

#[test]
fn runs_are_found_by_an_index_by_any_combination() {
    let model = model();
    let filters: &[fn(&mut RunsQuery)] = &[
        |query| query.repository = Some(crate::world::REPOSITORY),
        |query| query.pull_request = Some(PrNumber(7)),
        |query| query.status = Some(RunPhase::Running),
        |query| query.workspace = Some(WorkspaceId::default_workspace()),
        |query| query.opened_after = Some("2026-01-01T00:00:00Z".parse().unwrap()),
    ];
    let reader = model.reader();
    for query in subsets(filters) {
        let ranges = Merge::new(reader.run_ranges(&query, Key::TOP, 50).unwrap());
        assert_by_index(&model, &ranges, &query);
        let found = ranges_of(ranges, &model);
        assert_eq!(found, 1, "{query:?}");
    }
}

fn ranges_of(mut ranges: Merge, model: &Model) -> usize {
    ranges.take(&model.tables, 10).unwrap().len()
}

#[test]
fn stacks_are_found_by_an_index_by_any_combination() {
    let model = model();
    let filters: &[fn(&mut StacksQuery)] = &[
        |query| query.repository = Some(crate::world::REPOSITORY),
        |query| query.component = Some("app".into()),
        |query| query.stack = Some("dev".into()),
        |query| query.status = Some(Status::Queued),
        |query| query.latest_only = true,
    ];
    let reader = model.reader();
    for query in subsets(filters) {
        let filter = reader.stack_filter(&query).unwrap().unwrap();
        let ranges = reader.stack_ranges(&query, &filter, Key::TOP, 50).unwrap();
        assert_by_index(&model, &ranges, &query);
        let wanted = if query.component.is_some() || query.status.is_some() { 1 } else { 2 };
        assert_eq!(ranges_of(ranges, &model), wanted, "{query:?}");
    }
}

#[test]
fn pull_requests_are_found_by_an_index_by_any_combination() {
    let model = model();
    let filters: &[fn(&mut PullsQuery)] =
        &[|query| query.repository = Some(crate::world::REPOSITORY), |query| query.open_only = true];
    for query in subsets(filters) {
        for number in [None, Some(7)] {
            let ranges = Merge::new(super::pulls::pull_ranges(&query, number, Key::TOP, 50));
            assert_by_index(&model, &ranges, &query);
            assert_eq!(ranges_of(ranges, &model), 1, "{query:?}");
        }
    }
}
