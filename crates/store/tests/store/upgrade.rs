//! Databases of each schema that there was, with rows, are brought up to date: they have the schema of a new one
//! then, and everything that was in them.

use std::process::Command;

use store::{AuditChain, AuditRow, HostFilter, PostgresStore, SqliteStore, Store};
use testkit::postgres::Database;

use crate::suite::make::{appraisal, by, digest, host};

/// The files of SQLite, in order.
const SQLITE: &str = "migrations";
/// The files of PostgreSQL, from version 4 on.
const POSTGRES: &str = "migrations/postgres";

/// Rows that a schema newly has room for, in words that both databases understand but for their bytes. Each is
/// written when its schema is there and the next is not; what comes later brings them along.
const ROWS: &[(i64, &str)] = &[
    (
        1,
        "INSERT INTO secrets (name, value) VALUES ('key', X'0102');
         INSERT INTO api_tokens (name, secret_sha256, role, created_at_ms)
            VALUES ('admin', $T, 'admin', 1);
         INSERT INTO join_tokens (id, secret_sha256, expires_at_ms, approval, note, created_at_ms)
            VALUES ('t', $T, 1000000, 'not-required', 'rack 4', 1);
         INSERT INTO trust_roots (sha256, der, name, source, added_at_ms)
            VALUES ($T, X'30', 'Vendor', 'test', 1);
         INSERT INTO hosts (id, name, created_at_ms, api_token_sha256, connection, approval, tpm,
                identity_version, last_nonce_at_ms, last_at_ms, last_verdict, last_findings_json)
            VALUES ('h', 'web-1', 1, $T, 'connected', 'not-required', 'present', 1, 5, 6,
                'accepted', '[]');
         INSERT INTO identities VALUES ('h', X'01', X'02', '[\"03\"]', $T, X'05', X'06', '{}', 1);
         INSERT INTO appraisals (host_id, at_ms, verdict, document_json)
            VALUES ('h', 6, 'accepted', '{}');
         INSERT INTO evidence (sha256, bytes) VALUES ($T, X'6c6f67');
         INSERT INTO appraisal_evidence
            SELECT appraisals.id, 0, 'log', evidence.id FROM appraisals, evidence;
         UPDATE hosts SET last_appraisal_id = (SELECT max(id) FROM appraisals);",
    ),
    (
        2,
        "INSERT INTO reference_documents (sha256, bytes) VALUES ($T, X'7b7d');
         INSERT INTO boot_references (id, host_id, name, origin, state, uses, document_id,
                created_at_ms, created_by, reason)
            SELECT 'r', 'h', 'first', 'learnt', 'active', 'any', id, 1, 'alice', 'x'
            FROM reference_documents;
         INSERT INTO reference_changes SELECT seq, 0, 1, 'alice', 'active', 'x' FROM boot_references;
         UPDATE hosts SET cohort = 'c';
         INSERT INTO quoted_values VALUES ('h', 7, 'c', 'sha256', X'07');",
    ),
    (
        3,
        "INSERT INTO candidates VALUES ('h', $T, '{}', 1, 2, 3, NULL);
         INSERT INTO past_identities VALUES ('h', 0, X'01', NULL, '[]', $T, X'05', X'06', '{}', 1);
         UPDATE hosts SET last_identity_version = 1;",
    ),
    (4, "UPDATE hosts SET labels_json = '{\"site\":\"x\"}', maintenance_reason = 'disk';"),
    (
        5,
        "INSERT INTO alarms (host_id, code, severity, cause, raised_at_ms)
            VALUES ('h', 'secure-boot-off', 'fail', 'x', 6);",
    ),
    (17, "INSERT INTO report_runs (name, served_ms, sent_at_ms) VALUES ('weekly', 7, 8);"),
];

