use crate::support::{Admin, authorized, opened, released};
use stackwave_admin_proto::v1::{
    Cause, ExplainRequest, GetRunRequest, ListRunsRequest, RunStatus, StackKey, StackStatus,
};
use stackwave_domain::{
    RunId, RunPlan, StackKey as Key, WorkflowFile,
    digest::Stored,
    event::{RunClosed, RunOpened, RunSuperseded, Successor},
    fragment::WorkflowCall,
    plan::{PlannedStack, Verdict},
};
use stackwave_runtime::stow::stow;
use tonic::Code;

#[tokio::test]
async fn a_run_is_shown_with_its_stacks_their_status_reason_wave_and_parents() {
    let admin = Admin::start().await;
    admin.decide(vec![opened("pr7-opened", 7).into(), released("pr7-opened").into()]).await;
    let found = admin.get("pr7-opened").await.unwrap();

    let run = found.run.unwrap();
    assert_eq!((run.id.as_str(), run.workspace.as_str(), run.generation), ("pr7-opened", "default", 1));
    let repository = run.repository.clone().unwrap();
    assert_eq!((repository.id, repository.name.as_str()), (42, "acme/infra"));
    let trigger = run.trigger.clone().unwrap();
    assert_eq!((trigger.event.as_str(), trigger.activity.as_str()), ("pull_request", "opened"));
    assert_eq!((run.pull_request, run.mutating), (Some(7), false));
    assert_eq!(
        (run.head_sha.as_str(), run.sha.as_str(), run.git_ref.as_str()),
        ("9f2c1d7a", "9f2c1d7b", "main")
    );
    assert_eq!(run.status(), RunStatus::Running);
    assert!(run.opened_at.is_some() && run.stopped_at.is_none());
    let totals: Vec<(StackStatus, u32)> = run.totals.iter().map(|one| (one.status(), one.count)).collect();
    assert_eq!(totals, [(StackStatus::Released, 1), (StackStatus::Waiting, 1), (StackStatus::Skipped, 1)]);

    let stacks: Vec<(String, StackStatus, Option<u32>)> = found
        .stacks
        .iter()
        .map(|stack| (stack.key.clone().unwrap().component, stack.status(), stack.wave))
        .collect();
    assert_eq!(
        stacks,
        [
            ("app".to_owned(), StackStatus::Waiting, Some(2)),
            ("docs".to_owned(), StackStatus::Skipped, Some(1)),
            ("vpc".to_owned(), StackStatus::Released, Some(1)),
        ]
    );
    assert_eq!(found.stacks[0].reason, "waits for vpc/dev");
    assert_eq!(found.stacks[0].parents[0].component, "vpc");
    assert!(found.stacks[2].directly_affected && !found.stacks[0].directly_affected);
    assert_eq!(found.warnings, ["something odd"]);
}

#[tokio::test]
async fn a_stack_that_has_not_succeeded_is_explained_down_to_the_root_with_the_records() {
    let admin = Admin::start().await;
    admin.decide(vec![opened("pr7-opened", 7).into()]).await;
    admin.decide(vec![released("pr7-opened").into()]).await;
    let found = admin.get("pr7-opened").await.unwrap();
    let record = |position: u64| Some(("SW_00".to_owned(), position));
    let told = |cause: &Cause| {
        let key = cause.key.clone().unwrap().component;
        (key, cause.status(), cause.record.clone().map(|at| (at.stream, at.position)))
    };
    let causes = |stack: usize| found.stacks[stack].causes.iter().map(told).collect::<Vec<_>>();
    let root = ("vpc".to_owned(), StackStatus::Released, record(2));
    assert_eq!(causes(0), [("app".to_owned(), StackStatus::Waiting, record(2)), root.clone()]);
    assert!(found.stacks[0].causes[0].text.starts_with("app/dev waits for vpc/dev"), "{found:?}");
    assert!(found.stacks[1].causes[0].text.starts_with("docs/dev is skipped: "), "{found:?}");
    assert_eq!(causes(1)[0].2, record(1));
    assert_eq!(causes(2), [root]);
}

