//! Who waits for what: long polls of hosts, and people who wait for a verdict.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use store::{EventCursor, HostId};
use tokio::sync::{Notify, watch};

/// Wakes whoever waits for one host. Holds an entry only while somebody waits.
#[derive(Debug)]
pub(crate) struct Hub {
    hosts: Mutex<HashMap<HostId, Weak<watch::Sender<u64>>>>,
    /// Told of each change of any host.
    any: Notify,
    /// Hosts that other servers on the same store are to be told of.
    to_tell: Mutex<BTreeSet<HostId>>,
    telling: Notify,
    /// Whether the server is about to end.
    ending: watch::Sender<bool>,
    /// Told where an event was written.
    news: Notify,
    /// The last event that was published.
    published: watch::Sender<EventCursor>,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            hosts: Mutex::default(),
            any: Notify::new(),
            to_tell: Mutex::default(),
            telling: Notify::new(),
            news: Notify::new(),
            published: watch::Sender::new(EventCursor::START),
            ending: watch::Sender::new(false),
        }
    }
}

/// One who waits. A change between its making and its waiting is not lost.
#[derive(Debug)]
pub(crate) struct Waiter {
    receiver: watch::Receiver<u64>,
    ending: watch::Receiver<bool>,
    /// Keeps the sender alive while somebody waits.
    _sender: Arc<watch::Sender<u64>>,
}

impl Hub {
    /// Begins to wait for changes of `host`. Make it before you look at the host.
    pub(crate) fn waiter(&self, host: &HostId) -> Waiter {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = match hosts.get(host).and_then(Weak::upgrade) {
            Some(sender) => sender,
            None => {
                // Entries that nobody waits for any more go now and then, at a cost that grows
                // with the number of those who wait.
                if hosts.len() >= 64 && hosts.len() == hosts.capacity() {
                    hosts.retain(|_, sender| sender.strong_count() > 0);
                }
                let sender = Arc::new(watch::Sender::new(0));
                hosts.insert(host.clone(), Arc::downgrade(&sender));
                sender
            }
        };
        let ending = self.ending.subscribe();
        Waiter { receiver: sender.subscribe(), ending, _sender: sender }
    }

    /// Something about `host` changed: wakes who waits for it at this server, and at others.
    pub(crate) fn wake(&self, host: &HostId) {
        self.wake_here(host);
        self.news();
        self.to_tell.lock().unwrap_or_else(PoisonError::into_inner).insert(host.clone());
        self.telling.notify_one();
    }

    /// Something about `host` changed that nobody waits for elsewhere, or that was heard of.
    pub(crate) fn wake_here(&self, host: &HostId) {
        self.any.notify_one();
        let hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = hosts.get(host).and_then(Weak::upgrade) {
            sender.send_modify(|n| *n = n.wrapping_add(1));
        }
    }
}

impl Hub {
    /// Any host may have changed.
    pub(crate) fn wake_all_here(&self) {
        self.any.notify_one();
        let hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        for sender in hosts.values().filter_map(Weak::upgrade) {
            sender.send_modify(|n| *n = n.wrapping_add(1));
        }
    }

    /// The server is about to end: who waits is sent away, and nobody waits any more.
    pub(crate) fn end(&self) {
        self.ending.send_replace(true);
    }

    /// Whether the server is about to end.
    pub(crate) fn is_ending(&self) -> bool {
        *self.ending.borrow()
    }

    /// Resolves once the server is about to end: for what lasts, such as streams.
    pub(crate) async fn ended(&self) {
        let _ = self.ending.subscribe().wait_for(|is_ending| *is_ending).await;
    }

    /// An event was written, or may have been.
    pub(crate) fn news(&self) {
        self.news.notify_one();
    }

    /// Resolves when an event was written, or after `time`. For one who waits.
    pub(crate) async fn news_or(&self, time: Duration) {
        let _ = tokio::time::timeout(time, self.news.notified()).await;
    }

    /// Events were published, up to this one.
    pub(crate) fn published(&self, last: EventCursor) {
        self.published.send_if_modified(|known| std::mem::replace(known, last) != last);
    }

    /// Hears of events that are published.
    pub(crate) fn publications(&self) -> watch::Receiver<EventCursor> {
        self.published.subscribe()
    }

    /// Resolves when there are hosts to tell other servers of. For one who waits.
    pub(crate) async fn to_tell(&self) -> Vec<HostId> {
        loop {
            let telling = self.telling.notified();
            let hosts =
                std::mem::take(&mut *self.to_tell.lock().unwrap_or_else(PoisonError::into_inner));
            if !hosts.is_empty() {
                return hosts.into_iter().collect();
            }
            telling.await;
        }
    }

    /// Resolves when some host has changed since the last time, or after `time`. For one who waits.
    pub(crate) async fn any_change_or(&self, time: Duration) {
        let _ = tokio::time::timeout(time, self.any.notified()).await;
    }
}

impl Waiter {
    /// Resolves at the next change, at `deadline`, or once the server is about to end.
    pub(crate) async fn changed_or(&mut self, deadline: tokio::time::Instant) {
        let change = async {
            // An error of `changed` means that the sender is gone, which `_sender` rules out.
            tokio::select! {
                _ = self.receiver.changed() => {}
                _ = self.ending.wait_for(|is_ending| *is_ending) => {}
            }
        };
        let _ = tokio::time::timeout_at(deadline, change).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test]
    async fn a_change_before_the_wait_is_not_lost() {
        let hub = Hub::default();
        let host = HostId::from("h");
        let mut waiter = hub.waiter(&host);
        hub.wake(&host);
        let start = Instant::now();
        waiter.changed_or(start + Duration::from_secs(3600)).await;
        assert!(start.elapsed() < Duration::from_secs(60));
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_named_host_wakes() {
        let hub = Hub::default();
        let mut waiter = hub.waiter(&HostId::from("a"));
        hub.wake(&HostId::from("b"));
        let start = Instant::now();
        waiter.changed_or(start + Duration::from_secs(5)).await;
        assert_eq!(start.elapsed(), Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_is_sent_away_at_the_end() {
        let hub = Hub::default();
        let mut before = hub.waiter(&HostId::from("a"));
        hub.end();
        let mut after = hub.waiter(&HostId::from("b"));
        let start = Instant::now();
        before.changed_or(start + Duration::from_secs(45)).await;
        after.changed_or(start + Duration::from_secs(45)).await;
        hub.ended().await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[test]
    fn entries_without_waiters_go() {
        let hub = Hub::default();
        for n in 0..10_000 {
            drop(hub.waiter(&HostId::from(format!("host-{n}"))));
        }
        assert!(hub.hosts.lock().unwrap().len() < 1_000);
    }
}
