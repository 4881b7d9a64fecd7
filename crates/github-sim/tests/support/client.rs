//! A client of the simulation, as a GitHub App is one.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use ring::{rand::SystemRandom, rsa::KeyPair, signature::RSA_PKCS1_SHA256};
use serde_json::{Value, json};
use stackwave_github_sim::{GitHub, SimConfig};

/// Sends requests with a JWT or with an installation token.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) github: GitHub,
    pub(crate) jwt: String,
    pub(crate) token: String,
}

impl Client {
    /// A client with a fresh token of the first installation.
    pub(crate) async fn of(github: &GitHub) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().user_agent("stackwave-test").no_proxy().build().unwrap();
        let jwt = jwt(github, |_| {});
        let mut client = Self { http, github: github.clone(), jwt, token: String::new() };
        client.renew().await;
        client
    }

    /// Takes another token.
    pub(crate) async fn renew(&mut self) {
        let path = format!("/app/installations/{}/access_tokens", SimConfig::default().installation_id);
        let answer = self.as_app(Method::POST, &path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        self.token = answer.json::<Value>().await.unwrap()["token"].as_str().unwrap().to_owned();
    }

    /// A request of the App.
    pub(crate) fn as_app(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.github.url())).bearer_auth(&self.jwt)
    }

    /// A request of the installation.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.github.url())).bearer_auth(&self.token)
    }

    /// `GET` of the installation.
    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    /// `GET` of the installation that has to succeed.
    pub(crate) async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.json().await.unwrap()
    }

    /// A dispatch of `plan.yaml` in `acme/infra`.
    pub(crate) fn dispatch(&self, body: &Value) -> RequestBuilder {
        self.request(Method::POST, "/repos/acme/infra/actions/workflows/plan.yaml/dispatches").json(body)
    }
}

/// A JWT that GitHub takes, unless `spoil` changes the claims.
pub(crate) fn jwt(github: &GitHub, spoil: impl FnOnce(&mut Value)) -> String {
    let now = SimConfig::default().clock.now().as_second();
    let mut claims =
        json!({ "iss": SimConfig::default().app.id.to_string(), "iat": now - 60, "exp": now + 540 });
    spoil(&mut claims);
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encode(&json!({ "alg": "RS256", "typ": "JWT" })), encode(&claims));
    let base64: String = github.private_key_pem().lines().filter(|line| !line.starts_with("-----")).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(base64).unwrap();
    let pair = KeyPair::from_der(&der).unwrap();
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}
