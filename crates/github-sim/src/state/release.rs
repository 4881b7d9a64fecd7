//! Releases.

use jiff::Timestamp;
use serde_json::json;

use super::{Draft, RepositoryId, Sha, State, User};
use crate::{
    error::{Error, Result},
    json::Json,
    shapes,
};

/// How a new release looks.
#[derive(Clone, Debug)]
pub struct NewRelease {
    /// Tag; it is made if it does not exist.
    pub tag: String,
    /// Branch or SHA that a new tag points to; `None`: the default branch.
    pub target: Option<String>,
    /// Whether it is a pre-release. Then `prereleased` is sent, not `released`.
    pub prerelease: bool,
}

impl NewRelease {
    /// A full release of the default branch under this tag.
    #[must_use]
    pub fn new(tag: &str) -> Self {
        Self { tag: tag.to_owned(), target: None, prerelease: false }
    }
}

/// A published release.
#[derive(Clone, Debug)]
pub struct Release {
    /// Its id.
    pub id: u64,
    /// Its tag.
    pub tag: String,
    /// The tag's commit.
    pub sha: Sha,
    /// Branch it was made from, GitHub's `target_commitish`.
    pub target: String,
    /// Whether it is a pre-release.
    pub prerelease: bool,
    /// Who published it.
    pub author: User,
    /// When.
    pub published_at: Timestamp,
}

impl State {
    pub(crate) fn publish_release(&mut self, id: RepositoryId, new: NewRelease) -> Result<Release> {
        let (release_id, published_at) = (300_000_000 + self.next(), self.now());
        let repository = self.known_repository_mut(id)?;
        let target = new.target.unwrap_or_else(|| repository.default_branch.clone());
        let wanted = if repository.tags.contains_key(&new.tag) { &new.tag } else { &target };
        let sha =
            repository.resolve(wanted).ok_or_else(|| Error::unknown(format!("ref `{wanted}`")))?.sha.clone();
        repository.tags.insert(new.tag.clone(), sha.clone());
        let release = Release {
            id: release_id,
            tag: new.tag,
            sha,
            target,
            prerelease: new.prerelease,
            author: User::person("octocat"),
            published_at,
        };
        repository.releases.push(release.clone());
        self.send_release(id, &release, "published");
        self.send_release(id, &release, if release.prerelease { "prereleased" } else { "released" });
        Ok(release)
    }

    fn send_release(&mut self, id: RepositoryId, release: &Release, action: &'static str) {
        let Some(repository) = self.repositories.get(&id) else { return };
        let rendered = shapes::release::release(&self.urls, repository, release);
        self.emit(Draft {
            event: "release",
            action: Some(action),
            repository: Some(id),
            subject: format!("release/{}", release.tag),
            sender: release.author.clone(),
            body: Json::from(json!({})).with("release", &rendered),
        });
    }
}
