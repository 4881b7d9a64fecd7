//! admin-proto
