//! The proof that a dispatch may be sent.

use crate::{
    DispatchId, GitRef, Inputs, Position, RecordId, RepositoryId, WorkflowFile, event::DispatchClaimed,
};

/// The log's word that a record lies in it, durably. Only an adapter of the event log makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The record.
    pub record: RecordId,
    /// Its place in its stream.
    pub position: Position,
}

/// The right to send one dispatch: it exists only for a claim (or a resend) whose record the log has acknowledged.
/// The function that talks to GitHub takes it, so a dispatch without a claim does not compile.
#[derive(Debug)]
pub struct DispatchClaim {
    repository: RepositoryId,
    claimed: DispatchClaimed,
    epoch: u32,
    position: Position,
}

impl DispatchClaim {
    /// The claims that a record made, once the log has it.
    #[must_use]
    pub fn granted(
        receipt: &Receipt,
        repository: RepositoryId,
        claimed: DispatchClaimed,
        epoch: u32,
    ) -> Self {
        Self { repository, claimed, epoch, position: receipt.position }
    }

    /// The repository whose workflow is started.
    #[must_use]
    pub const fn repository(&self) -> RepositoryId {
        self.repository
    }

    /// Which dispatch this is; the same at every send.
    #[must_use]
    pub const fn dispatch(&self) -> &DispatchId {
        &self.claimed.dispatch
    }

    /// Grows by one with each take-over and each resend.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Where the claim lies in the log.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.position
    }

    /// The workflow to start.
    #[must_use]
    pub const fn workflow(&self) -> &WorkflowFile {
        &self.claimed.workflow
    }

    /// The branch or tag to start it on.
    #[must_use]
    pub const fn git_ref(&self) -> &GitRef {
        &self.claimed.git_ref
    }

    /// The inputs to send.
    #[must_use]
    pub const fn inputs(&self) -> &Inputs {
        &self.claimed.inputs
    }

    /// The claim as the log has it.
    #[must_use]
    pub const fn claimed(&self) -> &DispatchClaimed {
        &self.claimed
    }
}
