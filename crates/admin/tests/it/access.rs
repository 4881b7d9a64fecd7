//! Every method against every credential that must not open it.

use crate::support::{Admin, PATIENCE, TOKEN, authorized, with_header};
use prost_reflect::DescriptorPool;
use stackwave_admin_proto::v1::{
    CreateTokenRequest, GetRunRequest, ListRunsRequest, RevokeTokenRequest, Role, StreamEventsRequest,
    WhoAmIRequest, credentials_client::CredentialsClient, events_client::EventsClient,
    stream_events_request::Scope,
};
use std::collections::BTreeMap;
use tokio::task::JoinSet;
use tonic::{Code, Request, Status, client::Grpc, transport::Channel};
use tonic_types::StatusExt as _;

/// Every method as `package.Service/Method`.
fn methods() -> Vec<String> {
    let pool = DescriptorPool::decode(stackwave_admin_proto::FILE_DESCRIPTOR_SET).unwrap();
    let mut methods = Vec::new();
    for service in pool.services() {
        for method in service.methods() {
            methods.push(format!("{}/{}", service.full_name(), method.name()));
        }
    }
    methods
}

/// The least role that a method's documentation promises.
fn promised(method: &str) -> Role {
    const OPERATOR: [&str; 4] = ["Commands/Retry", "Commands/Cancel", "Commands/Resync", "Commands/Resolve"];
    const ADMIN: [&str; 3] = ["CreateWorkspace", "AssignRepository", "RebuildReadModel"];
    let (service, name) = method.rsplit_once('.').unwrap().1.split_once('/').unwrap();
    match (service, name) {
        ("Credentials", "WhoAmI") => Role::Viewer,
        ("Credentials", _) => Role::Admin,
        (_, name) if ADMIN.contains(&name) => Role::Admin,
        (service, name) if OPERATOR.contains(&format!("{service}/{name}").as_str()) => Role::Operator,
        _ => Role::Viewer,
    }
}

/// Calls any method with an empty request.
async fn call(channel: &Channel, method: &str, header: Option<&str>) -> Result<(), Status> {
    let mut client = Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    let request = match header {
        Some(header) => with_header((), header),
        None => Request::new(()),
    };
    let path = format!("/{method}").parse().unwrap();
    // A stream's first answer is enough: whoever may not listen gets none.
    let answer = client.server_streaming(request, path, codec).await?;
    answer.into_inner().message().await.map(drop)
}

async fn token(
    admin: &Admin,
    name: &str,
    role: Role,
    valid_for: Option<prost_types::Duration>,
) -> (String, String) {
    let mut client = CredentialsClient::new(admin.channel().await);
    let request = CreateTokenRequest { name: name.to_owned(), role: role.into(), valid_for };
    let created = client.create_token(authorized(request)).await.unwrap().into_inner();
    (created.token.unwrap().id, created.secret)
}

async fn revoke(admin: &Admin, id: &str) {
    let mut client = CredentialsClient::new(admin.channel().await);
    let request = RevokeTokenRequest { token_id: id.to_owned(), reason: "it leaked".to_owned() };
    client.revoke_token(authorized(request)).await.unwrap();
}

fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    let info = details.error_info().unwrap_or_else(|| panic!("{status:?} has no reason"));
    assert_eq!(info.domain, "stackwave");
    info.reason.clone()
}

#[tokio::test]
async fn every_method_refuses_a_missing_malformed_wrong_revoked_expired_or_too_weak_token() {
    let admin = Admin::start().await;
    let channel = admin.channel().await;
    let (revoked_id, revoked) = token(&admin, "revoked", Role::Admin, None).await;
    revoke(&admin, &revoked_id).await;
    let soon = prost_types::Duration { seconds: 0, nanos: 1 };
    let (_, expired) = token(&admin, "expired", Role::Admin, Some(soon)).await;
    let mut by_role = BTreeMap::new();
    for role in [Role::Viewer, Role::Operator, Role::Admin] {
        by_role.insert(role, token(&admin, "somebody", role, None).await.1);
    }
    let cut = &by_role[&Role::Admin][..30];
    let bearer = |token: &str| format!("Bearer {token}");
    for method in methods() {
        for (header, expected) in [
            (None, "TOKEN_MISSING"),
            (Some("Bearer".to_owned()), "TOKEN_MALFORMED"),
            (Some("Basic eA==".to_owned()), "TOKEN_MALFORMED"),
            (Some(bearer("two words")), "TOKEN_MALFORMED"),
            (Some(bearer(cut)), "TOKEN_MALFORMED"),
            (Some(bearer("wrong-horse")), "TOKEN_UNKNOWN"),
            (Some(bearer(&revoked)), "TOKEN_REVOKED"),
            (Some(bearer(&expired)), "TOKEN_EXPIRED"),
        ] {
            let status = call(&channel, &method, header.as_deref()).await.unwrap_err();
            assert_eq!(status.code(), Code::Unauthenticated, "{method} with {header:?}: {status}");
            assert_eq!(reason(&status), expected, "{method} with {header:?}");
            assert!(!status.message().contains("horse") && !status.message().contains(&revoked[4..]));
        }
        let needed = promised(&method);
        for (role, secret) in &by_role {
            let answer = call(&channel, &method, Some(&bearer(secret))).await;
            let refused = answer.err().filter(|status| status.code() == Code::PermissionDenied);
            assert_eq!(refused.is_some(), *role < needed, "{method} as {role:?}: {refused:?}");
            if let Some(status) = refused {
                assert_eq!(reason(&status), "ROLE_TOO_WEAK");
            }
        }
    }
}

