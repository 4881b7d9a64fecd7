//! `stackwave export`.

use super::source;
use crate::cli::{ExportFormat, ExportOptions};
use anyhow::{Context as _, bail};
use stackwave_replay::{Depth, Recording, Wanted};
use std::{
    fs::File,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// Collects and writes.
pub(crate) async fn export(options: ExportOptions) -> anyhow::Result<()> {
    let wanted = match (&options.run, options.pr) {
        (Some(run), _) => Wanted::Run(run.clone()),
        (None, Some(number)) => Wanted::Pull(number),
        (None, None) if options.from.repository.is_some() => Wanted::Repository,
        (None, None) => bail!("name what to export: --run ID, --repository R --pr N, or --repository R"),
    };
    let recording = source::from_log(&options.from, wanted, Depth::Whole).await?;
    match options.out.as_deref().filter(|path| *path != Path::new("-")) {
        None => {
            let mut out = io::stdout().lock();
            write(&recording, &mut out, options.format, false)?;
            Ok(out.flush()?)
        }
        Some(path) => to_file(&recording, path, options.format)
            .with_context(|| format!("cannot write `{}`", path.display())),
    }
}

/// Writes beside the name and moves it there once it is whole, so that nobody takes half a file for one.
fn to_file(recording: &Recording, path: &Path, format: ExportFormat) -> anyhow::Result<()> {
    let compressed = path.extension().is_some_and(|extension| extension == "gz");
    let mut partial: PathBuf = path.to_owned();
    partial.as_mut_os_string().push(".partial");
    let written = File::create(&partial).map_err(anyhow::Error::from).and_then(|file| {
        write(recording, &file, format, compressed)?;
        Ok(file.sync_all()?)
    });
    if let Err(error) = written {
        // What could not be written is of no use; that it cannot be removed either is no news.
        let _ = std::fs::remove_file(&partial);
        return Err(error);
    }
    Ok(std::fs::rename(&partial, path)?)
}

fn write(
    recording: &Recording,
    out: impl io::Write,
    format: ExportFormat,
    compressed: bool,
) -> anyhow::Result<()> {
    match format {
        ExportFormat::Stackwave => Ok(stackwave_replay::write(recording, out, compressed)?),
        ExportFormat::Cloudevents => Ok(stackwave_replay::write_cloud_events(recording, out, compressed)?),
    }
}
