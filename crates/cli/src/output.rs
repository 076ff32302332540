//! Standard output and error: colours on a terminal only, text without control characters.

use std::{
    fmt::Write as _,
    io::{self, BufRead as _, IsTerminal as _, Read as _, Write},
    sync::{Arc, Mutex, PoisonError},
};

use anstyle::{AnsiColor, Style};
use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, presets};
use serde::Serialize;

use crate::error::CliError;

/// A line that answers a question.
const ANSWER_BYTES_MAX: u64 = 64;

/// Where a command's words go, and in which form.
#[derive(Clone, Debug)]
pub struct Output {
    json: bool,
    colour: bool,
    colour_of_errors: bool,
    /// What is to be drawn at one time, instead of standard output.
    block: Option<Block>,
}

/// Lines that are kept until all of them are there.
#[derive(Clone, Debug)]
struct Block {
    lines: Arc<Mutex<String>>,
    rows: Rows,
}

/// How tall rows of tables are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    /// One line each; what does not fit is cut.
    OneLine,
    /// As many as it takes.
    Whole,
}

/// What a piece of text means, for its colour. Without colours the text is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Accepted.
    Good,
    /// Not accepted.
    Bad,
    /// Not appraised, warnings.
    Unsure,
    /// A heading or a code.
    Strong,
    /// All else.
    Plain,
}

impl Tone {
    /// The tone of a verdict.
    pub fn of_verdict(verdict: &str) -> Self {
        match verdict {
            "accepted" => Self::Good,
            "not accepted" => Self::Bad,
            _ => Self::Unsure,
        }
    }

    /// The tone of a severity.
    pub fn of_severity(severity: &str) -> Self {
        match severity {
            "fail" => Self::Bad,
            "hold" | "warn" => Self::Unsure,
            _ => Self::Plain,
        }
    }

    fn style(self) -> Style {
        match self {
            Self::Good => AnsiColor::Green.on_default().bold(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Unsure => AnsiColor::Yellow.on_default().bold(),
            Self::Strong => Style::new().bold(),
            Self::Plain => Style::new(),
        }
    }
}

impl Output {
    /// For texts, or for JSON with `--json`. Colours where the stream is a terminal and NO_COLOR
    /// is not set.
    pub fn new(json: bool) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self {
            json,
            colour: wanted && io::stdout().is_terminal(),
            colour_of_errors: wanted && io::stderr().is_terminal(),
            block: None,
        }
    }

    /// What `tell` tells, written at once: a page of facts is not a write for each of its lines. Where it
    /// fails, what it told until then is written.
    pub fn at_once<T>(
        &self,
        tell: impl FnOnce(&Self) -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        let lines = Arc::<Mutex<String>>::default();
        let block = Some(Block { lines: Arc::clone(&lines), rows: Rows::Whole });
        let told = tell(&Self { block, ..self.clone() });
        let lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        or_gone(io::stdout().lock().write_all(lines.as_bytes()))?;
        told
    }

    /// What `show` says, as text.
    pub(crate) fn collect<E>(
        &self,
        rows: Rows,
        show: impl FnOnce(&Self) -> Result<(), E>,
    ) -> Result<String, E> {
        let lines = Arc::default();
        let block = Some(Block { lines: Arc::clone(&lines), rows });
        show(&Self { block, ..self.clone() })?;
        Ok(std::mem::take(&mut *lines.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Whether the command prints JSON.
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// `text` in its tone.
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        paint(self.colour, tone, text)
    }

    /// A line. A reader that has gone away (`| head`) is no error.
    pub fn line(&self, text: &str) -> io::Result<()> {
        if let Some(block) = &self.block {
            let mut lines = block.lines.lock().unwrap_or_else(PoisonError::into_inner);
            // To a text it can always be written.
            let _ = writeln!(lines, "{text}");
            return Ok(());
        }
        or_gone(writeln!(io::stdout().lock(), "{text}"))
    }

    /// A file, as it is.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> io::Result<()> {
        or_gone(io::stdout().lock().write_all(bytes))
    }

    /// A value as JSON, with a line feed.
    pub fn json<T: Serialize>(&self, value: &T) -> io::Result<()> {
        let mut stdout = io::BufWriter::new(io::stdout().lock());
        let written = serde_json::to_writer_pretty(&mut stdout, value).map_err(io::Error::from);
        or_gone(written.and_then(|()| writeln!(stdout)).and_then(|()| stdout.flush()))
    }

    /// A value as JSON on one line: for what comes one after another.
    pub fn json_line<T: Serialize>(&self, value: &T) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        let written = serde_json::to_string(value).map_err(io::Error::from);
        or_gone(written.and_then(|line| writeln!(stdout, "{line}")).and_then(|()| stdout.flush()))
    }

    /// `error: …`, and `hint: …` after a blank line.
    pub fn error(&self, text: &str, hint: Option<&str>) {
        let mut stderr = io::stderr().lock();
        let label = paint(self.colour_of_errors, Tone::Bad, "error");
        // Where even standard error is gone, there is nobody to tell.
        // Where a parser drew what is wrong, it ends with lines of its own.
        let _ = writeln!(stderr, "{label}: {}", plain(text.trim_end()));
        if let Some(hint) = hint {
            let label = paint(self.colour_of_errors, Tone::Strong, "hint");
            let _ = writeln!(stderr, "\n{label}: {}", plain(hint));
        }
    }

