//! What tests of several crates share: processes and servers that can be killed, networks that can be cut, uploads from
//! a short notation or as recorded. For tests only.

pub mod nats;
pub mod process;
pub mod stacks;
