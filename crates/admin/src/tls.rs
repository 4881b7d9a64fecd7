//! TLS, and clients' certificates where an authority for them is given (mTLS).
//!
//! The files are looked at again every few seconds, so that a renewed certificate counts without a restart: for
//! connections that are opened from then on.

use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

/// Where certificates lie, as PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, and those between it and its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Authorities of clients: whoever connects shows a certificate of one of them. None: nobody has to.
    pub client_authorities: Option<PathBuf>,
}

/// TLS cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("`{path}` cannot be read: {error}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file does not hold what it should, as PEM.
    #[error("`{path}` holds no {what} as PEM: {why}")]
    Content {
        /// Which.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// Why not.
        why: String,
    },
    /// What the files hold does not fit together.
    #[error("the certificates for gRPC cannot be used: {0}")]
    Unusable(String),
}

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(5);
/// How long a client may take to shake hands.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Handshakes at a time.
const HANDSHAKES: usize = 64;
/// Before accepting again after an error, such as too many open files.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// The certificates that are in use. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ServerTls {
    files: TlsFiles,
    current: Arc<RwLock<Loaded>>,
}

#[derive(Clone, Debug)]
struct Loaded {
    bytes: Vec<Vec<u8>>,
    config: Arc<ServerConfig>,
}

impl ServerTls {
    /// Reads the files.
    ///
    /// # Errors
    /// One of them cannot be read or used.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let loaded = Loaded::read(&files)?;
        Ok(Self { files, current: Arc::new(RwLock::new(loaded)) })
    }

    fn acceptor(&self) -> TlsAcceptor {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&current.config))
    }

    /// Takes up what the files hold now, if it differs and can be used.
    fn look(&self) {
        let loaded = match Loaded::read(&self.files) {
            Ok(loaded) => loaded,
            Err(error) => {
                tracing::warn!(%error, "the certificates for gRPC have changed and cannot be used; the old ones stay");
                return;
            }
        };
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if loaded.bytes != current.bytes {
            *current = loaded;
            tracing::info!("new certificates for gRPC are in use");
        }
    }

    /// Connections that have shaken hands.
    pub(crate) fn incoming(
        self,
        listener: TcpListener,
        shutdown: CancellationToken,
    ) -> ReceiverStream<io::Result<TlsStream<TcpStream>>> {
        let (sender, receiver) = mpsc::channel(HANDSHAKES);
        let looking = self.clone();
        let stopped = shutdown.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = stopped.cancelled() => return,
                    () = tokio::time::sleep(LOOK) => {},
                }
                let looking = looking.clone();
                // Reading files may take a while; a panic there would only mean that the old certificates stay.
                let _ = tokio::task::spawn_blocking(move || looking.look()).await;
            }
        });
        tokio::spawn(async move {
            let places = Arc::new(Semaphore::new(HANDSHAKES));
            loop {
                let accepted = tokio::select! {
                    () = shutdown.cancelled() => return,
                    accepted = accept(&listener, &places) => accepted,
                };
                let (connection, place) = match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        tracing::warn!(%error, "a gRPC connection cannot be accepted");
                        tokio::time::sleep(ACCEPT_AGAIN).await;
                        continue;
                    }
                };
                let (acceptor, sender) = (self.acceptor(), sender.clone());
                tokio::spawn(async move {
                    let _place = place;
                    match tokio::time::timeout(HANDSHAKE, acceptor.accept(connection)).await {
                        Ok(Ok(shaken)) => drop(sender.send(Ok(shaken)).await),
                        Ok(Err(error)) => tracing::debug!(%error, "a gRPC client did not shake hands"),
                        Err(_) => tracing::debug!("a gRPC client took too long to shake hands"),
                    }
                });
            }
        });
        ReceiverStream::new(receiver)
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (connection, _) = listener.accept().await?;
    connection.set_nodelay(true)?;
    Ok((connection, place))
}

impl Loaded {
    fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let certificate = content(&files.certificate)?;
        let key = content(&files.key)?;
        let authorities = files.client_authorities.as_deref().map(content).transpose()?;
        let provider = Arc::new(ring::default_provider());
        let unusable = |error: &dyn std::fmt::Display| TlsError::Unusable(error.to_string());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(&error))?;
        let builder = match (&authorities, &files.client_authorities) {
            (Some(bytes), Some(path)) => {
                let mut roots = RootCertStore::empty();
                for authority in certificates(path, bytes)? {
                    roots.add(authority).map_err(|error| unusable(&error))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                    .build()
                    .map_err(|error| unusable(&error))?;
                builder.with_client_cert_verifier(verifier)
            }
            _ => builder.with_no_client_auth(),
        };
        let private = PrivateKeyDer::from_pem_slice(&key).map_err(|error| TlsError::Content {
            path: files.key.clone(),
            what: "private key",
            why: error.to_string(),
        })?;
        let mut config = builder
            .with_single_cert(certificates(&files.certificate, &certificate)?, private)
            .map_err(|error| unusable(&error))?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        let bytes = [certificate, key].into_iter().chain(authorities).collect();
        Ok(Self { bytes, config: Arc::new(config) })
    }
}

fn content(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|error| TlsError::Read { path: path.to_owned(), error })
}

fn certificates(path: &Path, bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bad = |why: String| TlsError::Content { path: path.to_owned(), what: "certificate", why };
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    match found {
        Ok(found) if found.is_empty() => Err(bad("there is none".to_owned())),
        Ok(found) => Ok(found),
        Err(error) => Err(bad(error.to_string())),
    }
}
