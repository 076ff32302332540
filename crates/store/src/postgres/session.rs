//! One connection, and what was prepared on it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Connection, CopyInSink, NoTls, Row, Statement};

use super::address::{PostgresAddress, Way};
use super::listener::{self, Heard};
use super::tls::VerifiedTls;
use crate::StoreError;

/// For connecting, TLS and logging in: a database that is there does it in milliseconds; a person or
/// an agent waits meanwhile.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// How a connection is set up. No statement here takes a second; what takes ten is stuck. Who waits
/// longer than five seconds for a lock waits for somebody who is stuck. A server that went away in the
/// middle of a transaction holds its locks no longer than that either. A commit is on disk before it
/// is acknowledged, whatever the database's default is.
const SET_UP: &str = "\
    SET statement_timeout = '10s'; \
    SET lock_timeout = '5s'; \
    SET idle_in_transaction_session_timeout = '10s'; \
    SET synchronous_commit = on; \
    SET default_transaction_isolation = 'read committed'; \
    SET default_transaction_read_only = off";

/// Most statements that stay prepared. There are fewer than a hundred, but for lists, whose filters
/// make texts of their own; beyond it all are forgotten.
const STATEMENTS_MAX: usize = 256;

/// Values of a statement.
pub(super) type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A connection.
pub(super) struct Session {
    client: Client,
    statements: Mutex<HashMap<String, Statement>>,
    /// Moves bytes; ends with the connection.
    driver: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        // At once, also where it waits for a database that does not answer. What was not committed
        // is rolled back by the database as soon as it sees that.
        self.driver.abort();
    }
}

impl Session {
    pub(super) async fn connect(address: &PostgresAddress) -> Result<Self, StoreError> {
        Self::connect_for(address, None).await
    }

    /// A connection on which somebody listens.
    pub(super) async fn connect_to_hear(
        address: &PostgresAddress,
        heard: &Arc<Heard>,
    ) -> Result<Self, StoreError> {
        Self::connect_for(address, Some(heard)).await
    }

    async fn connect_for(
        address: &PostgresAddress,
        heard: Option<&Arc<Heard>>,
    ) -> Result<Self, StoreError> {
        let tls = match &address.way {
            Way::Local => None,
            Way::VerifiedTls { roots } => Some(VerifiedTls::by(roots)?),
        };
        let connecting = async {
            let session = match tls {
                None => {
                    let (client, connection) = address.config.connect(NoTls).await?;
                    Self::drive(client, connection, heard)
                }
                Some(tls) => {
                    let (client, connection) = address.config.connect(tls).await?;
                    Self::drive(client, connection, heard)
                }
            };
            session.client.batch_execute(SET_UP).await?;
            Ok::<_, tokio_postgres::Error>(session)
        };
        match tokio::time::timeout(CONNECT_MAX, connecting).await {
            Ok(Ok(session)) => Ok(session),
            // Whatever it is, an operator can mend it while we wait.
            Ok(Err(error)) => Err(StoreError::Unavailable { source: Box::new(error) }),
            Err(_) => Err(StoreError::Unavailable {
                source: format!("no connection within {} s", CONNECT_MAX.as_secs()).into(),
            }),
        }
    }

    fn drive<S, T>(client: Client, connection: Connection<S, T>, heard: Option<&Arc<Heard>>) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let driver = match heard {
            Some(heard) => tokio::spawn(listener::hear(connection, Arc::clone(heard))),
            None => tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::warn!(%error, "connection to the database lost");
                }
            }),
        };
        Self { client, statements: Mutex::default(), driver }
    }

    /// Whether the connection is known to be gone.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Statements without values, one after the other.
    pub(super) async fn batch(&self, sql: &str) -> Result<(), StoreError> {
        Ok(self.client.batch_execute(sql).await?)
    }

    /// Runs a statement, and says how many rows it changed. The error is the library's, for those who
    /// look what it is.
    pub(super) async fn try_execute(
        &self,
        sql: &str,
        values: Values<'_>,
    ) -> Result<u64, tokio_postgres::Error> {
        let statement = self.prepared(sql).await?;
        self.client.execute(&statement, values).await
    }

    /// Runs a statement, and says how many rows it changed.
    pub(super) async fn execute(&self, sql: &str, values: Values<'_>) -> Result<u64, StoreError> {
        Ok(self.try_execute(sql, values).await?)
    }

    /// All rows of a statement without values that comes once, and so need not stay prepared.
    pub(super) async fn rows_once(&self, sql: &str) -> Result<Vec<Row>, StoreError> {
        Ok(self.client.query(sql, &[]).await?)
    }

    /// Begins to copy rows into a table.
    pub(super) async fn copy_in(&self, sql: &str) -> Result<CopyInSink<Bytes>, StoreError> {
        Ok(self.client.copy_in(sql).await?)
    }

    /// All rows.
    pub(super) async fn rows(&self, sql: &str, values: Values<'_>) -> Result<Vec<Row>, StoreError> {
        let statement = self.prepared(sql).await?;
        Ok(self.client.query(&statement, values).await?)
    }

    /// All rows, each read by `read`.
    pub(super) async fn read<T>(
        &self,
        sql: &str,
        values: Values<'_>,
        read: fn(&Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.rows(sql, values).await?.iter().map(read).collect()
    }

    /// The one row that there may be.
    pub(super) async fn row_or_none(
        &self,
        sql: &str,
        values: Values<'_>,
    ) -> Result<Option<Row>, StoreError> {
        let statement = self.prepared(sql).await?;
        Ok(self.client.query_opt(&statement, values).await?)
    }

    /// The one row that there is.
    pub(super) async fn row(&self, sql: &str, values: Values<'_>) -> Result<Row, StoreError> {
        let statement = self.prepared(sql).await?;
        Ok(self.client.query_one(&statement, values).await?)
    }

    /// A statement for [`Self::send`] and [`Self::ask`].
    pub(super) async fn prepare(&self, sql: &str) -> Result<Statement, StoreError> {
        Ok(self.prepared(sql).await?)
    }

    /// As [`Self::execute`]. It is on its way as soon as this is polled: those that are polled one after
    /// the other, without waiting in between, are one flight, which the database goes through in order.
    pub(super) async fn send(
        &self,
        statement: &Statement,
        values: Values<'_>,
    ) -> Result<u64, StoreError> {
        Ok(self.client.execute(statement, values).await?)
    }

    /// As [`Self::rows`], and on its way as soon as this is polled.
    pub(super) async fn ask(
        &self,
        statement: &Statement,
        values: Values<'_>,
    ) -> Result<Vec<Row>, StoreError> {
        Ok(self.client.query(statement, values).await?)
    }

    async fn prepared(&self, sql: &str) -> Result<Statement, tokio_postgres::Error> {
        if let Some(known) = self.statements().get(sql) {
            return Ok(known.clone());
        }
        let statement = self.client.prepare(sql).await?;
        let mut statements = self.statements();
        if statements.len() >= STATEMENTS_MAX {
            statements.clear();
        }
        statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    fn statements(&self) -> std::sync::MutexGuard<'_, HashMap<String, Statement>> {
        self.statements.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("is_closed", &self.is_closed()).finish_non_exhaustive()
    }
}
