//! `bootproof-server restore`: a backup becomes a server again.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, chown},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use backup::{FileKind, Header, Item, Manifest, ReadError};
use clap::Args;
use serde::Serialize;
use server::{config::Config, database, restoring};
use store::portable::{
    self, JoinTokens, PIECES_WAITING_MAX, Piece, Place, Restoration, RestoreError, Restored,
};
use tokio::sync::{
    mpsc::{Sender, channel},
    oneshot,
};

use crate::backup::{Progress, explain, identities, open};

pub(crate) const HELP: &str = "\
All of the backup is checked before anything counts. A restore that is killed has done nothing:
run it again. A backup of an embedded database restores into PostgreSQL, and the other way round:
name the store to fill.

What happened after the backup is forgotten: hosts that joined since join anew, hosts and tokens
that were removed since are there again. Join tokens end, since it is not known which were used;
give --keep-join-tokens where nothing happened since, as in a move. Challenges from before the
restore are refused.

Examples:
  bootproof-server restore --identity key.txt /backup/bootproof-2030-01-01.bpb
  bootproof-server --data-dir /srv/new --store postgres://… restore --keep-join-tokens FILE

Exit codes: 0 done, 1 nothing was restored, 2 wrong use.";

/// `bootproof-server restore`
#[derive(Args)]
pub(crate) struct Restore {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A file with an identity of age that opens it (may be repeated)
    #[arg(long, short, value_name = "FILE")]
    identity: Vec<PathBuf>,
    /// Let join tokens count on: nothing happened after the backup
    #[arg(long)]
    keep_join_tokens: bool,
    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
}

/// What was done.
#[derive(Serialize)]
struct Done {
    backup: Header,
    restored_at_ms: i64,
    join_tokens_ended: u64,
    files: Vec<PathBuf>,
}

/// A file of the backup, until all of it is known to be sound.
struct Kept {
    kind: FileKind,
    name: String,
    bytes: Vec<u8>,
}

pub(crate) fn run(command: &Restore, config: &Config) -> anyhow::Result<()> {
    let data_dir = &config.data_dir;
    let identities = identities(&command.identity)?;
    let (input, n_bytes, _) = open(&command.file)?;
    fs::create_dir_all(data_dir)
        .with_context(|| format!("{} cannot be made", data_dir.display()))?;
    let mark = restoring::folder(data_dir);
    if !mark.exists() {
        check_empty(data_dir)?;
    }
    // What lies in the folder, and beside it, is of a restore that was killed.
    clear(&mark)?;
    let place = match database::place(config)? {
        Place::Sqlite(_) => Place::Sqlite(mark.join(database::FILE)),
        postgres @ Place::Postgres(_) => postgres,
    };
    let join_tokens = if command.keep_join_tokens { JoinTokens::Stay } else { JoinTokens::End };
    let progress = Progress::of_bytes(n_bytes);
    let input = progress.reading(input);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let outcome = runtime.block_on(restore(
        move |take: &mut dyn FnMut(Item) -> Result<(), ReadError>| {
            ::backup::read(input, &identities, take)
        },
        place,
        join_tokens,
        data_dir,
        &command.file,
    ));
    progress.end();
    let done = match outcome {
        Ok(done) => done,
        Err(error) => {
            drop(fs::remove_dir_all(&mark));
            return Err(error);
        }
    };
    fs::remove_dir_all(&mark)?;
    sync_folder(data_dir)?;
    tell(&done, command.json)
}

/// Reads on a thread of its own, and fills the store beside it.
async fn restore(
    read: impl FnOnce(&mut dyn FnMut(Item) -> Result<(), ReadError>) -> Result<Manifest, ReadError>
    + Send
    + 'static,
    place: Place,
    join_tokens: JoinTokens,
    data_dir: &Path,
    file: &Path,
) -> anyhow::Result<Done> {
    let (sender, pieces) = channel(PIECES_WAITING_MAX);
    let (first, header) = oneshot::channel();
    let reading = tokio::task::spawn_blocking(move || {
        let mut first = Some(first);
        let mut kept = Vec::new();
        let manifest = read(&mut |item| take(item, &mut first, &mut kept, &sender))?;
        Ok::<_, ReadError>((manifest, kept, sender))
    });
    let Ok(header) = header.await else {
        // Not even a header: the reader says why.
        return match reading.await? {
            Err(error) => Err(explain(error, file)),
            Ok(_) => anyhow::bail!("the backup has no header"),
        };
    };
    let detail = serde_json::json!({
        "backup": header.id, "created_at_ms": header.created_at_ms, "from": header.store,
    });
    let restoration = Restoration { schema: header.schema, detail, join_tokens };
    let into_file = matches!(place, Place::Sqlite(_));
    let making = tokio::spawn(portable::make(place, pieces, restoration));
    let (manifest, kept, sender) = match reading.await? {
        Ok(read) => read,
        Err(ReadError::Stopped) => {
            let made = making.await?;
            return match made {
                // The same state is there already: what was missing is put beside it.
                Err(RestoreError::Done) => done_before(header, data_dir, file),
                Err(error) => Err(refused(error)),
                Ok(_) => anyhow::bail!("the store ended before the backup"),
            };
        }
        Err(error) => {
            drop(making.await?);
            return Err(explain(error, file));
        }
    };
    // From here on the whole of it is known to be sound.
    let files = put_files(&kept, data_dir)?;
    let undo = || files.iter().for_each(|path| drop(fs::remove_file(path)));
    // One who does not take it has ended, and says why.
    drop(sender.send(Piece::End).await);
    drop(sender);
    let Restored { at_ms, n_join_tokens_ended } = match making.await? {
        Ok(restored) => restored,
        Err(RestoreError::Done) => return done_before(header, data_dir, file),
        Err(error) => {
            undo();
            return Err(refused(error));
        }
    };
    if into_file {
        let made = restoring::folder(data_dir).join(database::FILE);
        own(&made, data_dir)?;
        fs::rename(&made, data_dir.join(database::FILE))?;
        sync_folder(data_dir)?;
    }
    Ok(Done {
        backup: manifest.header,
        restored_at_ms: at_ms,
        join_tokens_ended: n_join_tokens_ended,
        files,
    })
}

