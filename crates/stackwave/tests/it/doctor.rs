use crate::support::{err, out, stackwave};
use serde_json::Value;
use stackwave_github_sim::{App, GitHub, NewRepository, SimConfig};
use std::{path::Path, process::Output};

/// Declares what is sent, but shows no dispatch id in its title.
const PLAN: &str = "run-name: plan ${{ inputs.stack }}\non:\n  workflow_dispatch:\n    inputs:\n      \
                    stack: {required: true}\n      region: {required: true}\n      atmos_pro_run_id: {}\n";

const UPLOAD: &str = r#"[{"component": "vpc", "stack": "dev", "settings": {"pro": {"enabled": true,
    "pull_request": {"opened": {"workflows": {"plan.yaml": {"inputs": {"stack": "dev", "color": "red"}},
                                              "gone.yaml": {"inputs": {}}}}}}}}]"#;

struct Installation {
    github: GitHub,
    folder: tempfile::TempDir,
}

impl Installation {
    async fn new() -> Self {
        let github = GitHub::start(SimConfig::default()).await.unwrap();
        github.add_repository(NewRepository::new("acme/infra").workflow("plan.yaml", PLAN));
        github.set_webhook_url(Some("http://127.0.0.1:9/webhooks/github"));
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("app.pem"), github.private_key_pem()).unwrap();
        std::fs::write(folder.path().join("upload.json"), UPLOAD).unwrap();
        Self { github, folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Looks, in a thread of its own: the simulation answers meanwhile.
    async fn doctor(&self, arguments: &[&str]) -> Output {
        let mut command = stackwave(&["doctor"]);
        command
            .args(arguments)
            .env("STACKWAVE_LOG", format!("sqlite:{}", self.path("log.db")))
            .env("STACKWAVE_GITHUB_API_URL", self.github.url())
            .env("STACKWAVE_GITHUB_APP_ID", App::default().id.to_string())
            .env("STACKWAVE_GITHUB_APP_PRIVATE_KEY_FILE", self.path("app.pem"))
            .env("STACKWAVE_GITHUB_WEBHOOK_SECRET", "It's a Secret to Everybody");
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }
}

fn findings(output: &Output) -> Vec<(String, String, String)> {
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let all = report["findings"].as_array().unwrap();
    all.iter().map(|it| (text(it, "check"), text(it, "level"), text(it, "found"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_says_what_to_change_in_a_repositorys_workflows() {
    let installation = Installation::new().await;
    let upload = installation.path("upload.json");
    let output =
        installation.doctor(&["--repository", "acme/infra", "--upload", &upload, "--output", "json"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let findings = findings(&output);
    let said = |check: &str, level: &str, part: &str| {
        findings.iter().any(|(c, l, found)| c == check && l == level && found.contains(part))
    };
    assert!(said("github.app", "ok", "`stackwave`"), "{findings:#?}");
    assert!(said("github.permissions", "ok", "all that is needed"), "{findings:#?}");
    assert!(said("repository.inputs", "problem", "`color`"), "{findings:#?}");
    assert!(said("repository.inputs", "problem", "`region`"), "{findings:#?}");
    assert!(said("repository.run-name", "warning", "atmos_pro_run_id"), "{findings:#?}");
    assert!(said("repository.workflow", "problem", "no such workflow"), "{findings:#?}");
    assert!(err(&output).contains("problems were found"), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_finds_deliveries_that_nobody_took() {
    let installation = Installation::new().await;
    installation.github.ping();
    installation.github.wait_until_quiet(std::time::Duration::from_secs(10)).await.unwrap();
    let output = installation.doctor(&[]).await;
    assert!(out(&output).contains("1 × `ping`"), "{}", out(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_tells_a_wrong_key_from_a_host_that_is_not_there() {
    let installation = Installation::new().await;
    installation.github.shutdown().await;
    let output = installation.doctor(&[]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("STACKWAVE_GITHUB_API_URL"), "{}", out(&output));
}

#[test]
fn the_doctor_lists_everything_that_is_wrong_with_the_configuration() {
    let output = stackwave(&["doctor", "--offline"]).env("STACKWAVE_DISPATCH", "maybe").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    for part in
        ["`STACKWAVE_DISPATCH` is `maybe`", "`STACKWAVE_GITHUB_APP_ID` is missing", "GitHub was not asked"]
    {
        assert!(out(&output).contains(part), "{part}: {}", out(&output));
    }
    assert!(!Path::new("data").exists(), "the doctor changes nothing");
}
