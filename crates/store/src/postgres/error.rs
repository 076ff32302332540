//! PostgreSQL's errors in the store's words.

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::StoreError;

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        if error.code() == Some(&SqlState::CHARACTER_NOT_IN_REPERTOIRE) {
            return Self::Unstorable;
        }
        let passing = match error.code() {
            // Without a code it is the connection, or an answer that is not what was asked for.
            None => is_cut(&error),
            Some(code) => passes(code),
        };
        let source = Box::new(error);
        if passing { StoreError::Unavailable { source } } else { StoreError::Broken { source } }
    }
}

/// Whether the connection is gone.
fn is_cut(error: &Error) -> bool {
    use std::error::Error as _;
    error.is_closed() || error.source().is_some_and(|source| source.is::<std::io::Error>())
}

/// Whether it is the database's state that refuses, which may be another one soon: by class of
/// SQLSTATE. [PostgreSQL-15, appendix A]
fn passes(code: &SqlState) -> bool {
    // 08 connection; 28 the log-in, 3D no such database: an operator's work; 40 rolled back, which is
    // tried again before; 53 out of connections, disk or memory; 55P03 a lock; 57 an operator, the
    // time-out of a statement; 58 the system; 25006 a standby.
    ["08", "28", "3D", "40", "53", "57", "58"].iter().any(|class| code.code().starts_with(class))
        || *code == SqlState::LOCK_NOT_AVAILABLE
        || *code == SqlState::READ_ONLY_SQL_TRANSACTION
}

/// Whether `error` is a value that must be unique and is not.
pub(super) fn is_duplicate(error: &Error) -> bool {
    error.code() == Some(&SqlState::UNIQUE_VIOLATION)
}

/// Whether the transaction lost a race, and would see at its next try what it lost against: a
/// deadlock, or a row that was not there a moment ago, or is gone since.
pub(super) fn lost_a_race(error: &StoreError) -> bool {
    let (StoreError::Unavailable { source } | StoreError::Broken { source }) = error else {
        return false;
    };
    let Some(code) = source.downcast_ref::<Error>().and_then(Error::code) else { return false };
    [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::UNIQUE_VIOLATION,
        SqlState::FOREIGN_KEY_VIOLATION,
    ]
    .contains(code)
}
