//! Everything that can go wrong, on purpose.

mod http;
mod listing;
mod webhook;

pub(crate) use self::{http::HttpFaults, listing::Listings, webhook::Webhooks};
pub use self::{
    http::{Failure, HttpFault, Moment},
    listing::ListingFault,
    webhook::{WebhookFaults, WebhookSelector},
};

/// The faults that are set.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) http: HttpFaults,
    pub(crate) listing: Listings,
    pub(crate) webhooks: Webhooks,
    /// Whether the webhooks of a dispatch go out, and are answered, before its own answer.
    pub(crate) webhooks_first: bool,
}
