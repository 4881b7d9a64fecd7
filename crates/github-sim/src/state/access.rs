//! Installations and their tokens.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};

use super::{Repository, RepositoryId, State, User, UserKind};

/// The App on one account.
#[derive(Clone, Debug)]
pub struct Installation {
    /// Installation id.
    pub id: u64,
    /// Who installed the App.
    pub account: User,
    /// Granted permissions, as (name, level).
    pub permissions: Vec<(String, String)>,
    /// Set while it is suspended: its tokens are refused.
    pub suspended_at: Option<Timestamp>,
    /// When it was installed.
    pub created_at: Timestamp,
    /// Requests that the primary rate limit grants an hour.
    pub limit: u32,
    /// Requests counted since the last reset.
    pub used: u32,
    /// When `used` starts again from 0.
    pub resets_at: Timestamp,
}

impl Installation {
    /// Whether this level of a permission is granted.
    #[must_use]
    pub fn grants(&self, permission: &str, level: &str) -> bool {
        grants(&self.permissions, permission, level)
    }

    /// Requests left until the reset.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        self.limit.saturating_sub(self.used)
    }
}

/// `write` includes `read`.
fn grants(permissions: &[(String, String)], permission: &str, level: &str) -> bool {
    permissions.iter().any(|(name, granted)| name == permission && (granted == level || granted == "write"))
}

/// An installation token.
#[derive(Clone, Debug)]
pub struct Token {
    /// Number of the token, from 1, in order of issue.
    pub number: u64,
    /// Installation it belongs to.
    pub installation: u64,
    /// Not accepted from then on.
    pub expires_at: Timestamp,
    /// The repositories it is narrowed to; `None` means all of the installation.
    pub repositories: Option<Vec<RepositoryId>>,
    /// What it may do, as (name, level).
    pub permissions: Vec<(String, String)>,
}

impl Token {
    /// Whether this level of a permission is in the token.
    #[must_use]
    pub fn grants(&self, permission: &str, level: &str) -> bool {
        grants(&self.permissions, permission, level)
    }

    /// Whether the token reaches the repository.
    #[must_use]
    pub fn reaches(&self, repository: &Repository) -> bool {
        repository.installation == Some(self.installation)
            && self.repositories.as_ref().is_none_or(|ids| ids.contains(&repository.id))
    }
}

impl State {
    pub(crate) fn add_installation(&mut self, id: u64, account: &str) {
        let now = self.now();
        let installation = Installation {
            id,
            account: User::new(account, UserKind::Organization),
            permissions: self.config.app.permissions.clone(),
            suspended_at: None,
            created_at: now,
            limit: self.config.hourly_limit,
            used: 0,
            resets_at: now + SignedDuration::from_hours(1),
        };
        self.installations.insert(id, installation);
    }

    pub(crate) fn issue_token(
        &mut self,
        installation: u64,
        repositories: Option<Vec<RepositoryId>>,
        permissions: Vec<(String, String)>,
    ) -> (String, Token) {
        let life = SignedDuration::try_from(self.config.token_life).unwrap_or(SignedDuration::from_hours(1));
        let token = Token {
            number: self.tokens.len() as u64 + 1,
            installation,
            expires_at: self.now() + life,
            repositories,
            permissions,
        };
        let text = self.token_text(token.number);
        self.tokens.insert(text.clone(), token.clone());
        (text, token)
    }

    /// Long, with dots and dashes, as GitHub's stateless tokens are: nobody may rely on 40 characters.
    fn token_text(&self, number: u64) -> String {
        let number = number.to_string();
        let part = |name: &str, blocks: usize| {
            let bytes: Vec<u8> = (0..blocks)
                .flat_map(|block| self.seed.bytes(&["token", &number, name, &block.to_string()]))
                .collect();
            URL_SAFE_NO_PAD.encode(bytes)
        };
        format!(
            "ghs_{}_{}.{}.{}",
            self.config.app.id,
            part("head", 1),
            part("claims", 3),
            part("signature", 8)
        )
    }

    /// The token of this text, if it exists, has not expired and its installation is there.
    pub(crate) fn valid_token(&self, text: &str) -> Option<&Token> {
        let token = self.tokens.get(text)?;
        (token.expires_at > self.now() && self.installations.contains_key(&token.installation))
            .then_some(token)
    }

    /// Counts one request against the primary limit. False when the limit is used up.
    pub(crate) fn count_request(&mut self, installation: u64) -> bool {
        let now = self.now();
        let Some(installation) = self.installations.get_mut(&installation) else { return true };
        if installation.resets_at <= now {
            installation.used = 0;
            installation.resets_at = now + SignedDuration::from_hours(1);
        }
        if installation.used >= installation.limit {
            return false;
        }
        installation.used += 1;
        true
    }
}
