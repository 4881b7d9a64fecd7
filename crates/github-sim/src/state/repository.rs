//! Repositories with their branches, commits and workflow files.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};

use jiff::Timestamp;

use super::{MergeGroup, PullNumber, PullRequest, Release, RepositoryId, Sha, State, User};
use crate::{shapes::repository::Rendered, workflow::Definition};

/// Files of a commit: path → text.
pub(crate) type Files = Arc<BTreeMap<String, Arc<str>>>;

/// How a new repository looks. The default is private, has the branch `main`, and the App is installed.
#[derive(Clone, Debug)]
pub struct NewRepository {
    /// `owner/name`.
    pub full_name: String,
    /// Its id; `None` takes one that follows from the seed and the number of repositories.
    pub id: Option<RepositoryId>,
    /// Name of the default branch.
    pub default_branch: String,
    /// Files of the first commit on the default branch, path → text.
    pub files: BTreeMap<String, String>,
    /// Installation that reaches it; `None`: the first one. See [`crate::Repo::revoke`] to take it away.
    pub installation: Option<u64>,
}

impl NewRepository {
    /// A repository of this full name, `owner/name`.
    #[must_use]
    pub fn new(full_name: &str) -> Self {
        Self {
            full_name: full_name.to_owned(),
            id: None,
            default_branch: "main".into(),
            files: BTreeMap::new(),
            installation: None,
        }
    }

    /// With this workflow, as `.github/workflows/<name>`.
    #[must_use]
    pub fn workflow(self, name: &str, yaml: &str) -> Self {
        let path = Workflow::path_of(name);
        self.file(&path, yaml)
    }

    /// With this file.
    #[must_use]
    pub fn file(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.to_owned(), text.to_owned());
        self
    }
}

impl From<&str> for NewRepository {
    fn from(full_name: &str) -> Self {
        Self::new(full_name)
    }
}

/// A repository.
#[derive(Debug)]
pub struct Repository {
    /// Numeric id.
    pub id: RepositoryId,
    /// Owner's login.
    pub owner: User,
    /// Name without the owner.
    pub name: String,
    /// Name of the default branch.
    pub default_branch: String,
    /// Branch → its tip.
    pub branches: BTreeMap<String, Sha>,
    /// Tag → its commit.
    pub tags: BTreeMap<String, Sha>,
    /// All commits.
    pub commits: BTreeMap<Sha, Commit>,
    /// All pull requests.
    pub pulls: BTreeMap<PullNumber, PullRequest>,
    /// Live merge groups by head SHA.
    pub merge_groups: BTreeMap<Sha, MergeGroup>,
    /// Published releases, oldest first.
    pub releases: Vec<Release>,
    /// Workflows that were on the default branch at some time, by path.
    pub workflows: BTreeMap<String, Workflow>,
    /// Issues and pull requests whose conversation is locked.
    pub locked: BTreeSet<u64>,
    /// The installation that reaches it, if any.
    pub installation: Option<u64>,
    /// When it was made.
    pub created_at: Timestamp,
    pub(crate) next_number: u64,
    pub(crate) rendered: OnceLock<Rendered>,
}

impl Repository {
    /// `owner/name`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.owner.login, self.name)
    }

    /// The commit that a branch name, tag name, full ref or SHA means.
    #[must_use]
    pub fn resolve(&self, reference: &str) -> Option<&Commit> {
        let sha = if let Some(branch) =
            reference.strip_prefix("refs/heads/").or_else(|| reference.strip_prefix("heads/"))
        {
            self.branches.get(branch)
        } else if let Some(tag) =
            reference.strip_prefix("refs/tags/").or_else(|| reference.strip_prefix("tags/"))
        {
            self.tags.get(tag)
        } else {
            self.branches.get(reference).or_else(|| self.tags.get(reference))
        };
        match sha {
            Some(sha) => self.commits.get(sha),
            None => self.commits.get(reference),
        }
    }

    /// Tip of the default branch.
    #[must_use]
    pub fn default_tip(&self) -> &Commit {
        &self.commits[&self.branches[&self.default_branch]]
    }

    /// The workflow that a number or a file name means, if its file is on the default branch.
    #[must_use]
    pub fn workflow(&self, id_or_file: &str) -> Option<&Workflow> {
        let path = Workflow::path_of(id_or_file);
        self.workflows
            .values()
            .find(|workflow| workflow.path == path || workflow.id.to_string() == id_or_file)
            .filter(|workflow| self.default_tip().files.contains_key(&workflow.path))
    }

    pub(crate) fn describe(&self) -> String {
        format!("`{}`", self.full_name())
    }
}

/// A commit.
#[derive(Clone, Debug)]
pub struct Commit {
    /// Its hash.
    pub sha: Sha,
    /// Its message.
    pub message: String,
    /// Who made it.
    pub author: User,
    /// When.
    pub at: Timestamp,
    /// Hashes of its parents.
    pub parents: Vec<Sha>,
    pub(crate) files: Files,
}

