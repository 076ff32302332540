//! `bootproof-agent certificate`, where there is nothing to get or nowhere to put it.

use std::process::{Command, Output};

fn agent(words: &[&str]) -> Output {
    let state = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_bootproof-agent"))
        .args(["--tpm", "none", "certificate"])
        .args(words)
        .env("BOOTPROOF_AGENT_STATE", state.path())
        .env_remove("BOOTPROOF_CERTIFICATE_DIR")
        .output()
        .unwrap()
}

fn fails(words: &[&str], says: &str) {
    let done = agent(words);
    assert_eq!(done.status.code(), Some(1));
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(said.contains(says), "{said}");
    assert!(done.stdout.is_empty());
}

#[test]
fn what_is_missing_is_said() {
    fails(&[], "--certificate-dir FOLDER");
    let folder = tempfile::tempdir().unwrap();
    let none = folder.path().join("none").display().to_string();
    fails(&["--certificate-dir", &none], "install -d");
    let there = folder.path().display().to_string();
    fails(&["--certificate-dir", &there, "--json"], "has not joined a server yet");
    fails(&["--certificate-dir", &there], "\n\nhint: `bootproof token create` at the server");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let wrong = agent(&["--certificate-dir", &there, "--certificate-key-mode", "rw"]);
    assert_eq!(wrong.status.code(), Some(2), "wrong use");
}
