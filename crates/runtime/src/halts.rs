//! A repository on which this process does not act any more is told once, in its log.

use crate::config_view::ConfigView;
use stackwave_domain::{Position, RepositoryId};

/// A repository was halted by the record that was folded at this position, or was so before in the state that lies there.
pub(crate) fn tell(config: &ConfigView, position: Position, id: RepositoryId, why: &str) {
    // The configuration may not have told its name yet.
    let name = config.read(|config| config.repository(id).map(|known| known.name.to_string()));
    tracing::error!(
        repository = name.unwrap_or_else(|| id.to_string()),
        %position,
        why,
        "the repository is halted: this process does not act on it any more; upgrade to the version that wrote the \
         record"
    );
}
