//! Secrets that somebody planted wherever something can be written are in no file.

use crate::world::{ACME, STREAM, World, graph_with};
use stackwave_domain::{
    Subject, WorkspaceId,
    event::{
        AdminRole, AdminTokenRegistered, DispatchOutcomeUnknown, DispatchRefused, RefusalReason,
        RetryRequested,
    },
    workflow::Conclusion,
};
use stackwave_replay::{Depth, Player, Wanted, verify, write, write_cloud_events};

const SECRETS: &[&str] = &[
    "ghp_plantedPlantedPlanted0001",
    "ghs_plantedPlantedPlanted0002",
    "github_pat_plantedPlanted0003",
    "swk_plantedPlantedPlanted0004",
    "swt_plantedPlantedPlanted0005",
    "AKIAPLANTEDPLANTED06",
    "planted-pass-0007",
    "eyJwbGFudGVkIjoxfQ.eyJwbGFudGVkIjoyfQ.cGxhbnRlZA0008",
    "planted-key-0009",
    "c0ffee0010c0ffee0010",
    "c0ffee0011c0ffee0011",
];

async fn planted() -> World {
    let mut world = World::new().await;
    world.register_key(SECRETS[9]).await;
    let token = AdminTokenRegistered {
        credential: "tok_1".into(),
        name: SECRETS[4].to_owned(),
        role: AdminRole::Admin,
        hash: stackwave_domain::Digest::from_hex(SECRETS[10]),
        at: world.now,
        expires_at: None,
    };
    world.configure(Subject::config("admin_token", "tok_1"), token.into()).await;
    world.stows = true;
    world.pull(ACME, 7, "opened", "aaaaaaa").await;
    let url = format!("https://me:{}@example.com/x", SECRETS[6]);
    let inputs = [
        ("note", SECRETS[0]),
        ("url", url.as_str()),
        ("db_password", SECRETS[8]),
        ("web", SECRETS[7]),
        ("aws", SECRETS[5]),
    ];
    world.upload(ACME, "aaaaaaa", graph_with("vpc > eks; rds", &inputs)).await;
    let claims = world.claim().await;
    let (first, second) = (&claims[0], &claims[1]);
    let error = format!("GET https://x/?token={} failed: Authorization: Bearer {}", SECRETS[1], SECRETS[2]);
    world.result(DispatchOutcomeUnknown { dispatch: first.dispatch.clone(), epoch: 1, error }).await;
    world.accept(first).await;
    let message = format!("no such input {}", SECRETS[3]);
    let refused = DispatchRefused {
        dispatch: second.dispatch.clone(),
        epoch: 1,
        status: 422,
        reason: RefusalReason::InputInvalid,
        message,
    };
    world.result(refused).await;
    let reason = Some(format!("my password: {}", SECRETS[6]));
    let retry = RetryRequested { command: "cmd_1".into(), run: world.run().id.clone(), key: None, reason };
    world.tell(Subject::command(STREAM, ACME), "alice", retry).await;
    world.run_for(first.key.component.as_str(), 60, Conclusion::Success).await;
    world
}

#[tokio::test]
async fn no_planted_secret_is_in_any_export() {
    let world = planted().await;
    for wanted in [Wanted::Run(world.run().id.clone()), Wanted::Repository] {
        let recording = world.collect(wanted, Depth::Whole).await.unwrap();
        assert!(recording.about.withheld > 0);
        let (mut file, mut events) = (Vec::new(), Vec::new());
        write(&recording, &mut file, false).unwrap();
        write_cloud_events(&recording, &mut events, false).unwrap();
        for text in [String::from_utf8(file).unwrap(), String::from_utf8(events).unwrap()] {
            for secret in SECRETS {
                assert!(!text.contains(secret), "{secret} is in {text}");
            }
            assert!(
                !text.contains("planted") && !text.contains("api_key") && !text.contains("hash"),
                "{text}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_left_can_be_replayed_and_verified() {
    let world = planted().await;
    let recording = world.recording().await;
    let player = Player::new(&recording).unwrap();
    assert_eq!(player.run().unwrap().id, world.run().id);
    assert_eq!(player.run().unwrap().workspace, WorkspaceId::default_workspace());
    let report = verify(&recording).unwrap();
    assert_eq!(report.difference, None, "{report:#?}");
}

#[tokio::test]
async fn a_state_that_stands_for_purged_records_is_cleaned_too() {
    let mut world = planted().await;
    let checkpoint = world.checkpoint_and_purge().await;
    world.pull(ACME, 8, "opened", "bbbbbbb").await;
    world.upload(ACME, "bbbbbbb", crate::world::graph("vpc > eks")).await;
    let recording = world.recording().await;
    assert!(recording.base.is_some() && recording.about.from > checkpoint && !recording.about.cut);
    assert!(recording.about.withheld > 0, "the state held some");
    let mut file = Vec::new();
    write(&recording, &mut file, false).unwrap();
    // The state is packed: what it holds is seen in its own words.
    let text = format!("{:?} {}", recording.base, String::from_utf8(file).unwrap());
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} is left");
    }
    let report = verify(&recording).unwrap();
    assert_eq!((report.difference, report.out_of_reach), (None, 0));
    assert_eq!(Player::new(&recording).unwrap().run().unwrap().id, world.run().id);
}
