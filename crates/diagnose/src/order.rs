//! Which way time runs in a file.

use crate::time::{self, LogTime, Year};

/// How many lines at the start of a file are looked at: a file that is turned round is so from its
/// first line, and to read the time of each line would cost as much as all the rest.
const LINES_MAX: u32 = 64;
/// For times without a year: any year will do, since they are only compared with one another.
const YEAR: Year = Year::EndedAt(4_102_444_800_000);

/// Which way time runs in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The newest line is the last, as programs write them.
    OldestFirst,
    /// The newest line is the first, as `journalctl --reverse` and web pages show them.
    NewestFirst,
}

/// Looks at the first lines of a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Direction {
    n_lines: u32,
    n_forward: u32,
    n_back: u32,
    last: Option<LogTime>,
}

impl Direction {
    /// Whether more lines are wanted.
    pub(crate) fn is_open(&self) -> bool {
        self.n_lines < LINES_MAX
    }

    /// The next line of the file.
    pub(crate) fn line(&mut self, line: &[u8]) {
        if !self.is_open() {
            return;
        }
        self.n_lines += 1;
        let (now, _) = time::of_line(line, YEAR);
        match (self.last, now) {
            (Some(LogTime::Utc(last)), LogTime::Utc(now))
            | (Some(LogTime::AfterBoot(last)), LogTime::AfterBoot(now)) => {
                self.n_forward += u32::from(now > last);
                self.n_back += u32::from(now < last);
            }
            _ => {}
        }
        if now != LogTime::Unknown {
            self.last = Some(now);
        }
    }

    /// What the lines say: a clock that is set takes one step back, a file that is turned round all.
    pub(crate) fn order(&self) -> Order {
        match self.n_back > self.n_forward {
            true => Order::NewestFirst,
            false => Order::OldestFirst,
        }
    }
}
