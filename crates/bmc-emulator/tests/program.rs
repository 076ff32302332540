//! The program that people try the tool with.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

#[test]
fn it_says_how_it_is_reached_and_writes_its_authority() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    let tree = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/hpe.json");
    let mut program = Command::new(env!("CARGO_BIN_EXE_bmc-emulator"))
        .args(["--tree", tree, "--ca-out"])
        .arg(&ca)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let told: Vec<_> = lines.take(3).map(Result::unwrap).collect();
    program.kill().unwrap();
    program.wait().unwrap();
    let pem = std::fs::read_to_string(&ca).unwrap();
    assert!(told[0].contains("https://127.0.0.1:"), "{told:?}");
    assert_eq!(told[1].split_whitespace().last().unwrap().len(), 64, "{told:?}");
    assert!(told[2].contains(bmc_emulator::USER), "{told:?}");
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"));
}

#[test]
fn a_folder_that_is_no_tree_is_an_error() {
    let output = Command::new(env!("CARGO_BIN_EXE_bmc-emulator"))
        .args(["--tree", concat!(env!("CARGO_MANIFEST_DIR"), "/src")])
        .output()
        .unwrap();
    assert!(!output.status.success());
}
