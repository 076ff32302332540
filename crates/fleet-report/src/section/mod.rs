//! What a report tells, in order: headings, paragraphs and tables, which `pdf` and `html` draw.
//!
//! Texts here are as they came: each drawer escapes and cuts them by the rules of [`pages::text`].

mod annex;
mod compliance;
mod cover;
mod exceptions;
mod fleet;
mod host;
mod method;
mod readiness;
mod signature;

use api::fleet_report::{Answer, Report, ReportKind};

/// What is drawn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Block {
    /// The title, and a line below it.
    Title(String, String),
    /// Where parts begin: the table of contents, with the pages where there are pages.
    Contents,
    /// A heading.
    Heading(Level, String),
    /// A paragraph.
    Paragraph(Tone, String),
    /// Lines of a name and its value.
    Facts(Vec<(&'static str, String)>),
    /// How many hosts stand how, as a bar; a paragraph beside it says the same.
    Bar(Vec<(Tone, usize)>),
    /// A table.
    Table(Table),
}

/// How deep a heading stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// A part of the report.
    Part,
    /// A part of that, or a host.
    Sub,
}

/// How a text looks. It never says what the text does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    #[default]
    Plain,
    /// What counts most.
    Strong,
    Good,
    Bad,
    Unsure,
    /// Beside the matter.
    Quiet,
}

impl Tone {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Strong => "strong",
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Unsure => "unsure",
            Self::Quiet => "quiet",
        }
    }
}

/// A table. Each row has a cell for each column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Table {
    /// What it shows, for who cannot see it.
    pub(crate) about: String,
    /// Titles, and the share of the width.
    pub(crate) columns: Vec<(&'static str, f32)>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) tone: Tone,
    pub(crate) text: String,
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { tone: Tone::Plain, text: text.into() }
    }
}

fn toned(tone: Tone, text: impl Into<String>) -> Cell {
    Cell { tone, text: text.into() }
}

/// What takes blocks, one after the other: a report of 10,000 hosts is never there as a whole.
pub(crate) type Sink<'a> = dyn FnMut(Block) + 'a;

fn part(sink: &mut Sink<'_>, title: &str) {
    sink(Block::Heading(Level::Part, title.to_owned()));
}

fn say(sink: &mut Sink<'_>, text: impl Into<String>) {
    sink(Block::Paragraph(Tone::Plain, text.into()));
}

/// Tells a report. `json_sha256` names its JSON.
pub(crate) fn tell(report: &Report, json_sha256: &str, sink: &mut Sink<'_>) {
    cover::tell(report, json_sha256, sink);
    match report.kind {
        ReportKind::Fleet => {
            fleet::causes(report, sink);
            method::tell(sink);
            fleet::hosts(report, sink);
            readiness::tell(report, sink);
            compliance::tell(report, sink);
            exceptions::tell(report, sink);
            annex::tell(report, sink);
        }
        ReportKind::Host => {
            host::tell(report, sink);
            method::tell(sink);
            compliance::tell(report, sink);
            exceptions::tell(report, sink);
        }
        ReportKind::Readiness => {
            readiness::tell(report, sink);
            readiness::hosts(report, sink);
            method::tell(sink);
        }
        ReportKind::Compliance => {
            compliance::tell(report, sink);
            compliance::hosts(report, sink);
            method::tell(sink);
            exceptions::tell(report, sink);
        }
    }
    signature::tell(report, json_sha256, sink);
}

/// What a report is called.
pub(crate) const fn title(kind: ReportKind) -> &'static str {
    match kind {
        ReportKind::Fleet => "Secure Boot of the fleet",
        ReportKind::Host => "Secure Boot of one host",
        ReportKind::Readiness => "Secure Boot in 2026: readiness",
        ReportKind::Compliance => "Secure Boot: compliance",
    }
}

/// A verdict's word, as pages say it. One that is not known is never a good one.
pub(crate) fn verdict(verdict: &str) -> Cell {
    match verdict {
        "accepted" => toned(Tone::Good, "Passed"),
        "not accepted" => toned(Tone::Bad, "Not passed"),
        _ => toned(Tone::Unsure, "Not appraised"),
    }
}

fn answer(answer: Option<Answer>) -> Cell {
    match answer.unwrap_or(Answer::NotChecked) {
        Answer::Met => toned(Tone::Good, "met"),
        Answer::NotMet => toned(Tone::Bad, "not met"),
        Answer::NotChecked => toned(Tone::Unsure, "not checked"),
        Answer::NotApplicable => toned(Tone::Quiet, "not asked"),
    }
}

/// `1 host`, `2 hosts`.
fn hosts_of(n: usize) -> String {
    if n == 1 { "1 host".to_owned() } else { format!("{n} hosts") }
}
