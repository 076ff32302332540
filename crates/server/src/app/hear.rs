//! Several servers on one store: what one of them changes, others hear of.
//!
//! Only to wake who waits: what counts is in the store, and is looked at there.

use std::{sync::Arc, time::Duration};

use store::Told;
use tokio::time::sleep;

use super::App;
use crate::http::problem::Chain;

/// After an error: the store is not there, and nobody can be told of anything.
const REST: Duration = Duration::from_secs(1);

impl App {
    /// Hears of other servers, and tells them, for as long as the program runs.
    pub async fn hear_and_tell(self: Arc<Self>) {
        tokio::join!(self.hear(), self.tell());
    }

    async fn hear(&self) {
        loop {
            match self.store.told().await {
                Ok(Told::Hosts(hosts)) => {
                    for host in &hosts {
                        self.hub.wake_here(host);
                    }
                }
                Ok(Told::Events) => self.hub.news(),
                Ok(Told::Anything) => {
                    self.hub.wake_all_here();
                    self.hub.news();
                }
                Err(err) => {
                    tracing::warn!(error = %Chain(&err), "hears nothing of other servers now");
                    sleep(REST).await;
                }
            }
        }
    }

    async fn tell(&self) {
        loop {
            let hosts = self.hub.to_tell().await;
            if let Err(err) = self.store.tell(hosts).await {
                tracing::debug!(error = %Chain(&err), "other servers were not told of a change");
                sleep(REST).await;
            }
        }
    }
}
