//! The limit: what an attestation cannot cost less than, on TLS with durable verdicts. One signature is
//! verified, the log is hashed once and replayed to what was signed, and what is new is committed to disk before
//! the answer, with others that wait. There is no HTTP, no JSON, no look at who asks, and no judgement.

use std::{hint::black_box, path::PathBuf, sync::Arc};

use anyhow::{Context as _, ensure};
use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey},
};
use clap::Parser;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::{ServerConfig, crypto::aws_lc_rs as provider, pki_types::PrivateKeyDer};
use server_bench::{
    frame::{ANSWER_BYTES, REQUEST_BYTES_MAX, Request, VERDICT_BYTES},
    guest::limit_pcrs,
    replay::{self, Replayed},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
};
use tokio_rustls::TlsAcceptor;

/// Verdicts in one transaction, as the server has.
const BATCH_MAX: usize = 256;

/// The least that a server can do; for `server-bench`
#[derive(Parser)]
struct Arguments {
    /// The folder for the database, and for the files `address` and `ca.pem`; `keys` lies there: a point of
    /// P-256 in hex on each line
    folder: PathBuf,
    /// Do not replay the log: what was found in one of this digest is known
    #[arg(long)]
    knows_log: bool,
}

fn main() -> anyhow::Result<()> {
    let Arguments { folder, knows_log } = Arguments::parse();
    let log = if knows_log { Log::Known } else { Log::Replayed };
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(folder, log))
}

/// What becomes of a log, beside its hash.
#[derive(Clone, Copy)]
enum Log {
    Known,
    Replayed,
}

async fn run(folder: PathBuf, log: Log) -> anyhow::Result<()> {
    let (tls, ca_pem) = tls()?;
    let mut keys = Vec::new();
    for line in std::fs::read_to_string(folder.join("keys"))?.lines() {
        keys.push(ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, hex::decode(line)?)?);
    }
    let keys = Arc::new(keys);
    let (rows, waiting) = mpsc::channel(4 * BATCH_MAX);
    let db = open(&folder, keys.len())?;
    std::thread::spawn(move || write(&db, waiting));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    std::fs::write(folder.join("ca.pem"), ca_pem)?;
    // Last, and as a whole: who finds it finds all.
    std::fs::write(folder.join("address.new"), listener.local_addr()?.to_string())?;
    std::fs::rename(folder.join("address.new"), folder.join("address"))?;
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    loop {
        let (stream, _) = listener.accept().await?;
        let (acceptor, keys, rows) = (acceptor.clone(), Arc::clone(&keys), rows.clone());
        // One that ends is one that the other side ended.
        tokio::spawn(async move { drop(serve(stream, &acceptor, &keys, log, &rows).await) });
    }
}

/// As the server has it: an authority, and a certificate of P-256.
fn tls() -> anyhow::Result<(ServerConfig, String)> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let root = params.self_signed(&key)?;
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()])?;
    let leaf = params.signed_by(&key, &issuer)?;
    let builder = ServerConfig::builder_with_provider(Arc::new(provider::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?;
    let secret = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let chain = vec![leaf.der().clone(), root.der().clone()];
    let mut config = builder.with_no_client_auth().with_single_cert(chain, secret)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((config, root.pem()))
}

async fn serve(
    stream: TcpStream,
    acceptor: &TlsAcceptor,
    keys: &[ParsedPublicKey],
    log: Log,
    rows: &mpsc::Sender<Row>,
) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = acceptor.accept(stream).await?;
    let mut bytes = Vec::new();
    loop {
        let n_bytes = usize::try_from(stream.read_u32().await?)?;
        ensure!(n_bytes <= REQUEST_BYTES_MAX, "a request is too long");
        bytes.resize(n_bytes, 0);
        stream.read_exact(&mut bytes).await?;
        let request = Request::read(&bytes)?;
        let key = usize::try_from(request.host).ok().and_then(|host| keys.get(host));
        let is_good = key.context("no such host")?.verify_sig(request.attest, request.signature);
        black_box(digest(&SHA256, request.log));
        if let Log::Replayed = log {
            let digest = Replayed::of(request.log)?.digest(limit_pcrs().iter())?;
            replay::check(request.attest, &digest)?;
        }
        let (done, committed) = oneshot::channel();
        let new = [request.attest, request.signature, request.values].concat();
        rows.send(Row { host: request.host, new, done }).await.ok().context("no writer")?;
        committed.await?;
        let mut answer = [0; ANSWER_BYTES];
        answer[0] = u8::from(is_good.is_ok());
        stream.write_all(&answer).await?;
    }
}

/// What is new of an attestation.
struct Row {
    host: u32,
    new: Vec<u8>,
    done: oneshot::Sender<()>,
}

fn open(folder: &std::path::Path, n_hosts: usize) -> anyhow::Result<rusqlite::Connection> {
    let db = rusqlite::Connection::open(folder.join("limit.db"))?;
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE hosts (id INTEGER PRIMARY KEY, last INTEGER);
         CREATE TABLE verdicts (id INTEGER PRIMARY KEY, host INTEGER, evidence BLOB, verdict BLOB);
         BEGIN",
    )?;
    for id in 0..n_hosts {
        db.prepare_cached("INSERT INTO hosts (id) VALUES (?1)")?.execute([i64::try_from(id)?])?;
    }
    db.execute_batch("COMMIT")?;
    Ok(db)
}

/// Commits what waits together, then answers all.
fn write(db: &rusqlite::Connection, mut waiting: mpsc::Receiver<Row>) {
    let mut batch = Vec::new();
    while waiting.blocking_recv_many(&mut batch, BATCH_MAX) > 0 {
        // Where it fails nobody is answered, and the benchmark ends with that.
        if commit(db, &batch).is_err() {
            return;
        }
        for row in batch.drain(..) {
            // One who left does not hear.
            let _ = row.done.send(());
        }
    }
}

fn commit(db: &rusqlite::Connection, batch: &[Row]) -> rusqlite::Result<()> {
    db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    for row in batch {
        db.prepare_cached("INSERT INTO verdicts (host, evidence, verdict) VALUES (?1, ?2, ?3)")?
            .execute((row.host, &row.new, [7_u8; VERDICT_BYTES].as_slice()))?;
        let last = db.last_insert_rowid();
        db.prepare_cached("UPDATE hosts SET last = ?2 WHERE id = ?1")?.execute((row.host, last))?;
    }
    db.prepare_cached("COMMIT")?.execute([]).map(drop)
}
