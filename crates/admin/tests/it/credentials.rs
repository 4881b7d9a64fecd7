use crate::support::{Admin, PATIENCE, TOKEN, authorized};
use stackwave_admin_proto::v1::{
    self, CreateApiKeyRequest, CreateTokenRequest, CreateWorkspaceRequest, ListApiKeysRequest,
    ListTokensRequest, RevokeApiKeyRequest, RevokeTokenRequest, Role, WhoAmIRequest,
    credentials_client::CredentialsClient, inventory_client::InventoryClient,
};
use stackwave_domain::{Digest, Position, StreamId};
use tonic::{Code, Status, transport::Channel};
use tonic_types::StatusExt as _;

async fn client(admin: &Admin) -> CredentialsClient<Channel> {
    CredentialsClient::new(admin.channel().await)
}

async fn create(
    client: &mut CredentialsClient<Channel>,
    name: &str,
) -> Result<v1::CreateApiKeyResponse, Status> {
    let request = CreateApiKeyRequest { name: name.to_owned(), ..Default::default() };
    client.create_api_key(authorized(request)).await.map(tonic::Response::into_inner)
}

fn field(status: &Status) -> String {
    let details = status.get_error_details();
    details.bad_request().unwrap().field_violations[0].field.clone()
}

#[tokio::test]
async fn a_key_is_shown_once_and_the_log_holds_its_hash() {
    let admin = Admin::start().await;
    let mut client = client(&admin).await;
    let created = create(&mut client, "infra repository").await.unwrap();
    let (key, secret) = (created.key.unwrap(), created.secret);
    assert!(secret.starts_with("swk_"), "{secret}");
    assert_eq!((key.name.as_str(), key.workspace.as_str()), ("infra repository", "default"));
    assert_eq!((key.created_by.as_str(), key.expires_at, key.revoked_at), ("bootstrap", None, None));
    let log = admin.core.log.read(StreamId::Config, Position(1), 100).await.unwrap();
    let text = format!("{log:?}");
    assert!(!text.contains(&secret) && text.contains(Digest::of(secret.as_bytes()).as_str()));
    let listed = client.list_api_keys(authorized(ListApiKeysRequest::default())).await.unwrap().into_inner();
    assert_eq!(listed.keys, [key]);
}

#[tokio::test]
async fn revoking_is_seen_at_once_and_doing_it_again_changes_nothing() {
    let admin = Admin::start().await;
    let mut client = client(&admin).await;
    let id = create(&mut client, "one").await.unwrap().key.unwrap().id;
    let revoke = RevokeApiKeyRequest { key_id: id.clone(), reason: "it leaked".to_owned() };
    let first = client.revoke_api_key(authorized(revoke.clone())).await.unwrap().into_inner().key.unwrap();
    assert!(first.revoked_at.is_some());
    assert_eq!(first.revoked_by, "bootstrap");
    let before = admin.core.log.last_position(StreamId::Config).await.unwrap();
    let second = client.revoke_api_key(authorized(revoke)).await.unwrap().into_inner().key.unwrap();
    assert_eq!(second, first);
    assert_eq!(admin.core.log.last_position(StreamId::Config).await.unwrap(), before);
    let valid = ListApiKeysRequest { valid_only: true, ..Default::default() };
    assert!(client.list_api_keys(authorized(valid)).await.unwrap().into_inner().keys.is_empty());
    let missing = RevokeApiKeyRequest { key_id: "key_none".to_owned(), ..Default::default() };
    let status = client.revoke_api_key(authorized(missing)).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    let details = status.get_error_details();
    assert_eq!(details.resource_info().unwrap().resource_name, "key_none");
    assert_eq!(details.error_info().unwrap().reason, "API_KEY_NOT_FOUND");
}

#[tokio::test]
async fn keys_are_listed_newest_first_in_pages_that_neither_shift_nor_repeat() {
    let admin = Admin::start().await;
    let mut client = client(&admin).await;
    for name in ["a", "b", "c", "d", "e"] {
        create(&mut client, name).await.unwrap();
    }
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let request = ListApiKeysRequest { page_size: 2, page_token: token, ..Default::default() };
        let page = client.list_api_keys(authorized(request)).await.unwrap().into_inner();
        seen.extend(page.keys.into_iter().map(|key| key.name));
        create(&mut client, "meanwhile").await.unwrap();
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, ["e", "d", "c", "b", "a"]);
    let request = ListApiKeysRequest { page_size: 2, ..Default::default() };
    let token = client.list_api_keys(authorized(request)).await.unwrap().into_inner().next_page_token;
    let other = ListApiKeysRequest { page_token: token, workspace: "default".into(), ..Default::default() };
    let status = client.list_api_keys(authorized(other)).await.unwrap_err();
    assert_eq!((status.code(), field(&status).as_str()), (Code::InvalidArgument, "page_token"));
}

