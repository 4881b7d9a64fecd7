use crate::support::{Admin, PATIENCE};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
const SERVICE: &str = "stackwave.admin.v1.Runs";

#[tokio::test]
async fn health_is_open_and_says_what_the_process_says_of_itself() {
    let admin = Admin::start_with(None).await;
    admin.core.health.not_ready("log", "is away");
    let mut client = HealthClient::new(admin.channel().await);
    let request = HealthCheckRequest { service: SERVICE.to_owned() };
    let mut statuses = client.watch(request).await.unwrap().into_inner();
    let mut wait_for = async |wanted: ServingStatus| {
        let seen = async {
            while let Some(status) = statuses.message().await.unwrap() {
                if status.status() == wanted {
                    return;
                }
            }
            panic!("the watch ended before {wanted:?}");
        };
        tokio::time::timeout(PATIENCE, seen).await.unwrap();
    };
    wait_for(ServingStatus::NotServing).await;
    admin.core.health.ready("log");
    wait_for(ServingStatus::Serving).await;
    admin.core.health.not_ready("log", "is away again");
    wait_for(ServingStatus::NotServing).await;
}

#[tokio::test]
async fn the_service_ends_when_the_process_drains_although_somebody_watches() {
    let admin = Admin::start().await;
    let mut client = HealthClient::new(admin.channel().await);
    let mut statuses = client.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    statuses.message().await.unwrap();
    admin.core.shutdown.cancel();
    let served = tokio::time::timeout(PATIENCE, admin.served).await;
    assert!(matches!(served, Ok(Ok(Ok(())))), "{served:?}");
}