impl Commit {
    /// Text of the file at this path.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(AsRef::as_ref)
    }
}

/// A workflow as GitHub registers it: once its file is on the default branch.
#[derive(Clone, Debug)]
pub struct Workflow {
    /// Numeric id.
    pub id: u64,
    /// Path of its file.
    pub path: String,
    /// Its `name:`, else the path.
    pub name: String,
    /// False when someone has disabled it.
    pub enabled: bool,
    /// When GitHub first saw it.
    pub created_at: Timestamp,
    pub(crate) runs: u64,
}

impl Workflow {
    pub(crate) fn path_of(name: &str) -> String {
        if name.contains('/') { name.to_owned() } else { format!(".github/workflows/{name}") }
    }
}

fn is_workflow(path: &str) -> bool {
    path.starts_with(".github/workflows/")
}

impl State {
    pub(crate) fn add_repository(&mut self, new: NewRepository) -> RepositoryId {
        let count = self.repositories.len() as u64;
        let id =
            new.id.unwrap_or_else(|| 700_000_000 + self.seed.below(1_000_000, &["repository"]) * 100 + count);
        let (owner, name) = new.full_name.split_once('/').unwrap_or((&self.config.account, &new.full_name));
        let owner = User::new(owner, super::UserKind::Organization);
        let repository = Repository {
            id,
            name: name.to_owned(),
            default_branch: new.default_branch.clone(),
            branches: BTreeMap::new(),
            tags: BTreeMap::new(),
            commits: BTreeMap::new(),
            pulls: BTreeMap::new(),
            merge_groups: BTreeMap::new(),
            releases: Vec::new(),
            workflows: BTreeMap::new(),
            locked: BTreeSet::new(),
            installation: Some(new.installation.unwrap_or(self.config.installation_id)),
            created_at: self.now(),
            next_number: 1,
            rendered: OnceLock::new(),
            owner,
        };
        self.names.insert(repository.full_name().to_lowercase(), id);
        self.repositories.insert(id, repository);
        let files = new.files.into_iter().map(|(path, text)| (path, Arc::from(text))).collect();
        let author = User::person("octocat");
        self.commit(id, &new.default_branch, "first commit", &author, Arc::new(files), Vec::new());
        id
    }

    /// Puts a commit on a branch, which is created if need be. Sends nothing.
    pub(crate) fn commit(
        &mut self,
        repository: RepositoryId,
        branch: &str,
        message: &str,
        author: &User,
        files: Files,
        parents: Vec<Sha>,
    ) -> Sha {
        for (_, yaml) in files.iter().filter(|(path, _)| is_workflow(path)) {
            self.definitions.entry(yaml.clone()).or_insert_with(|| Definition::parse(yaml).map(Arc::new));
        }
        let sha = self.next_sha();
        let commit = Commit {
            sha: sha.clone(),
            message: message.to_owned(),
            author: author.clone(),
            at: self.now(),
            parents,
            files,
        };
        if let Some(repository) = self.repositories.get_mut(&repository) {
            repository.commits.insert(sha.clone(), commit);
        }
        self.point(repository, branch, &sha);
        sha
    }

    /// Moves a branch to a commit that exists.
    pub(crate) fn point(&mut self, id: RepositoryId, branch: &str, sha: &str) {
        let Some(repository) = self.repositories.get_mut(&id) else { return };
        repository.branches.insert(branch.to_owned(), sha.to_owned());
        if branch == repository.default_branch {
            self.register_workflows(id);
        }
    }

    /// What the workflow file says in a commit. `None`: there is no such file.
    pub(crate) fn definition(&self, commit: &Commit, path: &str) -> Option<&Result<Arc<Definition>, String>> {
        self.definitions.get(commit.files.get(path)?)
    }

    fn register_workflows(&mut self, id: RepositoryId) {
        let (now, seed, definitions) = (self.now(), self.seed, &self.definitions);
        let Some(repository) = self.repositories.get_mut(&id) else { return };
        let files = repository.default_tip().files.clone();
        for (path, yaml) in files.iter().filter(|(path, _)| is_workflow(path)) {
            let definition = definitions.get(yaml).and_then(|parsed| parsed.as_ref().ok());
            let name =
                definition.and_then(|definition| definition.name.clone()).unwrap_or_else(|| path.clone());
            repository
                .workflows
                .entry(path.clone())
                .and_modify(|known| known.name.clone_from(&name))
                .or_insert_with(|| Workflow {
                    id: 100_000_000 + seed.below(900_000_000, &["workflow", &id.to_string(), path]),
                    path: path.clone(),
                    name,
                    enabled: true,
                    created_at: now,
                    runs: 0,
                });
        }
    }
}
