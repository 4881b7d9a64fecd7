//! An early refusal that reaches its client.
//!
//! A server that answers before it has read the whole body, and closes, makes the kernel reset the connection: a client
//! that is still sending sees the reset and never the answer. So what a handler left of a body is read and thrown away
//! first, within bounds.

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::header::EXPECT,
    middleware::Next,
    response::Response,
};
use futures::StreamExt as _;
use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

/// So much is thrown away; beyond it a client has to live with the reset.
const BYTES: usize = 128 << 20;
/// For so long; Atmos itself gives up after 30 s.
const WITHIN: Duration = Duration::from_secs(10);

/// The layer: lends the body to the handler and reads the rest of it before the answer goes out.
pub(super) async fn rest_of_the_body(request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    // Who waits for a `100 Continue` has not begun to send, and shall not.
    if body.is_end_stream() || head.headers.contains_key(EXPECT) {
        return next.run(Request::from_parts(head, body)).await;
    }
    let lent = Lent(Arc::new(Mutex::new(body)));
    let response = next.run(Request::from_parts(head, Body::new(lent.clone()))).await;
    if !lent.is_end_stream() {
        // Whatever comes of it, the answer goes out.
        let _ = tokio::time::timeout(WITHIN, throw_away(Body::new(lent))).await;
    }
    response
}

async fn throw_away(body: Body) {
    let mut left = BYTES;
    let mut data = body.into_data_stream();
    while let Some(Ok(bytes)) = data.next().await {
        let Some(less) = left.checked_sub(bytes.len()) else { return };
        left = less;
    }
}

/// A body that can be read on by somebody else.
#[derive(Clone)]
struct Lent(Arc<Mutex<Body>>);

impl Lent {
    fn body(&self) -> MutexGuard<'_, Body> {
        // A panic in a reader leaves the body where it was.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut *self.body()).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body().is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body().size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, http::StatusCode, middleware, routing::post};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
    };

    #[tokio::test]
    async fn a_client_that_is_still_sending_gets_its_refusal() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/", post(async || StatusCode::PAYLOAD_TOO_LARGE))
            .layer(middleware::from_fn(rest_of_the_body));
        tokio::spawn(async move { axum::serve(listener, router).await });

        let body = vec![b' '; 16 << 20];
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&body).await.expect("the server reads on");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    }
}
