//! What tests of several crates share: servers that can be killed, networks that can be cut. For tests only.

pub mod nats;