#[tokio::test]
async fn a_run_is_shown_and_explained_as_it_was_at_a_position() {
    let admin = Admin::start().await;
    admin.decide(vec![opened("pr7-opened", 7).into()]).await;
    admin.decide(vec![released("pr7-opened").into()]).await;
    let get = async |position: u64| {
        let request = GetRunRequest { run_id: "pr7-opened".to_owned(), position, at: None };
        admin.client().await.get_run(authorized(request)).await.map(tonic::Response::into_inner)
    };
    let before = get(1).await.unwrap();
    assert_eq!(before.stacks[2].status(), StackStatus::Released);
    assert_eq!(before.as_of.unwrap().position, 1);
    let first = &before.stacks[2].causes[0];
    assert!(first.text.contains("may go") || first.record.as_ref().unwrap().position == 1, "{first:?}");
    let now = get(0).await.unwrap();
    assert_eq!((now.as_of.unwrap().position, now.stacks[2].status()), (2, StackStatus::Released));
    let beyond = get(99).await.unwrap_err();
    assert_eq!(beyond.code(), Code::OutOfRange, "{beyond}");

    let explain = async |key: Option<StackKey>, position: u64| {
        let request = ExplainRequest { run_id: "pr7-opened".to_owned(), key, position, at: None };
        admin.client().await.explain(authorized(request)).await.map(tonic::Response::into_inner)
    };
    let whole = explain(None, 0).await.unwrap();
    assert_eq!(whole.run_status(), RunStatus::Running);
    assert!(whole.causes[0].text.starts_with("the run pr7-opened was opened for"), "{whole:?}");
    let key = |component: &str| Some(StackKey { component: component.to_owned(), stack: "dev".to_owned() });
    let app = explain(key("app"), 1).await.unwrap();
    assert_eq!((app.stack_status(), app.as_of.unwrap().position), (StackStatus::Waiting, 1));
    let missing = explain(key("none"), 0).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    let nameless = explain(Some(StackKey::default()), 0).await.unwrap_err();
    assert!(nameless.message().contains("`key.component`"), "{nameless}");
}

#[tokio::test]
async fn a_run_is_shown_and_explained_as_it_was_at_a_moment() {
    let admin = Admin::start().await;
    admin.decide(vec![opened("pr7-opened", 7).into()]).await;
    admin.decide(vec![released("pr7-opened").into()]).await;
    let moment = |text: &str| -> Option<prost_types::Timestamp> {
        let at: stackwave_domain::Timestamp = text.parse().unwrap();
        Some(prost_types::Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() })
    };
    let get = async |position: u64, at| {
        let request = GetRunRequest { run_id: "pr7-opened".to_owned(), position, at };
        admin.client().await.get_run(authorized(request)).await.map(tonic::Response::into_inner)
    };
    let later = get(0, moment("2999-01-01T00:00:00Z")).await.unwrap();
    assert_eq!((later.as_of.unwrap().position, later.stacks[2].status()), (2, StackStatus::Released));
    let earlier = get(0, moment("2001-01-01T00:00:00Z")).await.unwrap_err();
    assert_eq!(earlier.code(), Code::NotFound, "{earlier}");
    assert!(earlier.message().contains("at 2001-01-01T00:00:00Z"), "{earlier}");
    let both = get(1, moment("2999-01-01T00:00:00Z")).await.unwrap_err();
    assert_eq!(both.code(), Code::InvalidArgument, "{both}");
    assert!(both.message().contains("`at`"), "{both}");

    let at = moment("2999-01-01T00:00:00Z");
    let request = ExplainRequest { run_id: "pr7-opened".to_owned(), at, ..ExplainRequest::default() };
    let explained = admin.client().await.explain(authorized(request)).await.unwrap().into_inner();
    assert_eq!(explained.as_of.unwrap().position, 2);
}

#[tokio::test]
async fn a_run_that_is_not_there_is_named() {
    let admin = Admin::start().await;
    let missing = admin.get("pr9-opened").await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    assert!(missing.message().contains("`pr9-opened`"), "{missing}");
    let empty = admin.get("").await.unwrap_err();
    assert_eq!(empty.code(), Code::InvalidArgument);
    assert!(empty.message().contains("`run_id`"), "{empty}");
}

