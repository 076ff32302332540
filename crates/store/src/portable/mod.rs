//! All that is in a store, table by table, in a form that both implementations write and read: what
//! backups are made of, and how data move from one kind of store to the other.
//!
//! Tables, columns and their order come from the database's own catalogue, so that a migration needs to say
//! nothing here. What triggers keep is carried like all else, and no trigger runs while it is put back.

mod order;

pub(crate) use order::parents_first;

use crate::{PostgresAddress, PostgresStore, SqliteStore, StoreError};
use std::path::PathBuf;
use tokio::sync::mpsc::{Receiver, Sender};

/// Bytes of rows in one [`Piece`], about: enough that the channel costs nothing, few enough that some of them
/// lie in memory.
pub(crate) const PIECE_BYTES: usize = 1024 * 1024;

/// Pieces that wait in a channel between who reads and who writes.
pub const PIECES_WAITING_MAX: usize = 4;

/// Tables of which each implementation has its own: versions of the schema, and PostgreSQL's end of the
/// audit log, which follows from the log.
pub(crate) const OWN_TABLES: [&str; 3] = ["schema_version", "bootproof_schema", "audit_head"];

/// One value of a row. Truth values are 0 and 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// None.
    Null,
    /// A number.
    Integer(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Value {
    /// About how many bytes it has.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Null | Self::Integer(_) => 8,
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Numbers and truth values.
    Integer,
    /// Texts.
    Text,
    /// Bytes.
    Bytes,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub kind: ColumnKind,
}

/// A table, of which rows follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, in the order of the values of its rows.
    pub columns: Vec<Column>,
}

/// A piece of a store, in the order in which it is put back: a table after those that it refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Rows of this table follow.
    Table(Table),
    /// Some rows of the table that was named last, in the order of its primary key.
    Rows(Vec<Vec<Value>>),
    /// The highest number that was ever given to a row of a table: it is not given again.
    Numbered {
        /// The table.
        table: String,
        /// The number.
        last: i64,
    },
    /// That was all, and all of it is sound. What was put back counts only from here on.
    End,
}

/// Where a store is, to be read or made.
#[derive(Debug, Clone)]
pub enum Place {
    /// A file.
    Sqlite(PathBuf),
    /// A database.
    Postgres(Box<PostgresAddress>),
}

/// What becomes of join tokens when an older state is put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinTokens {
    /// They end: uses that were taken since, and words of people that ended one, are not known any more.
    End,
    /// They stay: nothing happened since.
    Stay,
}

/// What is to be said and done when a state is put back.
#[derive(Debug, Clone)]
pub struct Restoration {
    /// The version of the schema that the pieces have.
    pub schema: i64,
    /// What is said in the audit log (JSON).
    pub detail: serde_json::Value,
    /// What becomes of join tokens.
    pub join_tokens: JoinTokens,
}

/// What was put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The store's time from which on challenges count: older ones may have been used since the backup.
    pub at_ms: i64,
    /// Join tokens that were ended.
    pub n_join_tokens_ended: u64,
}

/// A store cannot be put back here.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// Something is there already.
    #[error("{place} is not empty: it has {what}")]
    NotEmpty {
        /// The file, or the address without its password.
        place: String,
        /// Some of what is there.
        what: String,
    },
    /// The same state was put back here before, whole.
    #[error("this backup was restored here before")]
    Done,
    /// The pieces are not those of a store of this version.
    #[error("the backup does not fit the schema: {what}")]
    Unfit {
        /// What does not fit.
        what: String,
    },
    /// Who reads the pieces gave up before the end.
    #[error("the backup ended early")]
    Cut,
    /// The database says no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The version of the schema that this program makes, which is that of what it reads.
#[must_use]
pub fn schema_known() -> i64 {
    crate::sqlite::schema_known()
}

