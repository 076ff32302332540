//! Support bundles: secrets to plant before one is made, and a look into it by another hand than ours.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

/// The word in each planted secret; a bundle that has it anywhere has lost one.
pub const PLANTED: &str = "hunter2";

/// Lines of a log, each with a secret of another kind, most of them with [`PLANTED`] in it.
pub const LINES: &[&str] = &[
    "2026-11-28T07:11:08+0000 web-1 x[1]: GET https://root:hunter2@bmc.example.org/redfish/v1",
    "2026-11-28T07:11:09+0000 web-1 x[1]: header Authorization: Bearer hunter2.hunter2",
    "2026-11-28T07:11:10+0000 web-1 x[1]: {\"password\":\"hunter2\",\"api-token\":\"hunter2\"}",
    "2026-11-28T07:11:11+0000 web-1 x[1]: bootproof-agent join https://s --token bpj_00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
    "2026-11-28T07:11:12+0000 web-1 x[1]: -----BEGIN EC PRIVATE KEY-----",
    "2026-11-28T07:11:12+0000 web-1 x[1]: MHcCAQEEIhunter2hunter2hunter2hunter2==",
    "2026-11-28T07:11:12+0000 web-1 x[1]: -----END EC PRIVATE KEY-----",
    "{2DDD5424-7F3F-406A-8DA8-D62630F6C8BC}  478269-039194-473926-430939-686855-231401-642208-184477-602511-225586-551660-586542-338394-092578-687140-267425",
    "2026-11-28T07:11:13+0000 web-1 x[1]: jwt eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0.c2lnbmF0dXJl",
];

/// What else the lines hold that must not come out.
pub const ALSO_PLANTED: &[&str] = &["bpj_0011", "478269", "267425", "eyJzdWIi", "MHcCAQEE"];

/// The kinds that a manifest then says were removed.
pub const KINDS: &[&str] = &["password", "authorization", "token", "private key", "recovery key"];

/// A program `journalctl` in `folder` that prints [`LINES`], the newest first, whatever it is asked. The
/// folder is to stand first in PATH.
pub fn journalctl(folder: &Path) -> io::Result<()> {
    let path = folder.join("journalctl");
    let newest_first: Vec<_> = LINES.iter().rev().copied().collect();
    let lines = newest_first.join("\n");
    fs::write(&path, format!("#!/bin/sh\ncat <<'END'\n{lines}\nEND\n"))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
}

/// The files of a bundle, as `tar` unpacks them, in the order of their names.
pub fn unpack(bundle: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let folder = tempfile::tempdir()?;
    let done = Command::new("tar").arg("-xzf").arg(bundle).arg("-C").arg(folder.path()).output()?;
    if !done.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&done.stderr).into_owned()));
    }
    let mut files = Vec::new();
    let mut folders = vec![folder.path().to_owned()];
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(at)? {
            let path: PathBuf = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(folder.path()).map_err(io::Error::other)?;
            files.push((name.display().to_string(), fs::read(&path)?));
        }
    }
    files.sort();
    Ok(files)
}

/// The names of files that hold any of these.
pub fn leaks(files: &[(String, Vec<u8>)], secrets: &[&[u8]]) -> Vec<String> {
    let holds = |bytes: &[u8], secret: &[u8]| bytes.windows(secret.len()).any(|at| at == secret);
    let leak = |(name, bytes): &&(String, Vec<u8>)| {
        secrets.iter().any(|secret| holds(bytes, secret) || holds(name.as_bytes(), secret))
    };
    files.iter().filter(leak).map(|(name, _)| name.clone()).collect()
}
