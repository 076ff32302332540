//! `bootproof-server evidence`: where parts of evidence lie.

use std::{
    io::Write as _,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use clap::{Subcommand, ValueEnum};
use evidence_objects::Objects;
use serde::Serialize;
use server::{
    app::{remove_objects, sweep_objects, swept_before_ms},
    config::{Config, EvidenceStore},
    database,
};
use store::{EvidencePlace, Store};

use crate::backup::Progress;

pub(crate) const HELP: &str = "\
A server may serve meanwhile. What is interrupted goes on where it was when it is run again.

Examples:
  bootproof-server --config /etc/bootproof/server.toml evidence status
  bootproof-server --config /etc/bootproof/server.toml evidence move --to objects
  bootproof-server --config /etc/bootproof/server.toml evidence check --json

Exit codes: 0 done, 1 failed, or `check` found parts that are lost, 2 wrong use.";

/// Parts that are moved or read before the next look at the database: each may have 6 MiB.
const SLICE: u32 = 16;

/// `bootproof-server evidence …`
#[derive(Subcommand)]
pub(crate) enum Evidence {
    /// Say how many parts lie where
    Status {
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Move all parts to where the configuration puts new ones, or back into the database
    Move {
        /// Where to
        #[arg(long, value_enum)]
        to: To,
        /// Print what was done as JSON
        #[arg(long)]
        json: bool,
    },
    /// Read each object, and say which are lost
    Check {
        /// Print what was found as JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove objects now that nothing refers to: those whose days are over, and those that no row ever named
    Sweep {
        /// Print what was done as JSON
        #[arg(long)]
        json: bool,
    },
    /// Say that the objects at the named place are this database's from now on. No other server may use them
    /// any more
    Adopt,
}

/// Where parts are moved.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum To {
    /// Into the database
    Database,
    /// To the store or folder of the configuration
    #[value(alias = "s3", alias = "folder")]
    Objects,
}

#[derive(Serialize)]
struct Status {
    place: Option<String>,
    parts_in_database: u64,
    parts_as_objects: u64,
    parts_lost: u64,
    objects_to_remove: u64,
}

#[derive(Serialize)]
struct Done {
    moved: u64,
    bytes: u64,
    lost: u64,
}

#[derive(Serialize)]
struct Found {
    checked: u64,
    lost: Vec<String>,
}

#[derive(Serialize)]
struct Swept {
    removed: u64,
    swept: u64,
}

pub(crate) fn run(command: &Evidence, config: &Config) -> anyhow::Result<()> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let store = database::open_to_look(config).await?;
        match command {
            Evidence::Status { json } => status(&*store, *json).await,
            Evidence::Move { to, json } => move_all(&*store, config, *to, *json).await,
            Evidence::Check { json } => check(&*store, *json).await,
            Evidence::Sweep { json } => sweep(&*store, config, *json).await,
            Evidence::Adopt => adopt(&*store).await,
        }
    })
}

fn objects(store: &dyn Store) -> anyhow::Result<&Objects> {
    let evidence = store.evidence_objects();
    let evidence = evidence.context(
        "the configuration names no place of evidence: see [evidence] in `config reference`",
    )?;
    Ok(&evidence.objects)
}

/// Nobody moves, reads or removes what is another database's.
async fn ours(store: &dyn Store) -> anyhow::Result<&Objects> {
    let objects = objects(store)?;
    let owner = database::objects_owner(store).await?;
    let known = objects.owner().await?;
    anyhow::ensure!(
        known.as_ref().is_none_or(|known| *known == owner),
        "the objects at {objects} are another database's: see `bootproof-server evidence adopt --help`"
    );
    if known.is_none() {
        objects.claim(&owner).await?;
    }
    Ok(objects)
}

fn print<T: Serialize>(json: bool, value: &T, words: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut stdout, value)?;
        writeln!(stdout)?;
    } else {
        writeln!(stdout, "{words}")?;
    }
    Ok(())
}

