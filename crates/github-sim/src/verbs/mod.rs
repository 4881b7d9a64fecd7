//! What people, and GitHub itself, do: the callers' side of the simulation.

mod app;
mod faults;
mod hooks;
mod repo;
mod runs;

pub use self::repo::Repo;
