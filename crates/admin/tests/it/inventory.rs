use crate::support::{Admin, authorized, opened};
use stackwave_admin_proto::v1::{
    AssignRepositoryRequest, CreateWorkspaceRequest, GetRepositoryRequest, ListInstallationsRequest,
    ListRepositoriesRequest, ListWorkspacesRequest, inventory_client::InventoryClient,
};
use stackwave_domain::{
    GitRef, InstallationId, RepositoryId, RepositoryName, Subject, WorkspaceId,
    event::{InstallationObserved, RepositoryRegistered, Source},
};
use tonic::{Code, transport::Channel};
use tonic_types::StatusExt as _;

async fn client(admin: &Admin) -> InventoryClient<Channel> {
    InventoryClient::new(admin.channel().await)
}

#[tokio::test]
async fn a_repository_is_moved_into_a_workspace_and_counted_there() {
    let admin = Admin::start().await;
    let mut client = client(&admin).await;
    let move_it = AssignRepositoryRequest { repository: "ACME/infra".into(), workspace: "payments".into() };
    let status = client.assign_repository(authorized(move_it.clone())).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert_eq!(status.get_error_details().error_info().unwrap().reason, "WORKSPACE_NOT_FOUND");

    let create = CreateWorkspaceRequest { name: "payments".into(), description: "the team".into() };
    client.create_workspace(authorized(create.clone())).await.unwrap();
    let again = client.create_workspace(authorized(create)).await.unwrap_err();
    assert_eq!(again.code(), Code::AlreadyExists);
    let moved = client.assign_repository(authorized(move_it)).await.unwrap().into_inner();
    assert_eq!(moved.repository.unwrap().workspace, "payments");

    let listed = client.list_workspaces(authorized(ListWorkspacesRequest::default())).await.unwrap();
    let workspaces = listed.into_inner().workspaces;
    let counts: Vec<(String, u32)> =
        workspaces.into_iter().map(|one| (one.name, one.repository_count)).collect();
    assert_eq!(counts, [("default".to_owned(), 0), ("payments".to_owned(), 1)]);
}

#[tokio::test]
async fn names_of_workspaces_are_checked() {
    let admin = Admin::start().await;
    let mut client = client(&admin).await;
    let long = "x".repeat(51);
    for name in ["", "Upper", "with_underscore", "-dash", long.as_str()] {
        let create = CreateWorkspaceRequest { name: name.to_owned(), ..Default::default() };
        let status = client.create_workspace(authorized(create)).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{name:?}");
        let details = status.get_error_details();
        assert_eq!(details.bad_request().unwrap().field_violations[0].field, "name");
    }
}

#[tokio::test]
async fn repositories_are_found_by_a_part_of_their_name_and_tell_what_is_active() {
    let admin = Admin::start().await;
    for (id, name) in [(43, "app"), (44, "Infra-legacy")] {
        let registered = RepositoryRegistered {
            repository: RepositoryId(id),
            name: RepositoryName::new("acme", name),
            default_branch: GitRef::new("main"),
            installation: None,
            workspace: WorkspaceId::default_workspace(),
        };
        admin.append(Subject::config("repository", &id.to_string()), vec![registered.into()]).await;
    }
    admin.decide(vec![opened("pr7-opened", 7).into()]).await;
    let mut client = client(&admin).await;
    let request = ListRepositoriesRequest { query: "INFRA".into(), ..Default::default() };
    let found = client.list_repositories(authorized(request)).await.unwrap().into_inner().repositories;
    let found: Vec<(String, u32, u64)> =
        found.into_iter().map(|one| (one.name, one.active_runs, one.installation_id)).collect();
    assert_eq!(found, [("acme/infra".to_owned(), 1, 1), ("acme/Infra-legacy".to_owned(), 0, 0)]);
    let (mut names, mut token) = (Vec::new(), String::new());
    loop {
        let request = ListRepositoriesRequest { page_size: 1, page_token: token, ..Default::default() };
        let page = client.list_repositories(authorized(request)).await.unwrap().into_inner();
        names.extend(page.repositories.into_iter().map(|one| one.name));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(names, ["acme/app", "acme/infra", "acme/Infra-legacy"]);
    let missing = GetRepositoryRequest { repository: "acme/none".into() };
    assert_eq!(client.get_repository(authorized(missing)).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn installations_tell_whether_they_can_be_used() {
    let admin = Admin::start().await;
    let observed = |id: u64, account: &str, action: &str| InstallationObserved {
        source: Source::Webhook { delivery: "d".into() },
        action: action.to_owned(),
        installation: InstallationId(id),
        account: account.to_owned(),
        repositories: Vec::new(),
    };
    let subject = Subject::config_github("installation");
    for event in
        [observed(1, "acme", "created"), observed(2, "Zeta", "created"), observed(2, "Zeta", "suspend")]
    {
        admin.append(subject.clone(), vec![event.into()]).await;
    }
    let listed =
        client(&admin).await.list_installations(authorized(ListInstallationsRequest::default())).await;
    let listed: Vec<(String, bool, String, u32)> = listed
        .unwrap()
        .into_inner()
        .installations
        .into_iter()
        .map(|one| (one.account, one.active, one.last_action, one.repository_count))
        .collect();
    let expected = [
        ("acme".to_owned(), true, "created".to_owned(), 1),
        ("Zeta".to_owned(), false, "suspend".to_owned(), 0),
    ];
    assert_eq!(listed, expected);
}
