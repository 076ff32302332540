//! Standard output and error: colours on a terminal only, text without control characters.

use std::{
    io::{self, BufRead as _, IsTerminal as _, Read as _, Write},
    sync::{Arc, Mutex, PoisonError},
};

use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};
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
    /// Lines that are written later, all at once.
    held: Option<Arc<Mutex<String>>>,
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
            held: None,
        }
    }

    /// What `tell` tells, written at once: a page of facts is not a write for each of its lines. Where it
    /// fails, what it told until then is written.
    pub fn at_once<T>(
        &self,
        tell: impl FnOnce(&Self) -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        let held = Arc::<Mutex<String>>::default();
        let told = tell(&Self { held: Some(Arc::clone(&held)), ..self.clone() });
        let held = held.lock().unwrap_or_else(PoisonError::into_inner);
        or_gone(io::stdout().lock().write_all(held.as_bytes()))?;
        told
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
        match &self.held {
            None => or_gone(writeln!(io::stdout().lock(), "{text}")),
            Some(held) => {
                let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
                held.push_str(text);
                held.push('\n');
                Ok(())
            }
        }
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
        let _ = writeln!(stderr, "{label}: {}", plain(text));
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

    /// A remark beside the facts, on standard error.
    pub fn note(&self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{}", plain(text));
    }

    /// An empty table with these headings.
    pub fn table(&self, headings: &[&str]) -> Table {
        let mut table = Table::new();
        table
            .load_style(presets::UTF8_FULL_CONDENSED)
            .set_content_arrangement(ContentArrangement::Dynamic);
        if !io::stdout().is_terminal() {
            // A pipe has no width; this one fits a mail, a ticket and a README.
            table.set_width(120);
        }
        table.set_header(headings.iter().map(|heading| heading.to_uppercase()));
        table
    }
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

/// A text without control characters: parts of it may be a host's words.
pub(crate) fn plain(text: &str) -> String {
    let steers = |c: char| c.is_control() && c != '\n';
    match text.contains(steers) {
        true => text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect(),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hosts_words_cannot_steer_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\r"), "a\u{fffd}[2Jb\u{fffd}");
    }

    #[test]
    fn what_is_told_at_once_is_held_and_nothing_else() {
        let output = Output::new(false);
        let held = output.at_once(|output| {
            output.line("one")?;
            output.line("")?;
            Ok(output.held.as_ref().unwrap().lock().unwrap().clone())
        });
        assert_eq!(held.unwrap(), "one\n\n");
        assert!(output.held.is_none());
    }

    #[test]
    fn text_is_the_same_without_colour() {
        assert_eq!(paint(false, Tone::Bad, "x"), "x");
        assert!(paint(true, Tone::Bad, "x").contains('x'));
    }
}
