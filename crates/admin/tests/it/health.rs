use crate::support::{Admin, PATIENCE};
use prost::Message as _;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
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

#[tokio::test]
async fn reflection_is_open_and_describes_runs_and_health() {
    let admin = Admin::start_with(None).await;
    let mut client = ServerReflectionClient::new(admin.channel().await);
    let ask = |message: MessageRequest| ServerReflectionRequest {
        host: String::new(),
        message_request: Some(message),
    };
    let questions = tokio_stream::iter([
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol(SERVICE.to_owned())),
    ]);
    let mut answers = client.server_reflection_info(questions).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response;
    let Some(MessageResponse::ListServicesResponse(services)) = answer else { panic!("{answer:?}") };
    let names: Vec<String> = services.service.into_iter().map(|service| service.name).collect();
    for name in [SERVICE, "grpc.health.v1.Health"] {
        assert!(names.iter().any(|known| known == name), "{names:?}");
    }
    let answer = answers.message().await.unwrap().unwrap().message_response;
    let Some(MessageResponse::FileDescriptorResponse(files)) = answer else { panic!("{answer:?}") };
    let file = prost_types::FileDescriptorProto::decode(files.file_descriptor_proto[0].as_slice()).unwrap();
    assert_eq!(file.package(), "stackwave.admin.v1");
}
