//! The server's configuration: a TOML file, and flags that win over it.

mod evidence;
mod keys;
mod oidc;
mod policy_in_force;
mod report;
mod traces;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use appraise::Schedule;
use serde::{Deserialize, Serialize};

use crate::client_authority::{NameConstraint, trust_domain_fault};
pub use evidence::{Addressed, EvidenceConfig, EvidenceStore};
pub use keys::{Fault, Key, faults, keys, reference, shown_values};
pub use oidc::{Oidc, OidcRole, ask_provider};
pub use policy_in_force::{LoadedPolicy, PolicySource};
pub use report::{Every, NoTime, ScheduledReport};
pub use traces::TracesConfig;

/// What the server needs to know. Each key of the file has the field's name.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The folder of the database, the authority and the administrator's context.
    pub data_dir: PathBuf,
    /// The address of a PostgreSQL database, for several servers that share one; without it the
    /// database is a file in the data folder.
    pub store: Option<StoreUrl>,
    /// Where to listen. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Names and addresses under which agents and people reach the server, for its certificate.
    /// This machine's host name, `localhost` and the loopback addresses are always among them.
    pub names: Vec<String>,
    /// Seconds between two attestations of a host, give or take a tenth, where no schedule of the policy
    /// says another.
    pub attest_interval_s: u64,
    /// Seconds for which a verdict counts; 0: two intervals.
    pub verdict_good_for_s: u64,
    /// Seconds for which a challenge is good. A TPM may take one to sign, a busy host some more.
    pub challenge_good_for_s: u64,
    /// Connections at one time; more wait to be accepted.
    pub connections_max: usize,
    /// MiB of memory for what was found in the boots of hosts and for their keys: some 4 KiB for each host, 10 where
    /// no two boot alike. Of hosts for which there is no room the log is sent and judged in full each time. 0: a quarter
    /// of the memory that this process may have.
    pub memory_mib: u64,
    /// Joins a second that machines of one address may begin; eight seconds' worth may come at once.
    pub joins_per_s: u32,
    /// Seconds without a request after which a person's session ends.
    pub session_idle_s: u64,
    /// Seconds after which a person's session ends in any case.
    pub session_s: u64,
    /// Whether channels may speak to link-local addresses, at which machines of a cloud have services
    /// of their own.
    pub channels_reach_link_local: bool,
    /// Days for which events are kept for who reads them late, 366 at most.
    pub events_kept_days: u32,
    /// Days for which every judgement stays; 0: for ever. Of older ones stay one a day, each change of the
    /// verdict, and what an open alarm or a reference rests on.
    pub history_all_days: u32,
    /// Days for which that stays; 0: for ever. A host's last judgement always does.
    pub history_thinned_days: u32,
    /// The policy file; without one the version counts that was activated (`bootproof policy activate`), or
    /// the default policy. In the configuration file it is relative to that file's folder.
    pub policy: Option<PathBuf>,
    /// When hosts are judged, by their labels: the policy says it.
    #[serde(skip)]
    pub schedules: Vec<Schedule>,
    /// A certificate of the operator's own, PEM with its chain: presented to those who ask for a name in
    /// it. Agents, and whoever else knows the server's own authority, are shown that one's. Relative as the
    /// policy is.
    pub tls_certificate: Option<PathBuf>,
    /// The key of `tls_certificate`, PEM.
    pub tls_key: Option<PathBuf>,
    /// A loopback address on which `/metrics`, `/healthz` and `/readyz` are served without TLS and without
    /// a token, such as 127.0.0.1:9464. On `listen` the first one wants the token of a viewer.
    pub metrics_listen: Option<SocketAddr>,
    /// The trust domain of hosts, such as prod.example.org: with it accepted hosts get client certificates
    /// that name them `spiffe://TRUST-DOMAIN/host/ID`. Another one has another authority.
    pub client_trust_domain: Option<String>,
    /// Seconds for which a client certificate is good at most; never longer than the verdict that it rests on.
    pub client_certificate_s: u64,
    /// Seconds for which a list of revoked client certificates is good. A new one is there when half of it is
    /// over, and as soon as one is revoked.
    pub client_crl_s: u64,
    /// What the authority of client certificates may name: `uri`, URIs of the trust domain alone; or
    /// `not-hosts`, anything but DNS names and addresses, for relying parties that refuse a constraint of URIs
    /// (those that use rustls). Each has an authority of its own.
    pub client_name_constraint: NameConstraint,
    /// What is logged: error, warn, info, debug or trace, also per part, such as
    /// `info,server::app::attest=debug`. The variable BOOTPROOF_LOG wins over it.
    pub log: String,
    /// How lines of the log look: `text`, for people, or `json`.
    pub log_format: LogFormat,
    /// Seconds for which the server serves on after it was told to end, while `/readyz` says so: for
    /// balancers that look now and then.
    pub shutdown_delay_s: u64,
    /// Seconds that running requests get at the end.
    pub shutdown_grace_s: u64,
    /// A newer list of revoked images than this program has: a signed update of dbx, or bare
    /// signature lists. Relative as the policy is.
    pub dbx: Option<PathBuf>,
    /// An identity provider (OpenID Connect) at which people may log in, and what they may do then: a table
    /// with the keys below it.
    pub oidc: Option<Oidc>,
    /// Reports that are sent by themselves, each a `[[report]]` with `name`, `kind` (fleet, readiness, compliance,
    /// or host with its `host`), `format` (pdf where it says none), `labels`, `every` (`daily 06:00 UTC`,
    /// `weekly mon 06:00 UTC`, `monthly 1 06:00 UTC`) and `channel`, the channel of mail through which it goes.
    pub report: Vec<ScheduledReport>,
    /// Where long parts of evidence lie, a table; without it in the database. Its keys:
    ///
    /// - `store`: where new ones go: `database`, `s3` or `folder`. Those that lie elsewhere stay and are read
    ///   there, until `bootproof-server evidence move` moves them.
    /// - `folder`: a folder that is there, for one server, or shared by all.
    /// - `bucket`, `prefix`: a bucket of a store that speaks the protocol of Amazon S3, and what stands before
    ///   the names of objects in it. Of two databases each has a prefix of its own.
    /// - `endpoint`: the store's address, `https://…` (`http` on loopback addresses alone); without it Amazon's.
    /// - `region`: the region, which signatures name; `us-east-1` where nothing is said.
    /// - `addressing`: how requests name the bucket: `path` (as most stores on one's own machines have it) or
    ///   `virtual-host`.
    /// - `credentials_file`: a TOML file with `access_key_id`, `secret_access_key` and, where the keys are for a
    ///   time, `session_token`, readable by nobody else. Read at the start.
    /// - `ca_file`: authorities that vouch for the store, PEM; without it those of the system.
    /// - `kms_key`: a key of the store's key service by which it is to encrypt objects.
    /// - `bytes_min`: shorter parts stay in the database; 8192 where nothing is said. What answers a challenge is
    ///   shorter, and new each time: as an object it would cost a request for each attestation. What a host says of
    ///   itself is shorter, too, and is read of many hosts at once where a policy is tried.
    /// - `removed_after_days`: days for which an object stays that nothing refers to any more, so that backups
    ///   from before are whole; 7 where nothing is said. Keep backups for less, or raise it.
    ///
    /// Files are relative as the policy is.
    pub evidence: Option<EvidenceConfig>,
    /// Who collects traces of requests, judgements, commits and deliveries, a table; without it nobody does, and
    /// nothing is recorded. Its keys:
    ///
    /// - `otlp_endpoint`: a collector that takes OTLP over HTTP, `https://…` (`http` on loopback addresses
    ///   alone); `/v1/traces` is added where it has no path. Must be named.
    /// - `percent`: how many of a hundred traces are kept, 0 to 100; 1 where nothing is said. A request of a
    ///   person that is part of a trace is kept where its caller keeps the trace; what hosts say of traces is
    ///   not asked for.
    /// - `ca_file`: authorities that vouch for the collector, PEM; without it those of the system.
    pub traces: Option<TracesConfig>,
}

