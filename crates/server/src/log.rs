//! The log: text for people, JSON for programs. What hosts and people say is in it only as it can do no
//! harm in a terminal or a file: each event is one line, without control characters and without those that
//! turn the direction of writing, and cut.

use std::{
    io::{self, IsTerminal as _, Write},
    sync::{Arc, OnceLock},
};

use anyhow::Context as _;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    fmt::{self, MakeWriter},
    layer::{Context, SubscriberExt as _},
    reload,
    util::SubscriberInitExt as _,
};

use crate::metrics::Metrics;

/// Bytes of a line of text; of JSON each text is cut, so that it stays JSON. A refused policy with its
/// place is below it.
const LINE_BYTES_MAX: usize = 8 * 1024;

/// Bytes of one text in a line of JSON that is too long.
const TEXT_BYTES_MAX: usize = 2 * 1024;

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// The log that was begun, for those who change what it tells.
#[derive(Clone)]
pub struct Log {
    filter: reload::Handle<EnvFilter, Registry>,
    counts: Arc<OnceLock<Arc<Metrics>>>,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").finish_non_exhaustive()
    }
}

/// Reads what is to be logged: `info`, or `warn,server::app::attest=debug`.
pub fn filter(text: &str) -> anyhow::Result<EnvFilter> {
    EnvFilter::builder().parse(text).with_context(|| {
        format!("{text:?} is no level of the log: error, warn, info, debug or trace, also per part")
    })
}

impl Log {
    /// Begins to log to standard error. For once in a process.
    pub fn start(format: Format, levels: EnvFilter) -> Self {
        let (levels, filter) = reload::Layer::new(levels);
        let counts = Arc::new(OnceLock::new());
        let registry =
            tracing_subscriber::registry().with(levels).with(Counting(Arc::clone(&counts)));
        let colours = format == Format::Text && io::stderr().is_terminal();
        let lines = fmt::layer()
            .with_writer(move || Sanitised { out: io::stderr(), format, colours })
            .with_ansi(colours)
            // A log that cannot be written must not end the server, as its own complaint would.
            .log_internal_errors(false);
        match format {
            Format::Text => registry.with(lines).init(),
            Format::Json => registry.with(lines.json()).init(),
        }
        Self { filter, counts }
    }

    /// Counts warnings and errors from now on.
    pub fn count_in(&self, metrics: Arc<Metrics>) {
        drop(self.counts.set(metrics));
    }

    /// Tells of these levels from now on.
    pub fn set(&self, levels: EnvFilter) -> anyhow::Result<()> {
        self.filter.reload(levels).context("the log is gone")
    }
}

struct Counting(Arc<OnceLock<Arc<Metrics>>>);

impl<S: Subscriber> Layer<S> for Counting {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = match *event.metadata().level() {
            Level::ERROR => "error",
            Level::WARN => "warn",
            _ => return,
        };
        if let Some(metrics) = self.0.get() {
            metrics.logged(level);
        }
    }
}

/// Writes lines, each as it can do no harm. The formatter writes one event in one go.
struct Sanitised<W> {
    out: W,
    format: Format,
    colours: bool,
}

impl<W: Write> Write for Sanitised<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        if is_plain_line(event) {
            drop(self.out.write_all(event));
            return Ok(event.len());
        }
        let text = String::from_utf8_lossy(event);
        let line = match self.format {
            Format::Text => plain(&text, self.colours),
            Format::Json => json(&text),
        };
        // One write, so that lines of several threads do not mix; and who cannot be told is not told.
        drop(self.out.write_all(line.as_bytes()));
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        drop(self.out.flush());
        Ok(())
    }
}

impl<W: Write> MakeWriter<'_> for Sanitised<W>
where
    W: Clone,
{
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self { out: self.out.clone(), format: self.format, colours: self.colours }
    }
}

