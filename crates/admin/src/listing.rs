//! Finds runs in the folded partitions.

use crate::{
    convert,
    filter::Filter,
    page::{self, Place},
};
use stackwave_admin_proto::v1::{GetRunResponse, Run};
use stackwave_domain::{RepositoryId, RunId};
use stackwave_engine::{state::Run as RunState, view::run_view};
use stackwave_runtime::{ConfigView, PartitionView};
use std::cmp::Reverse;
use tonic::Status;

/// One run with everything about it.
pub(crate) fn find(partitions: &[PartitionView], id: &RunId) -> Option<GetRunResponse> {
    partitions.iter().find_map(|partition| {
        partition.read(|state| {
            let mut repositories = state.repositories();
            repositories.find_map(|repository| {
                let run = repository.runs.get(id)?;
                Some(convert::details(partition.stream(), repository, &run_view(repository, run)))
            })
        })
    })
}

/// A page of runs, and the token of the next one.
pub(crate) fn list(
    partitions: &[PartitionView],
    config: &ConfigView,
    filter: &Filter,
    after: Option<&Place>,
    size: usize,
) -> Result<(Vec<Run>, Option<String>), Status> {
    let repository = match &filter.repository {
        None => None,
        Some(name) => {
            let known = config.read(|config| config.find_repository(name).map(|known| known.id));
            Some(known.ok_or_else(|| Status::not_found(format!("the repository `{name}` is not known")))?)
        }
    };
    let mut candidates: Vec<Candidate<'_>> =
        partitions.iter().flat_map(|partition| candidates(partition, filter, repository)).collect();
    candidates.sort_by(|one, other| Reverse(&one.place).cmp(&Reverse(&other.place)));
    let candidates =
        candidates.into_iter().filter(|candidate| after.is_none_or(|last| candidate.place < *last));

    let mut runs: Vec<Run> = Vec::new();
    let mut last = None;
    for candidate in candidates {
        // Each in a turn of its own, so that folding never waits for a whole page.
        let Some(run) = candidate.run() else { continue };
        if filter.status.is_some_and(|status| run.status != i32::from(status)) {
            continue;
        }
        if runs.len() == size {
            return Ok((runs, last.map(|last| page::token(&last, filter))));
        }
        runs.push(run);
        last = Some(candidate.place);
    }
    Ok((runs, None))
}

/// A run that may be on the page.
struct Candidate<'a> {
    place: Place,
    repository: RepositoryId,
    partition: &'a PartitionView,
}

impl Candidate<'_> {
    /// None when it was forgotten meanwhile.
    fn run(&self) -> Option<Run> {
        self.partition.read(|state| {
            let repository = state.repository(self.repository)?;
            let run = repository.runs.get(&self.place.run)?;
            Some(convert::run(repository, &run_view(repository, run)))
        })
    }
}

fn candidates<'a>(
    partition: &'a PartitionView,
    filter: &Filter,
    wanted: Option<RepositoryId>,
) -> Vec<Candidate<'a>> {
    let may_match =
        |run: &RunState| filter.pull_request.is_none_or(|number| run.pull_request == Some(number));
    partition.read(|state| {
        let repositories =
            state.repositories().filter(|repository| wanted.is_none_or(|id| repository.id == id));
        repositories
            .flat_map(|repository| {
                let runs = repository.runs.values().filter(|run| may_match(run));
                runs.map(move |run| Candidate {
                    place: place(partition, run),
                    repository: repository.id,
                    partition,
                })
            })
            .collect()
    })
}

fn place(partition: &PartitionView, run: &RunState) -> Place {
    let (at, position) = run.opened;
    Place {
        opened_ms: at.as_millisecond(),
        partition: partition.stream().name(),
        position,
        run: run.id.clone(),
    }
}
