//! Requests that no honest client sends get answers that every client can read.

use crate::support::{Admin, authorized};
use prost::Message as _;
use stackwave_admin_proto::v1::{
    AssignRepositoryRequest, CancelRequest, CreateApiKeyRequest, ExplainRequest, GetCommandRequest,
    GetRepositoryRequest, GetRunRequest, ListRunsRequest, ResyncRequest, RevokeApiKeyRequest,
    RevokeTokenRequest, StackKey, StreamEventsRequest, stream_events_request::Scope,
};
use tonic::{Code, Status, client::Grpc};
use tonic_types::StatusExt as _;

/// What C's gRPC takes as metadata before it drops an answer.
const MOST_METADATA: usize = 8192;

/// Calls any method with any bytes as the request.
async fn send(admin: &Admin, method: &str, message: Vec<u8>) -> Option<Status> {
    let mut client = Grpc::new(admin.channel().await);
    client.ready().await.unwrap();
    let path = format!("/stackwave.admin.v1.{method}").parse().unwrap();
    let answer = client.server_streaming(authorized(message), path, raw::Codec).await;
    match answer {
        Ok(answer) => answer.into_inner().message().await.err(),
        Err(status) => Some(status),
    }
}

fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    details.error_info().unwrap_or_else(|| panic!("{status:?} has no reason")).reason.clone()
}

#[tokio::test]
async fn a_refusal_repeats_only_the_beginning_of_an_overlong_name() {
    let admin = Admin::start().await;
    for long in ["a".repeat(20_000), "\u{1f600}".repeat(5_000), format!("acme/{}", "b".repeat(20_000))] {
        let name = || long.clone();
        let key = || Some(StackKey { component: name(), stack: name() });
        let stream = |scope| StreamEventsRequest { scope: Some(scope), ..Default::default() };
        let names =
            StreamEventsRequest { event_names: vec![name()], ..stream(Scope::Stream("SW_00".to_owned())) };
        for (method, request) in [
            ("Runs/GetRun", GetRunRequest { run_id: name(), ..Default::default() }.encode_to_vec()),
            ("Runs/ListRuns", ListRunsRequest { page_token: name(), ..Default::default() }.encode_to_vec()),
            (
                "Runs/Explain",
                ExplainRequest { run_id: name(), key: key(), ..Default::default() }.encode_to_vec(),
            ),
            ("Events/StreamEvents", stream(Scope::RunId(name())).encode_to_vec()),
            ("Events/StreamEvents", stream(Scope::Repository(name())).encode_to_vec()),
            ("Events/StreamEvents", stream(Scope::Stream(name())).encode_to_vec()),
            ("Events/StreamEvents", names.encode_to_vec()),
            ("Commands/GetCommand", GetCommandRequest { command_id: name() }.encode_to_vec()),
            (
                "Commands/Cancel",
                CancelRequest { run_id: name(), key: key(), ..Default::default() }.encode_to_vec(),
            ),
            ("Commands/Resync", ResyncRequest { repository: name(), ..Default::default() }.encode_to_vec()),
            (
                "Credentials/CreateApiKey",
                CreateApiKeyRequest { name: "x".to_owned(), workspace: name(), ..Default::default() }
                    .encode_to_vec(),
            ),
            (
                "Credentials/RevokeApiKey",
                RevokeApiKeyRequest { key_id: name(), ..Default::default() }.encode_to_vec(),
            ),
            (
                "Credentials/RevokeToken",
                RevokeTokenRequest { token_id: name(), ..Default::default() }.encode_to_vec(),
            ),
            ("Inventory/GetRepository", GetRepositoryRequest { repository: name() }.encode_to_vec()),
            (
                "Inventory/AssignRepository",
                AssignRepositoryRequest { repository: name(), workspace: name() }.encode_to_vec(),
            ),
        ] {
            let status = send(&admin, method, request).await.unwrap_or_else(|| panic!("{method} took it"));
            assert!(matches!(status.code(), Code::InvalidArgument | Code::NotFound), "{method}: {status}");
            assert!(!reason(&status).is_empty());
            let mut metadata = http::HeaderMap::new();
            status.add_header(&mut metadata).unwrap();
            let size: usize =
                metadata.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum();
            assert!(size < MOST_METADATA, "{method}: {size} bytes");
        }
    }
}

#[tokio::test]
async fn what_is_no_message_or_too_large_is_refused_with_a_reason() {
    let admin = Admin::start().await;
    for garbage in [vec![0x0a, 3, 0xff, 0xfe, 0xfd], vec![0xff; 50], vec![0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]]
    {
        let status = send(&admin, "Runs/GetRun", garbage).await.unwrap();
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
        assert_eq!(reason(&status), "UNREADABLE_REQUEST");
        assert!(status.message().contains("cannot be read"), "{status}");
    }
    let large = GetRunRequest { run_id: "a".repeat(100_000), ..Default::default() }.encode_to_vec();
    let status = send(&admin, "Runs/GetRun", large).await.unwrap();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "REQUEST_TOO_LARGE"));
}

#[tokio::test]
async fn a_reason_may_have_lines_and_nothing_that_a_terminal_obeys() {
    let admin = Admin::start().await;
    let ask = |reason: &str| {
        let request = RevokeTokenRequest { token_id: "tok_none".to_owned(), reason: reason.to_owned() };
        send(&admin, "Credentials/RevokeToken", request.encode_to_vec())
    };
    let status = ask("\u{1b}[31mred").await.unwrap();
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    assert_eq!(ask("one line\n\tand another").await.unwrap().code(), Code::NotFound);
}

/// Bytes as they are.
mod raw {
    use bytes::{Buf as _, BufMut as _};
    use tonic::{
        Status,
        codec::{DecodeBuf, Decoder, EncodeBuf, Encoder},
    };

    #[derive(Clone, Copy, Debug, Default)]
    pub(super) struct Codec;

    impl tonic::codec::Codec for Codec {
        type Encode = Vec<u8>;
        type Decode = Vec<u8>;
        type Encoder = Self;
        type Decoder = Self;

        fn encoder(&mut self) -> Self {
            Self
        }

        fn decoder(&mut self) -> Self {
            Self
        }
    }

    impl Encoder for Codec {
        type Item = Vec<u8>;
        type Error = Status;

        fn encode(&mut self, bytes: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
            buffer.put_slice(&bytes);
            Ok(())
        }
    }

    impl Decoder for Codec {
        type Item = Vec<u8>;
        type Error = Status;

        fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
            let mut bytes = vec![0; buffer.remaining()];
            buffer.copy_to_slice(&mut bytes);
            Ok(Some(bytes))
        }
    }
}
