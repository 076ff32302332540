//! Spans that ended wait in a queue with a bound, and are sent some at a time. Who traces waits for nobody: what
//! finds no room is counted and gone.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use opentelemetry::Context;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanExporter as _, SpanProcessor},
};
use tokio::{
    sync::mpsc::{Receiver, Sender, channel},
    time::timeout,
};

use super::client::Collector;
use crate::{config::TracesConfig, http::problem::Chain};

/// Spans that wait: some seconds of a busy server, of about a KiB each.
const WAITING_MAX: usize = 4096;

/// Spans of one request to the collector.
const BATCH_MAX: usize = 512;

/// How long a span waits for others: people look at traces some seconds later.
const GATHER: Duration = Duration::from_secs(1);

/// For what waits at the end: nobody keeps a server from ending.
const LAST: Duration = Duration::from_secs(2);

/// What was sent, and what was not.
#[derive(Debug, Default)]
pub struct SpanCounts {
    sent: AtomicU64,
    dropped: AtomicU64,
}

impl SpanCounts {
    /// Spans that the collector took.
    pub fn n_sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }

    /// Spans that found no room, or that the collector did not take.
    pub fn n_dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    fn add(counter: &AtomicU64, n: usize) {
        counter.fetch_add(u64::try_from(n).unwrap_or(u64::MAX), Relaxed);
    }
}

/// Where spans wait.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Sender<SpanData>,
    counts: Arc<SpanCounts>,
}

impl SpanProcessor for Queue {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if self.waiting.try_send(span).is_err() {
            SpanCounts::add(&self.counts.dropped, 1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Sends spans.
#[derive(Debug)]
pub struct Exporting {
    exporter: SpanExporter,
    waiting: Receiver<SpanData>,
    counts: Arc<SpanCounts>,
    /// Whether it was said that the collector takes nothing.
    is_away: bool,
}

pub(super) fn exporting(config: &TracesConfig) -> anyhow::Result<(Queue, Exporting)> {
    let ca_pem = config.ca_pem()?;
    let collector = Collector::new(&config.endpoint(), ca_pem.as_deref())?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(collector)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(config.endpoint())
        .build()?;
    let (sender, waiting) = channel(WAITING_MAX);
    let counts = Arc::new(SpanCounts::default());
    let queue = Queue { waiting: sender, counts: Arc::clone(&counts) };
    Ok((queue, Exporting { exporter, waiting, counts, is_away: false }))
}

impl Exporting {
    pub(super) fn of(mut self, resource: Resource) -> Self {
        self.exporter.set_resource(&resource);
        self
    }

    /// What is counted.
    pub fn counts(&self) -> Arc<SpanCounts> {
        Arc::clone(&self.counts)
    }

    /// Sends what comes, until `end` resolves; then what waits, once.
    pub async fn run(mut self, end: impl Future) {
        let mut end = std::pin::pin!(end);
        let mut batch = Vec::with_capacity(BATCH_MAX);
        loop {
            let first = tokio::select! {
                first = self.waiting.recv() => first,
                _ = &mut end => None,
            };
            let Some(first) = first else { break };
            batch.push(first);
            // Some more, or the time is over.
            let more = async {
                while batch.len() < BATCH_MAX {
                    let room = BATCH_MAX - batch.len();
                    if self.waiting.recv_many(&mut batch, room).await == 0 {
                        break;
                    }
                }
            };
            let _ = timeout(GATHER, more).await;
            self.send(std::mem::take(&mut batch)).await;
        }
        while let Ok(span) = self.waiting.try_recv() {
            batch.push(span);
        }
        if !batch.is_empty() {
            let _ = timeout(LAST, self.send(batch)).await;
        }
    }

    async fn send(&mut self, batch: Vec<SpanData>) {
        let n = batch.len();
        match self.exporter.export(batch).await {
            Ok(()) => {
                SpanCounts::add(&self.counts.sent, n);
                if std::mem::take(&mut self.is_away) {
                    tracing::info!("the collector of traces takes spans again");
                }
            }
            Err(err) => {
                SpanCounts::add(&self.counts.dropped, n);
                if !std::mem::replace(&mut self.is_away, true) {
                    tracing::warn!(error = %Chain(&err), "the collector of traces takes no spans");
                }
            }
        }
    }
}
