//! API keys are random and long, so one unsalted SHA-256 is enough to keep them out of the log: there is no dictionary
//! to try, and the hash can be looked up.

use secrecy::{ExposeSecret as _, SecretString};
use stackwave_domain::Digest;

/// The hash under which a key is registered and looked up. A lookup by hash tells an attacker nothing through its
/// timing: whoever can choose the hash's first digits still does not know the key.
#[must_use]
pub fn hash_api_key(key: &SecretString) -> Digest {
    Digest::of(key.expose_secret().as_bytes())
}

/// The hash under which a token of the admin API is registered and looked up, for the same reasons.
#[must_use]
pub fn hash_admin_token(token: &SecretString) -> Digest {
    Digest::of(token.expose_secret().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_plain_sha_256_of_the_key() {
        // `printf abc | sha256sum`
        let hash = hash_api_key(&SecretString::from("abc"));
        assert_eq!(hash.as_str(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
