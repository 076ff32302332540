//! Whether this server can do its work now, check by check.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use api::operation::{CheckState, Readiness, ReadinessCheck};
use tokio::time::{Instant, timeout};

use super::App;
use crate::http::problem::Chain;

/// For how long what was found counts: who asks often must not make the disk busy.
const FOUND_GOOD_FOR: Duration = Duration::from_secs(1);

/// How long the store has for an answer: less than those wait who ask whether a server is ready.
const PROBE_MAX: Duration = Duration::from_secs(3);

/// Before this time no clock is right: 2025 began.
const CLOCK_S_MIN: u64 = 1_735_689_600;

/// Milliseconds by which this machine's clock may differ from the store's: certificates are made and
/// judged by the one, challenges by the other.
const CLOCK_DIFFERS_MS_MAX: i64 = 60_000;

/// What is not as it should be, and keeps the server from nothing.
#[derive(Debug, Default)]
pub(super) struct Concerns(Mutex<BTreeMap<&'static str, String>>);

/// What was found last, and when.
pub(super) type Found = tokio::sync::Mutex<Option<(Instant, Readiness)>>;

impl Concerns {
    fn all(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something is not as it should be; returns whether that is news.
    pub(super) fn raise(&self, name: &'static str, reason: String) -> bool {
        self.all().insert(name, reason.clone()) != Some(reason)
    }

    /// It is as it should be; returns whether that is news.
    pub(super) fn clear(&self, name: &'static str) -> bool {
        self.all().remove(name).is_some()
    }
}

fn holds(name: &'static str, reason: Option<String>) -> ReadinessCheck {
    let state = if reason.is_none() { CheckState::Ok } else { CheckState::Failed };
    ReadinessCheck { name: name.to_owned(), state, reason }
}

impl App {
    /// Whether this server can do its work, as it was found within the last second.
    pub async fn readiness(&self) -> Readiness {
        let mut found = self.found.lock().await;
        let mut readiness = match &*found {
            Some((at, readiness)) if at.elapsed() < FOUND_GOOD_FOR => readiness.clone(),
            _ => {
                let new = self.look_whether_ready().await;
                *found = Some((Instant::now(), new.clone()));
                new
            }
        };
        drop(found);
        // Known without a look, and told at once.
        if self.hub.is_ending() {
            readiness.ready = false;
            readiness.checks.push(holds("ending", Some("the server ends".to_owned())));
        }
        readiness.checks.extend(self.concerns.all().iter().map(|(name, reason)| ReadinessCheck {
            name: (*name).to_owned(),
            state: CheckState::Warn,
            reason: Some(reason.clone()),
        }));
        readiness
    }

    async fn look_whether_ready(&self) -> Readiness {
        let (mut store, mut schema, mut clock) = (None, None, None);
        match timeout(PROBE_MAX, self.store.probe()).await {
            Ok(Ok(probed)) if probed.schema_found > probed.schema_known => {
                schema = Some(format!(
                    "the database has schema {}, this program knows {}: a newer server was here",
                    probed.schema_found, probed.schema_known
                ));
            }
            Ok(Ok(_)) => {}
            Ok(Err(err)) => store = Some(Chain(&err).to_string()),
            Err(_) => store = Some(format!("no answer within {} s", PROBE_MAX.as_secs())),
        }
        if store.is_none() {
            clock = match timeout(PROBE_MAX, self.store.now_ms()).await {
                Ok(Ok(now_ms)) => clock_fault(SystemTime::now(), now_ms),
                _ => Some("the store does not tell its time".to_owned()),
            };
        }
        let signer = self.signer.sign("check", &()).err().map(|err| err.to_string());
        let checks = vec![
            holds("store", store),
            holds("schema", schema),
            holds("clock", clock),
            holds("signer", signer),
        ];
        for (name, check) in ["store", "schema", "clock", "signer"].into_iter().zip(&checks) {
            self.metrics.is_ready(name, check.state == CheckState::Ok);
        }
        Readiness { ready: checks.iter().all(|check| check.state == CheckState::Ok), checks }
    }
}

fn clock_fault(here: SystemTime, store_ms: i64) -> Option<String> {
    let since = here.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    if since.as_secs() < CLOCK_S_MIN {
        return Some("this machine's clock is before 2025".to_owned());
    }
    let here_ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
    let differs_ms = here_ms.saturating_sub(store_ms).saturating_abs();
    (differs_ms > CLOCK_DIFFERS_MS_MAX)
        .then(|| format!("this machine's clock and the store's differ by {} s", differs_ms / 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_wrong_is_told() {
        let at = |s: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(s);
        let now_s = CLOCK_S_MIN + 1_000;
        let now_ms = i64::try_from(now_s * 1000).unwrap();
        assert_eq!(clock_fault(at(now_s), now_ms), None);
        assert_eq!(clock_fault(at(now_s), now_ms - 60_000), None);
        assert!(clock_fault(at(now_s), now_ms - 60_001).unwrap().contains("60 s"));
        assert!(clock_fault(at(now_s), now_ms + 3_600_000).unwrap().contains("3600 s"));
        assert!(clock_fault(at(60), 60_000).unwrap().contains("2025"));
    }

    #[test]
    fn a_concern_is_news_once() {
        let concerns = Concerns::default();
        assert!(concerns.raise("policy", "line 1".to_owned()));
        assert!(!concerns.raise("policy", "line 1".to_owned()));
        assert!(concerns.raise("policy", "line 2".to_owned()));
        assert!(concerns.clear("policy"));
        assert!(!concerns.clear("policy"));
    }
}
