//! `X-Hub-Signature-256`.

use ring::hmac;

/// The value of `X-Hub-Signature-256` for a body: `sha256=` and the lower-case hexadecimal HMAC-SHA256.
#[must_use]
pub fn sign(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("sha256={}", hex::encode(hmac::sign(&key, body)))
}

#[cfg(test)]
mod tests {
    /// GitHub's own example ("Validating webhook deliveries").
    #[test]
    fn githubs_example_is_signed_as_github_signs_it() {
        assert_eq!(
            super::sign("It's a Secret to Everybody", b"Hello, World!"),
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        );
    }
}
