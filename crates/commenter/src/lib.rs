//! The commenter: keeps one comment in each pull request that tells how its stacks stand.
//!
//! What the comment says is a pure function of the state ([`render`]). How it gets to GitHub once, is found again by a
//! hidden marker ([`marker`]), is edited in place and not too often, is the [`actor`]'s part. It reads decisions and
//! makes none.
//!
//! Start at [`render::render`] for the text, at [`actor`] for the posting.

mod actor;
mod batch;
pub mod marker;
mod post;
pub mod render;
mod slot;

pub use actor::{Config, actor};

/// Its name in records, logs and health.
pub const ROLE: &str = "commenter";
