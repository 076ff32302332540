//! A balancer: what stands before several servers, and passes TLS through.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// Listens on a port of its own until it is dropped.
pub(crate) struct Balancer {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Balancer {
    /// Connections go to the servers in turns; one that takes none is passed over.
    pub(crate) async fn before(servers: Vec<SocketAddr>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let turn = Arc::new(Mutex::new(servers));
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(pass(stream, Arc::clone(&turn)));
                while connections.try_join_next().is_some() {}
            }
        });
        Self { address, task }
    }

    /// The address that hosts know.
    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(mut stream: TcpStream, turn: Arc<Mutex<Vec<SocketAddr>>>) {
    let servers = {
        let mut servers = turn.lock().unwrap();
        servers.rotate_left(1);
        servers.clone()
    };
    for server in servers {
        if let Ok(mut to) = TcpStream::connect(server).await {
            let _ = stream.set_nodelay(true);
            let _ = to.set_nodelay(true);
            // Whoever ends it ends it for both.
            let _ = tokio::io::copy_bidirectional(&mut stream, &mut to).await;
            return;
        }
    }
}
