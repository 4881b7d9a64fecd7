//! gRPC, observed: a layer for any server of HTTP/2, which reads the status where gRPC has it.

use crate::metrics::Metrics;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};
use tower::{Layer, Service};

/// Counts and times every call.
#[derive(Clone)]
pub struct GrpcLayer(Option<Arc<Metrics>>);

impl GrpcLayer {
    /// A layer that counts here; without metrics it only passes on.
    #[must_use]
    pub const fn new(metrics: Option<Arc<Metrics>>) -> Self {
        Self(metrics)
    }
}

impl<S> Layer<S> for GrpcLayer {
    type Service = Grpc<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Grpc { inner, metrics: self.0.clone() }
    }
}

/// An observed server.
#[derive(Clone)]
pub struct Grpc<S> {
    inner: S,
    metrics: Option<Arc<Metrics>>,
}

impl<S, A, B> Service<Request<A>> for Grpc<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    S::Future: Send + 'static,
    B: Body + Unpin,
{
    type Response = Response<Counted<B>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let counted = self.metrics.clone().map(|metrics| (metrics, method(request.uri().path())));
        let began = Instant::now();
        let answering = self.inner.call(request);
        Box::pin(async move {
            let response = answering.await?;
            let took = began.elapsed().as_secs_f64();
            let call = counted.map(|(metrics, method)| {
                metrics.grpc_duration.get_or_create(&vec![("method", method.clone())]).observe(took);
                let mut call = Call { metrics, method, code: None };
                call.read(response.headers());
                // A path that no service has is refused as HTTP.
                if !response.status().is_success() {
                    call.code = Some("unimplemented");
                }
                call
            });
            Ok(response.map(|body| Counted { body, call }))
        })
    }
}

/// `/stackwave.admin.v1.Runs/ListRuns`; what is no method of ours is named by nobody's words.
fn method(path: &str) -> String {
    let known = ["/stackwave.", "/grpc."].iter().any(|prefix| path.starts_with(prefix));
    let plain =
        path.len() < 100 && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._".contains(&byte));
    if known && plain { path.trim_start_matches('/').to_owned() } else { "other".to_owned() }
}

/// One call until its end.
struct Call {
    metrics: Arc<Metrics>,
    method: String,
    code: Option<&'static str>,
}

impl Call {
    fn read(&mut self, headers: &HeaderMap) {
        let status = headers.get("grpc-status").and_then(|value| value.to_str().ok());
        self.code = status.map(code).or(self.code);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // Whoever goes away before the end has cancelled.
        let labels = vec![
            ("method", std::mem::take(&mut self.method)),
            ("code", self.code.unwrap_or("cancelled").to_owned()),
        ];
        self.metrics.grpc_requests.get_or_create(&labels).inc();
    }
}

/// Source: gRPC "Status codes and their use in gRPC".
fn code(status: &str) -> &'static str {
    match status {
        "0" => "ok",
        "1" => "cancelled",
        "2" => "unknown",
        "3" => "invalid_argument",
        "4" => "deadline_exceeded",
        "5" => "not_found",
        "6" => "already_exists",
        "7" => "permission_denied",
        "8" => "resource_exhausted",
        "9" => "failed_precondition",
        "10" => "aborted",
        "11" => "out_of_range",
        "12" => "unimplemented",
        "13" => "internal",
        "14" => "unavailable",
        "15" => "data_loss",
        "16" => "unauthenticated",
        _ => "unknown",
    }
}

/// An answer's body that reads the trailers as they pass.
pub struct Counted<B> {
    body: B,
    call: Option<Call>,
}

impl<B: Body + Unpin> Body for Counted<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &frame
            && let Some(trailers) = frame.trailers_ref()
            && let Some(call) = &mut self.call
        {
            call.read(trailers);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