/// The address of a database as it was written: it may hold a password, so it is not shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct StoreUrl(pub String);

impl Serialize for StoreUrl {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // For people who look what counts.
        serializer.serialize_str("(an address; not shown, since it may hold a password)")
    }
}

impl std::fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StoreUrl(…)")
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("/var/lib/bootproof"),
            store: None,
            listen: SocketAddr::from(([0, 0, 0, 0], 8443)),
            names: Vec::new(),
            attest_interval_s: 300,
            verdict_good_for_s: 0,
            challenge_good_for_s: 30,
            connections_max: 20_000,
            memory_mib: 0,
            joins_per_s: crate::app::JOINS_PER_S,
            session_idle_s: 1_800,
            session_s: 12 * 3600,
            channels_reach_link_local: false,
            events_kept_days: 7,
            history_all_days: 30,
            history_thinned_days: 365,
            policy: None,
            schedules: Vec::new(),
            tls_certificate: None,
            tls_key: None,
            metrics_listen: None,
            client_trust_domain: None,
            client_certificate_s: 3600,
            client_crl_s: 900,
            client_name_constraint: NameConstraint::Uri,
            log: "info".to_owned(),
            log_format: LogFormat::Text,
            shutdown_delay_s: 0,
            shutdown_grace_s: 10,
            dbx: None,
            oidc: None,
            report: Vec::new(),
            evidence: None,
            traces: None,
        }
    }
}

