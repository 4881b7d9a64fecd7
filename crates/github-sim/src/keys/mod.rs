//! The App's key pair, and the check of its JWTs.

use std::sync::OnceLock;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde_json::Value;

use crate::config::App;

/// A key made for this simulation. It protects nothing.
pub(crate) const PRIVATE_KEY_PEM: &str = include_str!("app.private-key.pem");

/// GitHub refuses a JWT that lives longer.
const LONGEST_LIFE_SECONDS: i64 = 600;
/// How far a clock may run ahead.
const SKEW_SECONDS: i64 = 60;

fn public_key() -> &'static [u8] {
    static KEY: OnceLock<Vec<u8>> = OnceLock::new();
    KEY.get_or_init(|| {
        let base64: String = PRIVATE_KEY_PEM.lines().filter(|line| !line.starts_with("-----")).collect();
        let der = STANDARD.decode(base64).expect("the embedded key is PEM");
        let pair = RsaKeyPair::from_der(&der).expect("the embedded key is PKCS#1 RSA");
        pair.public_key().as_ref().to_vec()
    })
}

/// Checks signature, issuer and times of a JWT. The error is the message of GitHub's 401.
pub(crate) fn verify_jwt(jwt: &str, app: &App, now_second: i64) -> Result<(), &'static str> {
    const UNREADABLE: &str = "A JSON web token could not be decoded";
    let (signed, signature) = jwt.rsplit_once('.').ok_or(UNREADABLE)?;
    let (header, claims) = signed.split_once('.').ok_or(UNREADABLE)?;
    let (header, claims) = (decode(header).ok_or(UNREADABLE)?, decode(claims).ok_or(UNREADABLE)?);
    if header["alg"] != "RS256" {
        return Err(UNREADABLE);
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| UNREADABLE)?;
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public_key())
        .verify(signed.as_bytes(), &signature)
        .map_err(|_| UNREADABLE)?;

    let issuer = match &claims["iss"] {
        Value::Number(id) => id.to_string(),
        Value::String(id) => id.clone(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => String::new(),
    };
    if issuer != app.id.to_string() && issuer != app.client_id {
        return Err("'Issuer' claim ('iss') must be an Integer or the client ID of the GitHub App");
    }
    let issued = claims["iat"].as_i64().ok_or(
        "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
    )?;
    let expires = claims["exp"].as_i64().ok_or("'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires")?;
    if issued > now_second + SKEW_SECONDS {
        return Err(
            "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
        );
    }
    if expires <= now_second {
        return Err(
            "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
        );
    }
    if expires > now_second + LONGEST_LIFE_SECONDS {
        return Err("'Expiration time' claim ('exp') is too far in the future");
    }
    Ok(())
}

fn decode(part: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
