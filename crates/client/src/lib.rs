//! The verbs of the command line that a running server answers: `stackwave runs`, `explain`, `retry`, `keys`, `events`
//! and the rest. They are the admin API (`proto/stackwave/admin/v1`) for people and for scripts, and nothing else:
//! neither the event log nor the engine is known here, so what is printed is what every other client would get.
//!
//! Start with [`Command`], which names the verbs; each has its file below `verbs`. `list` prints what comes in pages,
//! `screen` and `table` print for people, `json` for programs, `status` says what a refusal means. Every method of the
//! API has a verb: a test walks its descriptors.

mod command;
mod common;
mod failure;
mod file;
mod json;
mod key;
mod list;
mod screen;
mod server;
mod status;
mod table;
mod time;
mod verbs;
mod words;

pub use self::{
    command::{Asking, Command, Nouns, run},
    common::{Common, Defaults, Named, Output},
    failure::{Exit, Failure},
    screen::Screen,
};
