//! Which events are printed.

use super::index::Index;
use crate::cli::Filter;
use anyhow::{Context as _, bail};
use stackwave_domain::{
    Entry, Event, Position, PrNumber, RepositoryId, RepositoryName, RunId, StackKey, StreamId,
};

/// The filters of the command line, with the repository looked up.
pub(super) struct Selection {
    repository: Option<Wanted>,
    pr: Option<PrNumber>,
    run: Option<RunId>,
    stack: Option<String>,
    from: Option<Position>,
}

/// A repository.
struct Wanted {
    id: RepositoryId,
    name: Option<RepositoryName>,
}

impl Selection {
    /// Looks up the repository in a log that was indexed.
    pub(super) fn new(filter: &Filter, index: &Index) -> anyhow::Result<Self> {
        Ok(Self {
            repository: filter.repository.as_deref().map(|text| wanted(text, index)).transpose()?,
            pr: filter.pr,
            run: filter.run.clone(),
            stack: filter.stack.clone(),
            from: filter.from,
        })
    }

    /// Whether all lines are about one repository.
    pub(super) const fn names_repository(&self) -> bool {
        self.repository.is_some()
    }

    /// Whether records have to be whole to be told apart.
    pub(super) const fn looks_inside(&self) -> bool {
        self.stack.is_some()
    }

    /// Whether any event of a record may be printed.
    pub(super) fn admits(&self, entry: &Entry) -> bool {
        match (self.from, entry.subject.stream()) {
            (None, _) => true,
            (Some(from), StreamId::Partition(_)) => entry.position >= from,
            (Some(_), StreamId::Config) => false,
        }
    }

    /// Whether an event of it is printed.
    pub(super) fn holds(&self, index: &Index, entry: &Entry, event: &Event) -> bool {
        if self.repository.as_ref().is_some_and(|wanted| !wanted.is_named_by(entry, event)) {
            return false;
        }
        if self.pr.is_none() && self.run.is_none() && self.stack.is_none() {
            return true;
        }
        let about = index.links(entry.subject.repository()).about(event);
        self.pr.is_none_or(|number| about.pulls.contains(&number))
            && self.run.as_ref().is_none_or(|run| about.runs.contains(run))
            && self.stack.as_ref().is_none_or(|name| about.stacks.iter().any(|key| is_called(key, name)))
    }
}

impl Wanted {
    fn is_named_by(&self, entry: &Entry, event: &Event) -> bool {
        if entry.subject.repository().is_some() {
            return entry.subject.repository() == Some(self.id);
        }
        match event {
            Event::RepositoryRegistered(registered) => registered.repository == self.id,
            Event::PendingUploadResolved(resolved) => resolved.repository == Some(self.id),
            Event::InstallationObserved(installation) => {
                installation.repositories.iter().any(|one| one.id == self.id)
            }
            Event::InstallationRepositoriesObserved(change) => {
                change.added.iter().chain(&change.removed).any(|one| one.id == self.id)
            }
            Event::UploadReceived(upload) => {
                self.name.as_ref().is_some_and(|name| name.key() == upload.repository.key())
            }
            _ => false,
        }
    }
}

fn wanted(text: &str, index: &Index) -> anyhow::Result<Wanted> {
    let config = index.config();
    if let Ok(id) = text.parse::<RepositoryId>() {
        if !index.knows(id) {
            bail!("the log holds nothing about the repository {id}");
        }
        return Ok(Wanted { id, name: config.repository(id).map(|known| known.name.clone()) });
    }
    let (owner, name) =
        text.split_once('/').with_context(|| format!("`{text}` is neither OWNER/NAME nor a number"))?;
    match config.find_repository(&RepositoryName::new(owner, name)) {
        Some(known) => Ok(Wanted { id: known.id, name: Some(known.name.clone()) }),
        None => {
            let known: Vec<String> = config.repositories().map(|known| known.name.to_string()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            bail!("the log knows no repository `{text}`; it knows {known}")
        }
    }
}

/// `component/stack` or `component@stack`; both may hold either separator.
fn is_called(key: &StackKey, name: &str) -> bool {
    let rest = name.strip_prefix(key.component.as_str());
    let stack = rest.and_then(|rest| rest.strip_prefix(['/', '@']));
    stack == Some(key.stack.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_is_known_by_both_of_its_spellings_whatever_its_names_hold() {
        let key = StackKey::new("plat-ue2-prod", "eks/cluster");
        for name in ["eks/cluster/plat-ue2-prod", "eks/cluster@plat-ue2-prod"] {
            assert!(is_called(&key, name), "{name}");
        }
        for name in ["eks/cluster", "eks/cluster/", "cluster/plat-ue2-prod", "eks/cluster-plat-ue2-prod"] {
            assert!(!is_called(&key, name), "{name}");
        }
    }
}
