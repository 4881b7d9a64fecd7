//! commenter
