//! A server that answers as a test says, and remembers what it was asked.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use secrecy::SecretString;
use serde_json::{Value, json};
use stackwave_domain::{
    DispatchClaim, GitRef, InstallationId, Position, ProcessId, Receipt, RecordId, RepositoryId,
    RepositoryName, RunId, StackKey, Timestamp, WorkflowFile, event::DispatchClaimed,
};
use stackwave_github::port::Target;
use stackwave_github_client::{ClientConfig, GitHubClient};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::net::TcpListener;

pub(crate) const KEY: &str = include_str!("../keys/app.pkcs1.pem");
pub(crate) const SHA: &str = "6dcb09b5b57875f334f61aebed695e2e4193db5e";

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path.split('?').next() == Some(path)
    }
}

pub(crate) enum Reply {
    Json(u16, Value),
    With(u16, Vec<(&'static str, String)>, String),
    Never,
}

type Script = Arc<dyn Fn(&Seen, usize) -> Option<Reply> + Send + Sync>;

#[derive(Clone)]
pub(crate) struct GitHub {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    script: Script,
}

impl GitHub {
    /// The script is told a request and how many like it (method and path) came before; `None` is a 404. Tokens are
    /// given to whoever asks, unless the script does otherwise.
    pub(crate) async fn start(
        script: impl Fn(&Seen, usize) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let github = Self { url, seen: Arc::default(), script: Arc::new(script) };
        let app = Router::new().fallback(answer).with_state(github.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        github
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, method: &str, path: &str) -> usize {
        self.seen().iter().filter(|seen| seen.is(method, path)).count()
    }

    pub(crate) fn client(&self) -> GitHubClient {
        GitHubClient::new(config(&self.url)).unwrap()
    }
}

async fn answer(State(github): State<GitHub>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let seen = Seen {
        method: parts.method.to_string(),
        path: parts.uri.to_string(),
        headers: parts.headers,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    let before = {
        let mut all = github.seen.lock().unwrap();
        let path = seen.path.split('?').next().unwrap();
        let before = all.iter().filter(|other| other.is(&seen.method, path)).count();
        all.push(seen.clone());
        before
    };
    let reply = (github.script)(&seen, before).or_else(|| token(&seen, before));
    match reply.unwrap_or_else(|| Reply::Json(404, json!({"message": "Not Found"}))) {
        Reply::Json(status, body) => {
            (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response()
        }
        Reply::With(status, headers, body) => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            response.body(Body::from(body)).unwrap()
        }
        Reply::Never => std::future::pending().await,
    }
}

fn token(seen: &Seen, before: usize) -> Option<Reply> {
    let minted = seen.method == "POST" && seen.path.ends_with("/access_tokens");
    minted.then(|| {
        Reply::Json(
            201,
            json!({"token": format!("ghs_secret{before}"), "expires_at": "2026-11-03T11:00:00Z"}),
        )
    })
}

/// When every test happens.
pub(crate) fn now() -> Timestamp {
    "2026-11-03T10:00:00Z".parse().unwrap()
}

pub(crate) fn config(url: &str) -> ClientConfig {
    let mut config = ClientConfig::new(url, Arc::new(now));
    config.app_id = Some("77".to_owned());
    config.private_key = Some(SecretString::from(KEY));
    // Only tests of silence wait this long.
    config.call_timeout = Duration::from_secs(5);
    config
}

pub(crate) fn target() -> Target {
    Target {
        id: RepositoryId(1),
        name: RepositoryName::new("acme", "infra"),
        installation: InstallationId(31_415),
    }
}

pub(crate) fn claim(inputs: &[&str]) -> DispatchClaim {
    let claimed = DispatchClaimed {
        dispatch: "swd_1".into(),
        run: RunId::new("run-1"),
        key: StackKey::new("prod", "vpc"),
        attempt: 1,
        claimant: ProcessId::new("p"),
        workflow: WorkflowFile::new("tf-plan.yaml"),
        git_ref: GitRef::new("main"),
        inputs: inputs.iter().map(|name| ((*name).to_owned(), format!("{name}-value"))).collect(),
        title: None,
    };
    let receipt = Receipt { record: RecordId::new("r"), position: Position(7) };
    DispatchClaim::granted(&receipt, RepositoryId(1), claimed, 1)
}
