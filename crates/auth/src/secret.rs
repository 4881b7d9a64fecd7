//! New API keys and tokens of the admin API.
//!
//! A secret is `swk_` (API key) or `swt_` (token), 32 random letters and digits (190 bits), and six more that are the
//! CRC-32 of what stands before them. A secret scanner finds it with `\bsw[kt]_[0-9A-Za-z]{38}\b`, and tells by the
//! checksum that it is one; a person who copied half of it is told so.

use crate::{hash_admin_token, hash_api_key};
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::SecretString;
use stackwave_domain::{CredentialId, Digest};

/// What a secret opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretKind {
    /// Uploads: `swk_…`, with an id `key_…`.
    ApiKey,
    /// The admin API: `swt_…`, with an id `tok_…`.
    AdminToken,
}

/// A secret that nobody has had before.
#[derive(Debug)]
pub struct NewSecret {
    /// Its name in the log.
    pub id: CredentialId,
    /// The secret itself, to be shown once.
    pub secret: SecretString,
    /// What the log keeps of it.
    pub hash: Digest,
}

/// The operating system gives no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gives no random bytes, so no secret can be made")]
pub struct NoRandomness;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM_CHARS: usize = 32;
/// 62 to the sixth is more than 2 to the 32nd.
const CHECKSUM_CHARS: usize = 6;
const ID_BYTES: usize = 6;

impl SecretKind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::ApiKey => "swk_",
            Self::AdminToken => "swt_",
        }
    }

    const fn id_prefix(self) -> &'static str {
        match self {
            Self::ApiKey => "key_",
            Self::AdminToken => "tok_",
        }
    }

    /// Makes a secret out of the operating system's randomness.
    ///
    /// # Errors
    /// There is none.
    pub fn generate(self) -> Result<NewSecret, NoRandomness> {
        let random = SystemRandom::new();
        let mut id = [0; ID_BYTES];
        random.fill(&mut id).map_err(|_| NoRandomness)?;
        let mut text = self.prefix().to_owned();
        while text.len() < self.prefix().len() + RANDOM_CHARS {
            let mut byte = [0];
            random.fill(&mut byte).map_err(|_| NoRandomness)?;
            // 248 is four times 62: the rest would make some letters likelier than others.
            if byte[0] < 248 {
                text.push(char::from(ALPHABET[usize::from(byte[0]) % ALPHABET.len()]));
            }
        }
        text.push_str(&checksum(&text));
        let secret = SecretString::from(text);
        let hash = match self {
            Self::ApiKey => hash_api_key(&secret),
            Self::AdminToken => hash_admin_token(&secret),
        };
        let id = id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        Ok(NewSecret { id: CredentialId::new(format!("{}{id}", self.id_prefix())), secret, hash })
    }

    /// Whether a text begins as a secret of this kind and is not a whole one: it was cut or mistyped.
    #[must_use]
    pub fn is_mistyped(self, text: &str) -> bool {
        let Some(rest) = text.strip_prefix(self.prefix()) else { return false };
        let whole = rest.len() == RANDOM_CHARS + CHECKSUM_CHARS && rest.is_ascii() && {
            let (body, end) = text.split_at(text.len() - CHECKSUM_CHARS);
            checksum(body) == end
        };
        !whole
    }
}

fn checksum(text: &str) -> String {
    let mut rest = crc32(text.as_bytes());
    let mut digits = [b'0'; CHECKSUM_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().copied().map(char::from).collect()
}

/// CRC-32 as zlib, gzip and PNG have it (RFC 1952 §8).
fn crc32(bytes: &[u8]) -> u32 {
    let byte = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    };
    !bytes.iter().fold(u32::MAX, byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;
    use std::collections::BTreeSet;

    #[test]
    fn the_checksum_is_the_crc_32_that_everybody_has() {
        // RFC 1952's check value.
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn a_secret_shows_what_it_is_and_is_never_the_same() {
        let secrets: Vec<NewSecret> = (0..50).map(|_| SecretKind::ApiKey.generate().unwrap()).collect();
        let distinct: BTreeSet<&str> = secrets.iter().map(|new| new.secret.expose_secret()).collect();
        assert_eq!(distinct.len(), secrets.len());
        for new in &secrets {
            let text = new.secret.expose_secret();
            assert!(text.starts_with("swk_") && text.len() == 42, "{text}");
            assert!(text[4..].bytes().all(|byte| byte.is_ascii_alphanumeric()));
            assert_eq!(new.hash, hash_api_key(&new.secret));
            assert!(new.id.as_str().starts_with("key_") && new.id.as_str().len() == 16, "{}", new.id);
        }
    }

    #[test]
    fn a_secret_that_was_cut_or_mistyped_is_told_apart_from_a_foreign_one() {
        let token = SecretKind::AdminToken.generate().unwrap();
        let text = token.secret.expose_secret();
        assert!(!SecretKind::AdminToken.is_mistyped(text));
        assert!(SecretKind::AdminToken.is_mistyped(&text[..text.len() - 1]));
        let other = if text.as_bytes()[9] == b'x' { "y" } else { "x" };
        assert!(SecretKind::AdminToken.is_mistyped(&format!("{}{other}{}", &text[..9], &text[10..])));
        assert!(!SecretKind::AdminToken.is_mistyped("correct-horse"));
        assert!(!SecretKind::ApiKey.is_mistyped(text));
    }

    #[test]
    fn a_secret_is_not_seen_in_debug() {
        let new = SecretKind::ApiKey.generate().unwrap();
        assert!(!format!("{new:?}").contains(new.secret.expose_secret()));
    }
}