/// The same state is in the database already. Files are put before that, so a restore that was killed at its
/// very end has left them.
fn done_before(header: Header, data_dir: &Path, file: &Path) -> anyhow::Result<Done> {
    anyhow::ensure!(
        data_dir.join("ca.key").exists(),
        "{} was restored into this database before: copy ca.pem and ca.key from a server on it, and start",
        file.display()
    );
    let (restored_at_ms, join_tokens_ended) = (header.created_at_ms, 0);
    Ok(Done { backup: header, restored_at_ms, join_tokens_ended, files: Vec::new() })
}

/// Takes what is read: files are kept until the end, pieces go on.
fn take(
    item: Item,
    first: &mut Option<oneshot::Sender<Header>>,
    kept: &mut Vec<Kept>,
    sender: &Sender<Piece>,
) -> Result<(), ReadError> {
    match item {
        Item::Header(header) => match first.take() {
            Some(first) => first.send(header).map_err(|_| ReadError::Stopped),
            None => Ok(()),
        },
        Item::File { kind, name, bytes } => {
            kept.push(Kept { kind, name, bytes });
            Ok(())
        }
        Item::Piece(piece) => sender.blocking_send(piece).map_err(|_| ReadError::Stopped),
    }
}

fn refused(error: RestoreError) -> anyhow::Error {
    let hint = match &error {
        RestoreError::NotEmpty { .. } => "restore into an empty one; nothing was changed",
        RestoreError::Unfit { .. } => {
            "the backup was made by another Bootproof; nothing was changed"
        }
        _ => "nothing was changed",
    };
    anyhow::Error::from(error).context(format!("the store cannot be filled ({hint})"))
}

/// Refuses a folder in which a server lives, or lived.
fn check_empty(data_dir: &Path) -> anyhow::Result<()> {
    let mut there = Vec::new();
    for entry in fs::read_dir(data_dir)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let is_key = [".pem", ".key", ".crt"].iter().any(|end| name.ends_with(end));
        if is_key || name.starts_with(database::FILE) || name == "admin.toml" {
            there.push(name);
        }
    }
    there.sort();
    anyhow::ensure!(
        there.is_empty(),
        "{} is not empty: it has {}; restore into an empty folder, nothing was changed",
        data_dir.display(),
        there.join(", ")
    );
    Ok(())
}

/// Makes the mark, with nothing in it.
fn clear(mark: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(mark) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    fs::create_dir(mark).with_context(|| format!("{} cannot be made", mark.display()))?;
    Ok(sync_folder(mark.parent().unwrap_or(mark))?)
}

fn put_files(kept: &[Kept], data_dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut put = Vec::new();
    for Kept { kind, name, bytes } in kept {
        let folder = match kind {
            FileKind::Data => data_dir.to_owned(),
            FileKind::Config => data_dir.join("restored-config"),
        };
        fs::create_dir_all(&folder)?;
        let made = restoring::folder(data_dir).join(name);
        let cannot = || format!("{} cannot be written", made.display());
        let mode = if name.ends_with(".pem") { 0o644 } else { 0o600 };
        let mut file = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(mode)
            .open(&made)
            .with_context(cannot)?;
        file.write_all(bytes).and_then(|()| file.sync_all()).with_context(cannot)?;
        own(&made, data_dir)?;
        let path = folder.join(name);
        fs::rename(&made, &path)?;
        put.push(path);
    }
    sync_folder(data_dir)?;
    Ok(put)
}

/// Gives a file to the folder's owner: who restores is often another user than the server's.
fn own(file: &Path, data_dir: &Path) -> anyhow::Result<()> {
    let (owner, made_by) = (fs::metadata(data_dir)?, fs::metadata(file)?);
    if (owner.uid(), owner.gid()) != (made_by.uid(), made_by.gid()) {
        chown(file, Some(owner.uid()), Some(owner.gid()))
            .with_context(|| format!("{} cannot be given to the server's user", file.display()))?;
    }
    Ok(())
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn tell(done: &Done, json: bool) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut stdout, done)?;
        writeln!(stdout)?;
        return Ok(());
    }
    writeln!(stdout, "restored: backup {} of {}", done.backup.id, done.backup.program)?;
    for file in &done.files {
        writeln!(stdout, "with {}", file.display())?;
    }
    if done.join_tokens_ended > 0 {
        writeln!(stdout, "{} join tokens were ended: make new ones", done.join_tokens_ended)?;
    }
    writeln!(
        stdout,
        "what was removed or revoked after the backup is back: look at tokens and hosts"
    )?;
    writeln!(stdout, "compare the configuration in restored-config, then start the server")?;
    Ok(())
}
