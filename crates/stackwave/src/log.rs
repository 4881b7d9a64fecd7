//! `stackwave log`.

use crate::cli::LogCommand;

/// Prints what was asked for.
pub(crate) async fn run(command: LogCommand) -> anyhow::Result<()> {
    let _ = command;
    std::future::ready(()).await;
    anyhow::bail!("not yet")
}
