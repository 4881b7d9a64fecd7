//! GitHub's side of the vocabulary: what webhooks say, how they are signed, what workflow files declare, what refusals
//! mean, and the narrow ports through which the services talk to GitHub. No I/O here: `stackwave-github-client`
//! implements the ports over REST.
//!
//! Start with [`webhook::parse`], which turns a delivery into events of the log, and with [`port`].

pub mod definition;
pub mod name;
pub mod object;
pub mod port;
pub mod refusal;
pub mod signature;
pub mod webhook;
