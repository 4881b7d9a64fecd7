//! The log of HTTP requests.

use std::time::Instant;

use bytes::Bytes;
use jiff::Timestamp;

use crate::endpoint::Endpoint;

/// An HTTP request that arrived.
#[derive(Clone, Debug)]
pub struct Request {
    /// When its head was read, by the simulation's clock.
    pub at: Timestamp,
    /// The same moment, by the monotonic clock: for measurements.
    pub arrived: Instant,
    /// HTTP method.
    pub method: String,
    /// Path, without the prefix of an Enterprise Server.
    pub path: String,
    /// Query, without the question mark.
    pub query: String,
    /// Which endpoint it means.
    pub endpoint: Endpoint,
    /// What it came with.
    pub credential: Credential,
    /// Value of `User-Agent`.
    pub user_agent: Option<String>,
    /// Value of `X-GitHub-Api-Version`.
    pub api_version: Option<String>,
    /// Value of `If-None-Match`.
    pub if_none_match: Option<String>,
    /// Its body.
    pub body: Bytes,
    /// What became of the answer.
    pub reply: Reply,
}

/// What a request authenticates with. The secret itself is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// No `Authorization`.
    None,
    /// A JWT of the App, valid or not.
    Jwt,
    /// The installation token of this number, valid or expired.
    Token(u64),
    /// Something else.
    Unknown,
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It is being worked out.
    Pending,
    /// This status was written.
    Status(u16),
    /// The connection was reset.
    Reset,
    /// Nothing was ever written.
    Hung,
}
