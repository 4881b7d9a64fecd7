use crate::support::{Admin, opened, released};
use stackwave_admin_proto::v1::{GetRunResponse, ListRunsRequest, RunStatus, StackStatus};
use stackwave_domain::{
    RunId,
    event::{RunClosed, RunSuperseded, Successor},
};
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
    let causes = |found: &GetRunResponse, stack: usize| -> Vec<(String, Option<(String, u64)>)> {
        let causes = found.stacks[stack].causes.clone().into_iter();
        causes.map(|cause| (cause.text, cause.record.map(|at| (at.stream, at.position)))).collect()
    };
    let found = admin.get("pr7-opened").await.unwrap();
    let record = |position: u64| Some(("SW_00".to_owned(), position));
    let root = ("vpc/dev is released and about to be dispatched".to_owned(), record(2));
    assert_eq!(causes(&found, 0), [("app/dev waits for vpc/dev".to_owned(), None), root.clone()]);
    assert!(causes(&found, 1)[0].0.starts_with("docs/dev is skipped: "), "{found:?}");
    assert_eq!(causes(&found, 1)[0].1, record(1));
    assert_eq!(causes(&found, 2), [root]);
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

    assert_eq!(admin.ids(ListRunsRequest::default()).await, ["three", "two", "one"]);
    let of_pull = ListRunsRequest { pull_request: Some(7), ..Default::default() };
    assert_eq!(admin.ids(of_pull.clone()).await, ["three", "one"]);
    let closed = ListRunsRequest { status: RunStatus::Closed.into(), ..Default::default() };
    assert_eq!(admin.ids(closed).await, ["two"]);
    let here =
        ListRunsRequest { repository: "ACME/infra".into(), status: RunStatus::Superseded.into(), ..of_pull };
    assert_eq!(admin.ids(here.clone()).await, ["one"]);
    let nothing = ListRunsRequest { pull_request: Some(8), ..here };
    assert!(admin.ids(nothing).await.is_empty());
}

#[tokio::test]
async fn pages_neither_shift_nor_repeat_when_runs_are_opened_meanwhile() {
    let admin = Admin::start().await;
    // Two runs of one record, too.
    admin.decide(vec![opened("a", 1).into(), opened("b", 2).into()]).await;
    for id in ["c", "d", "e"] {
        admin.decide(vec![opened(id, 3).into()]).await;
    }
    let all = admin.ids(ListRunsRequest::default()).await;
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
    assert_eq!(seen, all);
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
