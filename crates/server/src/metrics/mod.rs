//! What the server counts, for those who watch it: OpenMetrics.
//!
//! Labels are words of ours (results, codes, routes), never what a host or a person says, so that their
//! number has a bound. An attestation pays for its counts below a hundredth of what it costs.

mod process;
mod spans;
mod stages;
mod store;

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64},
    },
    time::Duration,
};

use findings::Code;
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};

pub use stages::{Stage, Stages};

/// Seconds, for what takes from some microseconds to some seconds.
const SECONDS: [f64; 14] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 5.0,
    30.0,
];

/// Seconds, for requests: long polls last 45.
const REQUEST_SECONDS: [f64; 10] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 60.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Verdict {
    verdict: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Found {
    code: &'static str,
    severity: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusedWith {
    code: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Level {
    level: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Severity {
    severity: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Stands {
    connection: String,
    verdict: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Checked {
    check: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Read {
    part: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Whose {
    certificate: &'static str,
}

/// Whose a token would be that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A program's.
    Api,
    /// A person's.
    Session,
    /// A host's.
    Host,
    /// Of one that joins.
    Join,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

/// How a login at the identity provider ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderLogin {
    /// Well.
    Done,
    /// Its person was not vouched for, or may do nothing here.
    Refused,
    /// The provider did not answer as it should.
    Away,
}

/// How a TLS handshake ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handshake {
    /// Well.
    Done,
    /// The two did not agree, or what came was no TLS.
    Failed,
    /// It took too long.
    TimedOut,
}

/// Everything that is counted.
pub struct Metrics {
    registry: Mutex<Registry>,
    stages: stages::Durations,
    attestations: Family<Verdict, Counter>,
    findings: Family<Found, Counter>,
    challenges: Counter,
    judging_waiting: Gauge,
    polls_waiting: Gauge,
    requests: Family<Asked, Counter>,
    request_seconds: Family<Route, Histogram, fn() -> Histogram>,
    refusals: Family<RefusedWith, Counter>,
    authentication_failures: Counter,
    connections: Gauge,
    handshakes: Family<Outcome, Counter>,
    provider_logins: Family<Outcome, Counter>,
    unknown_tokens: Family<Kind, Counter>,
    handshake_seconds: Histogram,
    log_lines: Family<Level, Counter>,
    hosts: Family<Stands, Gauge>,
    hosts_in_maintenance: Gauge,
    alarms: Family<Severity, Gauge>,
    audit_rows: Gauge,
    store_bytes: Gauge,
    counted_at: Gauge<f64, AtomicU64>,
    ready: Family<Checked, Gauge>,
    reads: Family<Read, Counter>,
    reading_fails: Family<Checked, Gauge>,
    certificate_ends: Family<Whose, Gauge<i64, AtomicI64>>,
    client_certificates: Family<Outcome, Counter>,
    client_certificates_revoked: Counter,
    client_crl_signed: Gauge<i64, AtomicI64>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn request_histogram() -> Histogram {
    Histogram::new(REQUEST_SECONDS)
}

impl Metrics {
    /// Nothing is counted yet.
    pub fn new() -> Self {
        let mut registry = Registry::default();
        // Under the names that every dashboard knows.
        registry.register_collector(Box::new(process::Process::now()));
        let ours = registry.sub_registry_with_prefix("bootproof");
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        ours.register("build", "The program that serves", build);
        let metrics = Self {
            stages: stages::Durations::new(ours),
            attestations: Family::default(),
            findings: Family::default(),
            challenges: Counter::default(),
            judging_waiting: Gauge::default(),
            polls_waiting: Gauge::default(),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(request_histogram),
            refusals: Family::default(),
            authentication_failures: Counter::default(),
            connections: Gauge::default(),
            handshakes: Family::default(),
            provider_logins: Family::default(),
            unknown_tokens: Family::default(),
            handshake_seconds: Histogram::new(SECONDS),
            log_lines: Family::default(),
            hosts: Family::default(),
            hosts_in_maintenance: Gauge::default(),
            alarms: Family::default(),
            audit_rows: Gauge::default(),
            store_bytes: Gauge::default(),
            counted_at: Gauge::default(),
            ready: Family::default(),
            reads: Family::default(),
            reading_fails: Family::default(),
            certificate_ends: Family::default(),
            client_certificates: Family::default(),
            client_certificates_revoked: Counter::default(),
            client_crl_signed: Gauge::default(),
            registry: Mutex::default(),
        };
        metrics.register(ours);
        // So that a rate can be asked for before the first one.
        for verdict in ["accepted", "not accepted", "not appraised"] {
            drop(metrics.attestations.get_or_create(&Verdict { verdict }));
        }
        for result in ["issued", "refused"] {
            drop(metrics.client_certificates.get_or_create(&Outcome { result }));
        }
        for result in ["done", "failed", "timed out"] {
            drop(metrics.handshakes.get_or_create(&Outcome { result }));
        }
        for kind in ["api", "session", "host", "join"] {
            drop(metrics.unknown_tokens.get_or_create(&Kind { kind }));
        }
        for result in ["done", "refused", "away"] {
            drop(metrics.provider_logins.get_or_create(&Outcome { result }));
        }
        for check in ["configuration", "policy", "certificate", "log", "oidc"] {
            drop(metrics.reading_fails.get_or_create(&Checked { check }));
        }
        for level in ["warn", "error"] {
            drop(metrics.log_lines.get_or_create(&Level { level }));
        }
        Self { registry: Mutex::new(registry), ..metrics }
    }

    fn register(&self, r: &mut Registry) {
        let seconds = || Unit::Seconds;
        r.register(
            "attestations",
            "Judgements of evidence that came in",
            self.attestations.clone(),
        );
        r.register("findings", "Findings of these judgements", self.findings.clone());
        r.register("challenges", "Challenges that agents were sent", self.challenges.clone());
        let help = "Evidence that waits for a thread to be judged on";
        r.register("judging_waiting", help, self.judging_waiting.clone());
        let help = "Agents that wait in a long poll";
        r.register("long_polls_waiting", help, self.polls_waiting.clone());
        r.register("http_requests", "Requests, by their route", self.requests.clone());
        let help = "Time from the head of a request to its answer; long polls wait up to 45 s";
        let durations = self.request_seconds.clone();
        r.register_with_unit("http_request_duration", help, seconds(), durations);
        r.register("refusals", "Requests that were not done, by code", self.refusals.clone());
        let help = "Requests without a token that is known, or with too low a role";
        r.register("authentication_failures", help, self.authentication_failures.clone());
        r.register("connections", "Open connections", self.connections.clone());
        r.register("tls_handshakes", "TLS handshakes", self.handshakes.clone());
        let help = "Tokens that were looked for and are not known, by what they would be";
        r.register("unknown_tokens", help, self.unknown_tokens.clone());
        let help = "Logins at the identity provider, by how they ended";
        r.register("provider_logins", help, self.provider_logins.clone());
        let help = "Time of TLS handshakes that ended well";
        let durations = self.handshake_seconds.clone();
        r.register_with_unit("tls_handshake_duration", help, seconds(), durations);
        r.register("log_lines", "Warnings and errors that were logged", self.log_lines.clone());
        let help = "Hosts of the store, by connection and verdict that counts";
        r.register("hosts", help, self.hosts.clone());
        let help = "Hosts that a person works on";
        r.register("hosts_in_maintenance", help, self.hosts_in_maintenance.clone());
        r.register("alarms_open", "Alarms that stand, by severity", self.alarms.clone());
        r.register("audit_rows", "Rows of the audit log", self.audit_rows.clone());
        r.register_with_unit("store_size", "The database", Unit::Bytes, self.store_bytes.clone());
        let help = "When hosts, alarms, audit rows and the database were counted last";
        r.register_with_unit("counted_timestamp", help, seconds(), self.counted_at.clone());
        r.register("ready", "1 where a check of /readyz holds", self.ready.clone());
        let help = "Parts of the configuration that were read anew";
        r.register("reloads", help, self.reads.clone());
        let help = "1 where the newest version of a part cannot be used, and the one before counts";
        r.register("reload_failing", help, self.reading_fails.clone());
        let help = "When the server's certificates end";
        let ends = self.certificate_ends.clone();
        r.register_with_unit("certificate_expiry_timestamp", help, seconds(), ends);
        let help = "Hosts that asked this server for a client certificate, by what became of it";
        r.register("client_certificates", help, self.client_certificates.clone());
        let help = "Client certificates that this server revoked";
        r.register("client_certificates_revoked", help, self.client_certificates_revoked.clone());
        let help =
            "When this server signed a list of revoked client certificates last; 0: it did not";
        let signed = self.client_crl_signed.clone();
        r.register_with_unit("client_crl_signed_timestamp", help, seconds(), signed);
    }

    /// Has the store tell what it does.
    pub fn watch_store(&self, store: std::sync::Arc<dyn ::store::Store>) {
        let collector = Box::new(store::Collected(store));
        let mut registry = self.registry();
        registry.sub_registry_with_prefix("bootproof_store").register_collector(collector);
    }

    fn registry(&self) -> std::sync::MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of it as text: `application/openmetrics-text; version=1.0.0`.
    ///
    /// # Errors
    /// None but those of a collector.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut out = String::with_capacity(32 * 1024);
        text::encode(&mut out, &self.registry())?;
        Ok(out)
    }

    /// Begins to measure the stages of one attestation.
    pub(crate) fn stages(&self) -> Stages<'_> {
        self.stages.begin()
    }

    /// Evidence was judged, and the judgement is on disk.
    pub(crate) fn attested(&self, verdict: &str, findings: &[api::finding::Finding]) {
        let known = ["accepted", "not accepted", "not appraised"];
        if let Some(verdict) = known.into_iter().find(|known| *known == verdict) {
            self.attestations.get_or_create(&Verdict { verdict }).inc();
        }
        for finding in findings {
            // A finding of the site's own rules has a code of the catalogue, too.
            let Some(code) = Code::from_name(&finding.code) else { continue };
            let severities = ["fail", "hold", "warn", "info", "ignore"];
            let severity = severities.into_iter().find(|known| *known == finding.severity);
            let found = Found { code: code.as_str(), severity: severity.unwrap_or("other") };
            self.findings.get_or_create(&found).inc();
        }
    }

    /// A challenge went out.
    pub(crate) fn challenged(&self) {
        self.challenges.inc();
    }

    /// Evidence waits for a thread until the return is dropped.
    pub(crate) fn waits_for_thread(&self) -> Counted {
        Counted::new(&self.judging_waiting)
    }

    /// An agent waits until the return is dropped.
    pub(crate) fn polls(&self) -> Counted {
        Counted::new(&self.polls_waiting)
    }

    /// A connection is open until the return is dropped.
    pub(crate) fn connects(&self) -> Counted {
        Counted::new(&self.connections)
    }

    /// A TLS handshake ended.
    pub(crate) fn shook_hands(&self, outcome: Handshake, took: Duration) {
        let result = match outcome {
            Handshake::Done => {
                self.handshake_seconds.observe(took.as_secs_f64());
                "done"
            }
            Handshake::Failed => "failed",
            Handshake::TimedOut => "timed out",
        };
        self.handshakes.get_or_create(&Outcome { result }).inc();
    }

    /// A request of `route`, a pattern of ours, was answered.
    pub(crate) fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let known = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];
        let method = known.into_iter().find(|known| *known == method).unwrap_or("other");
        let route = route.to_owned();
        let seconds = self.request_seconds.get_or_create(&Route { route: route.clone() }).clone();
        seconds.observe(took.as_secs_f64());
        self.requests.get_or_create(&Asked { method, route, status }).inc();
    }

    /// A request was not done.
    pub(crate) fn refused(&self, code: &str) {
        if matches!(code, "unauthenticated" | "role-too-low" | "too-many-guesses") {
            self.authentication_failures.inc();
        }
        self.refusals.get_or_create(&RefusedWith { code: code.to_owned() }).inc();
    }

    /// A token was looked for, and is not known.
    pub(crate) fn token_not_known(&self, kind: TokenKind) {
        let kind = match kind {
            TokenKind::Api => "api",
            TokenKind::Session => "session",
            TokenKind::Host => "host",
            TokenKind::Join => "join",
        };
        self.unknown_tokens.get_or_create(&Kind { kind }).inc();
    }

    /// Somebody came back from the identity provider, or could not go there.
    pub(crate) fn came_from_provider(&self, how: ProviderLogin) {
        let result = match how {
            ProviderLogin::Done => "done",
            ProviderLogin::Refused => "refused",
            ProviderLogin::Away => "away",
        };
        self.provider_logins.get_or_create(&Outcome { result }).inc();
    }

    /// A warning or an error was logged.
    pub(crate) fn logged(&self, level: &'static str) {
        self.log_lines.get_or_create(&Level { level }).inc();
    }

    /// Whether the check of this name holds.
    pub(crate) fn is_ready(&self, check: &'static str, holds: bool) {
        self.ready.get_or_create(&Checked { check }).set(i64::from(holds));
    }

    /// A part of the configuration was read anew.
    pub(crate) fn reloaded(&self, part: &'static str, is_used: bool) {
        let result = if is_used { "used" } else { "refused" };
        self.reads.get_or_create(&Read { part, result }).inc();
        self.reading_fails.get_or_create(&Checked { check: part }).set(i64::from(!is_used));
    }

    /// A host asked for a client certificate.
    pub(crate) fn client_certificate(&self, is_issued: bool) {
        let result = if is_issued { "issued" } else { "refused" };
        self.client_certificates.get_or_create(&Outcome { result }).inc();
    }

    /// So many client certificates were revoked.
    pub(crate) fn client_certificates_revoked(&self, n: u32) {
        self.client_certificates_revoked.inc_by(u64::from(n));
    }

    /// A list of revoked client certificates was signed, Unix seconds.
    pub(crate) fn client_crl_signed(&self, at_s: i64) {
        self.client_crl_signed.set(at_s);
    }

    /// When a certificate of the server ends, Unix seconds: `own`, `given` or `client-authority`.
    pub(crate) fn certificate_ends(&self, certificate: &'static str, at_s: i64) {
        self.certificate_ends.get_or_create(&Whose { certificate }).set(at_s);
    }

    /// What the store was asked for by a timer.
    pub(crate) fn counted(&self, counted: &CountedNow) {
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        // What is not there any more is told as none, not left as it was.
        let mut stands: HashMap<Stands, u64> = HashMap::new();
        for connection in ["connected", "not responding", "disconnected"] {
            for verdict in ["accepted", "not accepted", "not appraised"] {
                let stand =
                    Stands { connection: connection.to_owned(), verdict: verdict.to_owned() };
                stands.insert(stand, 0);
            }
        }
        let mut n_in_maintenance = 0;
        for row in &counted.census {
            let stand = Stands { connection: row.connection.clone(), verdict: row.verdict.clone() };
            *stands.entry(stand).or_default() += row.n_hosts;
            n_in_maintenance += row.n_in_maintenance;
        }
        for (stand, n) in stands {
            self.hosts.get_or_create(&stand).set(number(n));
        }
        self.hosts_in_maintenance.set(number(n_in_maintenance));
        for severity in ["fail", "hold"] {
            let of_it = counted.alarms.iter().filter(|(word, _)| word == severity);
            let n = of_it.map(|(_, n)| n).sum();
            let severity = severity.to_owned();
            self.alarms.get_or_create(&Severity { severity }).set(number(n));
        }
        self.audit_rows.set(counted.n_audit_rows);
        self.store_bytes.set(number(counted.n_bytes));
        self.counted_at.set(counted.at_s);
    }
}

/// What a timer counts.
pub(crate) struct CountedNow {
    pub(crate) census: Vec<::store::CensusRow>,
    /// Severity and how many.
    pub(crate) alarms: Vec<(String, u64)>,
    pub(crate) n_audit_rows: i64,
    pub(crate) n_bytes: u64,
    pub(crate) at_s: f64,
}

/// Counts one until it is dropped.
pub(crate) struct Counted(Gauge);

impl Counted {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}
