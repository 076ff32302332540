//! What the server's pages show of a host, as a browser has them.

use std::{fs, process::Command};

use anyhow::{Context as _, ensure};

use super::scenario::Shown;
use crate::{sh, site::Site};

/// Who looks, and may do nothing else.
const NAME: &str = "looker";
/// The server is of this machine alone, and gone when the scenario is. The first is what the
/// administrator made up, the other what the person chose.
const FIRST_PASSWORD: &str = "purple monkey dishwasher";
const PASSWORD: &str = "correct horse battery staple";

/// Makes the account of who looks at `site`.
pub(super) fn make_account(site: &Site) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("password");
    fs::write(&file, FIRST_PASSWORD)?;
    let file = file.to_string_lossy();
    site.tell(&["user", "add", NAME, "--role", "viewer", "--password-file", &file])?;
    in_browser(site, "first-password.mjs", &[("BOOTPROOF_WEB_FIRST", FIRST_PASSWORD)])
}

/// An error where list and page of `host` do not show this.
pub(super) fn check(site: &Site, host: &str, shown: &Shown) -> anyhow::Result<()> {
    let verdicts = shown.verdicts.join(",");
    let expected = [
        ("BOOTPROOF_WEB_HOST", host),
        ("BOOTPROOF_WEB_CONNECTION", shown.connection),
        ("BOOTPROOF_WEB_VERDICTS", &verdicts),
    ];
    in_browser(site, "host-shown.mjs", &expected)
}

/// Runs a script of `web/`, as the account that looks.
fn in_browser(site: &Site, script: &str, more: &[(&str, &str)]) -> anyhow::Result<()> {
    let output = Command::new("node")
        .arg(script)
        .current_dir(sh::root().join("web"))
        .env("BOOTPROOF_WEB_BASE", site.address())
        .env("BOOTPROOF_WEB_NAME", NAME)
        .env("BOOTPROOF_WEB_PASSWORD", PASSWORD)
        .envs(more.iter().copied())
        .output()
        .context("node cannot be started")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{script}: the page shows something else: {said}");
    Ok(())
}