async fn status(store: &dyn Store, json: bool) -> anyhow::Result<()> {
    let census = store.evidence_census().await?;
    let status = Status {
        place: store.evidence_objects().map(|evidence| evidence.objects.to_string()),
        parts_in_database: census.n_here,
        parts_as_objects: census.n_objects,
        parts_lost: census.n_lost,
        objects_to_remove: census.n_to_remove,
    };
    let place = status.place.clone().unwrap_or_else(|| "no place is named for objects".to_owned());
    let words = format!(
        "{place}\nparts in the database: {}\nparts as objects: {}, known to be lost: {}\n\
         objects that nothing refers to, still to be removed: {}",
        census.n_here, census.n_objects, census.n_lost, census.n_to_remove
    );
    print(json, &status, &words)
}

async fn move_all(store: &dyn Store, config: &Config, to: To, json: bool) -> anyhow::Result<()> {
    ours(store).await?;
    let stores_in = config.evidence.as_ref().map(|evidence| evidence.store()).unwrap_or_default();
    let to = match to {
        To::Database => EvidencePlace::Database,
        To::Objects => {
            anyhow::ensure!(
                stores_in != EvidenceStore::Database,
                "the configuration puts new parts into the database: set `store` in [evidence] first"
            );
            EvidencePlace::Objects
        }
    };
    let progress = Progress::of_rows();
    let (mut after, mut done) = (0, Done { moved: 0, bytes: 0, lost: 0 });
    loop {
        let moved = store.move_evidence(to, after, SLICE).await;
        let moved = moved.inspect_err(|_| progress.end());
        let moved = moved.context("what was moved until now stays moved; run it again to go on")?;
        done.moved += moved.n;
        done.bytes += moved.n_bytes;
        done.lost += moved.n_lost;
        progress.at(done.moved);
        match moved.next {
            Some(next) => after = next,
            None => break,
        }
    }
    progress.end();
    let words = format!(
        "{} parts of {} bytes were moved; {} could not be, since they are lost",
        done.moved, done.bytes, done.lost
    );
    print(json, &done, &words)
}

async fn check(store: &dyn Store, json: bool) -> anyhow::Result<()> {
    ours(store).await?;
    let progress = Progress::of_rows();
    let (mut after, mut found) = (0, Found { checked: 0, lost: Vec::new() });
    loop {
        let checked = store.check_objects(after, SLICE).await.inspect_err(|_| progress.end())?;
        found.checked += checked.n;
        found.lost.extend(checked.lost.iter().map(hex::encode));
        progress.at(found.checked);
        match checked.next {
            Some(next) => after = next,
            None => break,
        }
    }
    progress.end();
    let mut words = format!("{} objects were read; {} are lost", found.checked, found.lost.len());
    found.lost.iter().for_each(|sha256| words.push_str(&format!("\n  {sha256}")));
    print(json, &found, &words)?;
    anyhow::ensure!(
        found.lost.is_empty(),
        "parts are lost: restore their objects, or ask the hosts again (`bootproof host attest`): the same \
         bytes bring a part back"
    );
    Ok(())
}

async fn sweep(store: &dyn Store, config: &Config, json: bool) -> anyhow::Result<()> {
    let objects = ours(store).await?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    let now_ms = i64::try_from(now.as_millis())?;
    let days = config.evidence.as_ref().map_or(0, |evidence| evidence.removed_after_days());
    let before_ms = now_ms.saturating_sub(i64::from(days).saturating_mul(24 * 3600 * 1000));
    let swept = Swept {
        removed: remove_objects(store, objects, before_ms).await?,
        swept: sweep_objects(store, objects, swept_before_ms(now_ms)).await?,
    };
    let words = format!(
        "{} objects were removed whose days were over, and {} that no row ever named",
        swept.removed, swept.swept
    );
    print(json, &swept, &words)
}

async fn adopt(store: &dyn Store) -> anyhow::Result<()> {
    let objects = objects(store)?;
    let owner = database::objects_owner(store).await?;
    objects.adopt(&owner).await?;
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "the objects at {objects} are this database's from now on")?;
    Ok(())
}
