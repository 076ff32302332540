//! A block of lines that is drawn over itself: on a terminal, at the place where it began.

use unicode_width::UnicodeWidthChar as _;

/// What a terminal does with a block.
#[derive(Debug, Default)]
pub(super) struct Screen {
    /// How wide each line is that stands there now.
    drawn: Vec<usize>,
}

/// How large a terminal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) columns: usize,
    pub(super) rows: usize,
}

/// Hides the cursor, which would jump about. [ECMA-48; DECTCEM]
pub(super) const BEGIN: &str = "\x1b[?25l";
/// Shows it again.
pub(super) const END: &str = "\x1b[?25h";

impl Screen {
    /// What to write so that `block` stands where the one before it stood. Written at once, and within marks of
    /// a synchronised update, nothing flickers; what is not overwritten is cleared, never the whole window.
    pub(super) fn draw(&mut self, block: &str, size: Size) -> String {
        let mut lines: Vec<String> = block.lines().map(|line| fit(line, size.columns)).collect();
        // The last row stays empty: a line feed there would move all of it.
        let n_max = size.rows.saturating_sub(1).max(1);
        if lines.len() > n_max {
            let n_more = lines.len() - (n_max - 1);
            lines.truncate(n_max - 1);
            lines.push(fit(
                &format!("… {n_more} more lines: a taller window shows them"),
                size.columns,
            ));
        }
        let mut written = String::from("\x1b[?2026h\r");
        let up = self.rows_up(size.columns);
        if up > 0 {
            written.push_str(&format!("\x1b[{up}A"));
        }
        for line in &lines {
            written.push_str(line);
            written.push_str("\x1b[K\r\n");
        }
        written.push_str("\x1b[J\x1b[?2026l");
        self.drawn = lines.iter().map(|line| width(line)).collect();
        written
    }

    /// Rows that what stands there takes up: a terminal that became narrower has broken its lines.
    fn rows_up(&self, columns: usize) -> usize {
        self.drawn.iter().map(|width| width.div_ceil(columns.max(1)).max(1)).sum()
    }
}

/// A line that is no wider than `columns`: what does not fit is cut, and `…` says so. Colours do not count.
fn fit(line: &str, columns: usize) -> String {
    if width(line) <= columns {
        return line.to_owned();
    }
    let room = columns.saturating_sub(1);
    let mut cut = String::with_capacity(line.len());
    let mut used = 0;
    for (piece, columns) in pieces(line) {
        if used + columns > room {
            break;
        }
        used += columns;
        cut.push_str(piece);
    }
    if cut.contains('\x1b') {
        cut.push_str("\x1b[0m");
    }
    if columns > 0 {
        cut.push('…');
    }
    cut
}

fn width(line: &str) -> usize {
    pieces(line).map(|(_, columns)| columns).sum()
}

/// Characters with their columns; a colour is one piece without any.
fn pieces(line: &str) -> impl Iterator<Item = (&str, usize)> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let (n_bytes, columns) = match first {
            // Only colours of ours are in a line: all else was escaped before.
            '\x1b' => (rest.find('m').map_or(rest.len(), |at| at + 1), 0),
            c => (c.len_utf8(), c.width().unwrap_or(0)),
        };
        let (piece, after) = rest.split_at(n_bytes);
        rest = after;
        Some((piece, columns))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { columns: 10, rows: 5 };

    #[test]
    fn a_block_is_drawn_over_the_one_before() {
        let mut screen = Screen::default();
        let first = screen.draw("one\ntwo\n", SIZE);
        assert_eq!(first, "\x1b[?2026h\rone\x1b[K\r\ntwo\x1b[K\r\n\x1b[J\x1b[?2026l");
        let second = screen.draw("three\n", SIZE);
        assert!(second.starts_with("\x1b[?2026h\r\x1b[2Athree\x1b[K"), "{second:?}");
        assert!(!second.contains("\x1b[2J"), "the window is never cleared: {second:?}");
    }

    #[test]
    fn a_line_is_cut_by_columns_and_colours_end_with_it() {
        assert_eq!(fit("0123456789", 10), "0123456789");
        assert_eq!(fit("0123456789a", 10), "012345678…");
        // Two columns each: the fifth does not fit beside the mark.
        assert_eq!(fit("主機主機主機", 10), "主機主機…");
        assert_eq!(fit("\x1b[1;31m0123456789a\x1b[0m", 4), "\x1b[1;31m012\x1b[0m…");
        assert_eq!(width("\x1b[1;31m主\x1b[0m"), 2);
        assert_eq!(fit("abc", 1), "…");
        assert_eq!(fit("abc", 0), "");
    }

    #[test]
    fn what_is_taller_than_the_window_says_how_much() {
        let mut screen = Screen::default();
        let drawn = screen.draw("1\n2\n3\n4\n5\n6\n", Size { columns: 80, rows: 5 });
        assert!(drawn.contains("3\x1b[K\r\n… 3 more lines"), "{drawn:?}");
        let again = screen.draw("1\n", Size { columns: 80, rows: 5 });
        assert!(again.contains("\x1b[4A"), "{again:?}");
    }

    #[test]
    fn a_narrower_window_has_broken_the_lines() {
        let mut screen = Screen::default();
        screen.draw("0123456789\nab\n", SIZE);
        let drawn = screen.draw("x\n", Size { columns: 4, rows: 5 });
        assert!(drawn.contains("\x1b[4A"), "three rows and one: {drawn:?}");
    }
}
