//! Two replicas over one JetStream, each with a connection of its own.

use crate::support::{Admin, authorized, core, repository};
use stackwave_admin_proto::v1::{
    CreateApiKeyRequest, RevokeApiKeyRequest, credentials_client::CredentialsClient,
};
use stackwave_domain::Subject;
use stackwave_event_log::Append;
use stackwave_event_log_nats::{NatsLog, NatsOptions};
use stackwave_runtime::Core;
use stackwave_testkit::nats::NatsServer;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

/// What the contract promises (`credentials.proto`).
const SOON: Duration = Duration::from_secs(1);

async fn replica(server: &NatsServer) -> Core {
    core(NatsLog::connect(NatsOptions::new(server.url())).await.unwrap()).await
}

/// An upload that is refused for its body once its key has opened the door.
async fn upload(base: &str, key: &str) -> u16 {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.post(format!("{base}/api/v1/affected-stacks")).bearer_auth(key).body("{}");
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_key_that_is_revoked_on_one_replica_stops_within_a_second_on_another() {
    let Some(server) = NatsServer::start().await else { return };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let here = replica(&server).await;
    let record = here.record("test", vec![repository().into()]);
    here.log.append(Append::any(Subject::config("repository", "42"), record)).await.unwrap();
    let admin = Admin::with_core(here).await;
    let there = replica(&server).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let config = stackwave_ingest_api::Config::default();
    tokio::spawn(stackwave_ingest_api::run(there.clone(), config, None, listener));

    let mut client = CredentialsClient::new(admin.channel().await);
    let request = CreateApiKeyRequest { name: "infra".to_owned(), ..Default::default() };
    let created = client.create_api_key(authorized(request)).await.unwrap().into_inner();
    let known = admin.core.config.read(stackwave_engine::Config::position);
    there.config.wait_for(known).await;
    assert_eq!(upload(&base, &created.secret).await, 400);
    // As long as a replica may hear nothing at all.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let revoke = RevokeApiKeyRequest { key_id: created.key.unwrap().id, ..Default::default() };
    client.revoke_api_key(authorized(revoke)).await.unwrap();
    let answered = Instant::now();
    while upload(&base, &created.secret).await != 401 {
        assert!(answered.elapsed() < SOON, "the key still opens the door");
    }
    println!("stopped on the other replica {:?} after the answer", answered.elapsed());
}
