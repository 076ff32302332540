//! The long poll: what an agent has to do now.

use std::sync::Arc;

use api::agent::{KeySays, PollReply, PollRequest, TpmSays};
use store::{Approval, Connection, Host, TpmPresence};
use tokio::time::{Duration, Instant};

use super::{App, AppError, replace::shows_again_at, schedule::Timing, secret::random};

/// Milliseconds between two judgements of a host that says each time that it booted in between: no
/// machine boots faster, and one that lies is asked no more often than this.
const BOOT_TIME_MS_MIN: i64 = 5_000;

/// The longest that a host waits which is sent away at the server's end: a restart takes a second or two.
const COME_AGAIN_S_MAX: u64 = 4;

/// Milliseconds for which it is not written down anew that a host speaks: a twelfth of the silence after which one
/// is called not responding.
const SEEN_MS: i64 = 10_000;

impl App {
    /// An agent is ready. Answers as soon as there is something to do, and after
    /// [`api::POLL_S_MAX`] in any case.
    ///
    /// A host that a person disconnected is left waiting: it hears of its reconnection at once.
    pub async fn poll(
        self: &Arc<Self>,
        host: Host,
        request: PollRequest,
    ) -> Result<PollReply, AppError> {
        let deadline = Instant::now() + Duration::from_secs(api::POLL_S_MAX);
        let mut waiter = self.hub.waiter(&host.id);
        let _counted = self.metrics.polls();
        let said = match request.tpm {
            TpmSays::Present => TpmPresence::Present,
            TpmSays::Absent => TpmPresence::Absent,
        };
        let asked_at_ms = self.store.now_ms().await?;
        let up_ms = request.up_s.and_then(|up_s| i64::try_from(up_s).ok()?.checked_mul(1000));
        let booted_at_ms = up_ms.map(|up_ms| asked_at_ms.saturating_sub(up_ms));
        if host.last_seen_at_ms.is_none_or(|seen| asked_at_ms - seen > SEEN_MS) {
            self.store.note_seen(&host.id, asked_at_ms).await?;
        }
        let mut host = host;
        if host.tpm != said {
            tracing::info!(host = %host.id, name = host.name, tpm = said.as_str(), "TPM, as the agent says");
            self.store.note_tpm(&host.id, said).await?;
            self.hub.wake(&host.id);
        }
        let mut is_as_new_as_waiter = false;
        loop {
            let now_ms = self.store.now_ms().await?;
            let due_ms = Timing::of(&host.labels, &self.rules().config).due_at_ms(&host);
            let due_ms = due_ms.map(|due_ms| after_boot_ms(&host, due_ms, booted_at_ms));
            let due_in = match next(&host, said, &request.key, due_ms, now_ms) {
                Next::Enrol => return Ok(PollReply::Enrol),
                Next::RotateKey => return Ok(PollReply::RotateKey),
                Next::Attest => return self.challenge(&host, now_ms),
                Next::Wait { due_in } => due_in,
            };
            if self.hub.is_ending() {
                return Ok(PollReply::Wait { retry_after_s: come_again_after_s()? });
            }
            if !is_as_new_as_waiter {
                // The row that came with the token may be older than the waiter: what changed in between wakes
                // nobody. Who is asked for something at once need not look again: that may be out of date in
                // any case when it arrives, and is refused then.
                is_as_new_as_waiter = true;
                host = self.again(&host).await?;
                continue;
            }
            if Instant::now() >= deadline {
                return Ok(PollReply::Wait { retry_after_s: 0 });
            }
            let until = due_in.map_or(deadline, |due| deadline.min(Instant::now() + due));
            waiter.changed_or(until).await;
            host = self.again(&host).await?;
        }
    }

    /// The host as it is now. One that was removed meanwhile is nobody's; a store that cannot be asked is another
    /// thing, and no reason for an agent to think so.
    async fn again(&self, host: &Host) -> Result<Host, AppError> {
        self.store.host(&host.id).await?.ok_or_else(AppError::unauthenticated)
    }

