//! What the comment says, and that it is said once.

mod gfm;
mod large;
mod names;
mod scenario;
mod service;
mod text;
