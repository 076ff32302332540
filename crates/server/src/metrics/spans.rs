//! What became of spans.

use std::{fmt, sync::Arc};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::counter::ConstCounter,
};

use super::Metrics;
use crate::traces::SpanCounts;

#[derive(Debug)]
struct Collected(Arc<SpanCounts>);

impl Collector for Collected {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for (name, help, n) in [
            ("spans_sent", "Spans that the collector of traces took", self.0.n_sent()),
            ("spans_dropped", "Spans that found no room or were not taken", self.0.n_dropped()),
        ] {
            let counter = ConstCounter::new(n);
            counter.encode(encoder.encode_descriptor(
                name,
                help,
                None,
                counter.metric_type(),
            )?)?;
        }
        Ok(())
    }
}

impl Metrics {
    /// Tells what becomes of spans.
    pub fn watch_spans(&self, counts: Arc<SpanCounts>) {
        let mut registry = self.registry();
        registry
            .sub_registry_with_prefix("bootproof_traces")
            .register_collector(Box::new(Collected(counts)));
    }
}
