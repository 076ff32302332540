//! Labels that pages suggest: to count them reads those of all hosts, so what was counted is good for a while.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use api::inventory::LabelCount;

use super::{App, AppError};

/// How old a count may be that a page suggests labels by: as old as the other counts of pages.
const AGE_MAX: Duration = Duration::from_secs(15);

/// What was counted last, and when.
#[derive(Debug, Default)]
pub(super) struct KnownLabels(Mutex<Option<(Instant, Arc<[LabelCount]>)>>);

impl App {
    /// How many hosts have each label, as it was some seconds ago.
    pub async fn known_labels(&self) -> Result<Arc<[LabelCount]>, AppError> {
        let last = || self.known_labels.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = last().clone();
        if let Some((at, labels)) = kept
            && at.elapsed() <= AGE_MAX
        {
            return Ok(labels);
        }
        let begun = Instant::now();
        let labels: Arc<[LabelCount]> = self.label_counts(None).await?.into();
        *last() = Some((begun, Arc::clone(&labels)));
        Ok(labels)
    }
}
