//! Real HTTP in front of the state.

mod answer;
mod call;
mod dispatch;
mod enter;
mod gate;
mod listener;
mod page;
mod process;
mod respond;

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, State},
    http::Request,
    response::Response,
};
use tokio::net::TcpListener;

pub(crate) use self::{
    answer::{Answer, ApiError, Reason},
    call::Call,
    enter::Caller,
    gate::Gate,
    page::Page,
};
use self::{
    call::Arrival,
    listener::{Listener, Peer},
};
use crate::handle::GitHub;

/// GitHub takes no larger request for what is simulated here.
const BODY_LIMIT: usize = 32 * 1024 * 1024;

/// Serves until the gate closes.
pub(crate) async fn serve(github: GitHub, tcp: TcpListener, gate: Arc<Gate>) {
    let app = Router::new().fallback(handle).with_state(github);
    let closed = {
        let gate = gate.clone();
        async move { gate.closed().await }
    };
    let served = axum::serve(Listener::new(tcp, gate), app.into_make_service_with_connect_info::<Peer>())
        .with_graceful_shutdown(closed)
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "the simulated GitHub stopped serving");
    }
}

async fn handle(
    State(github): State<GitHub>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request<Body>,
) -> Response {
    let arrival = Arrival::now();
    let (head, body) = request.into_parts();
    let body = to_bytes(body, BODY_LIMIT).await.unwrap_or_default();
    let call = Call::log(&github, arrival, head, body);
    // A task of its own: GitHub goes on with a request whose sender has gone away.
    let task = github.spawn(process::process(github.clone(), call.clone()));
    let finished = task.await.unwrap_or_else(|panic| process::Finished::crashed(&panic));
    respond::respond(&github, &peer, &call, finished).await
}
