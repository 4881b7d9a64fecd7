//! Comparing a token with the one that is configured.

use ring::hmac;
use secrecy::{ExposeSecret as _, SecretString};

/// Whether a presented token is the expected one, in a time that does not depend on where they differ. For tokens
/// that are held as they are (`STACKWAVE_ADMIN_TOKEN`); API keys are looked up by their hash instead.
#[must_use]
pub fn tokens_match(expected: &SecretString, presented: &SecretString) -> bool {
    // Tags under both tokens as keys are equal exactly when the tokens are, and ring compares tags in constant time.
    const MESSAGE: &[u8] = b"stackwave token";
    let tag = hmac::sign(&key(expected), MESSAGE);
    hmac::verify(&key(presented), MESSAGE, tag.as_ref()).is_ok()
}

fn key(token: &SecretString) -> hmac::Key {
    // Hashed first: HMAC pads a short key with zeros, which would make `k` and `k\0` equal.
    let digest = ring::digest::digest(&ring::digest::SHA256, token.expose_secret().as_bytes());
    hmac::Key::new(hmac::HMAC_SHA256, digest.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_same_token_matches() {
        let expected = SecretString::from("correct horse");
        assert!(tokens_match(&expected, &SecretString::from("correct horse")));
        for other in ["", "correct hors", "correct horse\0", "Correct horse"] {
            assert!(!tokens_match(&expected, &SecretString::from(other)), "{other:?}");
        }
    }
}