#[tokio::test]
async fn runs_are_listed_newest_first_and_filters_hold_together() {
    let admin = Admin::start().await;
    for (id, number) in [("one", 7), ("two", 8), ("three", 7)] {
        admin.decide(vec![opened(id, number).into()]).await;
    }
    let by = Successor::Push { head_sha: "abc".into() };
    admin.decide(vec![RunSuperseded { run: RunId::new("one"), by }.into()]).await;
    admin.decide(vec![RunClosed { run: RunId::new("two"), reason: "closed".into() }.into()]).await;

    admin.shows(ListRunsRequest::default(), &["three", "two", "one"]).await;
    let of_pull = ListRunsRequest { pull_request: Some(7), ..Default::default() };
    admin.shows(of_pull.clone(), &["three", "one"]).await;
    let closed = ListRunsRequest { status: RunStatus::Closed.into(), ..Default::default() };
    admin.shows(closed, &["two"]).await;
    let here =
        ListRunsRequest { repository: "ACME/infra".into(), status: RunStatus::Superseded.into(), ..of_pull };
    admin.shows(here.clone(), &["one"]).await;
    let nothing = ListRunsRequest { pull_request: Some(8), ..here };
    admin.shows(nothing, &[]).await;
}

#[tokio::test]
async fn pages_neither_shift_nor_repeat_when_runs_are_opened_meanwhile() {
    let admin = Admin::start().await;
    // Two runs of one record, too.
    admin.decide(vec![opened("a", 1).into(), opened("b", 2).into()]).await;
    for id in ["c", "d", "e"] {
        admin.decide(vec![opened(id, 3).into()]).await;
    }
    admin.shows(ListRunsRequest::default(), &["e", "d", "c", "b", "a"]).await;
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let page = ListRunsRequest { page_size: 2, page_token: token, ..Default::default() };
        let page = admin.list(page).await.unwrap();
        assert!(page.runs.len() <= 2);
        seen.extend(page.runs.into_iter().map(|run| run.id));
        admin.decide(vec![opened(&format!("late-{}", seen.len()), 9).into()]).await;
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, ["e", "d", "c", "b", "a"]);
}

#[tokio::test]
async fn a_request_that_makes_no_sense_names_the_field() {
    let admin = Admin::start().await;
    let usual = ListRunsRequest::default;
    for (field, request) in [
        ("page_size", ListRunsRequest { page_size: -1, ..usual() }),
        ("page_token", ListRunsRequest { page_token: "2".into(), ..usual() }),
        ("repository", ListRunsRequest { repository: "infra".into(), ..usual() }),
        ("pull_request", ListRunsRequest { pull_request: Some(0), ..usual() }),
        ("status", ListRunsRequest { status: 99, ..usual() }),
    ] {
        let status = admin.list(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{field}");
        assert!(status.message().starts_with(&format!("`{field}`: ")), "{status}");
    }
    let unknown =
        admin.list(ListRunsRequest { repository: "acme/other".into(), ..usual() }).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    assert!(unknown.message().contains("acme/other"), "{unknown}");
}

#[tokio::test]
async fn a_run_of_five_thousand_stacks_fits_into_what_clients_take() {
    let admin = Admin::start().await;
    let call = WorkflowCall { workflow: WorkflowFile::new("plan.yaml"), inputs: Default::default() };
    let stack = |number: usize| PlannedStack {
        key: Key::new("plat-ue2-production", format!("team/component-{number:04}")),
        directly_affected: true,
        verdict: Verdict::Dispatch(vec![call.clone()]),
    };
    // Each waits for the one before it: the longest explanations that there are.
    let plan = RunPlan {
        stacks: (0..5_000).map(stack).collect(),
        edges: (0..4_999).map(|parent| (parent, parent + 1)).collect(),
        warnings: Vec::new(),
    };
    let plan = stow(&admin.core.log, Stored::inline(plan), 100_000).await.unwrap();
    admin.decide(vec![RunOpened { plan, ..opened("large", 7) }.into()]).await;
    let found = admin.get("large").await.unwrap();
    assert_eq!(found.stacks.len(), 5_000);
    assert!(found.stacks.iter().all(|stack| !stack.causes.is_empty()));
}
