//! Starting the server and the limit.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use client::{Client, Context};
use store::{PostgresStore, SqliteStore, Store};
use tempfile::TempDir;
use testkit::postgres::Cluster;

use crate::{guest::Guest, line::Dialer, process::Program};

/// Between two looks whether a program is up.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How long one may take to come up.
const START_MAX: Duration = Duration::from_secs(30);

/// Where the programs lie.
#[derive(Clone, Debug)]
pub struct Programs {
    /// `bootproof-server`.
    pub server: PathBuf,
    /// `server-limit`.
    pub limit: PathBuf,
    /// The folder under which databases are made: on a disk, since commits are measured.
    pub folder: PathBuf,
}

/// What the server keeps its hosts in.
#[derive(Clone, Copy)]
pub enum Base<'a> {
    /// A file in its folder.
    Sqlite,
    /// A database.
    Postgres(&'a Cluster),
}

impl Base<'_> {
    /// Opens it, where the server's folder is `data`.
    pub async fn open(self, data: &Path) -> anyhow::Result<Arc<dyn Store>> {
        Ok(match self {
            Self::Sqlite => Arc::new(SqliteStore::open(data.join("bootproof.db"))?),
            Self::Postgres(cluster) => {
                Arc::new(PostgresStore::open(cluster.address().parse()?).await?)
            }
        })
    }
}

/// A server that runs.
pub struct Served {
    /// Its process.
    pub program: Program,
    /// Its folder.
    pub data: TempDir,
    /// An administrator.
    pub admin: Client,
    /// The way of its hosts.
    pub dialer: Dialer,
}

/// Settings of a server.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Seconds between two attestations of a host.
    pub attest_interval_s: u64,
    /// Threads of the runtime; `None`: as many as there are processors.
    pub threads: Option<usize>,
    /// The one processor that it may use; `None`: all.
    pub processor: Option<usize>,
    /// The port; 0: a free one.
    pub port: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Self { attest_interval_s: 1, threads: None, processor: None, port: 0 }
    }
}

impl Programs {
    /// An empty folder for a program.
    pub fn data(&self) -> anyhow::Result<TempDir> {
        Ok(tempfile::Builder::new().prefix("bench").tempdir_in(&self.folder)?)
    }

    /// Starts the server on what lies in `data`.
    pub async fn serve(
        &self,
        data: TempDir,
        base: Base<'_>,
        settings: Settings,
    ) -> anyhow::Result<Served> {
        let mut config = format!(
            "listen = '127.0.0.1:{}'\nattest_interval_s = {}\nverdict_good_for_s = 86400\n",
            settings.port, settings.attest_interval_s
        );
        if let Base::Postgres(cluster) = base {
            config.push_str(&format!("store = '{}'\n", cluster.address()));
        }
        std::fs::write(data.path().join("server.toml"), config)?;
        let mut command = confined(&self.server, settings);
        command.arg("--config").arg(data.path().join("server.toml"));
        command.arg("--data-dir").arg(data.path());
        let log = data.path().join("server.log");
        let context = data.path().join("admin.toml");
        // One of an earlier start leads elsewhere.
        drop(std::fs::remove_file(&context));
        let mut program = Program::start(&mut command, &log)?;
        let context =
            until_there(&mut program, &log, || Context::load(Some(&context)).ok()).await?;
        let address = context.server.strip_prefix("https://").context("no address")?;
        Ok(Served {
            admin: context.client()?,
            dialer: Dialer::new(address.parse()?, &context.ca_pem)?,
            program,
            data,
        })
    }

    /// Starts the limit for the keys of `guests`, with these arguments.
    pub async fn limit(
        &self,
        guests: &[Guest],
        arguments: &[&str],
    ) -> anyhow::Result<(Program, TempDir, Dialer)> {
        let data = self.data()?;
        let points = guests.iter().map(|guest| Ok(hex::encode(guest.ak_point()?)));
        let points = points.collect::<anyhow::Result<Vec<_>>>()?;
        std::fs::write(data.path().join("keys"), points.join("\n"))?;
        let mut command = Command::new(&self.limit);
        command.arg(data.path()).args(arguments);
        let log = data.path().join("limit.log");
        let mut program = Program::start(&mut command, &log)?;
        let address = data.path().join("address");
        let address: SocketAddr = until_there(&mut program, &log, || {
            std::fs::read_to_string(&address).ok()?.parse().ok()
        })
        .await?;
        let dialer = Dialer::new(address, &std::fs::read_to_string(data.path().join("ca.pem"))?)?;
        Ok((program, data, dialer))
    }
}

fn confined(program: &Path, settings: Settings) -> Command {
    let mut command = match settings.processor {
        None => Command::new(program),
        Some(processor) => {
            let mut command = Command::new("taskset");
            command.args(["-c", &processor.to_string()]).arg(program);
            command
        }
    };
    if let Some(threads) = settings.threads {
        // What tokio's runtime asks.
        command.env("TOKIO_WORKER_THREADS", threads.to_string());
    }
    command
}

async fn until_there<T>(
    program: &mut Program,
    log: &Path,
    look: impl Fn() -> Option<T>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + START_MAX;
    loop {
        if let Some(found) = look() {
            return Ok(found);
        }
        if program.has_ended() || Instant::now() > deadline {
            bail!("it did not start:\n{}", std::fs::read_to_string(log).unwrap_or_default());
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
