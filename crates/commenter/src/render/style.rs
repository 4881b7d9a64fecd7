//! How a status looks: a sign for people, a class for the graph, a rank for what is shown first.

use stackwave_engine::view::{RunPhase, Status};

/// The sign before a status.
pub(super) const fn emoji(status: Status) -> &'static str {
    match status {
        Status::Failed => "❌",
        Status::Cancelled => "🛑",
        Status::DispatchRefused | Status::CannotRun => "⛔",
        Status::Undecidable => "❓",
        Status::Blocked => "🚫",
        Status::AwaitingApproval => "✋",
        Status::Running => "🔄",
        Status::Queued => "🕓",
        Status::Dispatching => "📤",
        Status::Released => "🆗",
        Status::Held => "⏸️",
        Status::Waiting => "⏳",
        Status::Stopped => "⏹️",
        Status::Succeeded => "✅",
        Status::Skipped => "⏭️",
    }
}

/// The sign before a run's headline.
pub(super) const fn phase_emoji(phase: RunPhase) -> &'static str {
    match phase {
        RunPhase::Running => "🔄",
        RunPhase::Failed => "❌",
        RunPhase::Succeeded | RunPhase::NothingAffected => "✅",
        RunPhase::Superseded => "⏭️",
        RunPhase::Closed | RunPhase::Cancelled => "⏹️",
    }
}

/// A run's status in words.
pub(super) const fn phase_words(phase: RunPhase) -> &'static str {
    match phase {
        RunPhase::Running => "running",
        RunPhase::Failed => "failed",
        RunPhase::Succeeded => "succeeded",
        RunPhase::NothingAffected => "nothing affected",
        RunPhase::Superseded => "superseded",
        RunPhase::Closed => "closed",
        RunPhase::Cancelled => "cancelled",
    }
}

/// The class of a node.
pub(super) const fn class(status: Status) -> &'static str {
    match status {
        Status::Failed | Status::Cancelled | Status::DispatchRefused | Status::CannotRun => "failed",
        Status::Undecidable | Status::AwaitingApproval => "attention",
        Status::Blocked => "blocked",
        Status::Running | Status::Queued | Status::Dispatching | Status::Released => "active",
        Status::Held | Status::Waiting => "waiting",
        Status::Stopped | Status::Skipped => "skipped",
        Status::Succeeded => "succeeded",
    }
}

/// Every class with its colours, readable on GitHub's light and dark pages.
pub(super) const CLASSES: &[(&str, &str)] = &[
    ("failed", "fill:#ffd7d5,stroke:#cf222e,color:#82071e"),
    ("attention", "fill:#fff1e5,stroke:#bc4c00,color:#762c00"),
    ("blocked", "fill:#ffebe9,stroke:#cf222e,color:#82071e,stroke-dasharray:4"),
    ("active", "fill:#ddf4ff,stroke:#0969da,color:#0a3069"),
    ("waiting", "fill:#f6f8fa,stroke:#8c959f,color:#424a53"),
    ("skipped", "fill:#f6f8fa,stroke:#d0d7de,color:#6e7781,stroke-dasharray:4"),
    ("succeeded", "fill:#dafbe1,stroke:#1a7f37,color:#044f1e"),
];

/// What is shown first when not everything can be; none for what a count tells well enough.
pub(super) const fn urgency(status: Status) -> Option<u8> {
    match status {
        Status::Failed | Status::DispatchRefused | Status::CannotRun | Status::Undecidable => Some(0),
        Status::Cancelled | Status::AwaitingApproval => Some(1),
        Status::Running => Some(2),
        Status::Queued | Status::Dispatching | Status::Held => Some(3),
        Status::Released => Some(4),
        Status::Blocked => Some(5),
        Status::Waiting | Status::Stopped | Status::Succeeded | Status::Skipped => None,
    }
}
