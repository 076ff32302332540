//! Objects of evidence that nothing refers to go, and one is told when their place is away.

use std::{collections::HashSet, sync::Arc, time::Duration};

use evidence_objects::{ObjectError, ObjectName, Objects};
use store::{Store, StoreError};
use tokio::time::{Instant, sleep};

use super::App;
use crate::http::problem::Chain;

/// Between two looks whether the place is there: an attestation that brings a new log waits meanwhile.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Between two looks whether removed objects are to go.
const REMOVE_EVERY: Duration = Duration::from_secs(600);

/// Between two searches for objects that nothing ever referred to.
const SWEEP_EVERY: Duration = Duration::from_secs(24 * 3600);

/// An object younger than this may be one whose judgement is just being recorded: seconds, and clocks differ.
const SWEPT_AFTER_MS: i64 = 24 * 3600 * 1000;

/// Objects that are removed before that is noted.
const SLICE: u32 = 100;

const DAY_MS: i64 = 24 * 3600 * 1000;

/// Why objects could not be removed.
#[derive(Debug, thiserror::Error)]
pub enum CleaningError {
    /// The place of objects.
    #[error("objects of evidence")]
    Objects(#[from] ObjectError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Removes objects that nothing refers to since before `before_ms`; says how many.
pub async fn remove_objects(
    store: &dyn Store,
    objects: &Objects,
    before_ms: i64,
) -> Result<u64, CleaningError> {
    let mut n = 0_u64;
    loop {
        let names = store.objects_to_remove(before_ms, SLICE).await?;
        if names.is_empty() {
            return Ok(n);
        }
        for name in &names {
            // One that is no name is none of ours, and is only forgotten.
            if let Ok(name) = name.parse::<ObjectName>() {
                objects.remove(&name).await?;
                n += 1;
            }
        }
        store.note_objects_removed(names).await?;
    }
}

/// Removes objects that were written before `before_ms` and that no row names: what is left of judgements that
/// were not recorded. Says how many.
pub async fn sweep_objects(
    store: &dyn Store,
    objects: &Objects,
    before_ms: i64,
) -> Result<u64, CleaningError> {
    let mut n = 0_u64;
    for first in 0..=u8::MAX {
        let listed = objects.list(first).await?;
        let old: Vec<_> =
            listed.into_iter().filter(|object| object.written_at_ms < before_ms).collect();
        for old in old.chunks(1_000) {
            let names = old.iter().map(|object| object.name.to_string()).collect();
            let known: HashSet<String> = store.known_objects(names).await?.into_iter().collect();
            for object in old.iter().filter(|object| !known.contains(object.name.as_str())) {
                objects.remove(&object.name).await?;
                n += 1;
            }
        }
    }
    Ok(n)
}

/// Which objects are swept at `now_ms`.
pub fn swept_before_ms(now_ms: i64) -> i64 {
    now_ms.saturating_sub(SWEPT_AFTER_MS)
}

impl App {
    /// Looks after the objects of evidence, for as long as the program runs. Several servers do it at once without
    /// harm: what one removed is not there for the other.
    pub async fn keep_objects(self: Arc<Self>) {
        let Some(evidence) = self.store.evidence_objects() else { return };
        let objects = Arc::clone(&evidence.objects);
        let begun = Instant::now();
        // A server that is started again and again sweeps all the same, later.
        let (mut remove_at, mut sweep_at) = (begun, begun + SWEEP_EVERY / 24);
        loop {
            self.look_at_objects(&objects).await;
            let now = Instant::now();
            if now >= remove_at {
                remove_at = now + REMOVE_EVERY;
                self.tell_cleaned("removed", self.remove_due(&objects).await);
            }
            if now >= sweep_at {
                sweep_at = now + SWEEP_EVERY;
                self.tell_cleaned("swept", self.sweep(&objects).await);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn look_at_objects(&self, objects: &Objects) {
        let owner = objects.owner().await;
        let reason = match owner {
            Ok(Some(_)) => None,
            Ok(None) => Some(format!("{objects} is empty, or not there")),
            Err(err) => Some(format!("{objects}: {}", Chain(&err))),
        };
        self.metrics.is_ready("evidence", reason.is_none());
        match reason {
            Some(reason) if self.concerns.raise("evidence", reason.clone()) => {
                tracing::warn!(reason, "hosts with a new log wait for the place of evidence");
            }
            Some(_) => {}
            None if self.concerns.clear("evidence") => {
                tracing::info!("the place of evidence is there again");
            }
            None => {}
        }
    }

    async fn remove_due(&self, objects: &Objects) -> Result<u64, CleaningError> {
        let days = self.rules().config.evidence.as_ref().map_or(0, |e| e.removed_after_days());
        let stays_ms = i64::from(days).saturating_mul(DAY_MS);
        let now_ms = self.store.now_ms().await?;
        remove_objects(&*self.store, objects, now_ms.saturating_sub(stays_ms)).await
    }

    async fn sweep(&self, objects: &Objects) -> Result<u64, CleaningError> {
        let now_ms = self.store.now_ms().await?;
        sweep_objects(&*self.store, objects, swept_before_ms(now_ms)).await
    }

    fn tell_cleaned(&self, what: &'static str, outcome: Result<u64, CleaningError>) {
        match outcome {
            Ok(0) => {}
            Ok(n) => tracing::info!(n, what, "objects of evidence"),
            Err(err) => tracing::warn!(error = %Chain(&err), "objects of evidence stay for now"),
        }
    }
}
