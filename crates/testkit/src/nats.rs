//! Real NATS servers for tests: on a free port, with a store of their own, to be killed and started again.
//!
//! The executable is named by `STACKWAVE_NATS_SERVER`, or is found on the `PATH`, or is the one that `cargo xtask test`
//! has fetched. Without one a test is skipped with a word, unless `STACKWAVE_REQUIRE_NATS=1` asks for it: then it fails.

mod binary;
mod cluster;
mod proxy;
mod server;

pub use binary::server_binary;
pub use cluster::NatsCluster;
pub use proxy::{Direction, Proxy};
pub use server::{NatsServer, Settings, Sync};
