//! https:// with authorities of one's own, and a certificate for a server that asks for one.

use crate::{
    asking::{ask_with, defaults},
    fake::Fake,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use stackwave_client::Exit;
use std::path::PathBuf;
use tempfile::TempDir;
use tonic::transport::{Certificate, Identity, ServerTlsConfig};

/// A certificate authority, and files that it signed.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    /// A certificate and its key, as PEM.
    fn sign(&self, purpose: ExtendedKeyUsagePurpose) -> (String, String) {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.extended_key_usages = vec![purpose];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    /// Writes a client's certificate and key.
    fn client(&self) {
        let (certificate, key) = self.sign(ExtendedKeyUsagePurpose::ClientAuth);
        std::fs::write(self.path("client.pem"), certificate).unwrap();
        std::fs::write(self.path("client.key"), key).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn server(&self) -> ServerTlsConfig {
        let (certificate, key) = self.sign(ExtendedKeyUsagePurpose::ServerAuth);
        ServerTlsConfig::new().identity(Identity::from_pem(certificate, key))
    }
}

#[tokio::test]
async fn a_server_is_trusted_by_the_authority_that_is_named_and_by_no_other() {
    let authority = Authority::new();
    let fake = Fake::start_with(Some(authority.server())).await;
    let ca = authority.path("ca.pem");
    let line = format!("whoami --ca-file {}", ca.display());
    ask_with(defaults(&fake), &line, |screen| screen).await.done();

    let other = Authority::new();
    let line = format!("whoami --ca-file {}", other.path("ca.pem").display());
    let (text, exit) = ask_with(defaults(&fake), &line, |screen| screen).await.refused();
    assert!(text.to_ascii_lowercase().contains("certificate"), "{text}");
    assert_eq!(exit, Exit::Unreachable);
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate_is_shown_one() {
    let authority = Authority::new();
    authority.client();
    let demanding = authority.server().client_ca_root(Certificate::from_pem(authority.issuer.pem()));
    let fake = Fake::start_with(Some(demanding)).await;
    let ca = authority.path("ca.pem");
    let line = format!(
        "whoami --ca-file {} --client-cert-file {} --client-key-file {}",
        ca.display(),
        authority.path("client.pem").display(),
        authority.path("client.key").display()
    );
    ask_with(defaults(&fake), &line, |screen| screen).await.done();

    let without = format!("whoami --ca-file {}", ca.display());
    let (_, exit) = ask_with(defaults(&fake), &without, |screen| screen).await.refused();
    assert_eq!(exit, Exit::Unreachable);
}

#[tokio::test]
async fn half_a_pair_is_wrong_use() {
    let fake = Fake::start().await;
    for (option, missing) in
        [("--client-cert-file", "--client-key-file"), ("--client-key-file", "--client-cert-file")]
    {
        let line = format!("whoami --server https://localhost:1 {option} x.pem");
        let (text, exit) = ask_with(defaults(&fake), &line, |screen| screen).await.refused();
        assert!(text.contains(missing), "{text}");
        assert_eq!(exit, Exit::WrongUse);
    }
}
