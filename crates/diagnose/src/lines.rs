//! A stream of bytes, cut into lines of bounded length.

use memchr::{memchr, memrchr};

use crate::{
    matcher::{Hit, Look, Matcher},
    order::{Direction, Order},
};

/// How much of a line is looked at. The longest lines of real logs (traces of a SOAP call in hostd)
/// have some ten thousand bytes; what stands behind that is not kept and not searched.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// Cuts one stream into lines and looks for signatures in them. Keeps at most [`LINE_BYTES_MAX`].
#[derive(Default)]
pub struct Lines {
    /// The start of a line whose end has not come yet.
    kept: Vec<u8>,
    /// The line is longer than what is looked at: the rest of it is dropped.
    is_cut: bool,
    n_lines: u64,
    n_lines_cut: u64,
    direction: Direction,
}

impl Lines {
    /// A stream at its start.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lines that have ended so far.
    pub fn n_lines(&self) -> u64 {
        self.n_lines
    }

    /// Lines of which only the first [`LINE_BYTES_MAX`] were looked at.
    pub fn n_lines_cut(&self) -> u64 {
        self.n_lines_cut
    }

    /// Which way time runs, by the lines that have ended so far.
    pub fn order(&self) -> Order {
        self.direction.order()
    }

    /// The next bytes of the stream. `found` gets each line that has signatures, or says which host
    /// is which: its number from 1, its bytes without line feed, and the signatures.
    pub fn push(
        &mut self,
        matcher: &Matcher,
        bytes: &[u8],
        found: &mut impl FnMut(u64, &[u8], &[Hit]),
    ) {
        let mut rest = bytes;
        if !self.kept.is_empty() || self.is_cut {
            let Some(end) = memchr(b'\n', rest) else { return self.keep(rest) };
            let (line, behind) = rest.split_at(end);
            self.keep(line);
            self.end_line(matcher, found);
            rest = behind.get(1..).unwrap_or_default();
        }
        let whole = memrchr(b'\n', rest).map_or(0, |end| end + 1);
        let (lines, start) = rest.split_at(whole);
        self.whole(matcher, lines, found);
        self.keep(start);
    }

    /// The stream has ended: its last line may have no line feed.
    pub fn finish(mut self, matcher: &Matcher, found: &mut impl FnMut(u64, &[u8], &[Hit])) -> Self {
        if !self.kept.is_empty() || self.is_cut {
            self.end_line(matcher, found);
        }
        self
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LINE_BYTES_MAX - self.kept.len().min(LINE_BYTES_MAX);
        self.kept.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        self.is_cut |= bytes.len() > room;
    }

    fn end_line(&mut self, matcher: &Matcher, found: &mut impl FnMut(u64, &[u8], &[Hit])) {
        self.n_lines += 1;
        self.n_lines_cut += u64::from(self.is_cut);
        self.direction.line(&self.kept);
        let Look { hits, names_host } = matcher.look(&self.kept);
        if !hits.is_empty() || names_host {
            found(self.n_lines, &self.kept, &hits);
        }
        self.kept.clear();
        self.is_cut = false;
    }

    /// Lines that end inside `lines`, all of them: searched as one piece, since most of a log has
    /// nothing, and finding line ends first would cost as much as the search.
    fn whole(
        &mut self,
        matcher: &Matcher,
        lines: &[u8],
        found: &mut impl FnMut(u64, &[u8], &[Hit]),
    ) {
        if self.direction.is_open() {
            lines
                .split_inclusive(|byte| *byte == b'\n')
                .take_while(|line| {
                    self.direction.line(line);
                    self.direction.is_open()
                })
                .for_each(drop);
        }
        let (mut from, mut counted) = (0, 0);
        while let Some(at) = matcher.next(lines, from) {
            let start = lines.get(from..at).and_then(|gone| memrchr(b'\n', gone));
            let start = start.map_or(from, |feed| from + feed + 1);
            let rest = lines.get(at..).unwrap_or_default();
            let end = memchr(b'\n', rest).map_or(lines.len(), |n| at + n);
            self.n_lines += n_feeds(lines.get(counted..start)) + 1;
            let line = lines.get(start..end).unwrap_or_default();
            let line = match line.get(..LINE_BYTES_MAX) {
                Some(cut) if line.len() > LINE_BYTES_MAX => {
                    self.n_lines_cut += 1;
                    cut
                }
                _ => line,
            };
            let Look { hits, names_host } = matcher.look(line);
            if !hits.is_empty() || names_host {
                found(self.n_lines, line, &hits);
            }
            (from, counted) = (end + 1, end + 1);
        }
        self.n_lines += n_feeds(lines.get(counted..));
    }
}

fn n_feeds(bytes: Option<&[u8]>) -> u64 {
    let n = bytes.map_or(0, |bytes| memchr::memchr_iter(b'\n', bytes).count());
    u64::try_from(n).unwrap_or(u64::MAX)
}
