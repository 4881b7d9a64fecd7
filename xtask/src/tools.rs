//! Where things are: the workspace's root and the git-ignored folder for fetched tools.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The root folder of the workspace.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// Finds the root from what cargo tells the programs that it runs.
    ///
    /// Read when run, not when compiled: a folder that was moved keeps working.
    pub(crate) fn locate() -> Result<Self> {
        let own = env::var_os("CARGO_MANIFEST_DIR")
            .context("CARGO_MANIFEST_DIR is not set: start this program as `cargo xtask …`")?;
        let root = Path::new(&own).parent().context("the xtask package has no folder above it")?;
        Ok(Self { root: root.to_owned() })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of one fetched tool.
    pub(crate) fn tool(&self, name: &str) -> PathBuf {
        self.root.join(".tools").join(name)
    }
}
