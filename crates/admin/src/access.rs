//! Who may ask what: one layer before every service, and one table of roles, so that no method can be forgotten.

mod caller;
mod gate;
mod guesses;
mod roles;

pub(crate) use self::{
    caller::{BOOTSTRAP, Caller},
    gate::Gate,
};

use self::gate::Refused;
use std::{
    future::Future,
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tonic::transport::server::{TcpConnectInfo, TlsConnectInfo};
use tower::{Layer, Service};

/// Puts the gate before a service.
#[derive(Clone)]
pub(crate) struct AccessLayer(pub(crate) Arc<Gate>);

impl<S> Layer<S> for AccessLayer {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { gate: Arc::clone(&self.0), inner }
    }
}

/// A service behind the gate.
#[derive(Clone)]
pub(crate) struct Guarded<S> {
    gate: Arc<Gate>,
    inner: S,
}

impl<S, In, Out> Service<http::Request<In>> for Guarded<S>
where
    S: Service<http::Request<In>, Response = http::Response<Out>>,
    S::Future: Send + 'static,
    Out: Default + Send + 'static,
    S::Error: Send + 'static,
{
    type Response = http::Response<Out>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<In>) -> Self::Future {
        match self.gate.admit(request.uri().path(), request.headers(), peer(request.extensions())) {
            Ok(caller) => {
                if let Some(caller) = caller {
                    request.extensions_mut().insert(caller);
                }
                Box::pin(self.inner.call(request))
            }
            Err(Refused { status, held }) => Box::pin(async move {
                if !held.is_zero() {
                    tokio::time::sleep(held).await;
                }
                Ok(status.into_http())
            }),
        }
    }
}

/// Where a call comes from, with TLS and without.
fn peer(extensions: &http::Extensions) -> Option<IpAddr> {
    let plain = extensions.get::<TcpConnectInfo>();
    let shaken = extensions.get::<TlsConnectInfo<TcpConnectInfo>>().map(TlsConnectInfo::get_ref);
    plain.or(shaken)?.remote_addr().map(|address| address.ip())
}