#[tokio::test]
async fn no_method_is_a_placeholder() {
    let admin = Admin::start().await;
    let channel = admin.channel().await;
    for method in methods() {
        let answer = call(&channel, &method, Some(&format!("Bearer {TOKEN}"))).await;
        let code = answer.err().map(|status| status.code());
        assert_ne!(code, Some(Code::Unimplemented), "{method}");
        assert_ne!(code, Some(Code::Internal), "{method}");
    }
    let unknown = call(&channel, "stackwave.admin.v1.Runs/Nothing", Some(&format!("Bearer {TOKEN}"))).await;
    assert_eq!(unknown.unwrap_err().code(), Code::Unimplemented);
    let closed = call(&channel, "stackwave.admin.v1.Runs/Nothing", None).await;
    assert_eq!(closed.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn without_a_configured_token_every_call_is_refused_and_told_which_setting_to_set() {
    let admin = Admin::start_with(None).await;
    let mut client = admin.client().await;
    let listed =
        client.list_runs(with_header(ListRunsRequest::default(), "Bearer anything")).await.unwrap_err();
    let got = client.get_run(Request::new(GetRunRequest::default())).await.unwrap_err();
    for status in [listed, got] {
        assert_eq!(status.code(), Code::Unauthenticated);
        assert!(status.message().contains("STACKWAVE_ADMIN_TOKEN"), "{status}");
    }
}

#[tokio::test]
async fn the_scheme_is_read_whatever_its_case_and_a_caller_learns_who_he_is() {
    let admin = Admin::start().await;
    let mut client = CredentialsClient::new(admin.channel().await);
    let header = format!("bearer {TOKEN}");
    let bootstrap = client.who_am_i(with_header(WhoAmIRequest {}, &header)).await.unwrap().into_inner();
    let bootstrap = bootstrap.token.unwrap();
    assert_eq!((bootstrap.id.as_str(), bootstrap.role()), ("bootstrap", Role::Admin));
    let (id, secret) = token(&admin, "alice", Role::Viewer, None).await;
    let header = format!("Bearer {secret}");
    let alice = client.who_am_i(with_header(WhoAmIRequest {}, &header)).await.unwrap().into_inner();
    let alice = alice.token.unwrap();
    assert_eq!((&alice.id, alice.name.as_str(), alice.role()), (&id, "alice", Role::Viewer));
}

#[tokio::test]
async fn a_stream_that_is_open_ends_when_its_token_is_revoked_or_expires() {
    let admin = Admin::start().await;
    let other = admin.replica().await;
    let (id, revoked) = token(&admin, "revoked", Role::Viewer, None).await;
    let second = prost_types::Duration { seconds: 1, nanos: 0 };
    let (_, expiring) = token(&admin, "expiring", Role::Viewer, Some(second)).await;
    // The other replica has to know the tokens.
    other.core.config.wait_for(admin.core.config.read(stackwave_engine::Config::position)).await;
    let mut client = EventsClient::new(other.channel().await);
    let mut open = async |secret: &str| {
        let scope = Some(Scope::Stream("SW_00".to_owned()));
        let request = StreamEventsRequest { scope, follow: true, ..Default::default() };
        client.stream_events(with_header(request, &format!("Bearer {secret}"))).await.unwrap().into_inner()
    };
    let (mut of_revoked, mut of_expiring) = (open(&revoked).await, open(&expiring).await);
    revoke(&admin, &id).await;
    let ended = tokio::time::timeout(PATIENCE, of_revoked.message()).await.unwrap().unwrap_err();
    assert_eq!((ended.code(), reason(&ended).as_str()), (Code::Unauthenticated, "TOKEN_REVOKED"));
    let ended = tokio::time::timeout(PATIENCE, of_expiring.message()).await.unwrap().unwrap_err();
    assert_eq!((ended.code(), reason(&ended).as_str()), (Code::Unauthenticated, "TOKEN_EXPIRED"));
}

#[tokio::test]
async fn a_flood_of_wrong_tokens_is_held_back_and_the_right_one_opens_meanwhile() {
    let admin = Admin::start().await;
    let channel = admin.channel().await;
    let mut flood: JoinSet<Code> = JoinSet::new();
    for number in 0..200 {
        let channel = channel.clone();
        flood.spawn(async move {
            let header = format!("Bearer guess-{number}");
            call(&channel, "stackwave.admin.v1.Credentials/WhoAmI", Some(&header)).await.unwrap_err().code()
        });
    }
    // Fifty are answered at once; what comes after them waits for seconds.
    for _ in 0..50 {
        let answered = tokio::time::timeout(PATIENCE, flood.join_next()).await.unwrap();
        assert_eq!(answered.unwrap().unwrap(), Code::Unauthenticated);
    }
    let right = format!("Bearer {TOKEN}");
    call(&channel, "stackwave.admin.v1.Credentials/WhoAmI", Some(&right)).await.unwrap();
    assert!(!flood.is_empty(), "the right token did not overtake the wrong ones");
}
