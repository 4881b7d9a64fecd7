//! An installation may name thousands of repositories, more than fit into one record.

use stackwave_domain::Event;

/// Repositories in one event; each takes about 100 bytes.
const MAX_REPOSITORIES: usize = 2_000;

/// The event in parts that each fit into a record. Folding the parts gives what the whole would give.
pub(crate) fn split(event: Event) -> Vec<Event> {
    match event {
        Event::InstallationObserved(mut observed) => {
            let mut parts = Vec::new();
            while observed.repositories.len() > MAX_REPOSITORIES {
                let rest = observed.repositories.split_off(MAX_REPOSITORIES);
                parts.push(observed.clone().into());
                observed.repositories = rest;
            }
            parts.push(observed.into());
            parts
        }
        Event::InstallationRepositoriesObserved(mut observed) => {
            let mut parts = Vec::new();
            while observed.added.len() > MAX_REPOSITORIES || observed.removed.len() > MAX_REPOSITORIES {
                let rest = |list: &mut Vec<_>| list.split_off(list.len().min(MAX_REPOSITORIES));
                let (added, removed) = (rest(&mut observed.added), rest(&mut observed.removed));
                parts.push(observed.clone().into());
                (observed.added, observed.removed) = (added, removed);
            }
            parts.push(observed.into());
            parts
        }
        other => vec![other],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stackwave_domain::{
        DeliveryId, InstallationId, RepositoryId, RepositoryName,
        event::{InstallationObserved, InstallationRepositoriesObserved, RepositoryRef, Source},
    };

    fn repositories(count: u64) -> Vec<RepositoryRef> {
        let one = |id| RepositoryRef {
            id: RepositoryId(id),
            name: RepositoryName::new("acme", format!("r{id}")),
            default_branch: None,
        };
        (0..count).map(one).collect()
    }

    fn source() -> Source {
        Source::Webhook { delivery: DeliveryId::new("d") }
    }

    #[test]
    fn every_repository_is_in_exactly_one_part() {
        let observed = InstallationObserved {
            source: source(),
            action: "created".to_owned(),
            installation: InstallationId(1),
            account: "acme".to_owned(),
            repositories: repositories(4_500),
        };
        let parts = split(observed.clone().into());
        assert_eq!(parts.len(), 3);
        let united: Vec<RepositoryRef> = parts
            .into_iter()
            .flat_map(|part| match part {
                Event::InstallationObserved(part) => part.repositories,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(united, observed.repositories);
    }

    #[test]
    fn gains_and_losses_are_split_side_by_side() {
        let observed = InstallationRepositoriesObserved {
            source: source(),
            installation: InstallationId(1),
            added: repositories(10),
            removed: repositories(2_001),
        };
        let sizes: Vec<(usize, usize)> = split(observed.into())
            .into_iter()
            .map(|part| match part {
                Event::InstallationRepositoriesObserved(part) => (part.added.len(), part.removed.len()),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(sizes, [(10, 2_000), (0, 1)]);
    }
}
