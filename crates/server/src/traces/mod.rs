//! Traces, where the configuration names who collects them: a span for a request, and for its dear steps.
//!
//! Spans are made where they are named, and are nothing that a library makes of the log: what leaves is what stands
//! here, words of ours, identifiers and numbers, never a token nor what a host says of itself. Where nobody collects,
//! or the trace is not one of those that are kept, a step is its work and one look at a variable.

mod client;
mod export;

use std::sync::OnceLock;

use opentelemetry::{
    Context, KeyValue, Value,
    trace::{
        FutureExt as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags,
        TraceId, TraceState, Tracer as _, TracerProvider as _,
    },
};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracer, SdkTracerProvider, SpanLimits},
};

pub(crate) use client::check as check_endpoint;
pub use export::{Exporting, SpanCounts};

use crate::config::TracesConfig;

/// Attributes of a span: those that are named in this program are fewer.
const ATTRIBUTES_MAX: u32 = 16;

/// The tracer of this process.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// Where a request stands in its caller's trace. [Trace Context, W3C, §3.2]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RemoteParent {
    /// 32 hexadecimal digits.
    pub(crate) trace: String,
    /// 16 hexadecimal digits.
    pub(crate) span: String,
    /// Whether the caller keeps what it records.
    pub(crate) sampling: Sampling,
}

/// Whether a caller keeps its part of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sampling {
    /// It does, and so do we.
    Kept,
    /// It does not, and neither do we.
    NotKept,
}

/// Begins to trace as `config` says; for once in a process. What it returns sends spans for as long as it runs.
///
/// # Errors
/// The address or its authorities cannot be used.
pub fn start(config: &TracesConfig) -> anyhow::Result<Exporting> {
    let (queue, exporting) = export::exporting(config)?;
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let resource = Resource::builder_empty()
        .with_service_name("bootproof-server")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(KeyValue::new("service.instance.id", host))
        .build();
    let limits = SpanLimits {
        max_attributes_per_span: ATTRIBUTES_MAX,
        max_events_per_span: 0,
        max_links_per_span: 0,
        ..SpanLimits::default()
    };
    let provider = SdkTracerProvider::builder()
        .with_span_processor(queue)
        // Of a trace that a caller began, all or nothing; of ours by chance.
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.ratio()))))
        .with_span_limits(limits)
        .with_resource(resource.clone())
        .build();
    let exporting = exporting.of(resource);
    // A second one in a process, as in tests, traces nothing.
    drop(TRACER.set(provider.tracer("bootproof-server")));
    Ok(exporting)
}

/// A span that is under way.
#[derive(Clone, Debug)]
pub(crate) struct Under(Option<Context>);

impl Under {
    /// Adds to what is known of it.
    pub(crate) fn note(&self, key: &'static str, value: impl Into<Value>) {
        if let Some(context) = &self.0 {
            context.span().set_attribute(KeyValue::new(key, value));
        }
    }

    /// It failed, in one word of ours.
    pub(crate) fn fails(&self, code: String) {
        if let Some(context) = &self.0 {
            context.span().set_attribute(KeyValue::new("error.type", code));
            context.span().set_status(Status::error(""));
        }
    }

    /// Runs `work` in it, and ends it then.
    pub(crate) async fn run<T>(self, work: impl Future<Output = T>) -> T {
        let Some(context) = self.0 else { return work.await };
        let done = work.with_context(context.clone()).await;
        context.span().end();
        done
    }
}

/// The span of a request that came: a part of the caller's trace, or the first of one.
pub(crate) fn request(
    parent: Option<RemoteParent>,
    attributes: impl FnOnce() -> Vec<KeyValue>,
) -> Under {
    let Some(tracer) = TRACER.get() else { return Under(None) };
    let parent = parent.and_then(|parent| parent.context()).unwrap_or_default();
    begin(tracer, "request", SpanKind::Server, &parent, attributes)
}

/// The span of something that the server begins by itself.
pub(crate) fn task(name: &'static str, attributes: impl FnOnce() -> Vec<KeyValue>) -> Under {
    let Some(tracer) = TRACER.get() else { return Under(None) };
    begin(tracer, name, SpanKind::Producer, &Context::new(), attributes)
}

/// Runs a step of what is under way here, in a span of its own where that is kept.
pub(crate) async fn step<T>(name: &'static str, work: impl Future<Output = T>) -> T {
    let Some(tracer) = TRACER.get() else { return work.await };
    let parent = Context::current();
    if !parent.span().span_context().is_sampled() {
        return work.await;
    }
    begin(tracer, name, SpanKind::Internal, &parent, Vec::new).run(work).await
}

/// Notes something at the span that is under way here.
pub(crate) fn note(key: &'static str, value: impl Into<Value>) {
    if TRACER.get().is_some() {
        Context::current().span().set_attribute(KeyValue::new(key, value));
    }
}

fn begin(
    tracer: &SdkTracer,
    name: &'static str,
    kind: SpanKind,
    parent: &Context,
    attributes: impl FnOnce() -> Vec<KeyValue>,
) -> Under {
    let builder = tracer.span_builder(name).with_kind(kind);
    let span = tracer.build_with_context(builder, parent);
    let context = parent.with_span(span);
    if context.span().is_recording() {
        for attribute in attributes() {
            context.span().set_attribute(attribute);
        }
    }
    Under(Some(context))
}

impl RemoteParent {
    fn context(&self) -> Option<Context> {
        let flags = match self.sampling {
            Sampling::Kept => TraceFlags::SAMPLED,
            Sampling::NotKept => TraceFlags::NOT_SAMPLED,
        };
        let (trace, span) =
            (TraceId::from_hex(&self.trace).ok()?, SpanId::from_hex(&self.span).ok()?);
        let parent = SpanContext::new(trace, span, flags, true, TraceState::NONE);
        Some(Context::new().with_remote_span_context(parent))
    }
}
