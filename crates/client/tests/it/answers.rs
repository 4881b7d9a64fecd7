//! The prepared answers: a pull request of three stacks whose second plan failed.

use stackwave_admin_proto::v1::*;

/// An answer that is the same each time, but for pages.
pub(crate) trait Answer<Q> {
    fn answer(question: &Q) -> Self;
}

macro_rules! answer {
    ($($question:ident $answer:ident $value:expr;)+) => {
        $(impl Answer<$question> for $answer {
            fn answer(_: &$question) -> Self {
                $value
            }
        })+
    };
}

/// Seconds after 13:00 on a day in November.
fn at(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds: 1_795_525_200 + seconds, nanos: 250_000_000 })
}

fn place(position: u64) -> Option<LogPosition> {
    Some(LogPosition { stream: "SW_00".to_owned(), position })
}

fn repository() -> Option<Repository> {
    Some(Repository { id: 4711, name: "acme/infra".to_owned() })
}

fn key(component: &str) -> Option<StackKey> {
    Some(StackKey { component: component.to_owned(), stack: "prod".to_owned() })
}

fn text(text: &str) -> String {
    text.to_owned()
}

const RUN: &str = "pr7-opened-9f2c1d7-5e1b9a04c2d3";
const SHA: &str = "9f2c1d7aa01b2c3d4e5f60718293a4b5c6d7e8f9";

fn workflow_run(id: u64, attempt: u32) -> WorkflowRun {
    WorkflowRun {
        id,
        workflow: text("plan.yml"),
        attempt,
        html_url: format!("https://github.com/acme/infra/actions/runs/{id}"),
    }
}

pub(crate) fn run(id: &str) -> Run {
    Run {
        id: text(id),
        workspace: text("default"),
        repository: repository(),
        trigger: Some(Trigger { event: text("pull_request"), activity: text("opened"), inferred: false }),
        pull_request: Some(7),
        head_sha: text(SHA),
        sha: text(SHA),
        git_ref: text("main"),
        generation: 1,
        mutating: false,
        status: RunStatus::Failed.into(),
        reason: String::new(),
        opened_at: at(748),
        stopped_at: None,
        head_ref: text("add-database"),
        totals: vec![
            StackCount { status: StackStatus::Failed.into(), count: 1 },
            StackCount { status: StackStatus::Blocked.into(), count: 1 },
            StackCount { status: StackStatus::Succeeded.into(), count: 1 },
            StackCount { status: StackStatus::Skipped.into(), count: 1 },
        ],
    }
}

fn stack(component: &str, status: StackStatus, reason: &str, wave: Option<u32>) -> RunStack {
    RunStack {
        key: key(component),
        directly_affected: component == "vpc",
        status: status.into(),
        reason: text(reason),
        wave,
        ..RunStack::default()
    }
}

fn get_run() -> GetRunResponse {
    let vpc = RunStack {
        workflow_runs: vec![workflow_run(16_801_234_567, 1)],
        ..stack("vpc", StackStatus::Succeeded, "", Some(1))
    };
    let rds = RunStack {
        workflow_runs: vec![workflow_run(16_801_234_568, 2)],
        ..stack("rds", StackStatus::Failed, "its workflow run ended with failure", Some(2))
    };
    GetRunResponse {
        run: Some(run(RUN)),
        stacks: vec![
            stack("app", StackStatus::Blocked, "rds/prod failed", Some(3)),
            stack("docs", StackStatus::Skipped, "it has no workflow for this trigger", Some(1)),
            rds,
            vpc,
        ],
        warnings: vec![text("the upload names app/prod twice")],
        forecast: Some(Forecast {
            dispatches_left: 2,
            critical_path: vec![key("rds").unwrap(), key("app").unwrap()],
            remaining: Some(prost_types::Duration { seconds: 372, nanos: 0 }),
            expected_finish: at(1360),
            stacks_with_history: 1,
            stacks_left: 2,
        }),
        as_of: place(131),
    }
}

fn cause(text: &str, record: Option<u64>, component: &str, status: StackStatus, since: i64) -> Cause {
    Cause {
        text: text.to_owned(),
        record: record.and_then(place),
        key: key(component),
        status: status.into(),
        since: at(since),
    }
}

