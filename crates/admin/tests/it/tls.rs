//! TLS and clients' certificates, with authorities made on the spot.

use crate::support::{Admin, PATIENCE, TOKEN, authorized};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use stackwave_admin::{ServerTls, TlsError, TlsFiles};
use stackwave_admin_proto::v1::{WhoAmIRequest, credentials_client::CredentialsClient};
use std::{fs, path::PathBuf};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate and its key.
    fn issue(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn server(&self, authority: &Authority, clients: Option<&Authority>) -> TlsFiles {
        let (certificate, key) = authority.issue("localhost");
        TlsFiles {
            certificate: self.write("server.pem", &certificate),
            key: self.write("server.key", &key),
            client_authorities: clients.map(|clients| self.write("clients.pem", &clients.pem())),
        }
    }
}

fn endpoint(admin: &Admin, scheme: &str) -> Endpoint {
    Endpoint::from_shared(format!("{scheme}://localhost:{}", admin.address.port())).unwrap()
}

/// Whether a call goes through.
async fn goes_through(admin: &Admin, tls: ClientTlsConfig) -> bool {
    let asked = async {
        let channel: Channel = endpoint(admin, "https").tls_config(tls).unwrap().connect().await.ok()?;
        CredentialsClient::new(channel).who_am_i(authorized(WhoAmIRequest {})).await.ok()
    };
    tokio::time::timeout(PATIENCE, asked).await.unwrap().is_some()
}

fn trusting(authority: &Authority) -> ClientTlsConfig {
    ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authority.pem())).domain_name("localhost")
}

#[tokio::test]
async fn with_a_certificate_only_tls_is_served() {
    let (files, authority) = (Files::new(), Authority::new());
    let tls = ServerTls::load(files.server(&authority, None)).unwrap();
    let admin = Admin::start_with_tls(Some(TOKEN), Some(tls)).await;
    assert!(goes_through(&admin, trusting(&authority)).await);
    assert!(!goes_through(&admin, trusting(&Authority::new())).await);
    let plain = async {
        let channel = endpoint(&admin, "http").connect().await.ok()?;
        CredentialsClient::new(channel).who_am_i(authorized(WhoAmIRequest {})).await.ok()
    };
    assert!(tokio::time::timeout(PATIENCE, plain).await.unwrap().is_none());
}

#[tokio::test]
async fn with_an_authority_for_clients_only_its_certificates_are_let_in() {
    let (files, authority, clients) = (Files::new(), Authority::new(), Authority::new());
    let tls = ServerTls::load(files.server(&authority, Some(&clients))).unwrap();
    let admin = Admin::start_with_tls(Some(TOKEN), Some(tls)).await;
    let with = |issuer: &Authority| {
        let (certificate, key) = issuer.issue("client");
        trusting(&authority).identity(Identity::from_pem(certificate, key))
    };
    assert!(goes_through(&admin, with(&clients)).await);
    assert!(!goes_through(&admin, trusting(&authority)).await, "without a certificate");
    assert!(!goes_through(&admin, with(&authority)).await, "with another authority's");
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_up_and_one_that_cannot_be_used_is_not() {
    let (files, old, new) = (Files::new(), Authority::new(), Authority::new());
    let tls = ServerTls::load(files.server(&old, None)).unwrap();
    let admin = Admin::start_with_tls(Some(TOKEN), Some(tls)).await;
    files.write("server.pem", "nothing");
    files.write("server.key", "nothing");
    assert!(goes_through(&admin, trusting(&old)).await);
    files.server(&new, None);
    let taken_up = async { while !goes_through(&admin, trusting(&new)).await {} };
    tokio::time::timeout(PATIENCE, taken_up).await.unwrap();
}

#[test]
fn what_cannot_be_used_is_named() {
    let (files, authority) = (Files::new(), Authority::new());
    let good = files.server(&authority, None);
    let missing = TlsFiles { key: files.folder.path().join("none"), ..good.clone() };
    assert!(matches!(ServerTls::load(missing), Err(TlsError::Read { .. })));
    let empty = TlsFiles { certificate: files.write("empty.pem", ""), ..good.clone() };
    assert!(matches!(ServerTls::load(empty), Err(TlsError::Content { what: "certificate", .. })));
    let swapped = TlsFiles { key: good.certificate.clone(), ..good.clone() };
    assert!(matches!(ServerTls::load(swapped), Err(TlsError::Content { what: "private key", .. })));
    let foreign = TlsFiles { key: files.write("foreign.key", &authority.issue("x").1), ..good };
    assert!(matches!(ServerTls::load(foreign), Err(TlsError::Unusable(_))));
}
