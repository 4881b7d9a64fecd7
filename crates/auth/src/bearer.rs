//! `Authorization: Bearer <token>` (RFC 6750 §2.1).

use secrecy::SecretString;

/// The longest token that is looked at, in bytes. GitHub's OIDC tokens and our sessions stay far below.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// A request does not say who is calling. The messages never hold any part of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BearerError {
    /// There is no header.
    #[error("the `Authorization` header is missing; send `Authorization: Bearer <API key>`")]
    Missing,
    /// It names another scheme, such as `Basic`.
    #[error("the `Authorization` header uses another scheme; send `Authorization: Bearer <API key>`")]
    OtherScheme,
    /// The scheme is right, but no token follows.
    #[error("the `Authorization` header has no token after `Bearer`")]
    Empty,
    /// The token holds blanks or characters that no token has, or is absurdly long.
    #[error(
        "the token in the `Authorization` header is malformed; check that it was copied whole, without blanks"
    )]
    Malformed,
}

/// The token of an `Authorization` header's value. The scheme is compared without regard to case, as HTTP has it.
///
/// # Errors
/// The header is missing or holds no bearer token.
pub fn bearer_token(header: Option<&[u8]>) -> Result<SecretString, BearerError> {
    let header = header.ok_or(BearerError::Missing)?;
    let text = std::str::from_utf8(header).map_err(|_| BearerError::Malformed)?.trim();
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(BearerError::OtherScheme);
    }
    let token = token.trim();
    if token.is_empty() {
        return Err(BearerError::Empty);
    }
    if token.len() > MAX_TOKEN_BYTES || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(BearerError::Malformed);
    }
    Ok(SecretString::from(token))
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    #[test]
    fn a_token_is_read_whatever_the_case_of_the_scheme() {
        for header in ["Bearer k-1", "bearer k-1", "BEARER   k-1 "] {
            let token = bearer_token(Some(header.as_bytes())).unwrap();
            assert_eq!(token.expose_secret(), "k-1", "{header}");
        }
    }

    #[test]
    fn every_other_header_is_told_apart() {
        let cases: [(Option<&[u8]>, BearerError); 7] = [
            (None, BearerError::Missing),
            (Some(b""), BearerError::OtherScheme),
            (Some(b"Basic eDp5"), BearerError::OtherScheme),
            (Some(b"Bearer"), BearerError::Empty),
            (Some(b"Bearer   "), BearerError::Empty),
            (Some(b"Bearer two words"), BearerError::Malformed),
            (Some(b"Bearer \xff\xfe"), BearerError::Malformed),
        ];
        for (header, error) in cases {
            assert_eq!(bearer_token(header).map(|_| ()), Err(error), "{header:?}");
        }
        let long = format!("Bearer {}", "k".repeat(MAX_TOKEN_BYTES + 1));
        assert!(matches!(bearer_token(Some(long.as_bytes())), Err(BearerError::Malformed)));
    }

    #[test]
    fn no_message_repeats_the_header() {
        let error = bearer_token(Some(b"Token s3cret")).unwrap_err();
        assert!(!error.to_string().contains("s3cret"));
    }
}