fn dispatch() -> Dispatch {
    Dispatch {
        id: text("d-9f2c1d7-rds-prod-1"),
        run_id: text(RUN),
        repository: repository(),
        key: key("rds"),
        attempt: 1,
        epoch: 1,
        workflow: text("plan.yml"),
        status: DispatchStatus::Concluded.into(),
        reason: String::new(),
        workflow_run: Some(workflow_run(16_801_234_568, 2)),
        claimed_at: at(760),
        claim: place(121),
    }
}

/// A record of the log.
pub(crate) fn record(position: u64) -> EventRecord {
    EventRecord {
        position: place(position),
        subject: text("sw.00.4711.ledger"),
        record_id: format!("0193f0{position}"),
        at: at(748),
        actor: text("orchestrator"),
        cause: position - 1,
        correlation: text(RUN),
        trace: String::new(),
        events: vec![EventEntry {
            name: text("stack_released"),
            summary: text("vpc/prod may go"),
            json: text(
                r#"{"run":"pr7-opened-9f2c1d7-5e1b9a04c2d3","key":{"component":"vpc","stack":"prod"}}"#,
            ),
        }],
    }
}

fn command(kind: &str, status: CommandStatus) -> Option<Command> {
    Some(Command {
        id: text("c-0193f0a1"),
        kind: text(kind),
        repository: repository(),
        run_id: text(RUN),
        key: key("rds"),
        dispatch_id: String::new(),
        actor: text("alice"),
        reason: text("quota was raised"),
        at: at(900),
        record: place(140),
        status: status.into(),
        outcome: text(if status == CommandStatus::Done { "dispatched as attempt 2" } else { "" }),
    })
}

fn api_key(revoked: bool) -> ApiKey {
    ApiKey {
        id: text("k-5e1b9a04"),
        name: text("infra repository"),
        workspace: text("default"),
        created_at: at(0),
        created_by: text("alice"),
        expires_at: at(90 * 86_400),
        last_used_at: at(740),
        revoked_at: at(950).filter(|_| revoked),
        revoked_by: text(if revoked { "alice" } else { "" }),
    }
}

fn token(revoked: bool) -> Token {
    Token {
        id: text("t-77aa01"),
        name: text("alice"),
        role: Role::Operator.into(),
        created_at: at(0),
        created_by: text("bootstrap"),
        expires_at: None,
        last_used_at: None,
        revoked_at: at(950).filter(|_| revoked),
        revoked_by: text(if revoked { "bob" } else { "" }),
    }
}

fn repository_info(workspace: &str) -> RepositoryInfo {
    RepositoryInfo {
        id: 4711,
        name: text("acme/infra"),
        workspace: text(workspace),
        default_branch: text("main"),
        installation_id: 99,
        partition: 3,
        active_runs: 1,
        halted: String::new(),
    }
}

fn workspace() -> Workspace {
    Workspace {
        name: text("payments"),
        description: text("what the payments team runs"),
        repository_count: 2,
        api_key_count: 1,
        created_at: at(0),
    }
}

fn lease() -> Lease {
    Lease { role: text("dispatcher"), partition: 3, holder: text("sw-0193f0"), since: at(10), mine: true }
}

fn read_model(building: bool) -> Option<ReadModel> {
    Some(ReadModel {
        version: 2,
        building,
        progress: if building { 0.25 } else { 1.0 },
        runs: 1204,
        bytes: 3_565_158,
    })
}

/// So many runs are there.
pub(crate) const RUNS: usize = 1203;

/// Runs come in pages, as far as `page_size` asks for them; the token is the number of the next one.
impl Answer<ListRunsRequest> for ListRunsResponse {
    fn answer(question: &ListRunsRequest) -> Self {
        let from: usize = question.page_token.parse().unwrap_or(0);
        let to = RUNS.min(from + usize::try_from(question.page_size).unwrap());
        let runs = (from..to).map(|index| run(&format!("pr7-opened-{index:07}-5e1b9a04c2d3"))).collect();
        let next_page_token = if to < RUNS { to.to_string() } else { String::new() };
        Self { runs, next_page_token }
    }
}

