//! Reading anew while the server runs: at SIGHUP, and when a file changes that it was read from.
//!
//! Each part is taken by itself. One that cannot be used leaves what counted before; that is said in the
//! log, by `/readyz`, as a metric and in the audit log, and the server goes on.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    app::{App, RulesChange},
    authority::{Authority, GivenCertificate},
    config::Config,
    log::{self, Log},
    notify::{self, Phase},
};

/// Between two looks at files: a person waits for what he changed, and a look costs some `stat`s.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Looks that are left out after a version that was activated was taken up, or could not be: a minute, so that one
/// that this program cannot read fills no log.
const RESTS: u32 = 30;

/// What is read anew, and from where.
pub struct Reload {
    /// The configuration file.
    pub file: Option<PathBuf>,
    /// Reads the configuration: the file, and what wins over it.
    pub load: Box<dyn Fn() -> anyhow::Result<Config> + Send + Sync>,
    /// What the server began with: some of it stays until its next start.
    pub started: Config,
    /// The server.
    pub app: Arc<App>,
    /// Its certificates.
    pub authority: Arc<Authority>,
    /// Its log.
    pub log: Log,
    /// Whether the levels of the log come from the configuration; else the environment says them.
    pub levels_by_config: bool,
    /// This server, for the audit log.
    pub actor: String,
}

impl std::fmt::Debug for Reload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reload").field("file", &self.file).finish_non_exhaustive()
    }
}

/// How a file looks from outside: another one, or another content.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Look {
    path: PathBuf,
    /// Device, number, size, and nanoseconds of its last change; `None`: not there.
    seen: Option<(u64, u64, u64, i128)>,
}

impl Look {
    fn at(path: PathBuf) -> Self {
        let seen = fs::metadata(&path).ok().map(|file| {
            let changed = i128::from(file.mtime()) * 1_000_000_000 + i128::from(file.mtime_nsec());
            (file.dev(), file.ino(), file.size(), changed)
        });
        Self { path, seen }
    }
}

impl Reload {
    /// Reads anew when it is told to, or when a file changed, for as long as the program runs.
    pub async fn run(self) {
        let mut hangup = signal(SignalKind::hangup()).ok();
        let mut current = self.started.clone();
        let mut used = self.looks(&current);
        let mut before = used.clone();
        let mut n_rests = 0_u32;
        loop {
            let is_told = tokio::select! {
                () = told(&mut hangup) => true,
                () = tokio::time::sleep(LOOK_AGAIN) => false,
            };
            let now = self.looks(&current);
            // Looked at twice alike: a file that is still being written is left alone.
            let is_changed = now != used && now == before;
            before.clone_from(&now);
            if !is_told && !is_changed {
                // Another server on this store was told to judge by another version.
                let is_other = self.app.is_other_version_activated().await;
                if is_other && n_rests == 0 {
                    self.rules(&current).await;
                    n_rests = RESTS;
                } else {
                    n_rests = if is_other { n_rests.saturating_sub(1) } else { 0 };
                }
                continue;
            }
            if is_told {
                tracing::info!("told to read the configuration anew");
            } else {
                let changed = now.iter().filter(|look| !used.contains(look));
                let files: Vec<_> = changed.map(|look| look.path.display().to_string()).collect();
                tracing::info!(files = files.join(", "), "files changed");
            }
            notify::tell(Phase::Reloading);
            if let Some(config) = self.read_anew().await {
                current = config;
            }
            // As they were before they were read: what changed meanwhile is seen at the next look. One that
            // cannot be used is tried again when it changes again.
            used = self.looks(&current);
            for look in &mut used {
                if let Some(before_reading) = now.iter().find(|other| other.path == look.path) {
                    look.clone_from(before_reading);
                }
            }
            notify::tell(Phase::Serving);
        }
    }

