//! The words of Stackwave: identifiers, stacks, the affected graph as uploaded, and every event that the log may hold.
//!
//! This crate knows nothing but its vocabulary: no I/O, no async, no clock, no GitHub JSON. Start with [`event::Event`],
//! the catalogue, and [`record::Record`], the envelope in which events travel. Who may write which event is told by
//! [`subject::Subject`].

pub mod claim;
pub mod codec;
pub mod digest;
pub mod event;
pub mod fragment;
pub mod id;
pub mod inputs;
pub mod plan;
pub mod record;
pub mod subject;
pub mod trace;
pub mod workflow;

pub use claim::{DispatchClaim, Receipt};
pub use digest::Digest;
pub use event::Event;
pub use fragment::Fragment;
pub use id::*;
pub use inputs::Inputs;
pub use plan::RunPlan;
pub use record::{Entry, Record};
pub use subject::{StreamId, Subject};
pub use trace::TraceContext;

/// A moment on the UTC time line, written in RFC 3339. The domain never asks a clock: moments come in from outside.
pub type Timestamp = jiff::Timestamp;
