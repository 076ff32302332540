//! `bootproof-server`: see `--help`.

mod backup;
mod documents;
mod evidence;
mod fatal;
mod restore;
mod retention;
mod settings;
mod support;

use std::{
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::Context as _;
use appraise::{Policy, Waiver};
use clap::{Parser, Subcommand};
use server::{
    app::App,
    authority,
    authority::Authority,
    authority::GivenCertificate,
    config::{Config, LogFormat, PolicySource, StoreUrl},
    context, database,
    http::{self, Limits, Transport},
    log::{self, Format, Log},
    metrics::Metrics,
    notify::{self, Phase},
    reload::Reload,
    restoring, traces,
};
use tokio::net::TcpListener;

/// Says which levels are logged, before the configuration does.
const LEVELS_VARIABLE: &str = "BOOTPROOF_LOG";

/// Connections at one time to the address for those who run the server: a scraper, a probe or two, and a
/// person.
const OPERATIONS_CONNECTIONS_MAX: usize = 32;

/// Bodies, documents and rows come and go on many threads: with the C library's allocator a quarter of the server's
/// time went there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Attests hosts: keeps the inventory, challenges TPMs, judges what booted.
#[derive(Parser)]
#[command(
    name = "bootproof-server",
    version,
    after_long_help = "\
Examples:
  bootproof-server
      Serve on port 8443 with the data in /var/lib/bootproof.
  bootproof-server --data-dir ./data --listen 127.0.0.1:8443
      Try it as any user.
  bootproof-server --config /etc/bootproof/server.toml
  bootproof-server --config /etc/bootproof/server.toml support-bundle

The administrator's context is written to admin.toml in the data folder; `bootproof` finds it in
/var/lib/bootproof by itself, elsewhere by --context or BOOTPROOF_CONTEXT.

Exit codes: 0 ended by a signal, 1 could not start or failed, 2 wrong use."
)]
struct Arguments {
    /// The configuration, a TOML file
    #[arg(long, value_name = "FILE", env = "BOOTPROOF_SERVER_CONFIG")]
    config: Option<PathBuf>,
    /// The folder of database, certificate authority and administrator's context
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// A PostgreSQL database instead of a file in the data folder, for several servers. Its password
    /// belongs into a file (`passfile=FILE` in the address) or BOOTPROOF_STORE_PASSWORD
    #[arg(long, value_name = "URL", env = "BOOTPROOF_STORE", hide_env_values = true)]
    store: Option<String>,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// A name or address under which agents reach this server (may be repeated)
    #[arg(long = "name", value_name = "NAME")]
    names: Vec<String>,
    /// Seconds between two attestations of a host
    #[arg(long, value_name = "SECONDS")]
    attest_interval_s: Option<u64>,
    /// The policy: what must hold for a host to be accepted; a TOML file
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// A newer list of revoked images than this program has: a signed update of dbx
    #[arg(long, value_name = "FILE")]
    dbx: Option<PathBuf>,
    /// Write log lines as JSON
    #[arg(long)]
    log_json: bool,
    #[command(subcommand)]
    document: Option<Document>,
}

/// What the program writes about itself instead of serving.
#[derive(Subcommand)]
enum Document {
    /// Write logs, settings, counts and findings into one archive for somebody who helps, without
    /// secrets
    #[command(after_long_help = "\
The database is only looked at, and may be in use. MANIFEST.json in the archive says what was
removed and what is not in it; `bootproof diagnose FILE` reads it. Look it through before you give
it away: names of hosts and what they boot are in it.

Examples:
  bootproof-server --config /etc/bootproof/server.toml support-bundle
  bootproof-server support-bundle --host web-1 --out web-1.tar.gz")]
    SupportBundle(support::SupportBundle),
    /// Write all that a server needs into one file, while the server goes on; or check such a file
    #[command(after_long_help = backup::HELP)]
    Backup(backup::Backup),
    /// Put a backup back, into an empty data folder or an empty database
    #[command(after_long_help = restore::HELP)]
    Restore(restore::Restore),
    /// Check, show or explain the configuration
    #[command(subcommand)]
    Config(settings::Settings),
    /// Move evidence between the database and objects outside of it, check it, clear it up
    #[command(subcommand, after_long_help = evidence::HELP)]
    Evidence(evidence::Evidence),
    /// Say what of the history would go: nothing is changed
    #[command(
        after_long_help = "Example:\n  bootproof-server --config /etc/bootproof/server.toml retention"
    )]
    Retention(retention::Retention),
    /// Print a script for shell completions
    #[command(after_long_help = "\
