//! What lists say against what the state says.

use super::model::{Model, STREAM, all};
use crate::{
    query::{CommandsQuery, DispatchesQuery, PullsQuery, RunsQuery, StacksQuery, UploadsQuery},
    rows::{CommandRow, DispatchRow, PullRow, RunRow, StackRow, UploadRow},
    {dispatch_row, pull_row, run_row, stack_row},
};
use stackwave_engine::{State, state::RepositoryState, view::standing};

/// Everything that the lists say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lists {
    pub(crate) runs: Vec<RunRow>,
    pub(crate) stacks: Vec<StackRow>,
    pub(crate) pulls: Vec<PullRow>,
    pub(crate) dispatches: Vec<DispatchRow>,
    pub(crate) commands: Vec<CommandRow>,
    pub(crate) uploads: Vec<UploadRow>,
}

impl Lists {
    pub(crate) fn of(model: &Model) -> Self {
        let reader = model.reader();
        Self {
            runs: all(3, |page| reader.runs(&RunsQuery::default(), page).unwrap()),
            stacks: all(3, |page| reader.stacks(&StacksQuery::default(), page).unwrap()),
            pulls: all(3, |page| reader.pulls(&PullsQuery::default(), page).unwrap()),
            dispatches: all(3, |page| reader.dispatches(&DispatchesQuery::default(), page).unwrap()),
            commands: all(3, |page| reader.commands(&CommandsQuery::default(), page).unwrap()),
            uploads: all(3, |page| reader.uploads(&UploadsQuery::default(), page).unwrap()),
        }
    }
}

/// Compares every list with the state.
pub(crate) fn compare(model: &Model, state: &State) {
    let lists = Lists::of(model);
    for repository in state.repositories() {
        runs(&lists, repository);
        let mut pulls: Vec<PullRow> = repository
            .pulls
            .values()
            .map(|pull| counted(repository, pull_row(repository.id, pull)))
            .collect();
        pulls.sort_by_key(|pull| (std::cmp::Reverse(pull.updated_at), pull.number));
        let mut told = lists.pulls.clone();
        assert!(told.is_sorted_by_key(|pull| std::cmp::Reverse(pull.updated_at)));
        told.sort_by_key(|pull| (std::cmp::Reverse(pull.updated_at), pull.number));
        assert_eq!(told, pulls);
        dispatches(&lists, repository);
        commands(&lists, repository);
    }
}

fn counted(repository: &RepositoryState, mut pull: PullRow) -> PullRow {
    let runs = repository.runs_of_pull(pull.number);
    pull.run_count = u32::try_from(runs.len()).unwrap();
    pull.latest_run = runs.last().map(|run| run.id.clone());
    pull
}

fn runs(lists: &Lists, repository: &RepositoryState) {
    let mut runs: Vec<_> = repository.runs.values().collect();
    runs.sort_by_key(|run| std::cmp::Reverse(run.opened));
    let mut told = lists.runs.iter();
    let mut told_stacks = lists.stacks.iter();
    // Runs that one record opened may be listed in any order.
    for same in runs.chunk_by(|one, other| one.opened == other.opened) {
        for _ in same {
            let row = told.next().expect("a run is not listed");
            let run = repository.runs.get(&row.id).expect("a run is listed that there is not");
            assert!(same.iter().any(|it| it.id == run.id), "{} is listed at the wrong place", run.id);
            let view = standing(repository, run);
            assert_eq!(*row, run_row(STREAM, repository, &view));
            for (index, stack) in view.stacks.into_iter().enumerate() {
                let row = told_stacks.next().expect("a stack is not listed");
                assert_eq!(*row, stack_row(repository, run, index, stack), "in {}", run.id);
            }
        }
    }
    assert_eq!(told.next(), None);
    assert_eq!(told_stacks.next(), None);
}

fn dispatches(lists: &Lists, repository: &RepositoryState) {
    assert_eq!(lists.dispatches.len(), repository.dispatches.len());
    assert!(lists.dispatches.is_sorted_by_key(|row| std::cmp::Reverse((row.claimed_at, row.claim))));
    for row in &lists.dispatches {
        let dispatch = &repository.dispatches[&row.id];
        assert_eq!(*row, dispatch_row(STREAM, repository, dispatch));
    }
}

fn commands(lists: &Lists, repository: &RepositoryState) {
    assert_eq!(lists.commands.len(), repository.commands().count());
    for row in &lists.commands {
        let command = repository.command(&row.id).unwrap();
        assert_eq!((row.at, row.record), command.at);
        assert_eq!(row.status == crate::CommandStatus::Accepted, command.is_pending(), "{row:?}");
    }
}
