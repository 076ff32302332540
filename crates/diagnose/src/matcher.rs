//! All texts of the table in one pass.

use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError, MatchKind};
use memchr::memmem;

use crate::{
    codes::{self, CodeOnLine},
    fragments::Fragments,
    signature::{Carries, Signature, Stands},
    table::signatures,
    time::{self, Year},
};

/// A text of the table, ready to be looked for.
struct Text {
    /// Where the signature stands in the table.
    position: usize,
    signature: &'static Signature,
    /// What stands between the `*`, in the order of the text.
    parts: Vec<&'static [u8]>,
    begins: Begins,
}

/// Where on its line a text may begin.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begins {
    Anywhere,
    /// It is the start of its message (`^` in the table).
    Message,
}

/// A signature that a line has.
#[derive(Clone, Copy, Debug)]
pub struct Hit {
    /// Which.
    pub signature: &'static Signature,
    pub(crate) position: usize,
    /// The response code, where it carries one.
    pub code: Option<CodeOnLine>,
}

/// What a line has.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// Its signatures, each once.
    pub(crate) hits: Vec<Hit>,
    /// Whether it says which host one of vCenter's identifiers is.
    pub(crate) names_host: bool,
}

/// What makes a line worth a look without any text of the table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    /// It is about a TPM or its software, and may carry a response code.
    OfTpm,
    /// The same, inside other words: not `http`, not `smtpd`.
    InsideOfTpm,
    /// It says which host is which.
    NamesHost,
}

/// Words that are looked for beside the texts.
const WORDS: &[(&str, Word)] = &[
    ("TPM", Word::OfTpm),
    ("Tpm", Word::OfTpm),
    ("tpm", Word::InsideOfTpm),
    ("Esys_", Word::OfTpm),
    ("Fapi_", Word::OfTpm),
    ("Tss2_", Word::OfTpm),
    ("tss2", Word::OfTpm),
    ("tcti", Word::OfTpm),
    ("0x8028", Word::OfTpm),
    ("NV_Read", Word::OfTpm),
    ("vim.HostSystem:", Word::NamesHost),
];

/// Finds signatures in lines.
pub struct Matcher {
    /// Finds lines that may matter.
    fragments: Fragments,
    /// Finds the longest part of each text: what all of the text must have; then [`WORDS`].
    anchors: AhoCorasick,
    texts: Vec<Text>,
    /// The row for response codes that no other row carries, and where it stands.
    any_code: Option<(usize, &'static Signature)>,
}

impl Matcher {
    /// A matcher for the whole table.
    ///
    /// # Errors
    /// None with this table: a test builds it. An automaton that is too large for its index type.
    pub fn new() -> Result<Self, BuildError> {
        let mut anchors: Vec<&'static [u8]> = Vec::new();
        let mut texts = Vec::new();
        let mut any_code = None;
        for (position, signature) in signatures().enumerate() {
            if signature.carries == Carries::AnyCode {
                any_code = Some((position, signature));
            }
            for text in signature.texts {
                let (text, begins) = match text.strip_prefix('^') {
                    Some(text) => (text, Begins::Message),
                    None => (*text, Begins::Anywhere),
                };
                let parts: Vec<&[u8]> = text.split('*').map(str::as_bytes).collect();
                anchors
                    .push(parts.iter().max_by_key(|part| part.len()).copied().unwrap_or_default());
                texts.push(Text { position, signature, parts, begins });
            }
        }
        anchors.extend(WORDS.iter().map(|(word, _)| word.as_bytes()));
        let anchors = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .build(&anchors)?;
        Ok(Self { fragments: Fragments::new()?, anchors, texts, any_code })
    }

    /// The first byte behind `from` at which a piece of any text ends; most of a log has none.
    pub(crate) fn next(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let rest = bytes.get(from..)?;
        self.fragments.find(rest).map(|end| from + end)
    }

    /// The signatures that `line` has, each once.
    pub fn hits(&self, line: &[u8]) -> Vec<Hit> {
        self.look(line).hits
    }

    /// What `line` has.
    pub(crate) fn look(&self, line: &[u8]) -> Look {
        let mut hits: Vec<Hit> = Vec::new();
        let (mut is_about_tpm, mut names_host) = (false, false);
        for found in self.anchors.find_overlapping_iter(line) {
            let pattern = found.pattern().as_usize();
            let Some(text) = self.texts.get(pattern) else {
                match WORDS.get(pattern - self.texts.len()).map(|(_, word)| *word) {
                    Some(Word::OfTpm) => is_about_tpm = true,
                    Some(Word::InsideOfTpm) => {
                        let before = found.start().checked_sub(1).and_then(|at| line.get(at));
                        is_about_tpm |= !matches!(before, Some(b't' | b'm'));
                    }
                    Some(Word::NamesHost) => names_host = true,
                    None => {}
                }
                continue;
            };
            if hits.iter().any(|hit| hit.position == text.position) {
                continue;
            }
            let Some(end) = text.end_in(line) else { continue };
            let rest = line.get(end..).unwrap_or_default();
            let code = code_behind(text.signature.carries, rest);
            let Text { position, signature, .. } = *text;
            hits.push(Hit {
                signature,
                position,
                code: code.map(|code| CodeOnLine::new(code, line)),
            });
        }
        if is_about_tpm
            && hits.iter().all(|hit| hit.code.is_none())
            && let Some((position, signature)) = self.any_code
            && let Some(code) = codes::on(line)
        {
            hits.push(Hit { signature, position, code: Some(code) });
        }
        if hits.iter().any(|hit| hit.signature.stands == Stands::Beside) {
            hits.retain(|hit| hit.signature.stands == Stands::Beside);
        }
        Look { hits, names_host }
    }
}

impl Text {
    /// Where the last part ends, if all parts stand on the line in their order.
    fn end_in(&self, line: &[u8]) -> Option<usize> {
        let mut at = 0;
        for (n, part) in self.parts.iter().enumerate() {
            let start = at + memmem::find(line.get(at..)?, part)?;
            if n == 0 && self.begins == Begins::Message && !is_start_of_message(line, start) {
                return None;
            }
            at = start + part.len();
        }
        Some(at)
    }
}

/// Whether nothing stands before `at` but a time, or a boot loader says what follows.
fn is_start_of_message(line: &[u8], at: usize) -> bool {
    let (_, behind_time) = time::of_line(line, Year::Unknown);
    let before = line.get(behind_time.min(at)..at).unwrap_or_default();
    let before = before.trim_ascii_end();
    let before = before.strip_suffix(b":").unwrap_or(before).trim_ascii();
    let last_word = before.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    before.is_empty() || memmem::find(last_word, b"boot").is_some()
}

/// The number at the start of `rest`. A number that is too large for a code is none.
fn code_behind(carries: Carries, rest: &[u8]) -> Option<u32> {
    let (radix, rest) = match carries {
        Carries::Nothing | Carries::AnyCode => return None,
        Carries::HexCode => (16, rest.strip_prefix(b"0x").unwrap_or(rest)),
        Carries::DecimalCode => (10, rest),
    };
    let n = rest.iter().take_while(|byte| char::from(**byte).is_digit(radix)).count();
    let digits = std::str::from_utf8(rest.get(..n)?).ok()?;
    u32::from_str_radix(digits, radix).ok()
}
