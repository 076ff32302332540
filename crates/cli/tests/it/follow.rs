//! `bootproof diagnose --follow`: the real program, on files that grow, are renamed and are cut.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const FAILED: &str = "2018-05-10T14:00:00.000Z cpu1:1)tpmdriver failed to load.\n";
const BANK: &str = "2018-05-10T14:00:01.000Z cpu1:1)WARNING: tpmDriver: I:1: TPM 2 SHA-256 PCR bank not found to be active.\n";
const LOADED: &str = "2018-05-10T15:00:00.000Z cpu1:1)tpmdriver loaded successfully.\n";
const FIFO: &str =
    "2018-05-10T15:00:01.000Z cpu1:1)tpmDriver: Tpm2CheckInterface:603: TPM is in FIFO mode.\n";

struct Following {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Following {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_bootproof"))
            .args(["diagnose", "--follow"])
            .args(arguments)
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line
    }

    /// The next event, in short.
    fn event(&mut self) -> (String, String, u64) {
        let event: Value = serde_json::from_str(&self.line()).unwrap();
        let text = |name: &str| event[name].as_str().unwrap().to_owned();
        (text("event"), text("signature"), event["evidence"][0]["line"].as_u64().unwrap())
    }

    fn expect(&mut self, expected: &[(&str, &str, u64)]) {
        for (event, signature, line) in expected {
            assert_eq!(self.event(), ((*event).to_owned(), (*signature).to_owned(), *line));
        }
    }

    /// Ctrl-C: nothing more is told, and the exit code says what was.
    fn interrupt(self) -> (Option<i32>, String) {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        self.end()
    }

    fn end(mut self) -> (Option<i32>, String) {
        drop(self.child.stdin.take());
        assert_eq!(self.line(), "", "nothing more is told");
        let output = self.child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn what_begins_and_what_is_over_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vmkernel.log");
    append(&path, FAILED);
    let mut following = Following::start(&["--json", path.to_str().unwrap()]);
    following.expect(&[("began", "L02", 1)]);
    // Again, and again, and something new.
    append(&path, &[FAILED, FAILED, BANK].concat());
    following.expect(&[("began", "L01", 4)]);
    // A line comes in two pieces.
    append(&path, &LOADED[..30]);
    append(&path, &LOADED[30..]);
    following.expect(&[("over", "L01", 5), ("over", "L02", 5), ("began", "L22", 5)]);
    // What is over may begin again.
    append(&path, &[LOADED, BANK].concat());
    following.expect(&[("began", "L01", 7)]);
    assert_eq!(following.interrupt().0, Some(1));
}

#[test]
fn files_are_followed_when_they_are_renamed_or_cut() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vmkernel.log");
    let other = folder.path().join("hostd.log");
    append(&path, &FAILED.repeat(10));
    // The one that is missing first: it is looked for before the other tells anything.
    let mut following =
        Following::start(&["--json", other.to_str().unwrap(), path.to_str().unwrap()]);
    following.expect(&[("began", "L02", 1)]);
    // Rotated: what its writer still adds counts, and so does the new one from its start.
    fs::rename(&path, folder.path().join("vmkernel.0")).unwrap();
    append(&folder.path().join("vmkernel.0"), BANK);
    following.expect(&[("began", "L01", 11)]);
    append(&path, FIFO);
    following.expect(&[("began", "L06", 1)]);
    append(&path, &FAILED.repeat(3));
    append(&path, LOADED);
    following.expect(&[("over", "L01", 5), ("over", "L02", 5), ("began", "L22", 5)]);
    // Cut in place, as copytruncate does, and shorter than it was.
    File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
    append(&path, BANK);
    following.expect(&[("began", "L01", 1)]);
    // A file that was not there at the start.
    append(&other, "2018-05-10T14:00:00Z x Unable to read default RSA EK certificate!\n");
    following.expect(&[("began", "L16", 1)]);
    let (exit, stderr) = following.interrupt();
    assert_eq!(exit, Some(1));
    assert!(stderr.contains("waiting for it") && stderr.contains("was cut"), "{stderr}");
}

#[test]
fn a_pipe_is_followed_to_its_end_and_told_in_words() {
    let mut following = Following::start(&["-"]);
    let stdin = following.child.stdin.as_mut().unwrap();
    stdin.write_all(format!("{FIFO}{BANK}").as_bytes()).unwrap();
    stdin.flush().unwrap();
    let mut text = String::new();
    while !text.contains("standard input:2:") {
        text += &following.line();
    }
    assert!(text.contains("harmless: The TPM speaks FIFO, as it should (L06)"), "{text}");
    assert!(text.contains("2018-05-10 14:00:01 UTC cause: The TPM's SHA-256 bank is off (L01)"));
    assert!(text.contains("    next step: Set the TPM's hash algorithm"), "{text}");
    assert_eq!(following.end().0, Some(1));

    let mut following = Following::start(&["-"]);
    following.child.stdin.as_mut().unwrap().write_all(FIFO.as_bytes()).unwrap();
    following.line();
    following.line();
    assert_eq!(following.end().0, Some(0));
}

#[test]
fn what_does_not_grow_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let packed = folder.path().join("vmkernel.0.gz");
    fs::write(&packed, b"\x1f\x8b\x08\0").unwrap();
    for path in [folder.path(), &packed] {
        let (exit, stderr) = Following::start(&[path.to_str().unwrap()]).end();
        assert_eq!(exit, Some(2));
        assert!(stderr.contains("error: ") && stderr.contains("hint: "), "{stderr}");
    }
}
