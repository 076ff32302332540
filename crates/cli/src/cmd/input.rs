//! Text that a command is given: a file, or standard input.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use anyhow::{Context as _, anyhow};

use crate::error::CliError;

/// The text of a file; `-` is standard input. What has more than `bytes_max` is refused as `too_long`.
pub(super) fn text(file: &Path, bytes_max: u64, too_long: &str) -> Result<String, CliError> {
    let named = file.display();
    let source: Box<dyn Read> = match file.to_str() {
        Some("-") => Box::new(io::stdin().lock()),
        _ => Box::new(File::open(file).with_context(|| format!("{named} cannot be opened"))?),
    };
    let mut text = String::new();
    // One byte more than is allowed, to see that there is more.
    let n_bytes = source
        .take(bytes_max.saturating_add(1))
        .read_to_string(&mut text)
        .with_context(|| format!("{named} cannot be read"))?;
    if u64::try_from(n_bytes).unwrap_or(u64::MAX) > bytes_max {
        return Err(anyhow!("{named} {too_long}").into());
    }
    Ok(text)
}