/// How lines of the log look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

impl Config {
    /// The configuration in `file`, or the defaults where none is named.
    pub fn load(file: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = file else { return Ok(Self::default()) };
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("the configuration {} cannot be read", path.display()))?;
        let faults: Vec<_> = faults(&text).iter().map(ToString::to_string).collect();
        anyhow::ensure!(
            faults.is_empty(),
            "{} is not a configuration: {}",
            path.display(),
            faults.join("; ")
        );
        let mut config: Self = toml::from_str(&text)
            .with_context(|| format!("{} is not a configuration", path.display()))?;
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        if let Some(evidence) = &mut config.evidence {
            evidence.place_in(folder);
        }
        if let Some(traces) = &mut config.traces {
            traces.place_in(folder);
        }
        let files =
            [&mut config.policy, &mut config.dbx, &mut config.tls_certificate, &mut config.tls_key];
        for named in files.into_iter().flatten() {
            *named = folder.join(&*named);
        }
        if let Some(oidc) = &mut config.oidc {
            oidc.in_folder(folder);
        }
        Ok(config)
    }

    /// Refuses values with which nothing would work.
    pub fn check(&self) -> anyhow::Result<()> {
        let faults = self.faults();
        anyhow::ensure!(faults.is_empty(), "{}", faults.join("; "));
        Ok(())
    }

    /// Values with which nothing would work; each begins with its key.
    pub fn faults(&self) -> Vec<String> {
        // A year: more is a typing error, and would overflow nothing but a person's patience.
        const INTERVAL_S_MAX: u64 = 365 * 24 * 3600;
        // A month: longer ones are API tokens.
        const SESSION_S_MAX: u64 = 31 * 24 * 3600;
        // A day: what is to last longer rests on no verdict.
        const CLIENT_CERTIFICATE_S_MAX: u64 = 24 * 3600;
        // As long as certificates stay on a list after their end, at most.
        const CLIENT_CRL_S_MAX: u64 = 2 * 3600;
        let mut faults = Vec::new();
        for (name, value, min, max) in [
            ("attest_interval_s", self.attest_interval_s, 1, INTERVAL_S_MAX),
            ("verdict_good_for_s", self.verdict_good_for_s, 0, INTERVAL_S_MAX),
            ("challenge_good_for_s", self.challenge_good_for_s, 1, 3600),
            ("session_idle_s", self.session_idle_s, 60, SESSION_S_MAX),
            ("session_s", self.session_s, 60, SESSION_S_MAX),
            ("shutdown_delay_s", self.shutdown_delay_s, 0, 600),
            ("shutdown_grace_s", self.shutdown_grace_s, 0, 600),
            ("events_kept_days", self.events_kept_days.into(), 1, 366),
            ("client_certificate_s", self.client_certificate_s, 60, CLIENT_CERTIFICATE_S_MAX),
            ("client_crl_s", self.client_crl_s, 60, CLIENT_CRL_S_MAX),
        ] {
            if !(min..=max).contains(&value) {
                faults.push(format!("{name} is {value}; it must be {min} to {max}"));
            }
        }
        if self.history_thinned_days != 0 && self.history_thinned_days < self.history_all_days {
            faults.push(format!(
                "history_thinned_days is {}, less than history_all_days, which is {}",
                self.history_thinned_days, self.history_all_days
            ));
        }
        if let Some(name) = &self.client_trust_domain
            && let Some(fault) = trust_domain_fault(name)
        {
            faults.push(format!("client_trust_domain is {name:?}; {fault}"));
        }
        for name in &self.names {
            if rustls::pki_types::ServerName::try_from(name.as_str()).is_err() {
                faults.push(format!(
                    "names has {name:?}, which is neither a DNS name nor an address: without https:// and port"
                ));
            }
        }
        if self.joins_per_s == 0 {
            faults.push("joins_per_s must not be 0".to_owned());
        }
        if self.connections_max == 0 {
            faults.push("connections_max must not be 0".to_owned());
        }
        if self.metrics_listen.is_some_and(|address| !address.ip().is_loopback()) {
            faults.push(
                "metrics_listen must be a loopback address, such as 127.0.0.1:9464: nothing is hidden or \
                 asked for there. From other machines ask for /metrics on `listen` with the token of a \
                 viewer"
                    .to_owned(),
            );
        }
        if self.tls_certificate.is_some() != self.tls_key.is_some() {
            faults.push("tls_certificate and tls_key go together: set both, or none".to_owned());
        }
        faults.extend(self.report.iter().filter_map(ScheduledReport::fault));
        for (n, report) in self.report.iter().enumerate() {
            if self.report.iter().take(n).any(|other| other.name == report.name) {
                faults.push(format!("report: two are called {}", report.name));
            }
        }
        faults.extend(self.evidence.iter().flat_map(EvidenceConfig::faults));
        faults.extend(self.traces.iter().flat_map(TracesConfig::faults));
        if let Err(err) = crate::log::filter(&self.log) {
            faults.push(format!("log: {err}"));
        }
        faults.extend(self.oidc.iter().flat_map(Oidc::faults));
        faults
    }

    /// These settings, but those that can be read anew from `new`.
    #[must_use]
    pub fn with_reloadable(self, new: &Self) -> Self {
        Self {
            attest_interval_s: new.attest_interval_s,
            verdict_good_for_s: new.verdict_good_for_s,
            challenge_good_for_s: new.challenge_good_for_s,
            policy: new.policy.clone(),
            dbx: new.dbx.clone(),
            tls_certificate: new.tls_certificate.clone(),
            tls_key: new.tls_key.clone(),
            log: new.log.clone(),
            oidc: new.oidc.clone(),
            ..self
        }
    }

    /// Keys that are others in `new`, and count only from the server's next start on.
    pub fn needs_restart(&self, new: &Self) -> Vec<&'static str> {
        let named = [
            ("data_dir", self.data_dir != new.data_dir),
            ("store", self.store != new.store),
            ("listen", self.listen != new.listen),
            ("names", self.names != new.names),
            ("connections_max", self.connections_max != new.connections_max),
            ("memory_mib", self.memory_mib != new.memory_mib),
            ("joins_per_s", self.joins_per_s != new.joins_per_s),
            ("session_idle_s", self.session_idle_s != new.session_idle_s),
            ("session_s", self.session_s != new.session_s),
            ("events_kept_days", self.events_kept_days != new.events_kept_days),
            (
                "channels_reach_link_local",
                self.channels_reach_link_local != new.channels_reach_link_local,
            ),
            ("history_all_days", self.history_all_days != new.history_all_days),
            ("history_thinned_days", self.history_thinned_days != new.history_thinned_days),
            ("client_trust_domain", self.client_trust_domain != new.client_trust_domain),
            ("client_certificate_s", self.client_certificate_s != new.client_certificate_s),
            ("client_crl_s", self.client_crl_s != new.client_crl_s),
            ("client_name_constraint", self.client_name_constraint != new.client_name_constraint),
            ("metrics_listen", self.metrics_listen != new.metrics_listen),
            ("evidence", self.evidence != new.evidence),
            ("traces", self.traces != new.traces),
            ("log_format", self.log_format != new.log_format),
            ("shutdown_delay_s", self.shutdown_delay_s != new.shutdown_delay_s),
            ("shutdown_grace_s", self.shutdown_grace_s != new.shutdown_grace_s),
            ("report", self.report != new.report),
        ];
        let mut keys: Vec<_> =
            named.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect();
        // One that nobody put into a list is not passed over in silence.
        if keys.is_empty() && self.clone().with_reloadable(new) != *new {
            keys.push("another key");
        }
        keys
    }

    /// How long a verdict counts.
    pub fn verdict_good_for(&self) -> Duration {
        Duration::from_secs(match self.verdict_good_for_s {
            0 => 2 * self.attest_interval_s,
            seconds => seconds,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_an_error() {
        let parse = |text: &str| toml::from_str::<Config>(text);
        assert!(parse("attest_interval_s = 60").is_ok());
        assert!(parse("attest_interval = 60").unwrap_err().to_string().contains("unknown field"));
    }

    #[test]
    fn a_password_in_the_address_of_the_store_is_not_shown() {
        let text = "store = 'postgres://u:hunter2@localhost/db'";
        let config = toml::from_str::<Config>(text).unwrap();
        assert!(config.store.is_some());
        let shown = format!("{config:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn client_certificates_are_checked() {
        let check = |text: &str| toml::from_str::<Config>(text).unwrap().faults().join("; ");
        assert_eq!(check("client_trust_domain = 'prod.example.org'"), "");
        assert!(check("client_trust_domain = 'Prod'").contains("small letters"));
        assert!(check("client_certificate_s = 59").contains("client_certificate_s is 59"));
        assert!(check("client_certificate_s = 86401").contains("client_certificate_s"));
        assert!(check("client_crl_s = 7201").contains("client_crl_s"));
        assert_eq!(check("client_crl_s = 7200\nclient_certificate_s = 86400"), "");
        let parse = |text: &str| toml::from_str::<Config>(text);
        assert!(parse("client_name_constraint = 'not-hosts'").is_ok());
        assert!(parse("client_name_constraint = 'none'").is_err());
    }

    #[test]
    fn an_interval_of_nothing_is_refused() {
        let config = Config { attest_interval_s: 0, ..Config::default() };
        assert!(config.check().unwrap_err().to_string().contains("attest_interval_s"));
        assert!(Config::default().check().is_ok());
    }

    #[test]
    fn a_verdict_counts_for_two_intervals_by_default() {
        let config = Config { attest_interval_s: 60, ..Config::default() };
        assert_eq!(config.verdict_good_for(), Duration::from_secs(120));
        let config = Config { verdict_good_for_s: 7, ..config };
        assert_eq!(config.verdict_good_for(), Duration::from_secs(7));
    }
}