#[tokio::test]
async fn what_makes_no_sense_names_the_field() {
    let admin = Admin::start().await;
    let mut client = client(&admin).await;
    let long = "x".repeat(101);
    for name in ["", "  ", long.as_str(), "two\nlines"] {
        let status = create(&mut client, name).await.unwrap_err();
        assert_eq!((status.code(), field(&status).as_str()), (Code::InvalidArgument, "name"), "{name:?}");
    }
    let nothing = prost_types::Duration { seconds: 0, nanos: 0 };
    let request =
        CreateApiKeyRequest { name: "x".to_owned(), valid_for: Some(nothing), ..Default::default() };
    assert_eq!(field(&client.create_api_key(authorized(request)).await.unwrap_err()), "valid_for");
    let request =
        CreateApiKeyRequest { name: "x".to_owned(), workspace: "payments".to_owned(), ..Default::default() };
    let status = client.create_api_key(authorized(request)).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound, "{status}");
    for (name, role, wrong) in [("x", 0, "role"), ("x", 77, "role"), ("dispatcher", 1, "name")] {
        let request = CreateTokenRequest { name: name.to_owned(), role, valid_for: None };
        assert_eq!(field(&client.create_token(authorized(request)).await.unwrap_err()), wrong);
    }
}

#[tokio::test]
async fn a_key_of_a_new_workspace_opens_that_one() {
    let admin = Admin::start().await;
    let mut inventory = InventoryClient::new(admin.channel().await);
    let workspace = CreateWorkspaceRequest { name: "payments".to_owned(), ..Default::default() };
    inventory.create_workspace(authorized(workspace)).await.unwrap();
    let mut client = client(&admin).await;
    let request =
        CreateApiKeyRequest { name: "x".to_owned(), workspace: "payments".to_owned(), ..Default::default() };
    let secret = client.create_api_key(authorized(request)).await.unwrap().into_inner().secret;
    let hash = Digest::of(secret.as_bytes());
    let workspace = admin.core.config.read(|config| config.api_key(&hash).unwrap().workspace.to_string());
    assert_eq!(workspace, "payments");
}

#[tokio::test]
async fn the_token_of_the_configuration_is_listed_last_and_revoked_there_only() {
    let admin = Admin::start().await;
    let mut client = client(&admin).await;
    let request = CreateTokenRequest { name: "alice".to_owned(), role: Role::Viewer.into(), valid_for: None };
    let secret = client.create_token(authorized(request)).await.unwrap().into_inner().secret;
    assert!(secret.starts_with("swt_"));
    let mut names = Vec::new();
    let mut token = String::new();
    loop {
        let request = ListTokensRequest { page_size: 1, page_token: token, ..Default::default() };
        let page = client.list_tokens(authorized(request)).await.unwrap().into_inner();
        names.extend(page.tokens.into_iter().map(|token| token.name));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(names, ["alice", "bootstrap"]);
    let request = RevokeTokenRequest { token_id: "bootstrap".to_owned(), ..Default::default() };
    let status = client.revoke_token(authorized(request)).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    let details = status.get_error_details();
    assert_eq!(details.precondition_failure().unwrap().violations[0].r#type, "BOOTSTRAP_TOKEN");
    assert!(!status.message().contains(TOKEN));
}

#[tokio::test]
async fn the_use_of_a_token_is_told_once_in_a_while() {
    let admin = Admin::start().await;
    let mut client = client(&admin).await;
    let request = CreateTokenRequest { name: "alice".to_owned(), role: Role::Viewer.into(), valid_for: None };
    let created = client.create_token(authorized(request)).await.unwrap().into_inner();
    let mut changes = admin.core.config.changes();
    changes.mark_unchanged();
    let ask = async |secret: &str| {
        let header = format!("Bearer {secret}");
        let request = crate::support::with_header(WhoAmIRequest {}, &header);
        CredentialsClient::new(admin.channel().await).who_am_i(request).await.unwrap();
    };
    for _ in 0..5 {
        ask(&created.secret).await;
    }
    let id = stackwave_domain::CredentialId::new(created.token.unwrap().id);
    let used = async {
        loop {
            let known = admin.core.config.read(|config| config.find_admin_token(&id).cloned()).unwrap();
            if known.credential.last_used_at.is_some() {
                return;
            }
            changes.changed().await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, used).await.unwrap();
    let log = admin.core.log.read(StreamId::Config, Position(1), 100).await.unwrap();
    let told = log.iter().filter(|entry| entry.subject.kind() == "obs.credential").count();
    assert_eq!(told, 1);
}
