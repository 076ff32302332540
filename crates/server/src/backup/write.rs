//! Writing it.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    time::SystemTime,
};

use ::backup::{
    FILE_BYTES_MAX, FileKind, Header, Manifest, Writer,
    age::{Encryptor, Recipient},
};
use anyhow::Context as _;
use server::{config::Config, database};
use store::portable::{self, PIECES_WAITING_MAX, Piece, Place};
use tokio::sync::mpsc::{Receiver, channel};
use zeroize::Zeroizing;

use super::{
    Backup, Progress,
    file::NewFile,
    report::{Encryption, Report},
};

/// Files of the data folder that are not made anew: keys and certificates of authorities.
const KEPT: [&str; 3] = ["pem", "key", "crt"];

/// A file that goes in.
struct Kept {
    kind: FileKind,
    name: String,
    path: PathBuf,
    bytes: Zeroizing<Vec<u8>>,
}

pub(super) fn run(
    command: &Backup,
    path: &Path,
    recipients: Vec<Recipient>,
    config: &Config,
    config_file: Option<&Path>,
) -> anyhow::Result<()> {
    anyhow::ensure!(
        command.overwrite || !path.exists(),
        "{} is there already: name another file, or give --overwrite",
        path.display()
    );
    let place = database::place(config)?;
    let kept = kept(config, config_file)?;
    let header = header(&place)?;
    let encryption = if recipients.is_empty() { Encryption::None } else { Encryption::Age };
    let file = NewFile::begin(path)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let written = runtime.block_on(async {
        let (sender, pieces) = channel(PIECES_WAITING_MAX);
        let writing =
            tokio::task::spawn_blocking(move || write(file, &recipients, header, &kept, pieces));
        let (read, written) = tokio::join!(portable::read(place, sender), writing);
        match (read, written?) {
            // Who reads hears that nobody takes it; the cause is at the other end.
            (_, Err(error)) if !is_cut(&error) => Err(anyhow::Error::from(error).context(format!(
                "{} cannot be written; what was there is as it was",
                path.display()
            ))),
            (Err(error), _) => Err(anyhow::Error::from(error).context("the store cannot be read")),
            (Ok(()), written) => Ok(written?),
        }
    });
    let (manifest, n_bytes) = written?;
    Report::new(path, n_bytes, encryption, &manifest).print(command.json)
}

/// The pieces ended before the end.
#[derive(Debug, thiserror::Error)]
#[error("the store was not read to its end")]
struct Cut;

fn is_cut(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Cut>())
}

fn write(
    file: NewFile,
    recipients: &[Recipient],
    header: Header,
    kept: &[Kept],
    pieces: Receiver<Piece>,
) -> io::Result<(Manifest, u64)> {
    if recipients.is_empty() {
        let (manifest, file) = fill(Writer::begin(file, header)?, kept, pieces)?;
        return Ok((manifest, file.finish()?));
    }
    let sealed = Encryptor::begin(file, recipients)?;
    let (manifest, sealed) = fill(Writer::begin(sealed, header)?, kept, pieces)?;
    Ok((manifest, sealed.finish()?.finish()?))
}

fn fill<W: Write>(
    mut writer: Writer<W>,
    kept: &[Kept],
    mut pieces: Receiver<Piece>,
) -> io::Result<(Manifest, W)> {
    for Kept { kind, name, path, bytes } in kept {
        writer.file(*kind, name, path.display().to_string(), bytes)?;
    }
    let progress = Progress::of_rows();
    let outcome = loop {
        match pieces.blocking_recv() {
            None => break Err(io::Error::other(Cut)),
            Some(Piece::End) => break Ok(()),
            Some(piece) => {
                if let Err(error) = writer.piece(piece) {
                    break Err(error);
                }
                progress.at(writer.n_rows());
            }
        }
    };
    progress.end();
    outcome?;
    writer.finish()
}

fn header(place: &Place) -> anyhow::Result<Header> {
    let mut id = [0; 16];
    aws_lc_rs::rand::fill(&mut id).context("no random bytes")?;
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(Header {
        format: ::backup::FORMAT,
        id: hex::encode(id),
        program: concat!("bootproof-server ", env!("CARGO_PKG_VERSION")).to_owned(),
        schema: portable::schema_known(),
        store: match place {
            Place::Sqlite(_) => "sqlite",
            Place::Postgres(_) => "postgresql",
        }
        .to_owned(),
        created_at_ms: i64::try_from(since.as_millis())?,
    })
}

/// Keys and certificates of the data folder, the configuration and the files that it names.
fn kept(config: &Config, config_file: Option<&Path>) -> anyhow::Result<Vec<Kept>> {
    let mut kept = Vec::new();
    let folder = &config.data_dir;
    let cannot = || format!("{} cannot be read", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if path.is_file() && extension.is_some_and(|extension| KEPT.contains(&extension)) {
            paths.push(path);
        }
    }
    paths.sort();
    for path in paths {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        kept.push(read(FileKind::Data, name.unwrap_or_default(), path)?);
    }
    anyhow::ensure!(
        kept.iter().any(|kept| kept.name == "ca.key"),
        "{} has no ca.key: it is not the data folder of a server, or not readable by this user",
        folder.display()
    );
    let named = [
        ("server.toml", config_file),
        ("policy.toml", config.policy.as_deref()),
        ("dbx.bin", config.dbx.as_deref()),
    ];
    for (name, path) in named {
        if let Some(path) = path {
            kept.push(read(FileKind::Config, name.to_owned(), path.to_owned())?);
        }
    }
    for (n, path) in config.oidc.iter().flat_map(|oidc| oidc.files()).enumerate() {
        kept.push(read(FileKind::Config, format!("oidc-{n}.txt"), path.clone())?);
    }
    if let Some(file) = &config.policy {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("{} cannot be read", file.display()))?;
        for (n, name) in policy::named_files(&text).into_iter().enumerate() {
            let path = file.with_file_name(&name);
            let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
            let name = format!("policy-{n}-{}", name.chars().map(plain).collect::<String>());
            kept.push(read(FileKind::Config, name, path)?);
        }
    }
    Ok(kept)
}

fn read(kind: FileKind, name: String, path: PathBuf) -> anyhow::Result<Kept> {
    let cannot = || format!("{} cannot be read", path.display());
    let n_bytes = std::fs::metadata(&path).with_context(cannot)?.len();
    anyhow::ensure!(
        n_bytes <= FILE_BYTES_MAX,
        "{} has {n_bytes} bytes, and a file of a backup {FILE_BYTES_MAX} at most",
        path.display()
    );
    let bytes = Zeroizing::new(std::fs::read(&path).with_context(cannot)?);
    Ok(Kept { kind, name, path, bytes })
}
