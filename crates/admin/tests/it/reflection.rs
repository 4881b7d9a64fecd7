use crate::support::Admin;
use prost::Message as _;

const SERVICE: &str = "stackwave.admin.v1.Runs";

/// The same conversation in one version of the protocol, whose types are its own.
macro_rules! speaks {
    ($test:ident, $version:ident) => {
        #[tokio::test]
        async fn $test() {
            use tonic_reflection::pb::$version::{
                ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
                server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
            };

            let admin = Admin::start_with(None).await;
            let mut client = ServerReflectionClient::new(admin.channel().await);
            let ask = |message: MessageRequest| ServerReflectionRequest {
                host: String::new(),
                message_request: Some(message),
            };
            let questions = tokio_stream::iter([
                ask(MessageRequest::ListServices(String::new())),
                ask(MessageRequest::FileContainingSymbol(SERVICE.to_owned())),
                ask(MessageRequest::FileContainingSymbol("google.rpc.BadRequest".to_owned())),
            ]);
            let mut answers = client.server_reflection_info(questions).await.unwrap().into_inner();
            let answer = answers.message().await.unwrap().unwrap().message_response;
            let Some(MessageResponse::ListServicesResponse(services)) = answer else { panic!("{answer:?}") };
            let names: Vec<String> = services.service.into_iter().map(|service| service.name).collect();
            for name in ["Runs", "Events", "Commands", "Credentials", "Inventory", "System"] {
                let name = format!("stackwave.admin.v1.{name}");
                assert!(names.contains(&name), "{names:?}");
            }
            for name in [SERVICE, "grpc.health.v1.Health"] {
                assert!(names.iter().any(|known| known == name), "{names:?}");
            }
            let answer = answers.message().await.unwrap().unwrap().message_response;
            let Some(MessageResponse::FileDescriptorResponse(files)) = answer else { panic!("{answer:?}") };
            let file = files.file_descriptor_proto[0].as_slice();
            let file = prost_types::FileDescriptorProto::decode(file).unwrap();
            assert_eq!(file.package(), "stackwave.admin.v1");
            let answer = answers.message().await.unwrap().unwrap().message_response;
            assert!(matches!(answer, Some(MessageResponse::FileDescriptorResponse(_))), "{answer:?}");
        }
    };
}

speaks!(reflection_is_open_and_describes_runs_and_health, v1);
speaks!(older_clients_are_told_the_same, v1alpha);