    /// Asks a person, who answers yes or no; `None` where there is nobody to ask.
    pub fn ask(&self, question: &str) -> io::Result<Option<bool>> {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Ok(None);
        }
        let mut stderr = io::stderr().lock();
        write!(stderr, "{} [y/N] ", plain(question))?;
        stderr.flush()?;
        let mut answer = String::new();
        io::stdin().lock().take(ANSWER_BYTES_MAX).read_line(&mut answer)?;
        Ok(Some(matches!(answer.trim(), "y" | "Y" | "yes")))
    }

    /// What there is to say where there are no facts to show: beside them, or in their place where a block is
    /// drawn.
    pub(crate) fn remark(&self, text: &str) -> io::Result<()> {
        if self.block.is_some() {
            return self.line(&plain(text));
        }
        self.note(text);
        Ok(())
    }

    /// A remark beside the facts, on standard error.
    pub fn note(&self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{}", plain(text));
    }

    /// An empty table with these headings, as wide as the terminal.
    pub fn table(&self, headings: &[&str]) -> Table {
        let mut table = Table::new();
        table
            .load_style(presets::UTF8_FULL_CONDENSED)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_truncation_indicator("…")
            .set_width(columns());
        // The library would look whether it writes to a terminal, and not for NO_COLOR.
        if self.colour {
            table.enforce_styling()
        } else {
            table.force_no_tty()
        };
        table.set_header(headings.iter().map(|heading| heading.to_uppercase()));
        table
    }

    /// A cell of a table in its tone.
    pub fn cell(&self, tone: Tone, text: &str) -> Cell {
        let cell = Cell::new(text);
        let colour = match tone {
            Tone::Good => Color::Green,
            Tone::Bad => Color::Red,
            Tone::Unsure => Color::Yellow,
            Tone::Strong => return cell.add_attribute(Attribute::Bold),
            Tone::Plain => return cell,
        };
        cell.fg(colour).add_attribute(Attribute::Bold)
    }

    /// A table; `none` where it has no row: a frame around nothing tells nobody what to do.
    pub(crate) fn show_rows(&self, table: Table, none: &str) -> io::Result<()> {
        if table.is_empty() { self.remark(none) } else { self.show_table(table) }
    }

    /// A table.
    pub fn show_table(&self, mut table: Table) -> io::Result<()> {
        if self.block.as_ref().is_some_and(|block| block.rows == Rows::OneLine) {
            for row in table.row_iter_mut() {
                row.max_height(1);
            }
        }
        self.line(&table.to_string())
    }
}

/// Columns of the terminal. A pipe has no width; 120 fit a mail, a ticket and a README.
pub(crate) fn columns() -> u16 {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok();
    size.map(|size| size.ws_col).filter(|columns| *columns > 0).unwrap_or(120)
}

fn paint(colour: bool, tone: Tone, text: &str) -> String {
    let style = tone.style();
    if colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

fn or_gone(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(err) if err.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// So many hosts, in words.
pub(crate) fn n_hosts(n: usize) -> String {
    if n == 1 { "1 host".to_owned() } else { format!("{n} hosts") }
}

/// A text without control characters, and with what nobody sees but what changes what is read (marks of reading
/// direction, characters without width) by its number: parts of it may be a host's words.
pub(crate) fn plain(text: &str) -> String {
    let is_shown = |c: char| c == '\n' || !(c.is_control() || pages::text::is_hidden(c));
    if text.chars().all(is_shown) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => shown.push(c),
            c if c.is_control() => shown.push('\u{fffd}'),
            c if pages::text::is_hidden(c) => shown.push_str(&pages::text::numbered(c)),
            c => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hosts_words_cannot_steer_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\r"), "a\u{fffd}[2Jb\u{fffd}");
        assert_eq!(plain("web\u{202e}1\u{200b}"), "web\\u{202e}1\\u{200b}");
        assert_eq!(plain("主機 München\nשלום"), "主機 München\nשלום");
    }

    #[test]
    fn a_row_of_a_block_is_one_line_and_no_wider_than_its_table() {
        let output = Output { json: false, colour: false, colour_of_errors: false, block: None };
        let shown = |rows| {
            let told = output.collect(rows, |output| {
                let mut table = output.table(&["host", "next step"]);
                table.set_width(30).add_row(["主機-1", &"mend it ".repeat(20)]);
                output.show_table(table)
            });
            told.unwrap()
        };
        let cut = shown(Rows::OneLine);
        assert_eq!(cut.lines().count(), 5, "{cut}");
        assert!(cut.contains('…'), "{cut}");
        assert!(shown(Rows::Whole).lines().count() > 8);
        for line in cut.lines() {
            assert_eq!(unicode_width::UnicodeWidthStr::width(line), 30, "{cut}");
        }
    }

    #[test]
    fn a_table_without_rows_is_a_sentence() {
        let output = Output { json: false, colour: false, colour_of_errors: false, block: None };
        let shown = |rows: &[[&str; 2]]| {
            let told = output.collect(Rows::Whole, |output| {
                let mut table = output.table(&["name", "role"]);
                table.add_rows(rows);
                output.show_rows(table, "there is nobody: do this")
            });
            told.unwrap()
        };
        assert_eq!(shown(&[]), "there is nobody: do this\n");
        let one = shown(&[["ada", "admin"]]);
        assert!(one.contains("NAME") && one.contains("ada") && !one.contains("nobody"), "{one}");
    }

    #[test]
    fn what_is_told_at_once_is_held_and_nothing_else() {
        let output = Output::new(false);
        let held = output.at_once(|output| {
            output.line("one")?;
            output.line("")?;
            Ok(output.block.as_ref().unwrap().lines.lock().unwrap().clone())
        });
        assert_eq!(held.unwrap(), "one\n\n");
        assert!(output.block.is_none());
    }

    #[test]
    fn text_is_the_same_without_colour() {
        assert_eq!(paint(false, Tone::Bad, "x"), "x");
        assert!(paint(true, Tone::Bad, "x").contains('x'));
    }
}
