//! Who is calling: bearer headers and API keys. No I/O and no clock: what is known of keys comes in from outside.

mod api_key;
mod bearer;
mod token;

pub use api_key::hash_api_key;
pub use bearer::{BearerError, bearer_token};
pub use token::tokens_match;
