//! Each verb: its arguments, its question to the server, and how the answer looks.

pub(crate) mod commands;
mod credential;
pub(crate) mod deliveries;
pub(crate) mod dispatches;
pub(crate) mod events;
pub(crate) mod explain;
mod facts;
pub(crate) mod installations;
pub(crate) mod keys;
pub(crate) mod order;
mod places;
pub(crate) mod pulls;
pub(crate) mod read_model;
pub(crate) mod repositories;
pub(crate) mod runs;
pub(crate) mod stacks;
pub(crate) mod system;
pub(crate) mod tokens;
pub(crate) mod uploads;
pub(crate) mod whoami;
pub(crate) mod workspaces;
