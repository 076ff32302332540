//! The journal, asked of `journalctl`, where there is one.

use std::{
    io::Read as _,
    process::{Command, Stdio},
};

use crate::LOG_BYTES_MAX;

/// Lines that are asked for: some days of a busy server.
const LINES_MAX: &str = "50000";

/// What a journal gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Journal {
    /// Its lines, with their times.
    Lines(Vec<u8>),
    /// Nothing, and why.
    Absent(String),
}

/// The lines of a unit of systemd.
pub fn unit(unit: &str) -> Journal {
    ask(&["--unit", unit])
}

/// The lines of the kernel since it started.
pub fn kernel() -> Journal {
    ask(&["--dmesg", "--boot"])
}

fn ask(which: &[&str]) -> Journal {
    let started = Command::new("journalctl")
        .args(["--no-pager", "--quiet", "--output", "short-iso", "--reverse"])
        .args(["--lines", LINES_MAX])
        .args(which)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(err) => {
            return Journal::Absent(format!("journalctl cannot be run ({err}): give --log FILE"));
        }
    };
    let mut lines = Vec::new();
    // The newest come first, so that they are what is read where there is more.
    let bytes_max = LOG_BYTES_MAX as u64;
    let read = child.stdout.take().map(|stdout| stdout.take(bytes_max).read_to_end(&mut lines));
    // Where it has more to say than is read, it ends by its pipe.
    let ended = child.wait();
    match (read, ended) {
        (Some(Ok(_)), Ok(_)) if !lines.is_empty() => {
            Journal::Lines(turned(&lines))
        }
        (Some(Ok(_)), Ok(_)) => {
            Journal::Absent("the journal has no lines of it, or this user may not read them: run as root, or give --log FILE".to_owned())
        }
        (Some(Err(err)), _) | (_, Err(err)) => Journal::Absent(err.to_string()),
        (None, Ok(_)) => Journal::Absent("journalctl has no output".to_owned()),
    }
}

/// Lines in the order of their times again; the last that was read may be cut.
fn turned(newest_first: &[u8]) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = newest_first.split_inclusive(|byte| *byte == b'\n').collect();
    if lines.last().is_some_and(|last| !last.ends_with(b"\n")) {
        lines.pop();
    }
    lines.into_iter().rev().flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_in_the_order_of_their_times() {
        assert_eq!(turned(b"3\n2\n1\ncut"), b"1\n2\n3\n");
        assert_eq!(turned(b""), b"");
    }
}