    /// All files that the configuration was read from.
    fn looks(&self, config: &Config) -> Vec<Look> {
        let named = [&config.policy, &config.dbx, &config.tls_certificate, &config.tls_key];
        let of_oidc = config.oidc.iter().flat_map(|oidc| oidc.files());
        let named = named.into_iter().flatten().chain(of_oidc).cloned();
        let mut paths: Vec<_> = self.file.iter().cloned().chain(named).collect();
        if let Some(policy) = &config.policy
            && let Ok(text) = fs::read_to_string(policy)
        {
            let folder = policy.parent().unwrap_or_else(|| Path::new(""));
            paths.extend(policy::named_files(&text).into_iter().map(|name| folder.join(name)));
        }
        paths.into_iter().map(Look::at).collect()
    }

    /// The new configuration, where it can be read; its parts may be refused all the same.
    async fn read_anew(&self) -> Option<Config> {
        let config = match (self.load)() {
            Ok(config) => config,
            Err(err) => {
                self.refused("configuration", &err).await;
                return None;
            }
        };
        self.app.part_used("configuration");
        self.app.needs_restart(&self.started.needs_restart(&config));
        self.levels(&config).await;
        self.rules(&config).await;
        self.certificate(&config).await;
        self.oidc(&config).await;
        Some(config)
    }

    async fn levels(&self, config: &Config) {
        if !self.levels_by_config {
            return;
        }
        match log::filter(&config.log).and_then(|levels| self.log.set(levels)) {
            Ok(()) => self.app.part_used("log"),
            Err(err) => self.refused("log", &err).await,
        }
    }

    async fn rules(&self, config: &Config) {
        let reading = config.clone();
        // A file counts before what was activated, and needs no store.
        let activated = match config.policy {
            Some(_) => Ok(None),
            None => self.app.activated_policy().await,
        };
        let activated = match activated {
            Ok(activated) => activated,
            Err(err) => return self.refused("policy", &err.into()).await,
        };
        let read =
            tokio::task::spawn_blocking(move || reading.load_policy_or(activated.as_ref())).await;
        let policy = match read.map_err(anyhow::Error::from).flatten() {
            Ok(policy) => policy,
            Err(err) => return self.refused("policy", &err).await,
        };
        // What needs a new start stays as it was.
        let counts = Config { ..self.started.clone() }.with_reloadable(config);
        let sha256 = hex::encode(policy.sha256);
        if self.app.set_rules(counts, policy) == RulesChange::Changed {
            tracing::info!(sha256, "hosts are judged by other rules from now on");
            if let Err(err) = self.app.begin_policy(&self.actor).await {
                // Hosts are judged by it all the same, each when it is due.
                tracing::error!(%err, "the store was not told of the policy");
            }
        }
        self.app.part_used("policy");
    }

    async fn certificate(&self, config: &Config) {
        match GivenCertificate::load(config) {
            Ok(given) => {
                let sha256 = given.as_ref().map(GivenCertificate::sha256);
                if self.authority.present(given) {
                    tracing::info!(sha256, "another certificate is presented from now on");
                    let detail = serde_json::json!({ "sha256": sha256 });
                    self.app.note(&self.actor, "certificate.begin", "certificate", detail).await;
                }
                self.app.tell_certificates();
                self.app.part_used("certificate");
            }
            Err(err) => self.refused("certificate", &err).await,
        }
    }

    async fn oidc(&self, config: &Config) {
        match self.app.set_provider(config) {
            Ok(()) => self.app.part_used("oidc"),
            Err(err) => self.refused("oidc", &err).await,
        }
    }

    async fn refused(&self, part: &'static str, err: &anyhow::Error) {
        self.app.part_refused(part, &format!("{err:#}"), &self.actor).await;
    }
}

/// Resolves at SIGHUP.
async fn told(hangup: &mut Option<Signal>) {
    match hangup {
        Some(hangup) => drop(hangup.recv().await),
        None => std::future::pending().await,
    }
}
