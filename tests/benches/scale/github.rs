//! A GitHub that says yes to comments and knows of nothing else, so that the commenter comes to rest.

use anyhow::Result;
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::{any, get, patch, post},
};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::net::TcpListener;

/// It is quiet when nothing was asked for so long: longer than any look comes after another.
const QUIET: Duration = Duration::from_secs(3);

/// A running one.
pub(crate) struct GitHub {
    pub(crate) url: String,
    comments: Arc<AtomicU64>,
}

impl GitHub {
    pub(crate) async fn start() -> Result<Self> {
        let comments = Arc::new(AtomicU64::new(0));
        let router = Router::new()
            .route("/app/installations/{id}/access_tokens", post(token))
            .route("/app", get(|| async { Json(json!({ "id": 1, "slug": "stackwave" })) }))
            .route("/repos/{owner}/{name}/issues/comments/{id}", patch(comment))
            .route("/repos/{owner}/{name}/actions/runs", get(runs))
            .fallback(any(|| async { (StatusCode::NOT_FOUND, Json(json!({ "message": "Not Found" }))) }))
            .with_state(Arc::clone(&comments));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, comments })
    }

    /// Waits until no comment was written for a while, and tells how many were.
    pub(crate) async fn wait_until_quiet(&self) -> u64 {
        let mut before = u64::MAX;
        loop {
            let now = self.comments.load(Ordering::Relaxed);
            if now == before {
                return now;
            }
            before = now;
            tokio::time::sleep(QUIET).await;
        }
    }
}

async fn token() -> (StatusCode, Json<Value>) {
    (StatusCode::CREATED, Json(json!({ "token": "ghs_x", "expires_at": "2099-01-01T00:00:00Z" })))
}

async fn runs() -> Json<Value> {
    Json(json!({ "total_count": 0, "workflow_runs": [] }))
}

async fn comment(
    State(comments): State<Arc<AtomicU64>>,
    Path((_, _, id)): Path<(String, String, u64)>,
) -> Response {
    comments.fetch_add(1, Ordering::Relaxed);
    Json(json!({ "id": id })).into_response()
}
