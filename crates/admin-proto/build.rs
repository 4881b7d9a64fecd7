//! Generates the code from `proto/`, with a compiler in Rust, so that no `protoc` has to be installed.

use prost::Message as _;
use std::{env, error::Error, fs, path::PathBuf};

const FILES: [&str; 6] = [
    "stackwave/admin/v1/runs.proto",
    "stackwave/admin/v1/events.proto",
    "stackwave/admin/v1/commands.proto",
    "stackwave/admin/v1/credentials.proto",
    "stackwave/admin/v1/inventory.proto",
    "stackwave/admin/v1/system.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());
    let descriptors = protox::compile(FILES, [&root])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