impl Answer<ExplainRequest> for ExplainResponse {
    fn answer(question: &ExplainRequest) -> Self {
        Self {
            causes: vec![
                cause("app/prod is blocked: rds/prod failed", None, "app", StackStatus::Blocked, 962),
                cause(
                    "rds/prod failed in workflow run 16801234568, attempt 2",
                    Some(130),
                    "rds",
                    StackStatus::Failed,
                    962,
                ),
            ],
            run_status: RunStatus::Failed.into(),
            stack_status: question.key.as_ref().map_or(0, |_| StackStatus::Blocked.into()),
            as_of: place(131),
        }
    }
}

answer! {
    GetRunRequest GetRunResponse get_run();
    ListStacksRequest ListStacksResponse ListStacksResponse {
        stacks: vec![StackInRun {
            run_id: text(RUN),
            repository: repository(),
            key: key("rds"),
            status: StackStatus::Failed.into(),
            reason: text("its workflow run ended with failure"),
            mutating: true,
            attempt: 1,
            workflow_run: Some(workflow_run(16_801_234_568, 2)),
            released_at: at(755),
            started_at: at(770),
            concluded_at: at(962),
        }],
        next_page_token: String::new(),
    };
    ListPullRequestsRequest ListPullRequestsResponse ListPullRequestsResponse {
        pull_requests: vec![PullRequest {
            repository: repository(),
            number: 7,
            title: text("A larger\u{1b}[2J database"),
            open: true,
            merged: false,
            head_sha: text(SHA),
            head_ref: text("larger-database"),
            base_ref: text("main"),
            updated_at: at(748),
            latest_run_id: text(RUN),
            run_count: 1,
        }],
        next_page_token: String::new(),
    };
    ListUploadsRequest ListUploadsResponse ListUploadsResponse {
        uploads: vec![Upload {
            repository: repository(),
            workspace: text("default"),
            credential: text("k-5e1b9a04"),
            head_sha: text(SHA),
            base_sha: String::new(),
            digest: text("aa"),
            received_at: at(740),
            stack_count: 4,
            chunk: text("1/2"),
            client: text("atmos/1.200.0"),
            run_ids: vec![text(RUN)],
            record: place(117),
        }],
        next_page_token: String::new(),
    };
    ListDispatchesRequest ListDispatchesResponse ListDispatchesResponse {
        dispatches: vec![dispatch()],
        next_page_token: String::new(),
    };
    ListDeliveriesRequest ListDeliveriesResponse ListDeliveriesResponse {
        deliveries: vec![Delivery {
            id: text("72d3162e-cc78-11e3-81ab-4c9367dc0958"),
            event: text("workflow_run"),
            action: text("completed"),
            repository: repository(),
            received_at: at(962),
            record: place(130),
        }],
        next_page_token: String::new(),
    };
    ExplainDispatchRequest ExplainDispatchResponse ExplainDispatchResponse {
        evidence: vec![DispatchEvidence {
            dispatch: Some(dispatch()),
            steps: vec![
                cause("claimed by dispatcher, epoch 1", Some(121), "rds", StackStatus::Dispatching, 760),
                cause("GitHub accepted it as workflow run 16801234568", Some(122), "rds", StackStatus::Queued, 761),
                cause("no other workflow run carries its id", None, "rds", StackStatus::Unspecified, 761),
            ],
            proven_once: true,
            conclusion: "it happened once".to_owned(),
        }],
    };
    GetEventRequest GetEventResponse GetEventResponse { record: Some(record(118)) };
    RetryRequest RetryResponse RetryResponse { command: command("retry", CommandStatus::Accepted) };
    CancelRequest CancelResponse CancelResponse { command: command("cancel", CommandStatus::Accepted) };
    ResyncRequest ResyncResponse ResyncResponse { command: command("resync", CommandStatus::Accepted) };
    ResolveRequest ResolveResponse ResolveResponse { command: command("resolve", CommandStatus::Accepted) };
    GetCommandRequest GetCommandResponse GetCommandResponse { command: command("retry", CommandStatus::Done) };
    ListCommandsRequest ListCommandsResponse ListCommandsResponse {
        commands: vec![command("retry", CommandStatus::Done).unwrap()],
        next_page_token: String::new(),
    };
    CreateApiKeyRequest CreateApiKeyResponse CreateApiKeyResponse {
        key: Some(api_key(false)),
        secret: text("swk_the_key_itself"),
    };
    ListApiKeysRequest ListApiKeysResponse ListApiKeysResponse {
        keys: vec![api_key(false), api_key(true)],
        next_page_token: String::new(),
    };
    RevokeApiKeyRequest RevokeApiKeyResponse RevokeApiKeyResponse { key: Some(api_key(true)) };
    CreateTokenRequest CreateTokenResponse CreateTokenResponse {
        token: Some(token(false)),
        secret: text("swt_the_token_itself"),
    };
    ListTokensRequest ListTokensResponse ListTokensResponse {
        tokens: vec![token(false)],
        next_page_token: String::new(),
    };
    RevokeTokenRequest RevokeTokenResponse RevokeTokenResponse { token: Some(token(true)) };
    WhoAmIRequest WhoAmIResponse WhoAmIResponse { token: Some(token(false)) };
    ListWorkspacesRequest ListWorkspacesResponse ListWorkspacesResponse {
        workspaces: vec![workspace()],
        next_page_token: String::new(),
    };
    CreateWorkspaceRequest CreateWorkspaceResponse CreateWorkspaceResponse { workspace: Some(workspace()) };
    ListRepositoriesRequest ListRepositoriesResponse ListRepositoriesResponse {
        repositories: vec![repository_info("default")],
        next_page_token: String::new(),
    };
    GetRepositoryRequest GetRepositoryResponse GetRepositoryResponse { repository: Some(repository_info("default")) };
    AssignRepositoryRequest AssignRepositoryResponse AssignRepositoryResponse {
        repository: Some(repository_info("payments")),
    };
    ListInstallationsRequest ListInstallationsResponse ListInstallationsResponse {
        installations: vec![Installation {
            id: 99,
            account: text("acme"),
            active: true,
            last_action: text("created"),
            updated_at: at(0),
            repository_count: 3,
        }],
        next_page_token: String::new(),
    };
    GetStatusRequest GetStatusResponse GetStatusResponse {
        version: text("0.1.0"),
        engine_version: 3,
        schema_version: 1,
        process_id: text("sw-0193f0"),
        roles: vec![text("orchestrator"), text("dispatcher")],
        started_at: at(10),
        ready: false,
        parts: vec![
            Part { name: text("log"), ready: true, detail: String::new() },
            Part { name: text("github"), ready: false, detail: text("it does not answer since 13:10") },
        ],
        dispatch_enabled: true,
        read_model: read_model(false),
    };
    GetLogRequest GetLogResponse GetLogResponse {
        engine: text("sqlite"),
        engine_version: text("3.50.4"),
        partitions: 1,
        replicas: 1,
        streams: vec![LogStream {
            name: text("SW_00"),
            first_position: 1,
            last_position: 131,
            records: 131,
            bytes: 65_536,
            subjects: 6,
        }],
        blob_bytes: 900,
        snapshot_bytes: 2048,
    };
    ListPartitionsRequest ListPartitionsResponse ListPartitionsResponse {
        partitions: vec![Partition {
            number: 3,
            stream: text("SW_03"),
            folded_position: 120,
            last_position: 131,
            lag: 11,
            repositories: 1,
            active_runs: 1,
            leases: vec![lease()],
            snapshot: place(100),
        }],
    };
    ListLeasesRequest ListLeasesResponse ListLeasesResponse {
        leases: vec![lease(), Lease { role: text("commenter"), partition: 3, ..Lease::default() }],
        exclusive: false,
    };
    GetBudgetRequest GetBudgetResponse GetBudgetResponse {
        budgets: vec![Budget {
            installation_id: 99,
            writes_per_minute: 150,
            writes_left: Some(17.5),
            in_flight: 2,
            waiting: 3,
            rate_limit_remaining: Some(4711),
            rate_limit_reset_at: at(3600),
            blocked_until: None,
            longest_wait: Some(prost_types::Duration { seconds: 12, nanos: 0 }),
        }],
    };
    RebuildReadModelRequest RebuildReadModelResponse RebuildReadModelResponse { read_model: read_model(true) };
}
