//! What [`firmware::Walk`] wants, asked for over HTTPS.

use firmware::{Answer, Ask, BODY_BYTES_MAX, Snapshot, Unread, Walk};
use tokio::task::JoinSet;

use crate::{Bmc, RedfishError, Reply, clean};

/// Failures of the connection, one after the other, after which the rest is not asked for: each
/// costs the time of several tries.
const FAILURES_MAX: u32 = 3;

impl Bmc {
    /// Walks through the resources of this BMC. What single resources lack stands in the snapshot;
    /// an error says that the BMC could not be asked, or not to the end.
    pub async fn gather(&self) -> Result<Snapshot, RedfishError> {
        let limit = self.pace().host;
        match tokio::time::timeout(limit, self.walk()).await {
            Ok(snapshot) => snapshot,
            Err(_) => Err(RedfishError::Timeout {
                address: self.address().clone(),
                seconds: limit.as_secs(),
            }),
        }
    }

    async fn walk(&self) -> Result<Snapshot, RedfishError> {
        self.log_in().await?;
        let mut walk = Walk::new();
        let mut running: JoinSet<(Ask, Result<Reply, RedfishError>)> = JoinSet::new();
        let mut n_failures = 0;
        loop {
            while running.len() < self.pace().per_bmc.max(1) {
                let Some(ask) = walk.next() else { break };
                let bmc = self.clone();
                running.spawn(async move {
                    let reply = bmc.read(&ask.to_uri()).await;
                    (ask, reply)
                });
            }
            // A task that panicked has none of an answer; the walk tells it as not asked.
            let Some(Ok((ask, reply))) = running.join_next().await else { break };
            match &reply {
                Err(err) if err.is_transient() => n_failures += 1,
                _ => n_failures = 0,
            }
            match reply {
                Err(err) if ends_the_walk(&err) || n_failures >= FAILURES_MAX => return Err(err),
                reply => walk.answer(&ask.path, to_answer(&reply)),
            }
        }
        Ok(walk.finish())
    }
}

/// Whether an error is one of the whole BMC, not of one resource.
const fn ends_the_walk(err: &RedfishError) -> bool {
    matches!(
        err,
        RedfishError::Untrusted { .. }
            | RedfishError::Unauthorised { .. }
            | RedfishError::SessionsLost { .. }
    )
}

fn to_answer(reply: &Result<Reply, RedfishError>) -> Answer<'_> {
    match reply {
        Ok(reply) if reply.is_success() => {
            Answer::Body { bytes: &reply.body, etag: reply.etag.clone() }
        }
        Ok(reply) if reply.status == 404 => Answer::Unread(Unread::NotFound),
        Ok(reply) => Answer::Unread(Unread::Status(reply.status)),
        Err(RedfishError::TooLarge { .. }) => {
            Answer::Unread(Unread::TooLarge { bytes_max: BODY_BYTES_MAX })
        }
        Err(RedfishError::Redirected { .. }) => Answer::Unread(Unread::Elsewhere),
        Err(err) => Answer::Unread(Unread::Transport(clean(&err.to_string()))),
    }
}