/// Whether it is a line as it is: short, of characters of ASCII that are shown, with its end. Most are.
fn is_plain_line(event: &[u8]) -> bool {
    let Some((b'\n', line)) = event.split_last() else { return false };
    line.len() < LINE_BYTES_MAX && line.iter().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Whether a character does something in a terminal instead of being shown: controls, what turns the
/// direction of writing, and what is not seen at all. [UAX #9 §2]
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
            | '\u{61c}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// A line of text. Escape stays where the formatter colours: it takes it out of values itself.
fn plain(event: &str, colours: bool) -> String {
    let event = event.strip_suffix('\n').unwrap_or(event);
    let mut line = String::with_capacity(event.len() + 1);
    for c in event.chars() {
        if line.len() >= LINE_BYTES_MAX {
            line.push_str(&format!("… (cut, {} bytes)", event.len()));
            break;
        }
        match is_harmful(c) && !(colours && c == '\u{1b}') {
            true => line.extend(c.escape_unicode()),
            false => line.push(c),
        }
    }
    line.push('\n');
    line
}

/// A line of JSON, in which control characters are escaped already.
fn json(event: &str) -> String {
    let event = event.strip_suffix('\n').unwrap_or(event);
    let mut line = match event.len() > LINE_BYTES_MAX {
        true => cut_texts(event),
        false => event.to_owned(),
    };
    if line.chars().any(is_harmful) {
        let escaped = |c: char| {
            let mut units = [0; 2];
            let units = c.encode_utf16(&mut units).iter();
            units.map(|unit| format!("\\u{unit:04x}")).collect::<String>()
        };
        line =
            line.chars().map(|c| if is_harmful(c) { escaped(c) } else { c.to_string() }).collect();
    }
    line.push('\n');
    line
}

/// The same object with each text cut.
fn cut_texts(event: &str) -> String {
    fn cut(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::String(text) if text.len() > TEXT_BYTES_MAX => {
                let n_bytes = text.len();
                text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
                text.push_str(&format!("… (cut, {n_bytes} bytes)"));
            }
            serde_json::Value::Array(values) => values.iter_mut().for_each(cut),
            serde_json::Value::Object(values) => values.values_mut().for_each(cut),
            _ => {}
        }
    }
    let Ok(mut value) = serde_json::from_str(event) else {
        return serde_json::json!({ "level": "ERROR", "message": "a line that is no JSON" })
            .to_string();
    };
    cut(&mut value);
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_something_in_a_terminal_is_escaped() {
        let line = plain("host \"a\u{1b}[2J\u{202e}b\u{9b}\nERROR forged\"\n", false);
        assert_eq!(
            line, "host \"a\\u{1b}[2J\\u{202e}b\\u{9b}\\u{a}ERROR forged\"\n",
            "and it is one line"
        );
        assert_eq!(plain("\u{1b}[32m INFO\u{1b}[0m ü\n", true), "\u{1b}[32m INFO\u{1b}[0m ü\n");
    }

    #[test]
    fn a_line_as_it_is_is_written_as_it_would_be_anyhow() {
        let longest = format!("{}\n", "x".repeat(LINE_BYTES_MAX - 1));
        for (line, is_plain) in [
            ("2026-11-28 INFO a{b=\"c\"}: ~ d\n", true),
            (longest.as_str(), true),
            ("\n", true),
            (&format!("x{longest}"), false),
            ("no end", false),
            ("", false),
            ("two\nlines\n", false),
            ("escape \u{1b}[2J\n", false),
            ("delete \u{7f}\n", false),
            ("\u{fc}\n", false),
        ] {
            assert_eq!(is_plain_line(line.as_bytes()), is_plain, "{line:?}");
            if is_plain {
                assert_eq!((plain(line, false).as_str(), json(line).as_str()), (line, line));
            }
        }
    }

    #[test]
    fn a_long_line_is_cut_and_says_so() {
        let line = plain(&"x".repeat(1 << 20), false);
        assert!(line.len() < LINE_BYTES_MAX + 40, "{}", line.len());
        assert!(line.ends_with("… (cut, 1048576 bytes)\n"));
        let event = serde_json::json!({ "fields": { "a": "ü".repeat(9_000), "b": "short" } });
        let line: serde_json::Value = serde_json::from_str(&json(&event.to_string())).unwrap();
        assert_eq!(line["fields"]["b"], "short");
        let cut = line["fields"]["a"].as_str().unwrap();
        assert!(cut.len() < 2_100 && cut.ends_with("(cut, 18000 bytes)"), "{}", cut.len());
    }

    #[test]
    fn a_line_of_json_stays_json() {
        let event = serde_json::json!({ "name": "a\u{202e}b\n\u{e0041}" }).to_string();
        let line = json(&event);
        assert!(!line.contains('\u{202e}') && !line.contains('\u{e0041}'), "{line}");
        assert_eq!(line.lines().count(), 1);
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["name"], "a\u{202e}b\n\u{e0041}");
    }

    #[test]
    fn levels_are_words() {
        assert!(filter("info").is_ok());
        assert!(filter("warn,server::app::attest=debug").is_ok());
        assert!(filter("server=loud").unwrap_err().to_string().contains("loud"));
    }
}
