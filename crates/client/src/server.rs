//! The connection to a server.

use crate::{
    common::{Common, Defaults, Named},
    failure::Failure,
    file, status,
};
use secrecy::{ExposeSecret as _, SecretString};
use stackwave_admin_proto::v1::{
    commands_client::CommandsClient, credentials_client::CredentialsClient, events_client::EventsClient,
    inventory_client::InventoryClient, runs_client::RunsClient, system_client::SystemClient,
};
use std::{path::Path, time::Duration};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};

/// Where `serve` listens unless it is told otherwise.
const DEFAULT: &str = "http://127.0.0.1:8081";
/// How long a server may take to answer at all.
const CONNECT: Duration = Duration::from_secs(10);
/// How long one call may take unless it is told otherwise.
const ANSWER: Duration = Duration::from_secs(30);
/// How often a server that says nothing is asked whether it is still there: a stream may be quiet for hours.
const KEEPALIVE: Duration = Duration::from_secs(20);
/// The largest answer that is read. A run of some ten thousand stacks with their causes stays far below it.
const LARGEST_ANSWER: usize = 256 << 20;

/// A server that was reached.
pub(crate) struct Server {
    channel: Channel,
    bearer: Bearer,
    address: Address,
}

/// A server's URL, and the words in which a message names the token.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub(crate) url: String,
    /// Where the URL was set; none for the built-in one.
    pub(crate) origin: Option<String>,
    /// Where the token was set, if there is one.
    pub(crate) token: Option<String>,
}

/// Puts the token on every call.
#[derive(Clone)]
pub(crate) struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}

type Calls = InterceptedService<Channel, Bearer>;

macro_rules! clients {
    ($($name:ident $client:ident)+) => {
        $(pub(crate) fn $name(&self) -> $client<Calls> {
            $client::with_interceptor(self.channel.clone(), self.bearer.clone())
                .max_decoding_message_size(LARGEST_ANSWER)
        })+
    };
}

impl Server {
    clients! {
        commands CommandsClient
        credentials CredentialsClient
        events EventsClient
        inventory InventoryClient
        runs RunsClient
        system SystemClient
    }

    /// Reaches it.
    pub(crate) async fn connect(common: &Common, defaults: Defaults) -> Result<Self, Failure> {
        let token = token(common, defaults.token)?;
        let server = match &common.server {
            Some(url) => Some(Named { value: url.clone(), origin: "--server".to_owned() }),
            None => defaults.server,
        };
        let address = Address {
            url: server.as_ref().map_or_else(|| DEFAULT.to_owned(), |server| server.value.clone()),
            origin: server.map(|server| server.origin),
            token: token.as_ref().map(|token| token.origin.clone()),
        };
        let files = Files {
            ca: common.ca_file.as_deref().or(defaults.ca_file.as_deref()),
            cert: common.client_cert_file.as_deref().or(defaults.client_cert_file.as_deref()),
            key: common.client_key_file.as_deref().or(defaults.client_key_file.as_deref()),
        };
        let endpoint = endpoint(&address, files, common.timeout.unwrap_or(ANSWER))?;
        let channel = endpoint.connect().await.map_err(|error| status::no_server(&address, &error))?;
        let bearer = Bearer(token.map(header).transpose()?);
        Ok(Self { channel, bearer, address })
    }

    /// What a refusal means.
    pub(crate) fn refused(&self, status: &Status) -> Failure {
        status::failure(status, &self.address)
    }
}

fn token(
    common: &Common,
    default: Option<Named<SecretString>>,
) -> Result<Option<Named<SecretString>>, Failure> {
    let Some(path) = &common.token_file else { return Ok(default) };
    let value = SecretString::from(file::read("token file", path)?);
    Ok(Some(Named { value, origin: "--token-file".to_owned() }))
}

fn header(token: Named<SecretString>) -> Result<MetadataValue<Ascii>, Failure> {
    let mut value: MetadataValue<Ascii> =
        format!("Bearer {}", token.value.expose_secret()).parse().map_err(|_| {
            Failure::WrongUse(format!("the token of {} holds signs that cannot be sent", token.origin))
        })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Files for TLS.
struct Files<'a> {
    ca: Option<&'a Path>,
    cert: Option<&'a Path>,
    key: Option<&'a Path>,
}

fn endpoint(address: &Address, files: Files<'_>, timeout: Duration) -> Result<Endpoint, Failure> {
    let url = address.url.trim_end_matches('/');
    let form = |why: &str| {
        let origin = address.origin.as_deref().unwrap_or("the server");
        Failure::WrongUse(format!("`{url}` ({origin}) is no address of a server: {why}"))
    };
    let is_https = url.starts_with("https://");
    if !is_https && !url.starts_with("http://") {
        return Err(form("it should begin with http:// or https://, such as http://127.0.0.1:8081"));
    }
    let endpoint = Endpoint::from_shared(url.to_owned())
        .map_err(|error| form(&error.to_string()))?
        .user_agent(concat!("stackwave/", env!("CARGO_PKG_VERSION")))
        .map_err(|error| form(&error.to_string()))?
        .connect_timeout(CONNECT.min(timeout))
        .timeout(timeout)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE)
        .keep_alive_while_idle(true);
    if is_https {
        return endpoint.tls_config(tls(files)?).map_err(|error| form(&status::chain(&error)));
    }
    if files.ca.is_some() || files.cert.is_some() || files.key.is_some() {
        return Err(form("certificates are for https://"));
    }
    Ok(endpoint)
}

fn tls(files: Files<'_>) -> Result<ClientTlsConfig, Failure> {
    let mut config = ClientTlsConfig::new();
    config = match files.ca {
        Some(path) => config.ca_certificate(Certificate::from_pem(file::read("file of authorities", path)?)),
        None => config.with_native_roots(),
    };
    match (files.cert, files.key) {
        (Some(cert), Some(key)) => {
            let (cert, key) = (file::read("client certificate", cert)?, file::read("client key", key)?);
            Ok(config.identity(Identity::from_pem(cert, key)))
        }
        (None, None) => Ok(config),
        (Some(_), None) => Err(Failure::WrongUse(
            "a client certificate needs its key: name it with --client-key-file or STACKWAVE_CLIENT_KEY_FILE"
                .to_owned(),
        )),
        (None, Some(_)) => Err(Failure::WrongUse(
            "a client key needs its certificate: name it with --client-cert-file or STACKWAVE_CLIENT_CERT_FILE"
                .to_owned(),
        )),
    }
}
