//! A repository as people name it.

use anyhow::{Context as _, bail};
use stackwave_domain::{RepositoryId, RepositoryName};
use stackwave_engine::Config;

/// The repository that `OWNER/NAME` or GitHub's number means. A number need not be known to the configuration.
pub(crate) fn repository_named(text: &str, config: &Config) -> anyhow::Result<RepositoryId> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let (owner, name) =
        text.split_once('/').with_context(|| format!("`{text}` is neither OWNER/NAME nor a number"))?;
    match config.find_repository(&RepositoryName::new(owner, name)) {
        Some(known) => Ok(known.id),
        None => {
            let known: Vec<String> = config.repositories().map(|known| known.name.to_string()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            bail!("the log knows no repository `{text}`; it knows {known}")
        }
    }
}
