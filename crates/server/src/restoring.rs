//! The mark of a restore that has not ended: a folder in the data folder, from before anything is put back until
//! all of it is. What lies beside it meanwhile counts for nothing.

use std::path::{Path, PathBuf};

/// The folder's name.
const NAME: &str = "restoring";

/// The folder.
pub fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join(NAME)
}

/// Refuses a data folder in which a restore did not end: a server would make an authority of its own there.
pub fn refuse(data_dir: &Path) -> anyhow::Result<()> {
    let folder = folder(data_dir);
    anyhow::ensure!(
        !folder.exists(),
        "a restore into {} did not end: run `bootproof-server restore` again; it begins anew",
        data_dir.display()
    );
    Ok(())
}
