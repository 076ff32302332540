//! `bootproof-server support-bundle`: what this server knows, without its secrets.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use api::support::HostFindings;
use clap::Args;
use rustix::system::uname;
use serde::Serialize;
use server::{app::document::Stored, config::Config};
use store::{
    EvidenceObjects, EvidencePart, Host, PartElsewhere, SERVER_PARTS, SqliteLook, StoreError,
};
use support_bundle::{Bundle, Maker, file_name};

/// `bootproof-server support-bundle`
#[derive(Args)]
pub(crate) struct SupportBundle {
    /// The archive to write
    #[arg(long, short, value_name = "FILE", default_value = "bootproof-server-support.tar.gz")]
    out: PathBuf,
    /// A log to put in (may be repeated); the journal of the server is in it anyhow
    #[arg(long, value_name = "FILE")]
    log: Vec<PathBuf>,
    /// A host of which the last evidence is to be in it, too (may be repeated), and no other host
    /// then: its name or identifier
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
}

/// Settings that are no secrets. One that comes to the server's settings comes here by a decision.
const ALLOWED: &[&str] = &[
    "data_dir",
    "listen",
    "names",
    "attest_interval_s",
    "verdict_good_for_s",
    "challenge_good_for_s",
    "connections_max",
    "memory_mib",
    "session_idle_s",
    "session_s",
    "events_kept_days",
    "channels_reach_link_local",
    "history_all_days",
    "history_thinned_days",
    "policy",
    "dbx",
    "metrics_listen",
    "log",
    "log_format",
    "tls_certificate",
    "shutdown_delay_s",
    "shutdown_grace_s",
];

/// A policy has digests, names and reasons in words; the largest that is read has as many bytes.
const POLICY_BYTES_MAX: u64 = 64 * 1024;

#[derive(Serialize)]
struct Facts {
    program: &'static str,
    version: &'static str,
    system: String,
    data_dir: PathBuf,
    policy: Option<PathBuf>,
    dbx: Option<PathBuf>,
    database: Database,
}

#[derive(Default, Serialize)]
struct Database {
    n_bytes: Option<u64>,
    schema_version: Option<i64>,
    schema_version_known: Option<i64>,
    rows: Vec<(String, u64)>,
    error: Option<String>,
}

pub(crate) fn write(
    command: &SupportBundle,
    config: &Config,
    file: Option<&Path>,
) -> anyhow::Result<()> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let maker = Maker {
        program: "bootproof-server",
        version: env!("CARGO_PKG_VERSION"),
        now_ms: i64::try_from(since.as_millis()).ok(),
    };
    let mut bundle = Bundle::new(maker);
    let path = config.data_dir.join("bootproof.db");
    let look = SqliteLook::open(&path);
    let system = uname();
    let facts = Facts {
        program: maker.program,
        version: maker.version,
        system: format!(
            "{} {}",
            system.sysname().to_string_lossy(),
            system.release().to_string_lossy()
        ),
        data_dir: config.data_dir.clone(),
        policy: config.policy.clone(),
        dbx: config.dbx.clone(),
        database: database(&path, &look),
    };
    bundle.document("facts.json", &facts)?;
    match &look {
        Ok(look) => {
            let hosts = hosts(&mut bundle, look, &command.host)?;
            findings(&mut bundle, &hosts)?;
            if !command.host.is_empty() {
                let mut outside = Outside::open(config)?;
                evidence(&mut bundle, look, &mut outside, &hosts)?;
            }
        }
        Err(err) => bundle.leave_out("findings.json", err),
    }
    bundle.journal("bootproof-server", support_bundle::unit("bootproof-server.service"));
    command.log.iter().for_each(|log| bundle.log_file(log));
    if let Some(file) = file {
        bundle.settings_file(file, ALLOWED);
    }
    if let Some(file) = &config.policy {
        policy(&mut bundle, file);
    }
    bundle.leave_out(
        "secrets, ca.key, admin.toml",
        &"they are keys and tokens, and stay where they are",
    );
    let written = bundle.write(&command.out)?;
    let n_removed: u32 = written.manifest.removed.iter().map(|removed| removed.n).sum();
    let mut stdout = std::io::stdout().lock();
    let n_files = written.manifest.files.len();
    writeln!(stdout, "{}: {n_files} files, {} bytes", command.out.display(), written.n_bytes)?;
    writeln!(
        stdout,
        "{n_removed} secrets, settings and comments were removed; MANIFEST.json in it says what"
    )?;
    writeln!(stdout, "look it through before you give it away")?;
    Ok(())
}

fn database(path: &Path, look: &Result<SqliteLook, store::StoreError>) -> Database {
    let n_bytes = std::fs::metadata(path).map(|metadata| metadata.len()).ok();
    let told = |error: &dyn std::error::Error| {
        let source = error.source().map(|source| format!(": {source}")).unwrap_or_default();
        Some(format!("{error}{source}"))
    };
    let database = Database { n_bytes, ..Database::default() };
    let look = match look {
        Ok(look) => look,
        Err(err) => return Database { error: told(err), ..database },
    };
    match look.schema_versions().and_then(|versions| Ok((versions, look.counts()?))) {
        Ok(((found, known), rows)) => Database {
            schema_version: Some(found),
            schema_version_known: Some(known),
            rows,
            ..database
        },
        Err(err) => Database { error: told(&err), ..database },
    }
}

