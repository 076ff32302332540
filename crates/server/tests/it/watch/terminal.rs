//! A terminal: the real thing of the kernel, and what a person would see in its window.

use std::{
    fs::File,
    io::Read as _,
    os::fd::OwnedFd,
    sync::{Arc, Mutex},
};

use rustix::{
    pty::{OpenptFlags, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

/// A terminal and its window.
pub(super) struct Terminal {
    master: OwnedFd,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    /// One of this size, and what a program writes to.
    pub(super) fn open(columns: u16, rows: u16) -> (Self, File) {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let program = File::options().read(true).write(true).open(name).unwrap();
        let written = Arc::default();
        let terminal = Self { master, written };
        terminal.resize(columns, rows);
        let mut reader = File::from(terminal.master.try_clone().unwrap());
        let to = Arc::clone(&terminal.written);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Ends where the last program has gone away.
            while let Ok(n @ 1..) = reader.read(&mut bytes) {
                to.lock().unwrap().extend_from_slice(&bytes[..n]);
            }
        });
        (terminal, program)
    }

    pub(super) fn resize(&self, columns: u16, rows: u16) {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&self.master, size).unwrap();
    }

    /// All that was written.
    pub(super) fn written(&self) -> String {
        String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned()
    }

    /// The lines that a person sees.
    pub(super) fn seen(&self) -> Vec<String> {
        seen(&self.written())
    }
}

/// What a window shows after all of `written`, as far as it is used here.
fn seen(written: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let (mut row, mut fresh) = (0_usize, true);
    let mut rest = written;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\x1b' => {
                let end = rest.find(|c: char| c.is_ascii_alphabetic()).unwrap();
                let (what, kind) = (&rest[1..end], &rest[end..=end]);
                match kind {
                    "A" => row -= what.parse::<usize>().unwrap(),
                    "J" => lines.truncate(row + 1),
                    _ => {}
                }
                if matches!(kind, "J" | "K") && fresh {
                    lines[row].clear();
                }
                rest = &rest[end + 1..];
            }
            '\r' => fresh = true,
            '\n' => {
                row += 1;
                if row == lines.len() {
                    lines.push(String::new());
                }
                fresh = true;
            }
            c => {
                // What is written over a line begins it anew: each ends with the rest cleared.
                if std::mem::take(&mut fresh) {
                    lines[row].clear();
                }
                lines[row].push(c);
            }
        }
    }
    lines
}
