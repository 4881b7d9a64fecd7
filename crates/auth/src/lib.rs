//! Who is calling: bearer headers, API keys and tokens of the admin API, and how new ones are made. No I/O and no
//! clock: what is known of keys comes in from outside.

mod api_key;
mod bearer;
mod secret;
mod token;

pub use api_key::{hash_admin_token, hash_api_key};
pub use bearer::{BearerError, bearer_token};
pub use secret::{NewSecret, NoRandomness, SecretKind};
pub use token::tokens_match;
