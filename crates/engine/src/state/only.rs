//! One repository of a state, for who shows it apart from its partition.

use super::State;
use stackwave_domain::RepositoryId;

impl State {
    /// The state as it is with one repository alone: what any other was told is gone.
    #[must_use]
    pub fn only(mut self, repository: RepositoryId) -> Self {
        self.repositories.retain(|id, _| *id == repository);
        self.changed.retain(|_, id| *id == repository);
        self
    }
}
