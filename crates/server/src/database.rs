//! Which store the server has: a file of its own, or a database that it shares with others.

use std::sync::Arc;

use anyhow::Context as _;
use store::{PostgresAddress, PostgresStore, SqliteStore, Store, portable::Place};
use zeroize::Zeroizing;

use crate::{authority::Authority, config::Config};

/// The name of the file, where the store is one.
pub const FILE: &str = "bootproof.db";

/// The variable of the environment that holds the password of a database whose address has none.
pub const PASSWORD_VARIABLE: &str = "BOOTPROOF_STORE_PASSWORD";

/// Opens the store that the configuration names. Where others may have it too, the authority must be
/// theirs: agents know it by heart.
pub async fn open(config: &Config, authority: &Authority) -> anyhow::Result<Arc<dyn Store>> {
    let Some(url) = &config.store else {
        let path = config.data_dir.join(FILE);
        let store = SqliteStore::open(&path)
            .with_context(|| format!("the database {} cannot be opened", path.display()))?;
        return Ok(Arc::new(store));
    };
    let address = address(&url.0)?;
    let shown = address.to_string();
    let store = PostgresStore::open(address)
        .await
        .with_context(|| format!("the database {shown} cannot be opened"))?;
    tracing::info!(database = shown, "servers on this database are one");
    check_authority(&store, config, authority).await?;
    Ok(Arc::new(store))
}

/// Opens the store beside a server that may serve: to look, not to be a server.
pub async fn open_to_look(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    match place(config)? {
        Place::Sqlite(path) => {
            anyhow::ensure!(path.exists(), "there is no database {}", path.display());
            Ok(Arc::new(SqliteStore::open(&path)?))
        }
        Place::Postgres(address) => Ok(Arc::new(PostgresStore::open(*address).await?)),
    }
}

/// Where the store of the configuration is.
pub fn place(config: &Config) -> anyhow::Result<Place> {
    match &config.store {
        None => Ok(Place::Sqlite(config.data_dir.join(FILE))),
        Some(url) => Ok(Place::Postgres(Box::new(address(&url.0)?))),
    }
}

fn address(url: &str) -> anyhow::Result<PostgresAddress> {
    let mut address: PostgresAddress =
        url.parse().context("`store` is no address of a database that may be used")?;
    if !address.has_password()
        && let Ok(password) = std::env::var(PASSWORD_VARIABLE).map(Zeroizing::new)
    {
        address.set_password(&password);
    }
    Ok(address)
}

/// The first server's authority is that of all: one with another would be refused by every host that
/// joined at another server.
async fn check_authority(
    store: &dyn Store,
    config: &Config,
    authority: &Authority,
) -> anyhow::Result<()> {
    let ours = authority.pin().into_bytes();
    let known = store.secret_or_insert("authority-sha256", ours.clone()).await?;
    anyhow::ensure!(
        known == ours,
        "the certificate authority in {folder} is not that of the other servers on this database: \
         copy ca.pem and ca.key from one of them into {folder}, and start again",
        folder = config.data_dir.display()
    );
    Ok(())
}
