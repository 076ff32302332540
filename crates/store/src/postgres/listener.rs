//! What servers tell each other, by LISTEN and NOTIFY. [PostgreSQL-15, NOTIFY]
//!
//! Not in the transaction of what is told: those that notify commit one after the other, and a verdict
//! would wait for all others. So what is told may get lost with its server; the store is the truth, and
//! whoever waits looks again by himself in the end.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_postgres::{AsyncMessage, Connection};

use super::address::PostgresAddress;
use super::session::Session;
use crate::{HostId, StoreError, Told};

/// The channel. It is of one database.
const CHANNEL: &str = "bootproof_hosts";

/// Between two tries to listen again.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// How often it is looked whether anybody is still there to hear of.
const PING: Duration = Duration::from_secs(10);

/// Hosts that are kept until somebody asks. Beyond it, to look at all is not more work.
const KEPT_MAX: usize = 10_000;

/// A connection that hears, made again where it ends.
#[derive(Debug)]
pub(super) struct Listener {
    me: String,
    heard: Arc<Heard>,
    task: JoinHandle<()>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Listener {
    pub(super) fn start(address: PostgresAddress) -> Self {
        let mut random = [0; 8];
        // Only to know one's own words: where there is no randomness they are heard as another's.
        let _ = aws_lc_rs::rand::fill(&mut random);
        let me = hex::encode(random);
        let heard = Arc::new(Heard { of: me.clone(), kept: Mutex::default(), news: Notify::new() });
        let task = tokio::spawn(listen(address, Arc::clone(&heard)));
        Self { me, heard, task }
    }

    /// The name that this server tells under.
    pub(super) fn me(&self) -> &str {
        &self.me
    }

    pub(super) async fn told(&self) -> Told {
        loop {
            let news = self.heard.news.notified();
            if let Some(told) = self.heard.take() {
                return told;
            }
            news.await;
        }
    }
}

/// Tells of hosts.
pub(super) async fn tell(db: &Session, me: &str, hosts: &[HostId]) -> Result<(), StoreError> {
    let ids: Vec<&str> = hosts.iter().map(HostId::as_str).collect();
    let sql = "SELECT pg_notify($1, $2::text || ' ' || id) FROM unnest($3::text[]) AS id";
    db.execute(sql, &[&CHANNEL, &me, &ids]).await.map(drop)
}

/// What is said in the place of a host: no identifier of one has this sign.
const EVENTS: &str = "!";

/// Tells that there are new events.
pub(super) async fn tell_of_events(db: &Session, me: &str) -> Result<(), StoreError> {
    db.execute("SELECT pg_notify($1, $2)", &[&CHANNEL, &format!("{me} {EVENTS}")]).await.map(drop)
}

/// What was heard and not asked for yet.
#[derive(Debug)]
pub(super) struct Heard {
    /// The name of who hears.
    of: String,
    kept: Mutex<Kept>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Kept {
    hosts: BTreeSet<HostId>,
    events: bool,
    missed: bool,
}

impl Heard {
    fn take(&self) -> Option<Told> {
        let mut kept = self.kept();
        if !kept.missed && std::mem::take(&mut kept.events) {
            return Some(Told::Events);
        }
        let Kept { hosts, missed, .. } = std::mem::take(&mut *kept);
        match (missed, hosts.is_empty()) {
            (true, _) => Some(Told::Anything),
            (false, false) => Some(Told::Hosts(hosts.into_iter().collect())),
            (false, true) => None,
        }
    }

    fn missed(&self) {
        *self.kept() = Kept { missed: true, ..Kept::default() };
        self.news.notify_one();
    }

    /// Takes a message: the name of who tells, then a host.
    fn hear(&self, message: &str) {
        let Some((from, id)) = message.split_once(' ') else { return };
        if from == self.of {
            return;
        }
        let mut kept = self.kept();
        if id == EVENTS {
            kept.events = true;
            drop(kept);
            return self.news.notify_one();
        }
        if kept.hosts.len() >= KEPT_MAX {
            drop(kept);
            return self.missed();
        }
        if !kept.missed {
            kept.hosts.insert(id.into());
        }
        drop(kept);
        self.news.notify_one();
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn listen(address: PostgresAddress, heard: Arc<Heard>) {
    loop {
        if let Err(error) = listen_once(&address, &heard).await {
            tracing::debug!(%error, "does not hear of other servers now");
        }
        tokio::time::sleep(TRY_AGAIN).await;
    }
}

/// Listens until the connection ends.
async fn listen_once(address: &PostgresAddress, heard: &Arc<Heard>) -> Result<(), StoreError> {
    let session = Session::connect_to_hear(address, heard).await?;
    session.batch(&format!("LISTEN {CHANNEL}")).await?;
    // From here on nothing is missed; before, something may have been.
    heard.missed();
    loop {
        tokio::time::sleep(PING).await;
        let ping = tokio::time::timeout(PING, session.batch("SELECT 1"));
        ping.await.map_err(|_| StoreError::closed())??;
    }
}

/// Moves bytes until the connection ends, and hears what comes unasked.
pub(super) async fn hear<S, T>(mut connection: Connection<S, T>, heard: Arc<Heard>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    while let Some(message) = std::future::poll_fn(|cx| connection.poll_message(cx)).await {
        match message {
            Ok(AsyncMessage::Notification(told)) => heard.hear(told.payload()),
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "connection to the database lost");
                return;
            }
        }
    }
}
