//! Sending webhooks: real POSTs, signed, in lanes.

mod lanes;
mod request;
mod sender;
mod signature;

pub use self::signature::sign;
pub(crate) use self::{request::HOOK_ID, sender::Sender};
