//! How long the stages of an attestation take.

use std::time::Instant;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, histogram::Histogram},
    registry::{Registry, Unit},
};

use super::SECONDS;

/// The stages, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Challenge and shape are checked; the identity and what the host is held to are read.
    Read,
    /// The wait for a thread to be judged on.
    Wait,
    /// The judgement itself.
    Judge,
    /// The transaction, up to its end on disk.
    Store,
}

impl Stage {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Read, "read"),
        (Self::Wait, "wait"),
        (Self::Judge, "judge"),
        (Self::Store, "store"),
    ];

    const fn index(self) -> usize {
        match self {
            Self::Read => 0,
            Self::Wait => 1,
            Self::Judge => 2,
            Self::Store => 3,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Named {
    stage: &'static str,
}

/// A histogram for each stage, found without a look into a table.
#[derive(Debug)]
pub(super) struct Durations([Histogram; 4]);

impl Durations {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let family: Family<Named, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(SECONDS));
        let help = "Time of each stage of an attestation, from the evidence to the verdict on disk";
        registry.register_with_unit(
            "attestation_stage_duration",
            help,
            Unit::Seconds,
            family.clone(),
        );
        Self(Stage::ALL.map(|(_, stage)| family.get_or_create(&Named { stage }).clone()))
    }

    pub(super) fn begin(&self) -> Stages<'_> {
        Stages { durations: self, since: Instant::now() }
    }
}

/// Measures one attestation.
#[derive(Debug)]
pub struct Stages<'a> {
    durations: &'a Durations,
    since: Instant,
}

impl Stages<'_> {
    /// `stage` ended now; the next one begins.
    pub(crate) fn end(&mut self, stage: Stage) {
        self.end_at(stage, Instant::now());
    }

    /// The same, where another thread looked at the clock.
    pub(crate) fn end_at(&mut self, stage: Stage, now: Instant) {
        let took = now.saturating_duration_since(self.since);
        self.since = now;
        if let Some(histogram) = self.durations.0.get(stage.index()) {
            histogram.observe(took.as_secs_f64());
        }
    }
}
