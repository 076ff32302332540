//! What the store counts of itself.

use std::{fmt, sync::Arc};

use evidence_objects::ObjectActivity;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _, MetricEncoder, NoLabelSet},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Unit,
};
use store::{Spread, Store};

/// A store, asked at each scrape: it answers from its own memory.
pub(super) struct Collected(pub(super) Arc<dyn Store>);

impl fmt::Debug for Collected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Collected")
    }
}

impl Collector for Collected {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let activity = self.0.activity();
        for (name, help, n) in [
            ("transactions_committed", "Transactions that are on disk", activity.n_committed),
            ("transactions_lost", "Transactions that failed as a whole", activity.n_lost),
            ("transactions_retried", "Transactions that lost a race", activity.n_retried),
        ] {
            let counter = ConstCounter::new(n);
            counter.encode(encoder.encode_descriptor(
                name,
                help,
                None,
                counter.metric_type(),
            )?)?;
        }
        for (name, help, n) in [
            ("writes_waiting", "Changes that wait for their turn", activity.n_waiting),
            ("connections_busy", "Connections (SQLite: readers) in use", activity.n_busy),
            ("connections_max", "Connections that there may be", activity.n_busy_max),
        ] {
            let gauge = ConstGauge::new(i64::try_from(n).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        if let Some(evidence) = self.0.evidence_objects() {
            objects(&mut encoder, evidence.objects.activity())?;
        }
        let histogram = MetricType::Histogram;
        let help = "Changes in one transaction";
        spread(
            encoder.encode_descriptor("batch_size", help, None, histogram)?,
            &activity.batch,
            1.0,
        )?;
        let (name, help, unit) = ("transaction_duration", "Time of transactions", Unit::Seconds);
        let metric = encoder.encode_descriptor(name, help, Some(&unit), MetricType::Histogram)?;
        spread(metric, &activity.transaction_us, 1e6)
    }
}

/// What was asked of the place of evidence outside of the database.
fn objects(encoder: &mut DescriptorEncoder<'_>, seen: ObjectActivity) -> fmt::Result {
    for (name, help, n) in [
        ("objects_written", "Parts of evidence that were written as objects", seen.n_written),
        ("objects_bytes_written", "Bytes of those objects", seen.n_bytes_written),
        ("objects_read", "Objects of evidence that were read", seen.n_read),
        ("objects_removed", "Objects of evidence that were removed", seen.n_removed),
        ("objects_failed", "Requests for objects that failed, after all tries", seen.n_failed),
        ("objects_lost", "Objects of evidence that were missing or damaged when read", seen.n_lost),
        (
            "objects_waited_microseconds",
            "Time in which objects were written and read",
            seen.waited_us,
        ),
    ] {
        let counter = ConstCounter::new(n);
        counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
    }
    Ok(())
}

fn spread(mut metric: MetricEncoder<'_>, spread: &Spread, divisor: f64) -> fmt::Result {
    #[expect(clippy::cast_precision_loss, reason = "a count above 2^53 may be rounded")]
    let float = |n: u64| n as f64 / divisor;
    let mut buckets: Vec<_> = spread.counts.iter().map(|(bound, n)| (float(*bound), *n)).collect();
    buckets.push((f64::INFINITY, spread.n_above));
    let count = buckets.iter().map(|(_, n)| n).sum();
    metric.encode_histogram::<NoLabelSet>(float(spread.sum), count, &buckets, None)
}
