//! How long history stays.

use crate::{By, HostId, Reply};

/// A day, in UTC: of each one judgement stays.
pub(crate) const DAY_MS: i64 = 24 * 3600 * 1000;

/// What of the history goes: what is older than one age but for one judgement a day and each change of the
/// verdict; what is older than another age altogether.
///
/// Never goes the last judgement of a host, the one that raised an alarm that stands, nor the one that a
/// reference of the host was learnt from. The audit log is not touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thinning {
    /// The store's time.
    pub now_ms: i64,
    /// Judgements of before are thinned; where this is `None` nothing is.
    pub thin_before_ms: Option<i64>,
    /// Judgements of before go; where this is `None` none does.
    pub end_before_ms: Option<i64>,
    /// When a run begins: this long after the end of the one before.
    pub pause_ms: i64,
}

impl Thinning {
    /// Whole days only, so that a day is thinned once.
    pub(crate) fn thin_before_ms(&self) -> i64 {
        self.thin_before_ms.map_or(0, |ms| ms.saturating_sub(ms.rem_euclid(DAY_MS))).max(0)
    }

    /// As it is.
    pub(crate) fn end_before_ms(&self) -> i64 {
        self.end_before_ms.unwrap_or(0).max(0)
    }
}

/// What a slice of a run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThinningStep {
    /// It is not time yet, or another server is just doing it.
    NotNow,
    /// So many judgements went, and more may.
    More(u32),
    /// The run is at its end; so many went in all of it.
    Done(u64),
}

/// What a run would do, as far as it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThinningPreview {
    /// Judgements of the hosts that were looked at.
    pub n_appraisals: u64,
    /// Those of them that would go.
    pub n_go: u64,
    /// Where to go on looking.
    pub next: Option<HostId>,
}

/// How a store forgets verdicts: a part of
/// [`crate::Store`].
pub trait History {
    /// Forgets appraisals from before `before_ms` that are not their host's last, and evidence that
    /// nothing refers to any more. At most `n_max` appraisals, so that it can be done in slices;
    /// returns how many went.
    fn forget_appraisals(&self, before_ms: i64, n_max: u32, by: By) -> Reply<'_, u32>;
    /// Goes on with thinning the history: a slice of at most `n_max` judgements. A run goes through all hosts by
    /// the rule that it began with, at any server, and is one audit row at its end.
    fn thin_history(&self, rule: Thinning, n_max: u32, by: By) -> Reply<'_, ThinningStep>;
    /// What a run by `rule` would do to at most `n_hosts` hosts after `after`.
    fn thinning_preview(
        &self,
        rule: Thinning,
        after: Option<HostId>,
        n_hosts: u32,
    ) -> Reply<'_, ThinningPreview>;
    /// Gives room that nothing uses any more back to the disk, at most `n_max` pages; returns how many are
    /// left. Where the database does so by itself there are none.
    fn return_space(&self, n_max: u32) -> Reply<'_, u64>;
}
