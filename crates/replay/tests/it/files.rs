//! Files that were cut or changed are refused, with a word about what is wrong.

use crate::incident::incident;
use stackwave_replay::{FileError, read, write};

async fn file(compressed: bool) -> Vec<u8> {
    let mut file = Vec::new();
    write(&incident().await.recording().await, &mut file, compressed).unwrap();
    file
}

#[tokio::test]
async fn a_file_that_was_cut_anywhere_is_refused() {
    let file = file(false).await;
    for length in (0..file.len()).step_by(997).chain([file.len() - 1, file.len() - 2]) {
        let error = read(&file[..length]).unwrap_err();
        let cut = matches!(error, FileError::Cut(_) | FileError::Foreign | FileError::Line { .. });
        assert!(cut, "{length}: {error}");
    }
    let packed = self::file(true).await;
    for length in [packed.len() - 1, packed.len() / 2, 40] {
        let error = read(&packed[..length]).unwrap_err();
        assert!(matches!(error, FileError::Cut(_) | FileError::Foreign), "{length}: {error}");
    }
}

#[tokio::test]
async fn a_file_that_was_changed_is_refused() {
    let text = String::from_utf8(file(false).await).unwrap();
    for (what, with) in [("\"vpc\"", "\"vpd\""), ("success", "failure")] {
        let error = read(text.replacen(what, with, 1).as_bytes()).unwrap_err();
        assert!(matches!(error, FileError::Changed | FileError::Line { .. }), "{error}");
    }
    let without =
        text.lines().enumerate().filter(|(index, _)| *index != 5).map(|(_, line)| format!("{line}\n"));
    let error = read(without.collect::<String>().as_bytes()).unwrap_err();
    assert!(matches!(error, FileError::Changed), "{error}");
    let more = format!("{text}{{}}\n");
    assert!(matches!(read(more.as_bytes()), Err(FileError::Changed)));
}

#[test]
fn something_else_and_something_newer_are_told_apart() {
    for other in ["", "hello\n", "{}\n", "\u{1f}\u{8b}"] {
        assert!(matches!(read(other.as_bytes()), Err(FileError::Foreign)), "{other}");
    }
    let newer = "{\"stackwave_export\": 2}\n";
    assert!(matches!(read(newer.as_bytes()), Err(FileError::Format(2))));
}
