//! Spans on their way to a collector.

use axum::{Router, body::Bytes, extract::State, routing::post};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use stackwave_domain::TraceContext;
use stackwave_telemetry::{
    Metrics,
    exposition::prometheus,
    metrics::Build,
    trace::{Exporter, OtlpOptions, SpanLayer, SpanSink},
};
use std::{sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::mpsc};
use tracing_subscriber::{Registry, layer::SubscriberExt as _};

fn options(endpoint: String, sample_ratio: f64) -> OtlpOptions {
    let _ = rustls::crypto::ring::default_provider().install_default();
    OtlpOptions { endpoint: Some(endpoint), sample_ratio, instance: "process-1".to_owned() }
}

/// A collector, and what it received.
async fn collector() -> (String, mpsc::UnboundedReceiver<ExportTraceServiceRequest>) {
    let (sender, received) = mpsc::unbounded_channel();
    let take = async |State(sender): State<mpsc::UnboundedSender<ExportTraceServiceRequest>>, body: Bytes| {
        sender.send(ExportTraceServiceRequest::decode(body).unwrap()).unwrap();
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/v1/traces", post(take)).with_state(sender);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, received)
}

fn make_spans(exporter: &Exporter, traces: u8) {
    let sink = Arc::new(exporter.clone()) as Arc<dyn SpanSink>;
    let subscriber = Registry::default().with(SpanLayer::new(Some(sink)).filtered());
    tracing::subscriber::with_default(subscriber, || {
        for trace in 0..traces {
            // The last eight bytes decide: spread over the whole range.
            let mut id = [1; 16];
            id[9] = trace;
            let parent = TraceContext::new(id, [1; 8], true).unwrap();
            drop(tracing::info_span!(target: "stackwave_test", "hop", trace.parent = %parent));
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_arrive_with_the_name_of_the_service_and_the_last_ones_at_the_end() {
    let (url, mut received) = collector().await;
    let metrics = Metrics::new(&Build::default());
    let exporter = Exporter::start(&options(url, 1.0), Arc::clone(&metrics)).unwrap();
    make_spans(&exporter, 3);
    exporter.stop(Duration::from_secs(5)).await;
    let request = received.recv().await.unwrap();
    let resource = request.resource_spans[0].resource.clone().unwrap();
    let names: Vec<&str> = resource.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
    for name in ["service.name", "service.version", "service.instance.id"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert_eq!(request.resource_spans[0].scope_spans[0].spans.len(), 3);
    assert!(prometheus(&metrics).contains("stackwave_otlp_exports_total{result=\"ok\"} 1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_the_traces_is_chosen_by_their_ids() {
    let (url, mut received) = collector().await;
    let exporter = Exporter::start(&options(url, 0.25), Metrics::new(&Build::default())).unwrap();
    make_spans(&exporter, 200);
    exporter.stop(Duration::from_secs(5)).await;
    let request = received.recv().await.unwrap();
    // The ids' shares are 0/256 to 199/256; kept are those from three quarters on.
    assert_eq!(request.resource_spans[0].scope_spans[0].spans.len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_not_there_harms_nobody() {
    let metrics = Metrics::new(&Build::default());
    let exporter =
        Exporter::start(&options("http://127.0.0.1:9".to_owned(), 1.0), Arc::clone(&metrics)).unwrap();
    make_spans(&exporter, 5);
    exporter.stop(Duration::from_secs(5)).await;
    let text = prometheus(&metrics);
    assert!(text.contains("stackwave_otlp_exports_total{result=\"failed\"}"), "{text}");
    assert!(!text.contains("stackwave_otlp_exports_total{result=\"failed\"} 0"), "{text}");
}