    fn challenge(&self, host: &Host, now_ms: i64) -> Result<PollReply, AppError> {
        let now_ms = u64::try_from(now_ms).unwrap_or(0);
        let nonce = self.nonce_key.challenge(host.id.as_str().as_bytes(), now_ms, random::<8>()?);
        let pcrs = self.identities.pcrs_of_log(&host.id).union(self.rules().policy.asked_pcrs());
        self.metrics.challenged();
        Ok(PollReply::Attest {
            nonce: nonce.as_bytes().into(),
            pcrs: pcrs.iter().collect(),
            good_for_ms: self.rules().config.challenge_good_for_s * 1000,
            known_log_sha256: self.memos.log_sha256(&host.id).map(|sha256| sha256.to_vec().into()),
        })
    }
}

/// Seconds after which a host comes again that is sent away at the server's end: not all in one moment, and
/// at another server, or at this one once it is back.
fn come_again_after_s() -> Result<u64, AppError> {
    let [random] = random::<1>()?;
    Ok(1 + u64::from(random) % COME_AGAIN_S_MAX)
}

/// What a host has to do.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Enrol,
    RotateKey,
    Attest,
    /// Nothing before the time, or before something changes.
    Wait {
        due_in: Option<Duration>,
    },
}

fn next(host: &Host, said: TpmPresence, key: &KeySays, due_ms: Option<i64>, now_ms: i64) -> Next {
    let wait = Next::Wait { due_in: None };
    if host.connection == Connection::Disconnected || said != TpmPresence::Present {
        return wait;
    }
    match key {
        // Another TPM than the host's: it is never asked for evidence.
        KeySays::Quarantined { ek_sha256 } => {
            return match shows_again_at(host, ek_sha256, now_ms) {
                None => Next::Enrol,
                Some(at_ms) => Next::Wait { due_in: Some(until(at_ms, now_ms)) },
            };
        }
        KeySays::Lost if host.identity.is_some() => return Next::Enrol,
        KeySays::Lost | KeySays::Kept => {}
    }
    // A host that waits for approval may enrol: the person sees what is to be approved.
    if host.reenrol_wanted {
        return Next::Enrol;
    }
    if matches!(host.approval, Approval::Waiting | Approval::Refused) {
        return wait;
    }
    if host.rotation_wanted {
        return Next::RotateKey;
    }
    let requested = host.attest_requested_at_ms.is_some();
    match due_ms {
        Some(due_ms) if !requested && due_ms > now_ms => {
            Next::Wait { due_in: Some(until(due_ms, now_ms)) }
        }
        _ => Next::Attest,
    }
}

fn until(at_ms: i64, now_ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(at_ms - now_ms).unwrap_or(0))
}

/// When a host that is due at `due_ms` is to be judged. What was judged was another boot if it booted
/// since: its verdict says nothing of what runs now.
fn after_boot_ms(host: &Host, due_ms: i64, booted_at_ms: Option<i64>) -> i64 {
    let judged_at_ms = host.last.as_ref().map(|last| last.at_ms);
    let booted_since = judged_at_ms.zip(booted_at_ms).filter(|(judged, booted)| booted > judged);
    booted_since.map_or(due_ms, |(judged, _)| due_ms.min(judged + BOOT_TIME_MS_MIN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::standing::sample::host;

    #[test]
    fn a_boot_since_the_last_verdict_makes_the_next_one_due() {
        let judged_at_ms = 100_000;
        let mut host = host();
        host.last.as_mut().unwrap().at_ms = judged_at_ms;
        let due = |booted_at_ms| after_boot_ms(&host, 400_000, booted_at_ms);
        assert_eq!(due(None), 400_000, "an agent that does not say");
        assert_eq!(due(Some(judged_at_ms)), 400_000);
        assert_eq!(due(Some(judged_at_ms + 1)), judged_at_ms + BOOT_TIME_MS_MIN);
        assert_eq!(due(Some(i64::MAX)), judged_at_ms + BOOT_TIME_MS_MIN, "a lie");
        assert_eq!(after_boot_ms(&host, judged_at_ms + 1, Some(i64::MAX)), judged_at_ms + 1);
        host.last = None;
        assert_eq!(after_boot_ms(&host, 400_000, Some(i64::MAX)), 400_000, "never judged");
    }
}
