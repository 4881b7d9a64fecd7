//! Accounts.

use crate::seed::Seed;

/// An account at the simulated GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Login name; a bot's ends in `[bot]`.
    pub login: String,
    /// Numeric id.
    pub id: u64,
    /// What kind of account it is.
    pub kind: UserKind,
}

/// GitHub's `type` of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserKind {
    /// A person.
    User,
    /// A GitHub App.
    Bot,
    /// An organization.
    Organization,
}

impl UserKind {
    /// GitHub's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Bot => "Bot",
            Self::Organization => "Organization",
        }
    }
}

impl User {
    /// The account of this login. The id follows from the login.
    pub(crate) fn new(login: &str, kind: UserKind) -> Self {
        Self { login: login.to_owned(), id: 1_000_000 + Seed(0).below(90_000_000, &["user", login]), kind }
    }

    /// The address that GitHub puts into commits of an account that hides its own.
    pub(crate) fn email(&self) -> String {
        format!("{}@users.noreply.github.com", self.login.replace(['[', ']'], ""))
    }

    pub(crate) fn person(login: &str) -> Self {
        Self::new(login, UserKind::User)
    }
}