/// The files of a folder: version and text.
fn migrations(folder: &str) -> Vec<(i64, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .map(|path| {
            let version = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
            (version, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// The rows of a schema, with bytes as the database has them.
fn rows(version: i64, bytes: impl Fn(&str) -> String) -> String {
    let rows = ROWS.iter().find(|(of, _)| *of == version).map_or("", |(_, rows)| *rows);
    let text = rows.replace("$T", &format!("X'{}'", hex(&digest("t"))));
    let mut parts = text.split("X'");
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        let (hex, rest) = part.split_once('\'').unwrap();
        out += &bytes(hex);
        out += rest;
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The first row of an audit log.
fn audit_row() -> AuditRow {
    let [actor, action, subject, detail_json] =
        ["alice", "host.create", "host:h", "{}"].map(str::to_owned);
    let mut row =
        AuditRow { seq: 1, at_ms: 1, actor, action, subject, detail_json, sha256: [0; 32] };
    row.sha256 = row.seal(&[0; 32]);
    row
}

/// Everything is there that a schema had room for, and goes on.
async fn check(store: &dyn Store, version: i64) {
    assert_eq!(store.secret_or_insert("key", vec![9]).await.unwrap(), [1, 2]);
    assert_eq!(store.api_tokens().await.unwrap().len(), 1);
    assert_eq!(store.join_tokens().await.unwrap()[0].note, "rack 4");
    assert_eq!(store.trust_roots().await.unwrap().roots.len(), 1);
    let hosts = store.hosts(HostFilter::default(), None, 10).await.unwrap();
    assert_eq!(hosts.len(), 1);
    let known = &hosts[0];
    let last = known.last.as_ref().unwrap();
    assert_eq!((known.name.as_str(), last.verdict.as_str()), ("web-1", "accepted"));
    let evidence = store.evidence(last.id).await.unwrap();
    assert_eq!((evidence.len(), evidence[0].bytes.as_slice()), (1, &b"log"[..]));
    let lines = store.appraisal_lines(&known.id, 10).await.unwrap();
    assert_eq!(lines[0].decided_by, store::DecidedBy::NotRecorded, "from {version}");
    assert_eq!(known.stood, store::Stood::Accepted, "from {version}");
    let references = store.references(0, 10).await.unwrap();
    assert_eq!(references.len(), usize::from(version >= 2));
    assert_eq!(store.peers(&known.id).await.unwrap().is_some(), version >= 2);
    assert_eq!(known.candidate.is_some(), version >= 3);
    assert_eq!(store.past_identity(&known.id, 0).await.unwrap().is_some(), version >= 3);
    assert_eq!(store.label_counts(Some("site")).await.unwrap().len(), usize::from(version >= 4));
    assert_eq!(store.alarm_groups(10).await.unwrap().len(), usize::from(version >= 5));
    let audit = store.audit(0, 10).await.unwrap();
    assert_eq!(audit, [audit_row()]);

    let id = store.record_appraisal(appraisal(known, 10), by(10)).await.unwrap();
    assert!(id > last.id);
    assert_eq!(host(store, &known.id).await.last.unwrap().id, id);
    store.remove_host(&known.id, by(11)).await.unwrap();
    let mut chain = AuditChain::default();
    store.audit(0, 10).await.unwrap().iter().for_each(|row| chain.check(row).unwrap());
}

/// All that makes a schema, as SQLite says it.
fn schema(path: &std::path::Path) -> Vec<(String, String, Option<String>)> {
    let db = rusqlite::Connection::open(path).unwrap();
    let mut statement =
        db.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[tokio::test]
async fn sqlite_of_each_schema_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let new = folder.path().join("new.db");
    drop(SqliteStore::open(&new).unwrap());
    let files = migrations(SQLITE);
    assert_eq!(files.last().unwrap().0, store::portable::schema_known());
    for last in 1..=files.len() {
        let path = folder.path().join(format!("{last}.db"));
        let db = rusqlite::Connection::open(&path).unwrap();
        db.execute_batch(
            "PRAGMA foreign_keys = ON;
             CREATE TABLE schema_version (
                version INTEGER PRIMARY KEY, applied_at_ms INTEGER NOT NULL) STRICT;
             PRAGMA application_id = 1112560198",
        )
        .unwrap();
        for (version, sql) in files.iter().take(last) {
            db.execute_batch(sql).unwrap();
            db.execute("INSERT INTO schema_version VALUES (?1, 0)", [version]).unwrap();
            db.execute_batch(&rows(*version, |hex| format!("X'{hex}'"))).unwrap();
        }
        let row = audit_row();
        db.execute(
            "INSERT INTO audit VALUES (1, 1, ?1, ?2, ?3, ?4, ?5)",
            (row.actor, row.action, row.subject, row.detail_json, row.sha256),
        )
        .unwrap();
        drop(db);
        let store = SqliteStore::open(&path).unwrap();
        check(&store, i64::try_from(last).unwrap()).await;
        drop(store);
        let plain = |path| {
            let mut schema = schema(path);
            // How often blanks stand in it says where it was written.
            for (_, _, sql) in &mut schema {
                *sql = sql.take().map(|sql| sql.split_whitespace().collect::<Vec<_>>().join(" "));
            }
            schema
        };
        assert_eq!(plain(&path), plain(&new), "from {last}");
    }
}

/// All that makes a schema, as PostgreSQL says it.
fn dumped(database: &Database) -> String {
    let dump = Command::new("pg_dump")
        .args(["--schema-only", "--no-owner", "-d", &database.address()])
        .output()
        .expect(
            "pg_dump of Debian's package postgresql-client-common: `cargo xtask test` installs it",
        );
    assert!(dump.status.success(), "{dump:?}");
    let text = String::from_utf8(dump.stdout).unwrap();
    // Each dump has a word of its own between its lines.
    text.lines().filter(|line| !line.starts_with('\\')).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn postgresql_of_each_schema_is_brought_up_to_date() {
    let new = Database::new().unwrap();
    drop(PostgresStore::open(new.address().parse().unwrap()).await.unwrap());
    let new = dumped(&new);
    assert!(new.contains("CREATE TABLE public.hosts"), "{new}");
    let files = migrations(POSTGRES);
    assert_eq!(files.last().unwrap().0, store::portable::schema_known());
    let first = files[0].0;
    for (last, _) in &files {
        let database = Database::new().unwrap();
        let bytes = |hex: &str| format!("'\\x{hex}'::bytea");
        let mut sql =
            "CREATE TABLE bootproof_schema (version BIGINT PRIMARY KEY, applied_at_ms BIGINT NOT NULL);\n"
                .to_owned();
        for (version, text) in files.iter().filter(|(version, _)| version <= last) {
            sql += text;
            sql += &format!(";\nINSERT INTO bootproof_schema VALUES ({version}, 0);\n");
            let came = if *version == first { 1..=first } else { *version..=*version };
            came.for_each(|version| sql += &rows(version, bytes));
        }
        let row = audit_row();
        let seal = hex(&row.sha256);
        sql += &format!(
            "INSERT INTO audit VALUES (1, 1, '{}', '{}', '{}', '{}', '\\x{seal}'::bytea);
             UPDATE audit_head SET seq = 1, sha256 = '\\x{seal}'::bytea;",
            row.actor, row.action, row.subject, row.detail_json
        );
        database.psql(&sql).unwrap();
        let store = PostgresStore::open(database.address().parse().unwrap()).await.unwrap();
        check(&store, *last).await;
        drop(store);
        assert_eq!(dumped(&database), new, "from {last}");
    }
}
