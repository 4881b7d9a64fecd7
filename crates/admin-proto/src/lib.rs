//! The admin API as Rust: messages, client and server, generated from `proto/` at the root of the repository.

/// Version 1 of the admin API.
pub mod v1 {
    tonic::include_proto!("stackwave.admin.v1");
}

/// The API described in its own terms, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
