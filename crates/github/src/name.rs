//! GitHub's spellings of refs, workflow paths and moments, brought to the one form that the log has.

use jiff::Timestamp;
use serde_json::Value;
use stackwave_domain::{GitRef, PrNumber, WorkflowFile};

/// Where GitHub looks for workflow files.
const WORKFLOW_FOLDER: &str = ".github/workflows/";

/// A branch or tag without `refs/heads/` or `refs/tags/`.
#[must_use]
pub fn git_ref(text: &str) -> GitRef {
    let short = text.strip_prefix("refs/heads/").or_else(|| text.strip_prefix("refs/tags/"));
    GitRef::new(short.unwrap_or(text))
}

/// The file name of a workflow from its `path`, which may carry the folder and an `@ref` suffix
/// (`.github/workflows/deploy.yml@refs/heads/main`).
#[must_use]
pub fn workflow_file(path: &str) -> WorkflowFile {
    let file = path.split_once(WORKFLOW_FOLDER).map_or(path, |(_, file)| file);
    // The extension, not the first `@`, ends the name: both file names and refs may hold an `@`.
    let end = [".yml@", ".yaml@"]
        .iter()
        .filter_map(|mark| file.find(mark).map(|at| at + mark.len() - 1))
        .min()
        .unwrap_or(file.len());
    WorkflowFile::new(&file[..end])
}

/// Whether a branch is one that the merge queue makes for a group and takes away again.
#[must_use]
pub fn is_merge_queue_branch(git_ref: &GitRef) -> bool {
    git_ref.as_str().starts_with("gh-readonly-queue/")
}

/// The pull request in a merge group's branch, `gh-readonly-queue/<base>/pr-<n>-<sha>`; the base may hold `/`.
#[must_use]
pub fn merge_group_pull_request(head_ref: &GitRef) -> Option<PrNumber> {
    let (_, last) = head_ref.as_str().rsplit_once('/')?;
    last.strip_prefix("pr-")?.split('-').next()?.parse().ok()
}

/// A moment that GitHub writes as RFC 3339 or, in some payloads, as seconds since 1970.
#[must_use]
pub fn timestamp(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(seconds) => Timestamp::from_second(seconds.as_i64()?).ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workflow_paths_lose_folder_and_ref() {
        for (path, file) in [
            (".github/workflows/deploy.yml", "deploy.yml"),
            (".github/workflows/deploy.yml@refs/heads/main", "deploy.yml"),
            (".github/workflows/tf-plan.yaml@refs/heads/a@b", "tf-plan.yaml"),
            (".github/workflows/at@home.yml@main", "at@home.yml"),
            ("acme/policies/.github/workflows/scan.yml@v1", "scan.yml"),
            ("deploy.yml", "deploy.yml"),
            ("", ""),
        ] {
            assert_eq!(workflow_file(path).as_str(), file, "{path}");
        }
    }

    #[test]
    fn refs_lose_their_prefix_once() {
        assert_eq!(git_ref("refs/heads/feature/refs/heads/x").as_str(), "feature/refs/heads/x");
        assert_eq!(git_ref("refs/tags/v1.2.0").as_str(), "v1.2.0");
        assert_eq!(git_ref("main").as_str(), "main");
    }

    #[test]
    fn the_pull_request_of_a_merge_group_is_read_from_its_branch() {
        let of = |text: &str| merge_group_pull_request(&GitRef::new(text));
        assert_eq!(of("gh-readonly-queue/main/pr-104-0123abcd"), Some(PrNumber(104)));
        assert_eq!(of("gh-readonly-queue/release/2026.1/pr-7-0123abcd"), Some(PrNumber(7)));
        assert_eq!(of("gh-readonly-queue/main/something-else"), None);
        assert_eq!(of("main"), None);
    }

    #[test]
    fn moments_come_as_text_or_as_seconds() {
        let moment = timestamp(&Value::from("2026-11-03T10:00:00Z"));
        assert!(moment.is_some());
        assert_eq!(moment, timestamp(&Value::from(1_793_700_000)));
        assert_eq!(timestamp(&Value::from("yesterday")), None);
        assert_eq!(timestamp(&Value::Null), None);
    }
}