/// Those that were named, else all, up to a page of them.
fn hosts(bundle: &mut Bundle, look: &SqliteLook, named: &[String]) -> anyhow::Result<Vec<Host>> {
    let (found, known) = look.schema_versions()?;
    if found != known {
        let why = format!("the schema is {found}, and this program reads {known}");
        bundle.leave_out("findings.json", &why);
        return Ok(Vec::new());
    }
    if named.is_empty() {
        let hosts = look.hosts()?;
        let n_hosts = look.counts()?.into_iter().find(|(table, _)| table == "hosts");
        let n_hosts = n_hosts.map_or(0, |(_, n)| n);
        if n_hosts > hosts.len() as u64 {
            let why = format!(
                "{} of {n_hosts} are in it, those first that are not accepted",
                hosts.len()
            );
            bundle.leave_out("findings.json: all hosts", &why);
        }
        return Ok(hosts);
    }
    let mut hosts = Vec::new();
    for name in named {
        let called = look.hosts_called(name)?;
        anyhow::ensure!(!called.is_empty(), "no host is called {name:?}");
        hosts.extend(called);
    }
    Ok(hosts)
}

fn findings(bundle: &mut Bundle, hosts: &[Host]) -> anyhow::Result<()> {
    let list = hosts.iter().map(|host| {
        let last = host.last.as_ref();
        HostFindings {
            host: host.name.clone(),
            host_id: host.id.as_str().to_owned(),
            verdict: last.map(|last| last.verdict.clone()),
            at_ms: last.map(|last| last.at_ms),
            last_seen_at_ms: host.last_seen_at_ms,
            // What cannot be read is damaged, which the judgement itself shows.
            findings: last
                .and_then(|last| serde_json::from_str(&last.findings_json).ok())
                .unwrap_or_default(),
        }
    });
    Ok(bundle.document("findings.json", &list.collect::<Vec<_>>())?)
}

/// Where parts of evidence lie that are not in the database.
struct Outside {
    runtime: tokio::runtime::Runtime,
    /// Or why it cannot be asked: then it is not asked for each part again.
    objects: Result<Option<EvidenceObjects>, String>,
}

impl Outside {
    fn open(config: &Config) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        // A bundle helps all the same where its place cannot be read.
        let objects = match &config.evidence {
            None => Ok(None),
            Some(evidence) => {
                evidence.open().map_err(|err| format!("it lies outside of the database: {err:#}"))
            }
        };
        Ok(Self { runtime, objects })
    }

    /// A part with its bytes, or why it is not in the bundle.
    fn fetch(&mut self, part: &PartElsewhere) -> Result<EvidencePart, String> {
        let objects = self.objects.as_ref().map_err(Clone::clone)?;
        let fetched = self.runtime.block_on(part.fetch(objects.as_ref()));
        fetched.map_err(|err| {
            let is_away = matches!(err, StoreError::Unavailable { .. });
            let why = format!("it lies outside of the database: {:#}", anyhow::Error::new(err));
            if is_away {
                self.objects = Err(why.clone());
            }
            why
        })
    }
}

/// The last judgement of each host and what it judged, part by part as the store keeps it.
fn evidence(
    bundle: &mut Bundle,
    look: &SqliteLook,
    outside: &mut Outside,
    hosts: &[Host],
) -> anyhow::Result<()> {
    for host in hosts {
        let folder = format!("evidence/{:.40}", file_name(&host.name));
        let Some(last) = &host.last else {
            bundle.leave_out(&folder, &"the host was never judged");
            continue;
        };
        let mut parts = look.evidence(last.id)?;
        for part in look.evidence_elsewhere(last.id)? {
            match outside.fetch(&part) {
                Ok(part) => parts.push(part),
                Err(why) => {
                    bundle.leave_out(&format!("{folder}/{}", file_name(&part.name)), &why);
                }
            }
        }
        if let Some(judged) = look.appraisal(last.id)? {
            let name = format!("{folder}/appraisal.json");
            let document = Stored::read(&judged.document_json).and_then(|stored| {
                stored
                    .with(|sha256| Some(&*parts.iter().find(|part| part.sha256 == *sha256)?.bytes))
            });
            match document {
                Ok(document) => bundle.document(&name, &document)?,
                // Damaged, or in part outside of the database: the rest of the bundle helps all the same.
                Err(err) => bundle.leave_out(&name, &format!("{:#}", anyhow::Error::new(err))),
            }
        }
        let is_of_host = |part: &EvidencePart| !SERVER_PARTS.contains(&part.name.as_str());
        for part in parts.into_iter().filter(is_of_host) {
            // The answered challenge is spent; it is of no use to anybody who has not the key.
            bundle.verbatim(&format!("{folder}/{}", file_name(&part.name)), part.bytes);
        }
    }
    Ok(())
}

/// A file that is a policy has no key that a policy has not, so that all of them may be shown; what
/// people wrote into it goes through the same sieve as a log.
fn policy(bundle: &mut Bundle, file: &Path) {
    let read = || -> anyhow::Result<String> {
        let n_bytes = std::fs::metadata(file)?.len();
        anyhow::ensure!(n_bytes <= POLICY_BYTES_MAX, "it is over {POLICY_BYTES_MAX} bytes");
        policy::load(file)?;
        Ok(std::fs::read_to_string(file)?)
    };
    match read() {
        Ok(text) => bundle.text_file("config/policy.toml", &text),
        Err(err) => bundle
            .leave_out("config/policy.toml", &format!("it is no policy that can be read: {err:#}")),
    }
}