/// Sends all that is in the store at `place`, as it is at one moment: nothing that was acknowledged before the
/// call is missing. The store may be in use meanwhile. Ends with [`Piece::End`].
///
/// # Errors
/// It is not there, not ours, of another schema, or cannot be read. Nobody takes the pieces any more:
/// [`StoreError::Unavailable`].
pub async fn read(place: Place, pieces: Sender<Piece>) -> Result<(), StoreError> {
    match place {
        Place::Sqlite(path) => {
            let reading = tokio::task::spawn_blocking(move || SqliteStore::export(&path, &pieces));
            reading.await.map_err(|error| StoreError::Broken { source: Box::new(error) })?
        }
        Place::Postgres(address) => PostgresStore::export(&address, &pieces).await,
    }
}

/// Makes the store at `place` of what comes, which takes place as a whole or not at all. A file must not be
/// there yet, and what is left of one after a failure counts for nothing; a database must be empty.
///
/// Challenges from before are refused afterwards, started enrolments and sessions are gone, and all hosts are looked at anew.
///
/// # Errors
/// See [`RestoreError`].
pub async fn make(
    place: Place,
    pieces: Receiver<Piece>,
    restoration: Restoration,
) -> Result<Restored, RestoreError> {
    match place {
        Place::Sqlite(path) => {
            let making = tokio::task::spawn_blocking(move || {
                SqliteStore::import(&path, pieces, &restoration)
            });
            making.await.map_err(|error| StoreError::Broken { source: Box::new(error) })?
        }
        Place::Postgres(address) => PostgresStore::import(&address, pieces, &restoration).await,
    }
}

/// Sends a piece from a thread that may wait.
pub(crate) fn send(pieces: &Sender<Piece>, piece: Piece) -> Result<(), StoreError> {
    pieces.blocking_send(piece).map_err(|_| nobody())
}

/// Nobody takes the pieces any more.
pub(crate) fn nobody() -> StoreError {
    StoreError::Unavailable { source: "what is read is not taken any more".into() }
}

/// How the columns of a table that comes lie in the table that is there.
pub(crate) fn check_columns(come: &Table, there: &[Column]) -> Result<(), RestoreError> {
    let unfit = |what: String| Err(RestoreError::Unfit { what });
    for column in there {
        if !come.columns.iter().any(|known| known.name == column.name) {
            return unfit(format!("{}.{} is missing", come.name, column.name));
        }
    }
    for (n, column) in come.columns.iter().enumerate() {
        if come.columns.iter().take(n).any(|before| before.name == column.name) {
            return unfit(format!("{}.{} comes twice", come.name, column.name));
        }
        match there.iter().find(|known| known.name == column.name) {
            None => return unfit(format!("{}.{} is not known", come.name, column.name)),
            Some(known) if known.kind != column.kind => {
                return unfit(format!("{}.{} is of another kind", come.name, column.name));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Tables in which something lies as soon as a server was started on a store, or anything happened in it.
pub(crate) const TELLING_TABLES: [&str; 4] = ["secrets", "api_tokens", "hosts", "audit"];

/// The action of the row of the audit log.
pub(crate) const ACTION: &str = "store.restore";

/// The secret by which a database's objects of evidence are known to be its own.
pub const OBJECTS_OWNER: &str = "evidence-owner";

/// What is forgotten when all is put back: enrolments that were on the way, and what people have from before,
/// which may have been ended since. That the objects of evidence are its own, too ([`OBJECTS_OWNER`]): the
/// database that wrote them may be in use, and of two at one place each would remove what only the other one knows.
pub(crate) const FORGET: [&str; 4] = [
    "DELETE FROM pending_enrolments",
    "DELETE FROM sessions",
    "DELETE FROM setup_code",
    "DELETE FROM secrets WHERE name = 'evidence-owner'",
];
/// Challenges of before are refused, since they may have been used after the backup; who is looked at is
/// everybody, since ages changed.
pub(crate) const NEWER_CHALLENGES: &str = "UPDATE hosts SET look_at_ms = 0, look_seq = look_seq + 1, \
     last_nonce_at_ms = CASE WHEN last_nonce_at_ms > $1 THEN last_nonce_at_ms ELSE $1 END";
/// Ends join tokens that are not ended yet.
pub(crate) const END_JOIN_TOKENS: &str =
    "UPDATE join_tokens SET revoked_at_ms = $1 WHERE revoked_at_ms IS NULL AND expires_at_ms > $1";
