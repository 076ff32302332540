//! `bootproof-server backup verify`: whether a file is a sound backup.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use ::backup::{ReadError, age};
use anyhow::Context as _;
use clap::Args;

use super::report::{Encryption, Report};
use super::{Progress, identities};

/// `bootproof-server backup verify`
#[derive(Args)]
pub(super) struct Verify {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A file with an identity of age that opens it (may be repeated)
    #[arg(long, short, value_name = "FILE")]
    identity: Vec<PathBuf>,
    /// Print what is in it as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &Verify) -> anyhow::Result<()> {
    let path = &command.file;
    let (input, n_bytes, encryption) = open(path)?;
    let identities = identities(&command.identity)?;
    let progress = Progress::of_bytes(n_bytes);
    let manifest = ::backup::read(progress.reading(input), &identities, |_| Ok(()));
    progress.end();
    let manifest = manifest.map_err(|error| explain(error, path))?;
    let (found, known) = (manifest.header.schema, store::portable::schema_known());
    Report::new(path, n_bytes, encryption, &manifest).print(command.json)?;
    anyhow::ensure!(
        found <= known,
        "it is sound, but a newer Bootproof wrote it: its schema is {found}, and this program knows {known}"
    );
    Ok(())
}

/// Opens a backup: its bytes, its length, and whether it is encrypted.
pub(crate) fn open(path: &Path) -> anyhow::Result<(impl Read + use<>, u64, Encryption)> {
    let cannot = || format!("{} cannot be read", path.display());
    let mut file = File::open(path).with_context(cannot)?;
    let n_bytes = file.metadata().with_context(cannot)?.len();
    let mut start = Vec::new();
    let n_start = u64::try_from(age::MAGIC.len())?;
    file.by_ref().take(n_start).read_to_end(&mut start).with_context(cannot)?;
    let encryption = if start == age::MAGIC { Encryption::Age } else { Encryption::None };
    Ok((std::io::Cursor::new(start).chain(file), n_bytes, encryption))
}

/// With the next step.
pub(crate) fn explain(error: ReadError, path: &Path) -> anyhow::Error {
    let hint = match &error {
        ReadError::Encrypted => "name the file of the identity with --identity",
        ReadError::Age(age::AgeError::NotForUs) => "name the identity of one of its recipients",
        ReadError::Newer { .. } => "use the Bootproof that wrote it, or a newer one",
        ReadError::Truncated | ReadError::Damaged { .. } | ReadError::Age(_) => {
            "take another copy of it, or an older backup"
        }
        ReadError::Bomb => "do not trust where it came from",
        ReadError::Audit(_) => "take an older backup, and look who had access to the database",
        _ => "nothing was changed",
    };
    anyhow::Error::from(error).context(format!("{} is no sound backup ({hint})", path.display()))
}
