//! GitHub's side of the vocabulary: what webhooks say, how they are signed, and the narrow ports through which the
//! services talk to GitHub. No I/O here: `stackwave-github-client` implements the ports over REST.

pub mod port;
