//! A network that can be cut: before a request is sent, or before its answer arrives.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the server: a request.
    ToServer,
    /// From the server to the client: an answer.
    ToClient,
}

/// Stands between clients and one server, forwards bytes, and cuts connections when told.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    trap: Mutex<Option<(Direction, Vec<u8>)>>,
    /// Counts the cuts; a connection ends when it changes.
    cuts: watch::Sender<u64>,
    refusing: watch::Sender<bool>,
}

impl Proxy {
    /// A proxy before the server on this port of the local host.
    ///
    /// # Panics
    /// There is no free port.
    pub async fn before(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let shared = Arc::new(Shared {
            trap: Mutex::new(None),
            cuts: watch::Sender::new(0),
            refusing: watch::Sender::new(false),
        });
        let accepting = tokio::spawn(accept(listener, port, Arc::clone(&shared)));
        Self { address, shared, accepting }
    }

    /// Where clients connect.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts all connections once bytes with this text pass, instead of letting them through. Works once.
    pub fn cut_before(&self, direction: Direction, text: &str) {
        *self.shared.trap() = Some((direction, text.as_bytes().to_vec()));
    }

    /// Whether [`Proxy::cut_before`] is still waiting for its text.
    #[must_use]
    pub fn is_armed(&self) -> bool {
        self.shared.trap().is_some()
    }

    /// Cuts all connections now. New ones are let through.
    pub fn cut(&self) {
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Cuts all connections, and every new one until [`Proxy::let_through`].
    pub fn go_down(&self) {
        self.shared.refusing.send_replace(true);
        self.cut();
    }

    /// Lets connections through again.
    pub fn let_through(&self) {
        self.shared.refusing.send_replace(false);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

impl Shared {
    fn trap(&self) -> std::sync::MutexGuard<'_, Option<(Direction, Vec<u8>)>> {
        self.trap.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether these bytes are those that were waited for.
    fn springs(&self, direction: Direction, bytes: &[u8]) -> bool {
        let mut trap = self.trap();
        let springs = trap.as_ref().is_some_and(|(wanted, text)| {
            *wanted == direction && bytes.windows(text.len()).any(|window| window == text)
        });
        if springs {
            trap.take();
        }
        springs
    }
}

async fn accept(listener: TcpListener, port: u16, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        if *shared.refusing.borrow() {
            continue;
        }
        let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { continue };
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let cuts = shared.cuts.subscribe();
        tokio::spawn(pass(Direction::ToServer, from_client, to_server, Arc::clone(&shared), cuts.clone()));
        tokio::spawn(pass(Direction::ToClient, from_server, to_client, Arc::clone(&shared), cuts));
    }
}

async fn pass(
    direction: Direction,
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    shared: Arc<Shared>,
    mut cuts: watch::Receiver<u64>,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = tokio::select! {
            _ = cuts.changed() => return,
            read = from.read(&mut buffer) => read,
        };
        let Ok(length @ 1..) = read else { return };
        let bytes = &buffer[..length];
        if shared.springs(direction, bytes) {
            shared.cuts.send_modify(|cuts| *cuts += 1);
            return;
        }
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
}