Example:
  bootproof-server completions bash > /etc/bash_completion.d/bootproof-server")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the manual pages into a folder
    #[command(after_long_help = "Example:\n  bootproof-server man /usr/local/share/man/man1")]
    Man {
        /// The folder
        folder: PathBuf,
    },
}

impl Arguments {
    /// The keys that flags and the environment say.
    fn origins(&self) -> Vec<settings::Origin> {
        let said = |is_said: bool, key, by| is_said.then_some((key, by));
        [
            said(self.data_dir.is_some(), "data_dir", "--data-dir"),
            said(self.store.is_some(), "store", "--store or BOOTPROOF_STORE"),
            said(self.listen.is_some(), "listen", "--listen"),
            said(!self.names.is_empty(), "names", "--name, and the file"),
            said(self.attest_interval_s.is_some(), "attest_interval_s", "--attest-interval-s"),
            said(self.policy.is_some(), "policy", "--policy"),
            said(self.dbx.is_some(), "dbx", "--dbx"),
            said(self.log_json, "log_format", "--log-json"),
            said(std::env::var_os(LEVELS_VARIABLE).is_some(), "log", "BOOTPROOF_LOG"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn config(&self) -> anyhow::Result<Config> {
        let mut config = Config::load(self.config.as_deref())?;
        if let Some(data_dir) = &self.data_dir {
            config.data_dir.clone_from(data_dir);
        }
        if let Some(url) = &self.store {
            config.store = Some(StoreUrl(url.clone()));
        }
        config.listen = self.listen.unwrap_or(config.listen);
        config.names.extend(self.names.iter().cloned());
        config.attest_interval_s = self.attest_interval_s.unwrap_or(config.attest_interval_s);
        if self.policy.is_some() {
            config.policy.clone_from(&self.policy);
        }
        if self.dbx.is_some() {
            config.dbx.clone_from(&self.dbx);
        }
        config.check()?;
        Ok(config)
    }
}

fn main() -> ExitCode {
    match start(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            fatal::tell(&err);
            ExitCode::FAILURE
        }
    }
}

fn start(arguments: Arguments) -> anyhow::Result<()> {
    match &arguments.document {
        None => {}
        Some(Document::Completions { shell }) => return documents::completions(*shell),
        Some(Document::Man { folder }) => return documents::man(folder),
        Some(Document::Backup(command)) => {
            let file = arguments.config.as_deref();
            return backup::run(command, || arguments.config(), file);
        }
        Some(Document::Retention(command)) => return retention::run(command, &arguments.config()?),
        Some(Document::Evidence(command)) => return evidence::run(command, &arguments.config()?),
        Some(Document::Restore(command)) => return restore::run(command, &arguments.config()?),
        Some(Document::Config(command)) => {
            let file = arguments.config.as_deref();
            return settings::run(command, file, || arguments.config(), &arguments.origins());
        }
        Some(Document::SupportBundle(command)) => {
            return support::write(command, &arguments.config()?, arguments.config.as_deref());
        }
    }
    let config = arguments.config()?;
    let log = start_log(&arguments, &config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .enable_all()
        .build()?;
    runtime.block_on(run(arguments, config, log))
}

/// Threads for what keeps one busy: whole logs, reports, passwords. Each keeps memory of its own when it is done; what
/// comes beyond them waits.
const BLOCKING_THREADS_MAX: usize = 32;

/// The log, by flags and environment before the configuration.
fn start_log(arguments: &Arguments, config: &Config) -> anyhow::Result<Log> {
    let format = match config.log_format {
        _ if arguments.log_json => Format::Json,
        LogFormat::Json => Format::Json,
        LogFormat::Text => Format::Text,
    };
    let levels = std::env::var(LEVELS_VARIABLE).unwrap_or_else(|_| config.log.clone());
    Ok(Log::start(format, log::filter(&levels)?))
}

async fn run(arguments: Arguments, config: Config, log: Log) -> anyhow::Result<()> {
    let metrics = Arc::new(Metrics::new());
    log.count_in(Arc::clone(&metrics));
    let exporting = config.traces.as_ref().map(traces::start).transpose()?;
    if let Some(exporting) = &exporting {
        metrics.watch_spans(exporting.counts());
    }
    let mut policy = config.load_policy()?;
    std::fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("{} cannot be made", config.data_dir.display()))?;
    restoring::refuse(&config.data_dir)?;
    let names = names(&config);
    let authority = Authority::open(&config.data_dir, &names, SystemTime::now())?;
    authority.present(GivenCertificate::load(&config)?);
    let store = database::open(&config, &authority).await?;
    if config.policy.is_none()
        && let Some(active) = store.active_policy().await?
    {
        policy = config.load_policy_or(Some(&store.policy_document(active.number).await?))?;
    }
    match &policy.source {
        PolicySource::Default => tracing::info!("judging by the default policy"),
        PolicySource::File(file) => {
            tracing::info!(file = %file.display(), "judging by a policy file");
        }
        PolicySource::Version(number) => {
            tracing::info!(number, "judging by the version of the policy that was activated");
        }
    }
    warn_of_waivers(&policy.policy, SystemTime::now());
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    let address = listener.local_addr()?;
    let operations = match config.metrics_listen {
        None => None,
        Some(address) => Some(
            TcpListener::bind(address)
                .await
                .with_context(|| format!("cannot listen on {address} (metrics_listen)"))?,
        ),
    };
    let for_agents = address_for_agents(&config, address);
    let (own, counted) = (Arc::clone(&authority), Arc::clone(&metrics));
    let app = App::new(store, own, for_agents, config.clone(), policy, counted).await?;
    app.tell_certificates();
    app.set_provider(&config).context("no server without the files of [oidc]")?;
    let url = format!("https://{}", reachable(address));
    context::write(&app, &authority, &config.data_dir, url.clone(), &administrator(&config))
        .await?;
    if let Some(code) = app.new_setup_code().await? {
        print_setup_code(&code, &url);
    }
    tracing::info!(%address, ca_sha256 = authority.pin(), "serving; administrators use {url}");

    app.begin_policy(&this_server()).await?;
    let grace = Duration::from_secs(config.shutdown_grace_s);
    let delay = Duration::from_secs(config.shutdown_delay_s);
    let reload = Reload {
        file: arguments.config.clone(),
        started: config.clone(),
        app: Arc::clone(&app),
        authority: Arc::clone(&authority),
        log,
        levels_by_config: std::env::var_os(LEVELS_VARIABLE).is_none(),
        actor: this_server(),
        load: Box::new(move || arguments.config()),
    };
    let mut tasks = vec![
        tokio::spawn(renew(Arc::clone(&authority), Arc::clone(&app))),
        tokio::spawn(Arc::clone(&app).watch()),
        tokio::spawn(Arc::clone(&app).thin()),
        tokio::spawn(Arc::clone(&app).keep_objects()),
        tokio::spawn(Arc::clone(&app).hear_and_tell()),
        tokio::spawn(Arc::clone(&app).keep_count()),
        tokio::spawn(Arc::clone(&app).publish()),
        tokio::spawn(Arc::clone(&app).deliver()),
        tokio::spawn(Arc::clone(&app).send_reports()),
        tokio::spawn(Arc::clone(&app).tend_client_authorities()),
        tokio::spawn(reload.run()),
        tokio::spawn(notify::feed_watchdog()),
    ];
    let (last_span, ended) = tokio::sync::oneshot::channel::<()>();
    let exporting = exporting.map(|exporting| tokio::spawn(exporting.run(ended)));
    if let Some(listener) = operations {
        tracing::info!(address = %listener.local_addr()?, "metrics and readiness without a token");
        let router = http::operating(Arc::clone(&app));
        let limits = Limits { connections_max: OPERATIONS_CONNECTIONS_MAX, grace };
        // It answers up to the last moment: that the server ends, too.
        let (metrics, never) = (Arc::clone(&metrics), std::future::pending());
        let serving = http::serve(listener, Transport::Plain, router, limits, metrics, never);
        tasks.push(tokio::spawn(serving));
    }
    let transport = Transport::Tls(Arc::new(authority.server_config()?));
    let limits = Limits { connections_max: config.connections_max, grace };
    let router = http::router(Arc::clone(&app));
    notify::tell(Phase::Serving);
    http::serve(listener, transport, router, limits, metrics, ending(&app, delay)).await;
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    drop(last_span);
    if let Some(exporting) = exporting {
        let _ = exporting.await;
    }
    tracing::info!("ended");
    Ok(())
}

/// This server, as the audit log names it.
fn this_server() -> String {
    format!("server:{}", rustix::system::uname().nodename().to_string_lossy())
}

/// Says how the first account is made. Not a line of the log: those are kept and sent elsewhere.
fn print_setup_code(code: &str, url: &str) {
    use std::io::Write as _;
    // Where nobody hears it, the next start prints another one.
    let _ = writeln!(
        std::io::stderr().lock(),
        "There is no account yet. The first one is made with this code, which is good once:\n  {code}\n\
         `bootproof setup NAME` asks for it, and so does the page {url}/setup"
    );
}

/// The name of the token in the administrator's context: where servers share a store, each machine has
/// one of its own, so that none voids another's.
fn administrator(config: &Config) -> String {
    match config.store {
        None => "administrator".to_owned(),
        Some(_) => {
            format!("administrator@{}", rustix::system::uname().nodename().to_string_lossy())
        }
    }
}

/// What the policy waives is said at each start, and what it waives no more.
fn warn_of_waivers(policy: &Policy, now: SystemTime) {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now_s = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    for approved in policy.approved_eks() {
        let Waiver { reason, until, expires } = &approved.waiver;
        let ek_sha256 = hex::encode(approved.ek_sha256);
        if expires.0 <= now_s {
            tracing::warn!(ek_sha256, until, reason, "an approval has ended, and counts no more");
        } else {
            tracing::warn!(
                ek_sha256,
                until,
                reason,
                "the policy approves a key without certificate"
            );
        }
    }
    for (code, severity, waiver) in policy.waivers() {
        let (code, until, reason) = (code.as_str(), &waiver.until, &waiver.reason);
        if waiver.expires.0 <= now_s {
            tracing::warn!(code, until, reason, "a waiver has ended, and counts no more");
        } else {
            let severity = severity.as_str();
            tracing::warn!(code, severity, until, reason, "the policy waives a finding");
        }
    }
}

/// The names of the server's certificate: those of the configuration and those that always hold.
fn names(config: &Config) -> Vec<String> {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let mut names = config.names.clone();
    names.extend([host, "localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()]);
    if !config.listen.ip().is_unspecified() {
        names.push(config.listen.ip().to_string());
    }
    names.sort();
    names.dedup();
    names
}

/// Where agents reach a server that listens on `address`: under the first of its names, else under
/// the address itself, else, where it listens on all of them, under this machine's name.
fn address_for_agents(config: &Config, address: SocketAddr) -> String {
    let port = address.port();
    match config.names.first() {
        Some(name) if name.contains(':') => format!("https://[{name}]:{port}"),
        Some(name) => format!("https://{name}:{port}"),
        None if !address.ip().is_unspecified() => format!("https://{address}"),
        None => {
            let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
            format!("https://{host}:{port}")
        }
    }
}

/// Where a client on this machine reaches a server that listens on `address`.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => ([127, 0, 0, 1], v4.port()).into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => ([127, 0, 0, 1], v6.port()).into(),
        other => other,
    }
}

async fn renew(authority: Arc<Authority>, app: Arc<App>) {
    loop {
        tokio::time::sleep(authority::RENEWAL).await;
        if let Err(err) = authority.renew(SystemTime::now()) {
            tracing::error!(%err, "the server's certificate could not be renewed");
        }
        app.tell_certificates();
    }
}

/// Resolves when the server is to take no more connections. In this order: a signal; `/readyz` says no and
/// those who wait are sent away; the delay, in which it serves on; and then its listener is closed.
async fn ending(app: &App, delay: Duration) {
    ended().await;
    app.end();
    notify::tell(Phase::Ending);
    tokio::time::sleep(delay).await;
}

/// Resolves at SIGTERM or SIGINT.
async fn ended() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    tracing::info!("ending: running requests get some seconds");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_the_help_is_broken_by_a_terminal() {
        // The library breaks lines there, also within texts that are lines already.
        const COLUMNS_MAX: usize = 100;
        let mut left = vec![<Arguments as clap::CommandFactory>::command()];
        while let Some(command) = left.pop() {
            for help in
                [command.get_after_help(), command.get_after_long_help()].into_iter().flatten()
            {
                for line in help.to_string().lines() {
                    assert!(line.chars().count() <= COLUMNS_MAX, "{}: {line}", command.get_name());
                }
            }
            left.extend(command.get_subcommands().cloned());
        }
    }
}
