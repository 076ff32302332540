//! Outputs of an ESXi host, from files or standard input.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use anyhow::{Context as _, anyhow};
use doctor::{
    Checklist, Profile,
    esxi::{FILE_BYTES_MAX, Host},
};

use crate::{args::Doctor, error::CliError, output::Output};

pub(super) fn look(command: &Doctor, output: &Output) -> Result<Checklist, CliError> {
    let named = command.profile.map(Profile::from);
    if named == Some(Profile::Linux) {
        return Err(CliError::with_hint(
            anyhow!("--esxi and --profile linux do not go together"),
            "name the version of ESXi (esxi-6.7, esxi-7, esxi-8, esx-9), or leave --profile out",
        ));
    }
    let mut host = Host::new().map_err(|_| anyhow!("the signatures of logs are damaged"))?;
    for file in &command.esxi {
        let (name, bytes) = read(file)?;
        if bytes.len() > FILE_BYTES_MAX {
            output.note(&format!(
                "{name}: only the first {} MiB are looked at; `bootproof diagnose` reads all of a log",
                FILE_BYTES_MAX >> 20
            ));
        }
        host.read(&name, &bytes);
    }
    for (secret, _, n) in host.removed().iter() {
        output.note(&format!(
            "{n} x {} in the outputs: taken out, and kept nowhere",
            secret.as_str()
        ));
    }
    let profile = named.unwrap_or_else(|| host.profile());
    Ok(Checklist::of(host.observe(profile), profile))
}

/// The name that is shown, and one byte more than is looked at, so that it shows that there is more.
fn read(path: &Path) -> Result<(String, Vec<u8>), CliError> {
    let bytes_max = FILE_BYTES_MAX as u64 + 1;
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        io::stdin().lock().take(bytes_max).read_to_end(&mut bytes)?;
        return Ok(("standard input".to_owned(), bytes));
    }
    let name = path.display().to_string();
    File::open(path)
        .and_then(|file| file.take(bytes_max).read_to_end(&mut bytes))
        .with_context(|| format!("{name} cannot be read"))?;
    Ok((name, bytes))
}
