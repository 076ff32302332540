//! Racks of emulated BMCs: one thread serves them all.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard},
    thread::JoinHandle,
};

use tokio::{net::TcpListener, runtime::Handle, sync::oneshot};
use tokio_rustls::TlsAcceptor;

use crate::{
    Clock, EmulatorError, Machine, Tree,
    serve::{Shared, lock, serve},
    tls::{Authority, Certificate, Protocol},
};

/// How a BMC is set up.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Its certificate.
    pub certificate: Certificate,
    /// Its TLS.
    pub protocol: Protocol,
    /// Its time.
    pub clock: Clock,
    /// Where it listens.
    pub listen: SocketAddr,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            certificate: Certificate::Issued,
            protocol: Protocol::Tls13,
            clock: Clock::by_request(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        }
    }
}

/// Many BMCs, one authority, one thread. They end with it.
pub struct Rack {
    authority: Authority,
    runtime: Handle,
    thread: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Rack {
    /// An empty one.
    pub fn new() -> Result<Self, EmulatorError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(EmulatorError::Listen)?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let _ = runtime.block_on(ended);
        });
        Ok(Self { authority: Authority::new()?, runtime: handle, thread: Some((end, thread)) })
    }

    /// The certificate of the authority, PEM.
    pub fn ca_pem(&self) -> String {
        self.authority.pem()
    }

    /// Starts a BMC over `tree`.
    pub fn plug(&self, tree: Arc<Tree>, options: Options) -> Result<Bmc, EmulatorError> {
        let machine: Shared = Arc::new(Mutex::new(Machine::new(tree, options.clock)?));
        let identity = self.authority.identity(options.certificate, options.protocol)?;
        let listener =
            std::net::TcpListener::bind(options.listen).map_err(EmulatorError::Listen)?;
        listener.set_nonblocking(true).map_err(EmulatorError::Listen)?;
        let address = listener.local_addr().map_err(EmulatorError::Listen)?;
        let served = Arc::clone(&machine);
        let acceptor = TlsAcceptor::from(Arc::new(identity.config));
        self.runtime.spawn(async move {
            if let Ok(listener) = TcpListener::from_std(listener) {
                serve(listener, acceptor, served).await;
            }
        });
        Ok(Bmc { address, pin: identity.pin, machine })
    }

    /// Starts a BMC over `tree` with what is usual.
    pub fn plug_tree(&self, tree: Tree) -> Result<Bmc, EmulatorError> {
        self.plug(Arc::new(tree), Options::default())
    }
}

impl Drop for Rack {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.thread.take() {
            let _ = end.send(());
            let _ = thread.join();
        }
    }
}

/// One BMC of a rack. Clones are of the same one.
#[derive(Clone)]
pub struct Bmc {
    address: SocketAddr,
    pin: String,
    machine: Shared,
}

impl Bmc {
    /// `https://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// SHA-256 of its certificate, in hex.
    pub fn pin(&self) -> &str {
        &self.pin
    }

    /// The machine behind it. The BMC answers nobody while it is held.
    pub fn machine(&self) -> MutexGuard<'_, Machine> {
        lock(&self.machine)
    }
}
