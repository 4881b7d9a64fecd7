//! `X-Hub-Signature-256`: whether a webhook was sent by somebody who knows the secret.
//!
//! Source: GitHub Docs "Validating webhook deliveries".

use ring::hmac;
use secrecy::{ExposeSecret, SecretString};

/// The header that carries the signature.
pub const HEADER: &str = "X-Hub-Signature-256";

/// Secrets with which no signature can be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    /// The list is empty.
    #[error("there is no webhook secret: set the one that the GitHub App signs with")]
    Missing,
    /// Anybody could sign with an empty secret.
    #[error("a webhook secret is empty: remove it from the list, or set it")]
    Empty,
}

/// Why a delivery is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The header is not there.
    #[error("the header `{HEADER}` is missing: give the webhook a secret")]
    Missing,
    /// The header is not `sha256=` and 64 hex digits.
    #[error("the header `{HEADER}` is not `sha256=` followed by 64 hex digits")]
    Malformed,
    /// Signed with another secret, or the body was changed on its way.
    #[error("the signature fits none of the configured webhook secrets")]
    Mismatch,
}

/// The secrets that may sign a webhook: several while one is replaced by the next. Only what HMAC derives from them is
/// kept, and `Debug` shows none of it.
#[derive(Clone, Debug)]
pub struct Secrets(Vec<hmac::Key>);

impl Secrets {
    /// Takes the secrets as the GitHub App has them.
    ///
    /// # Errors
    /// When there is none, or one is empty.
    pub fn new(secrets: impl IntoIterator<Item = SecretString>) -> Result<Self, SecretsError> {
        let mut keys = Vec::new();
        for secret in secrets {
            let bytes = secret.expose_secret().as_bytes();
            if bytes.is_empty() {
                return Err(SecretsError::Empty);
            }
            keys.push(hmac::Key::new(hmac::HMAC_SHA256, bytes));
        }
        if keys.is_empty() { Err(SecretsError::Missing) } else { Ok(Self(keys)) }
    }

    /// Checks the header against the raw body, in constant time and against every secret, so that the time tells
    /// nothing about which of them fits.
    ///
    /// # Errors
    /// See [`SignatureError`].
    pub fn verify(&self, header: Option<&str>, body: &[u8]) -> Result<(), SignatureError> {
        let digits = header
            .ok_or(SignatureError::Missing)?
            .trim()
            .strip_prefix("sha256=")
            .ok_or(SignatureError::Malformed)?;
        let mut tag = [0_u8; 32];
        hex::decode_to_slice(digits, &mut tag).map_err(|_| SignatureError::Malformed)?;
        let fits = self.0.iter().fold(false, |fits, key| hmac::verify(key, body, &tag).is_ok() | fits);
        if fits { Ok(()) } else { Err(SignatureError::Mismatch) }
    }
}

/// The header's value for a body, as GitHub would send it. For those who play GitHub.
#[must_use]
pub fn sign(secret: &SecretString, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
    format!("sha256={}", hex::encode(hmac::sign(&key, body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "It's a Secret to Everybody";
    const BODY: &[u8] = b"Hello, World!";
    const SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn secrets(texts: &[&str]) -> Secrets {
        Secrets::new(texts.iter().map(|text| SecretString::from(*text))).unwrap()
    }

    #[test]
    fn githubs_own_test_vector_is_accepted() {
        assert_eq!(secrets(&[SECRET]).verify(Some(SIGNATURE), BODY), Ok(()));
        assert_eq!(sign(&SECRET.into(), BODY), SIGNATURE);
    }

    #[test]
    fn any_of_several_secrets_may_have_signed() {
        for order in [["old", SECRET], [SECRET, "new"]] {
            assert_eq!(secrets(&order).verify(Some(SIGNATURE), BODY), Ok(()));
        }
    }

    #[test]
    fn a_changed_body_or_another_secret_is_a_mismatch() {
        let verify = |secret: &str, body: &[u8]| secrets(&[secret]).verify(Some(SIGNATURE), body);
        assert_eq!(verify(SECRET, b"Hello, World?"), Err(SignatureError::Mismatch));
        assert_eq!(verify("another", BODY), Err(SignatureError::Mismatch));
    }

    #[test]
    fn a_missing_or_malformed_header_says_so() {
        let secrets = secrets(&[SECRET]);
        assert_eq!(secrets.verify(None, BODY), Err(SignatureError::Missing));
        for header in ["", "sha256=", "sha256=zz", &SIGNATURE[7..], "sha1=757107ea0eb2509f", &SIGNATURE[..70]]
        {
            assert_eq!(secrets.verify(Some(header), BODY), Err(SignatureError::Malformed), "{header}");
        }
    }

    #[test]
    fn no_secret_or_an_empty_one_is_refused() {
        assert_eq!(Secrets::new([]).err(), Some(SecretsError::Missing));
        assert_eq!(Secrets::new([SECRET.into(), "".into()]).err(), Some(SecretsError::Empty));
    }

    #[test]
    fn debug_shows_no_secret() {
        assert!(!format!("{:?}", secrets(&[SECRET])).contains("Everybody"));
    }
}
