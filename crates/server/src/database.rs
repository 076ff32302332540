//! Which store the server has: a file of its own, or a database that it shares with others.

use std::sync::Arc;

use anyhow::Context as _;
use evidence_objects::Claim;
use store::{
    EvidenceObjects, PostgresAddress, PostgresStore, SqliteStore, Store,
    portable::{OBJECTS_OWNER, Place},
};
use zeroize::Zeroizing;

use crate::{authority::Authority, config::Config};

/// The name of the file, where the store is one.
pub const FILE: &str = "bootproof.db";

/// The variable of the environment that holds the password of a database whose address has none.
pub const PASSWORD_VARIABLE: &str = "BOOTPROOF_STORE_PASSWORD";

/// Opens the store that the configuration names. Where others may have it too, the authority must be
/// theirs: agents know it by heart.
pub async fn open(config: &Config, authority: &Authority) -> anyhow::Result<Arc<dyn Store>> {
    let objects = objects(config)?;
    let store = open_with(config, authority, objects).await?;
    check_objects(&*store).await?;
    Ok(store)
}

async fn open_with(
    config: &Config,
    authority: &Authority,
    objects: Option<EvidenceObjects>,
) -> anyhow::Result<Arc<dyn Store>> {
    let Some(url) = &config.store else {
        let path = config.data_dir.join(FILE);
        let store = SqliteStore::open(&path)
            .with_context(|| format!("the database {} cannot be opened", path.display()))?;
        return Ok(beside_sqlite(store, objects));
    };
    let address = address(&url.0)?;
    let shown = address.to_string();
    let store = PostgresStore::open(address)
        .await
        .with_context(|| format!("the database {shown} cannot be opened"))?;
    tracing::info!(database = shown, "servers on this database are one");
    check_authority(&store, config, authority).await?;
    Ok(beside_postgres(store, objects))
}

fn objects(config: &Config) -> anyhow::Result<Option<EvidenceObjects>> {
    Ok(config.evidence.as_ref().map(|evidence| evidence.open()).transpose()?.flatten())
}

fn beside_sqlite(store: SqliteStore, objects: Option<EvidenceObjects>) -> Arc<dyn Store> {
    match objects {
        Some(objects) => Arc::new(store.with_objects(objects)),
        None => Arc::new(store),
    }
}

fn beside_postgres(store: PostgresStore, objects: Option<EvidenceObjects>) -> Arc<dyn Store> {
    match objects {
        Some(objects) => Arc::new(store.with_objects(objects)),
        None => Arc::new(store),
    }
}

/// The objects at the place that the configuration names must be this database's: of two databases at one place
/// each would remove what only the other one knows. And a place that is empty, or none, while parts of evidence lie
/// outside of the database, is the wrong one.
async fn check_objects(store: &dyn Store) -> anyhow::Result<()> {
    let has_objects = store.has_objects().await?;
    let Some(evidence) = store.evidence_objects() else {
        anyhow::ensure!(
            !has_objects,
            "parts of evidence lie outside of the database, and the configuration does not say where: \
             name the place in [evidence], also where `store` is \"database\""
        );
        return Ok(());
    };
    let objects = &evidence.objects;
    let away = || format!("evidence: {objects} cannot be used");
    let known = objects.owner().await.with_context(away)?;
    anyhow::ensure!(
        known.is_some() || !has_objects,
        "evidence: {objects} has nothing of this database, of which parts lie outside: is it the right one? \
         If it is, and what was there is lost: `bootproof-server evidence adopt`"
    );
    let owner = objects_owner(store).await?;
    match objects.claim(&owner).await.with_context(away)? {
        Claim::Ours => Ok(()),
        Claim::AnothersNamed(other) => anyhow::bail!(
            "evidence: the objects at {objects} are of another database ({other}), or of this one before it was \
             restored: name another prefix; or, where no other server uses them any more, \
             `bootproof-server evidence adopt`"
        ),
    }
}

/// By what the objects of this database are known to be its own.
pub async fn objects_owner(store: &dyn Store) -> anyhow::Result<String> {
    let candidate = uuid::Uuid::new_v4().to_string().into_bytes();
    let owner = store.secret_or_insert(OBJECTS_OWNER, candidate).await?;
    String::from_utf8(owner).context("the stored owner of objects is no text")
}

/// Opens the store beside a server that may serve: to look, not to be a server.
pub async fn open_to_look(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    match place(config)? {
        Place::Sqlite(path) => {
            anyhow::ensure!(path.exists(), "there is no database {}", path.display());
            Ok(beside_sqlite(SqliteStore::open(&path)?, objects(config)?))
        }
        Place::Postgres(address) => {
            Ok(beside_postgres(PostgresStore::open(*address).await?, objects(config)?))
        }
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
