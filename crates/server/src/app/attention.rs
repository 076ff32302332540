//! What of a whole fleet wants a look: counted by the timer of counts, told as it was counted last.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use api::{
    attention::{Attention, FindingCount, Minority},
    machine::Cohort,
};
use findings::Code;

use super::{App, AppError};

/// What will fail hosts one day, and what stands against their readiness for the certificates of 2023.
const CODES: [Code; 3] = [Code::Ca2011Only, Code::DbxOutdated, Code::SbatOutdated];

/// A thousandth of the time may go into this count: it reads what was found of each host.
const REST: u32 = 1_000;

/// What was counted last.
#[derive(Debug, Default)]
pub(super) struct Counted(Mutex<Option<(Instant, Duration, Attention)>>);

impl App {
    /// What wants a look, as it was counted last.
    pub fn attention(&self) -> Attention {
        let last = self.attention.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().map(|(_, _, attention)| attention.clone()).unwrap_or_default()
    }

    /// Counts it, where the last count was long enough ago for what it took.
    pub(super) async fn count_attention(&self, now_ms: i64) -> Result<(), AppError> {
        let last = || self.attention.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last().as_ref().is_none_or(|(at, took, _)| at.elapsed() > *took * REST);
        if !is_due {
            return Ok(());
        }
        let begun = Instant::now();
        let codes = CODES.iter().map(|code| code.as_str().to_owned()).collect();
        let counts = self.store.finding_counts(codes).await?;
        let finding = |(code, count): (&Code, store::FindingCount)| FindingCount {
            code: count.code,
            title: code.entry().title.to_owned(),
            next_step: code.entry().next_step.to_owned(),
            n_hosts: count.n_hosts,
        };
        let minority = |minority: store::Minority| Minority {
            cohort: Cohort::from_key(&minority.cohort)
                .map_or(minority.cohort, |cohort| cohort.to_string()),
            bank: minority.bank,
            pcr: u32::from(minority.pcr_index),
            n_hosts: minority.n_hosts,
            n_minority: minority.n_minority,
        };
        let attention = Attention {
            counted_at_ms: Some(now_ms),
            findings: CODES.iter().zip(counts).map(finding).collect(),
            minorities: self.store.minorities().await?.into_iter().map(minority).collect(),
        };
        *last() = Some((Instant::now(), begun.elapsed(), attention));
        Ok(())
    }
}
