//! Addresses that GitHub writes into its objects.

/// Base addresses of this simulation.
#[derive(Clone, Debug)]
pub(crate) struct Urls {
    /// REST, without a slash at the end.
    pub(crate) rest: String,
    /// Web pages, without a slash at the end.
    pub(crate) web: String,
}

impl Urls {
    /// REST address of a repository by its full name.
    pub(crate) fn repository(&self, full_name: &str) -> String {
        format!("{}/repos/{full_name}", self.rest)
    }

    /// Web page of a repository by its full name.
    pub(crate) fn page(&self, full_name: &str) -> String {
        format!("{}/{full_name}", self.web)
    }
}
