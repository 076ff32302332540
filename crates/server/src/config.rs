//! The server's configuration: a TOML file, and flags that win over it.

use std::{
    fs::File,
    io::Read as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use appraise::{Policy, Schedule};
use aws_lc_rs::digest::{Context, SHA256};
use policy::{FolderFiles, NamedFiles as _};
use secure_boot_facts::{REVOCATIONS_BYTES_MAX, Revocations};
use serde::Deserialize;

/// What the server needs to know. Each key of the file has the field's name.
#[derive(Clone, Debug, PartialEq, Deserialize)]
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
    /// The policy file; without one the default policy holds. In the configuration file it is
    /// relative to that file's folder.
    pub policy: Option<PathBuf>,
    /// When hosts are judged, by their labels: the policy says it.
    #[serde(skip)]
    pub schedules: Vec<Schedule>,
    /// A newer list of revoked images than this program has: a signed update of dbx, or bare
    /// signature lists. Relative as the policy is.
    pub dbx: Option<PathBuf>,
}

/// A policy, and by what it is known.
#[derive(Debug)]
pub struct LoadedPolicy {
    /// The policy.
    pub policy: Policy,
    /// SHA-256 over all that it was read from: its text, the files that it names, the list of revoked
    /// images. Servers that judge alike have the same.
    pub sha256: [u8; 32],
}

impl LoadedPolicy {
    fn new(policy: Policy, digest: Context) -> Self {
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest.finish().as_ref());
        Self { policy, sha256 }
    }
}

/// The address of a database as it was written: it may hold a password, so it is not shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct StoreUrl(pub String);

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
            joins_per_s: crate::app::JOINS_PER_S,
            session_idle_s: 1_800,
            session_s: 12 * 3600,
            channels_reach_link_local: false,
            events_kept_days: 7,
            policy: None,
            schedules: Vec::new(),
            dbx: None,
        }
    }
}

impl Config {
    /// The configuration in `file`, or the defaults where none is named.
    pub fn load(file: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = file else { return Ok(Self::default()) };
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("the configuration {} cannot be read", path.display()))?;
        let mut config: Self = toml::from_str(&text)
            .with_context(|| format!("{} is not a configuration", path.display()))?;
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        for named in [&mut config.policy, &mut config.dbx].into_iter().flatten() {
            *named = folder.join(&*named);
        }
        Ok(config)
    }

    /// The policy that the file says, or the default one where none is named. Which of two times a
    /// verdict counts for must not be a riddle, so only one place may say it.
    pub fn load_policy(&self) -> anyhow::Result<LoadedPolicy> {
        let mut digest = Context::new(&SHA256);
        let revocations = self.load_revocations(&mut digest)?;
        let Some(file) = &self.policy else {
            let mut policy = Policy::default();
            policy.secure_boot.revocations = revocations;
            return Ok(LoadedPolicy::new(policy, digest));
        };
        let (mut policy, text) = policy::load(file)
            .context("no server without its policy; `bootproof policy check` says more")?;
        anyhow::ensure!(
            policy.verdict_good_for_s.is_none() || self.verdict_good_for_s == 0,
            "{} sets verdict.good_for_s and the configuration sets verdict_good_for_s: keep one",
            file.display()
        );
        policy.secure_boot.revocations = revocations;
        digest.update(text.as_bytes());
        let folder = FolderFiles(file.parent().unwrap_or_else(|| Path::new("")));
        for name in policy::named_files(&text) {
            // One that was there a moment ago. What changes in between is seen by who watches files.
            digest.update(&folder.bytes(&name).unwrap_or_default());
        }
        Ok(LoadedPolicy::new(policy, digest))
    }

    fn load_revocations(&self, digest: &mut Context) -> anyhow::Result<Arc<Revocations>> {
        let Some(file) = &self.dbx else { return Ok(Arc::default()) };
        let mut bytes = Vec::new();
        let bytes_max = u64::try_from(REVOCATIONS_BYTES_MAX)?;
        File::open(file)
            // One byte more than is allowed, so that the reader sees that there is more.
            .and_then(|file| file.take(bytes_max + 1).read_to_end(&mut bytes))
            .with_context(|| format!("the list {} cannot be read", file.display()))?;
        digest.update(&bytes);
        let read = Revocations::with_update(&bytes);
        let read = read.with_context(|| format!("{} revokes nothing", file.display()))?;
        Ok(Arc::new(read))
    }

    /// Refuses values with which nothing would work.
    pub fn check(&self) -> anyhow::Result<()> {
        // A year: more is a typing error, and would overflow nothing but a person's patience.
        const INTERVAL_S_MAX: u64 = 365 * 24 * 3600;
        let within = |name: &str, value: u64, min: u64, max: u64| {
            anyhow::ensure!(
                (min..=max).contains(&value),
                "{name} is {value}; it must be {min} to {max}"
            );
            Ok(())
        };
        within("attest_interval_s", self.attest_interval_s, 1, INTERVAL_S_MAX)?;
        within("verdict_good_for_s", self.verdict_good_for_s, 0, INTERVAL_S_MAX)?;
        within("challenge_good_for_s", self.challenge_good_for_s, 1, 3600)?;
        // A month: longer ones are API tokens.
        const SESSION_S_MAX: u64 = 31 * 24 * 3600;
        within("session_idle_s", self.session_idle_s, 60, SESSION_S_MAX)?;
        within("session_s", self.session_s, 60, SESSION_S_MAX)?;
        within("events_kept_days", self.events_kept_days.into(), 1, 366)?;
        anyhow::ensure!(self.joins_per_s > 0, "joins_per_s must not be 0");
        anyhow::ensure!(self.connections_max > 0, "connections_max must not be 0");
        Ok(())
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
