//! How each verb asks, and how its answer looks.

use crate::{
    asking::{ask, ask_with, defaults},
    fake::Fake,
};

/// One way to use each verb.
pub(crate) const VERBS: &[&str] = &[
    "runs list --repository acme/infra --pr 7 --status failed --workspace default --query 9f2c --since 2h --limit 2",
    "runs show pr7-opened-9f2c1d7-5e1b9a04c2d3",
    "runs show pr7-opened-9f2c1d7-5e1b9a04c2d3 --at SW_00:131",
    "stacks list --run r1 --component rds --stack prod --status failed --latest",
    "prs list --repo acme/infra --open --query database",
    "uploads list --sha 9f2c1d7",
    "dispatches list --run r1 --status concluded --workflow-run 16801234568",
    "dispatches show d-9f2c1d7-rds-prod-1",
    "deliveries list --event workflow_run --delivery 72d3162e-cc78-11e3-81ab-4c9367dc0958",
    "explain pr7-opened-9f2c1d7-5e1b9a04c2d3",
    "explain pr7-opened-9f2c1d7-5e1b9a04c2d3 app/prod --at 131",
    "explain pr7-opened-9f2c1d7-5e1b9a04c2d3 --at 2026-11-24T13:00:00Z",
    "explain pr7-opened-9f2c1d7-5e1b9a04c2d3 rds/prod --dispatch",
    "explain pr7-opened-9f2c1d7-5e1b9a04c2d3 --dispatch",
    "retry r1 rds/prod --reason 'quota was raised' --request-id once",
    "retry r1 --request-id once --wait",
    "cancel r1 --force --request-id once",
    "resync acme/infra --pr 7 --request-id once",
    "resync --run r1 --request-id once",
    "resolve d1 --workflow-run 16801234568 --reason 'its log' --request-id once",
    "resolve d1 --not-happened --request-id once",
    "commands list --run r1",
    "commands show c-0193f0a1",
    "events --run r1 --name stack_released",
    "events --repository acme/infra --since 15m --limit 1",
    "events --stream SW_00 --from SW_00:118",
    "events show SW_00:118",
    "keys create 'infra repository' --valid-for 90d",
    "keys list --valid --workspace default",
    "keys revoke k-5e1b9a04 --reason 'left the team'",
    "tokens create alice --role operator",
    "tokens list",
    "tokens revoke t-77aa01",
    "whoami",
    "workspaces list",
    "workspaces create payments --description 'what the payments team runs'",
    "repositories list --workspace default --query infra",
    "repositories show acme/infra",
    "repositories assign acme/infra payments",
    "installations list",
    "system status",
    "system log",
    "system partitions",
    "system leases",
    "system budget",
    "read-model show",
    "read-model rebuild",
];

/// A name for the file of a snapshot.
fn name(verb: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let name: String = verb.chars().map(word).collect();
    let words: Vec<&str> = name.split('_').filter(|word| !word.is_empty()).collect();
    words.join("_").chars().take(60).collect()
}

#[tokio::test]
async fn each_verb_asks_and_prints_as_reviewed() {
    let fake = Fake::start().await;
    for verb in VERBS {
        let people = ask(&fake, verb).await;
        let asked: Vec<String> =
            fake.asked().into_iter().map(|(method, message)| format!("→ {method} {message}")).collect();
        let programs = ask(&fake, &format!("{verb} --output json")).await;
        fake.asked();
        assert_eq!(people.ended, Ok(()), "{verb}");
        assert_eq!(programs.ended, Ok(()), "{verb}");
        let text = format!(
            "$ stackwave {verb}\n{}\n\n{}{}\n$ … --output json\n{}",
            asked.join("\n"),
            people.out,
            beside(&people.err),
            programs.out,
        );
        insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!(name(verb), text) });
    }
}

/// What was said on standard error.
fn beside(err: &str) -> String {
    err.lines().map(|line| format!("! {line}\n")).collect()
}

#[tokio::test]
async fn on_a_terminal_statuses_have_colours_and_prose_gives_way_to_its_width() {
    let fake = Fake::start().await;
    let terminal = |width| {
        let defaults = defaults(&fake);
        async move {
            let verb = "runs show pr7-opened-9f2c1d7-5e1b9a04c2d3";
            ask_with(defaults, verb, |screen| screen.with_width(Some(width)).with_colour(true)).await.done()
        }
    };
    let text = terminal(76).await;
    assert!(text.contains("\u{1b}[31mfailed\u{1b}[0m"), "{text}");
    assert!(text.contains("its workflow ru…"), "{text}");
    assert!(terminal(200).await.contains("its workflow run ended with failure"));
}

#[tokio::test]
async fn what_outsiders_wrote_cannot_reach_the_terminal() {
    let fake = Fake::start().await;
    let text = ask(&fake, "prs list").await.done();
    assert!(!text.contains('\u{1b}') && text.contains("A larger [2J database"), "{text}");
}

#[tokio::test]
async fn a_noun_without_a_verb_lists() {
    let fake = Fake::start().await;
    for noun in [
        "runs",
        "stacks",
        "prs",
        "uploads",
        "dispatches",
        "deliveries",
        "commands",
        "keys",
        "tokens",
        "repos",
    ] {
        assert_eq!(ask(&fake, noun).await.done(), ask(&fake, &format!("{noun} list")).await.done(), "{noun}");
    }
    assert_eq!(ask(&fake, "system").await.done(), ask(&fake, "system status").await.done());
}

#[tokio::test]
async fn a_command_that_is_waited_for_says_what_became_of_it() {
    let fake = Fake::start().await;
    let text = ask(&fake, "retry r1 rds/prod --wait").await.done();
    assert!(text.contains("done: dispatched as attempt 2"), "{text}");
}

#[tokio::test]
async fn a_command_has_a_name_of_its_own_unless_one_is_given() {
    let fake = Fake::start().await;
    for _ in 0..2 {
        ask(&fake, "retry r1").await.done();
    }
    let [one, other] = fake.messages("Commands/Retry").try_into().unwrap();
    assert!(one.contains("request_id: \"") && one != other, "{one}");
}
