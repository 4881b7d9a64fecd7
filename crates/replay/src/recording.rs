//! The records of one repository, with all that is needed to fold them.

use serde::{Deserialize, Serialize};
use stackwave_domain::{
    Digest, Entry, Position, PrNumber, RepositoryId, RepositoryName, RunId, record::HydrateError,
};
use stackwave_engine::State;
use std::collections::BTreeMap;

/// Records as they lie in the log, but for what is withheld; large contents apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// What it is about.
    pub about: About,
    /// The state before its first record; none when that is the repository's first.
    pub base: Option<State>,
    /// What the configuration says of the repository, in the order of its stream.
    pub config: Vec<Entry>,
    /// The records, in the order of the repository's stream.
    pub entries: Vec<Entry>,
    /// The contents to which records refer, by their digest.
    pub blobs: BTreeMap<Digest, String>,
}

/// What a recording is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// GitHub's id of the repository.
    pub repository: RepositoryId,
    /// Its name, where the configuration knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<RepositoryName>,
    /// The run that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The pull request that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<PrNumber>,
    /// The stream that the records lie in: `SW_00`.
    pub stream: String,
    /// Every record from here on is folded, the ones before are in the base or left out.
    pub from: Position,
    /// The last record.
    pub to: Position,
    /// The repository's records before `from` were left out, and no state stands for them: what they said is not known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// The version of the decisions of whoever collected it.
    pub engine: u32,
    /// So many texts that look like secrets are withheld.
    #[serde(default)]
    pub withheld: u64,
}

impl Recording {
    /// The records with their contents in place.
    ///
    /// # Errors
    /// A content is missing or cannot be read.
    pub fn hydrated(&self) -> Result<Vec<Entry>, HydrateError> {
        let mut entries = self.entries.clone();
        for entry in &mut entries {
            hydrate(entry, &self.blobs)?;
        }
        Ok(entries)
    }
}

/// Puts contents in their places.
pub(crate) fn hydrate(entry: &mut Entry, blobs: &BTreeMap<Digest, String>) -> Result<(), HydrateError> {
    entry.record.hydrate(|blob| blobs.get(&blob.digest).map(|text| text.clone().into_bytes()))
}
