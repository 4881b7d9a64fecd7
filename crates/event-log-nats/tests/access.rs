//! Who we are to the server: each way to say it, right and wrong.

#![expect(clippy::unwrap_used, reason = "a test whose surroundings fail has failed")]

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use nkeys::KeyPair;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use stackwave_event_log::LogError;
use stackwave_event_log_nats::{Credentials, NatsLog, NatsOptions};
use stackwave_testkit::nats::{NatsServer, Settings};

async fn server(authorization: &str) -> Option<NatsServer> {
    let settings = Settings { extra: format!("{authorization}\n"), ..Settings::default() };
    NatsServer::start_with(&settings).await
}

fn with_credentials(server: &NatsServer, credentials: Credentials) -> NatsOptions {
    NatsOptions { credentials, ..NatsOptions::new(server.url()) }
}

/// The server's URL with this in front of its host.
fn with_user_info(server: &NatsServer, who: &str) -> NatsOptions {
    NatsOptions::new(server.url().replace("://", &format!("://{who}@")))
}

async fn refusal(options: NatsOptions) -> String {
    match NatsLog::connect(options).await {
        Err(LogError::Setup(message)) => message,
        Err(error) => panic!("expected a refusal, got: {error}"),
        Ok(_) => panic!("expected a refusal"),
    }
}

#[tokio::test]
async fn a_user_with_a_password_is_let_in_by_the_options_and_by_the_url() {
    let authorization = "authorization { users: [{ user: stackwave, password: \"r@ght\" }] }";
    let Some(server) = server(authorization).await else { return };
    let with = |password: &str| {
        let credentials = Credentials::Password { user: "stackwave".to_owned(), password: password.into() };
        with_credentials(&server, credentials)
    };
    NatsLog::connect(with("r@ght")).await.unwrap();
    NatsLog::connect(with_user_info(&server, "stackwave:r%40ght")).await.unwrap();
    for wrong in [with("wr0ng"), with_user_info(&server, "stackwave:wr0ng")] {
        let message = refusal(wrong).await;
        assert!(message.contains("authorization") && !message.contains("wr0ng"), "{message}");
    }
}

#[tokio::test]
async fn a_token_is_let_in_by_the_options_and_by_the_url() {
    let Some(server) = server("authorization { token: right }").await else { return };
    NatsLog::connect(with_credentials(&server, Credentials::Token("right".into()))).await.unwrap();
    NatsLog::connect(with_user_info(&server, "right")).await.unwrap();
    for wrong in
        [with_credentials(&server, Credentials::Token("wr0ng".into())), with_user_info(&server, "wr0ng")]
    {
        let message = refusal(wrong).await;
        assert!(message.contains("authorization") && !message.contains("wr0ng"), "{message}");
    }
}

#[tokio::test]
async fn a_credentials_file_is_let_in_and_one_of_somebody_else_is_not() {
    let (operator, account, user) = (KeyPair::new_operator(), KeyPair::new_account(), KeyPair::new_user());
    let Some(server) = server(&operator_mode(&operator, &account)).await else { return };
    let credentials = |user: &KeyPair, signer: &KeyPair| {
        let claims = json!({"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1});
        let jwt = jwt(signer, &user.public_key(), claims);
        Credentials::Creds(creds(&jwt, &user.seed().unwrap()).into())
    };
    NatsLog::connect(with_credentials(&server, credentials(&user, &account))).await.unwrap();
    let Credentials::Creds(whole) = credentials(&user, &account) else { panic!("other credentials") };
    let trimmed = Credentials::Creds(whole.expose_secret().trim().into());
    NatsLog::connect(with_credentials(&server, trimmed)).await.unwrap();

    let stranger = with_credentials(&server, credentials(&user, &KeyPair::new_account()));
    let message = refusal(stranger).await;
    assert!(message.contains("authorization") && !message.contains(&user.seed().unwrap()), "{message}");

    let broken = Credentials::Creds("no credentials: hush".into());
    let message = refusal(with_credentials(&server, broken)).await;
    assert!(message.contains("cannot be used") && !message.contains("hush"), "{message}");
}

/// The configuration of a server that knows accounts by an operator's signature.
fn operator_mode(operator: &KeyPair, account: &KeyPair) -> String {
    let system = KeyPair::new_account();
    let limits = json!({
        "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1,
        "leaf": -1, "mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1,
    });
    let of_account = |account: &KeyPair, limits: Value| {
        jwt(operator, &account.public_key(), json!({"type": "account", "version": 2, "limits": limits}))
    };
    let mut without_streams = limits.clone();
    for limit in ["mem_storage", "disk_storage", "streams", "consumer"] {
        without_streams[limit] = json!(0);
    }
    let system_account = system.public_key();
    let claims = json!({"type": "operator", "version": 2, "system_account": system_account});
    format!(
        "operator: {}\nsystem_account: {system_account}\nresolver: MEMORY\nresolver_preload: {{\n  {}: {}\n  {}: {}\n}}",
        jwt(operator, &operator.public_key(), claims),
        system_account,
        of_account(&system, without_streams),
        account.public_key(),
        of_account(account, limits),
    )
}

/// As NATS signs its JWTs (NATS Docs, "JWTs and Privacy"; `nats-io/jwt`).
fn jwt(signer: &KeyPair, subject: &str, nats: Value) -> String {
    let header = json!({"typ": "JWT", "alg": "ed25519-nkey"});
    let claims = json!({
        "jti": subject, "iat": 1_700_000_000, "iss": signer.public_key(), "sub": subject, "name": subject,
        "nats": nats,
    });
    let signed = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    let signature = URL_SAFE_NO_PAD.encode(signer.sign(signed.as_bytes()).unwrap());
    format!("{signed}.{signature}")
}

fn creds(jwt: &str, seed: &str) -> String {
    format!(
        "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    )
}
