//! All texts of the table in one pass.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use memchr::memmem;

use crate::{
    signature::{Carries, Signature},
    table::signatures,
};

/// A text of the table, ready to be looked for.
struct Text {
    /// Where the signature stands in the table.
    position: usize,
    signature: &'static Signature,
    /// What stands between the `*`, in the order of the text.
    parts: Vec<&'static [u8]>,
}

/// A signature that a line has.
#[derive(Clone, Copy, Debug)]
pub struct Hit {
    /// Which.
    pub signature: &'static Signature,
    pub(crate) position: usize,
    /// The response code behind it, where it carries one.
    pub code: Option<u32>,
}

/// Finds signatures in lines.
pub struct Matcher {
    /// Finds the longest part of each text: what all of the text must have.
    anchors: AhoCorasick,
    texts: Vec<Text>,
}

impl Matcher {
    /// A matcher for the whole table.
    ///
    /// # Errors
    /// None with this table: a test builds it. An automaton that is too large for its index type.
    pub fn new() -> Result<Self, aho_corasick::BuildError> {
        let mut anchors: Vec<&'static [u8]> = Vec::new();
        let mut texts = Vec::new();
        for (position, signature) in signatures().enumerate() {
            for text in signature.texts {
                let parts: Vec<&[u8]> = text.split('*').map(str::as_bytes).collect();
                anchors
                    .push(parts.iter().max_by_key(|part| part.len()).copied().unwrap_or_default());
                texts.push(Text { position, signature, parts });
            }
        }
        let anchors = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .build(&anchors)?;
        Ok(Self { anchors, texts })
    }

    /// The first byte behind `from` at which an anchor of any text ends; most of a log has none.
    pub(crate) fn next(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let rest = bytes.get(from..)?;
        self.anchors.find(rest).map(|found| from + found.end())
    }

    /// The signatures that `line` has, each once.
    pub fn hits(&self, line: &[u8]) -> Vec<Hit> {
        let mut hits: Vec<Hit> = Vec::new();
        for found in self.anchors.find_overlapping_iter(line) {
            let Some(text) = self.texts.get(found.pattern().as_usize()) else { continue };
            if hits.iter().any(|hit| hit.position == text.position) {
                continue;
            }
            let Some(end) = text.end_in(line) else { continue };
            let code = code_behind(text.signature.carries, line.get(end..).unwrap_or_default());
            let Text { position, signature, .. } = *text;
            hits.push(Hit { signature, position, code });
        }
        hits
    }
}

impl Text {
    /// Where the last part ends, if all parts stand on the line in their order.
    fn end_in(&self, line: &[u8]) -> Option<usize> {
        let mut at = 0;
        for part in &self.parts {
            at += memmem::find(line.get(at..)?, part)? + part.len();
        }
        Some(at)
    }
}

/// The number at the start of `rest`. A number that is too large for a code is none.
fn code_behind(carries: Carries, rest: &[u8]) -> Option<u32> {
    let (radix, rest) = match carries {
        Carries::Nothing => return None,
        Carries::HexCode => (16, rest.strip_prefix(b"0x").unwrap_or(rest)),
        Carries::DecimalCode => (10, rest),
    };
    let n = rest.iter().take_while(|byte| char::from(**byte).is_digit(radix)).count();
    let digits = std::str::from_utf8(rest.get(..n)?).ok()?;
    u32::from_str_radix(digits, radix).ok()
}
