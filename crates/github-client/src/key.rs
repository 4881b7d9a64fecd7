//! The App's private key, and the JWT with which the App signs in.
//!
//! Source: GitHub Docs "Generating a JSON Web Token (JWT) for a GitHub App".

use crate::config::ConfigError;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{rand::SystemRandom, rsa::KeyPair, signature::RSA_PKCS1_SHA256};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde_json::json;
use stackwave_domain::Timestamp;
use std::fmt;

/// `iat` lies this far in the past, so that a clock which is a little fast does not matter. Seconds.
const ISSUED_AGO: i64 = 60;

/// `exp` lies this far ahead. GitHub refuses more than 10 minutes by its own clock. Seconds.
const VALID_FOR: i64 = 9 * 60;

/// Who the App is, and the key that proves it.
pub(crate) struct AppKey {
    issuer: String,
    pair: KeyPair,
}

impl AppKey {
    pub(crate) fn from_pem(issuer: &str, pem: &SecretString) -> Result<Self, ConfigError> {
        let pem = pem.expose_secret();
        let (begin, end) = ("-----BEGIN ", "-----END ");
        let not_pem = ConfigError::PrivateKey("it is not PEM: expected `-----BEGIN RSA PRIVATE KEY-----`");
        let Some((label, rest)) = pem.split_once(begin).and_then(|(_, rest)| rest.split_once("-----")) else {
            return Err(not_pem);
        };
        let Some((body, _)) = rest.split_once(end) else { return Err(not_pem) };
        let digits: SecretString = body.chars().filter(|c| !c.is_whitespace()).collect::<String>().into();
        let der: SecretSlice<u8> = STANDARD
            .decode(digits.expose_secret())
            .map_err(|_| ConfigError::PrivateKey("its PEM does not hold base64"))?
            .into();
        let pair = match label {
            "RSA PRIVATE KEY" => KeyPair::from_der(der.expose_secret()),
            "PRIVATE KEY" => KeyPair::from_pkcs8(der.expose_secret()),
            _ => {
                return Err(ConfigError::PrivateKey(
                    "its PEM is neither `RSA PRIVATE KEY` nor `PRIVATE KEY`",
                ));
            }
        };
        let pair = pair.map_err(|_| ConfigError::PrivateKey("it is not an RSA key of 2048 bits or more"))?;
        Ok(Self { issuer: issuer.to_owned(), pair })
    }

    /// A JWT for the next minutes; `None` only when the machine has no randomness.
    pub(crate) fn jwt(&self, now: Timestamp) -> Option<SecretString> {
        // Old Enterprise Servers want a numeric App id to be a number.
        let issuer = self.issuer.parse::<u64>().map_or_else(|_| json!(self.issuer), |id| json!(id));
        let now = now.as_second();
        let claims = json!({"iat": now - ISSUED_AGO, "exp": now + VALID_FOR, "iss": issuer});
        let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
        let text = format!(
            "{}.{}",
            encode(br#"{"alg":"RS256","typ":"JWT"}"#),
            encode(claims.to_string().as_bytes())
        );
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).ok()?;
        Some(format!("{text}.{}", encode(&signature)).into())
    }

    /// The App's numeric id, when it was configured by it.
    pub(crate) fn app_id(&self) -> Option<u64> {
        self.issuer.parse().ok()
    }
}

impl fmt::Debug for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppKey").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use serde_json::Value;

    const PKCS1: &str = include_str!("../tests/keys/app.pkcs1.pem");
    const PKCS8: &str = include_str!("../tests/keys/app.pkcs8.pem");

    fn part(jwt: &str, index: usize) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(jwt.split('.').nth(index).unwrap()).unwrap()
    }

    #[test]
    fn the_token_is_signed_and_lives_for_nine_minutes() {
        let now = Timestamp::from_second(1_793_700_000).unwrap();
        for pem in [PKCS1, PKCS8] {
            let key = AppKey::from_pem("Iv23li", &pem.into()).unwrap();
            let jwt = key.jwt(now).unwrap();
            let jwt = jwt.expose_secret();
            let claims: Value = serde_json::from_slice(&part(jwt, 1)).unwrap();
            assert_eq!(claims, json!({"iat": 1_793_699_940, "exp": 1_793_700_540, "iss": "Iv23li"}));
            let (signed, _) = jwt.rsplit_once('.').unwrap();
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.pair.public())
                .verify(signed.as_bytes(), &part(jwt, 2))
                .unwrap();
        }
    }

    #[test]
    fn a_numeric_app_id_is_sent_as_a_number() {
        let key = AppKey::from_pem("77", &PKCS1.into()).unwrap();
        let claims: Value =
            serde_json::from_slice(&part(key.jwt(Timestamp::UNIX_EPOCH).unwrap().expose_secret(), 1))
                .unwrap();
        assert_eq!(claims["iss"], json!(77));
        assert_eq!(key.app_id(), Some(77));
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_repeated() {
        let truncated = format!("{}-----END RSA PRIVATE KEY-----", &PKCS1[..400]);
        for pem in [
            "",
            "hunter2",
            "-----BEGIN RSA PRIVATE KEY-----\nhunter2",
            &truncated,
            "-----BEGIN EC PRIVATE KEY-----\naA==\n-----END ",
        ] {
            let error = AppKey::from_pem("77", &pem.into()).unwrap_err().to_string();
            assert!(error.contains("STACKWAVE_GITHUB_APP_PRIVATE_KEY_FILE"), "{error}");
            assert!(!error.contains("hunter2") && !error.contains("MII"), "{error}");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(
            format!("{:?}", AppKey::from_pem("77", &PKCS1.into()).unwrap()),
            r#"AppKey { issuer: "77", .. }"#
        );
    }
}
