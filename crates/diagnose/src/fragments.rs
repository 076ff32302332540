//! The first look at a log: pieces of which every line that matters has one.
//!
//! Most lines of a log have none, so this is what reading a log costs. Some fifty short pieces are
//! found several times as fast as all texts of the table: they fit into vector registers.

use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError, MatchKind, packed};

/// Each text of the table has one of these in one of its parts; a test compares. What stands here
/// is rare in logs of sound hosts: a line that has one is looked at a second time, byte by byte.
pub(crate) const FRAGMENTS: &[&str] = &[
    // Lines about TPMs, any of which may carry a response code.
    "TPM",
    "Tpm",
    "tpm",
    "Esys_",
    "Fapi_",
    "Tss2_",
    "tss2",
    "tcti",
    "0x8028",
    "NV_Read",
    // Who a host is.
    "vim.HostSystem:",
    // Texts without the word.
    "??? - NTC",
    "EK certificate",
    "TCG2",
    "TaHostAttest",
    "UEFI00",
    "VSISHCmd",
    "X509 public key",
    "acceptance level",
    "configenc.",
    "crypto suite",
    "dentity key",
    "ecommission",
    "ecure Boot",
    "ecure boot",
    "ecurity violation",
    "encryption mode",
    "esximage.",
    "ignature",
    "image profile",
    "integrity report",
    "keys not enrolled",
    "log certificate",
    "measure version",
    "module named",
    "modules named",
    "ndorsement",
    "non VIB",
    "schema version",
    "sub=Attestation",
    "system configuration",
    "tardisks",
    "ttestation",
    "vent log",
    "xecInstalledOnly",
    "xecution of non-installed",
];

/// Finds [`FRAGMENTS`].
pub(crate) enum Fragments {
    /// With the vector registers of this processor.
    Packed(packed::Searcher),
    /// Where it has none that are wide enough.
    Automaton(AhoCorasick),
}

impl Fragments {
    pub(crate) fn new() -> Result<Self, BuildError> {
        if let Some(searcher) = packed::Searcher::new(FRAGMENTS) {
            return Ok(Self::Packed(searcher));
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .build(FRAGMENTS)?;
        Ok(Self::Automaton(automaton))
    }

    /// The byte behind the first fragment in `bytes`.
    pub(crate) fn find(&self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Packed(searcher) => searcher.find(bytes).map(|found| found.end()),
            Self::Automaton(automaton) => automaton.find(bytes).map(|found| found.end()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::signatures;

    #[test]
    fn each_text_of_the_table_has_a_fragment() {
        for text in signatures().flat_map(|row| row.texts) {
            let has = |part: &str| FRAGMENTS.iter().any(|fragment| part.contains(fragment));
            assert!(text.split('*').any(has), "no fragment is in {text}");
        }
    }

    #[test]
    fn both_ways_find_the_same() {
        let ways =
            [Fragments::new().unwrap(), Fragments::Automaton(AhoCorasick::new(FRAGMENTS).unwrap())];
        for fragment in FRAGMENTS {
            for before in 0..70 {
                let line = format!("{}{fragment} and more", "x".repeat(before));
                let ends = ways.each_ref().map(|way| way.find(line.as_bytes()).is_some());
                assert_eq!(ends, [true, true], "{line}");
            }
        }
        let nothing = "2018-05-10T14:02:27.660Z cpu29:1)NetPort: 1879: disabled port 0x1";
        assert!(ways.iter().all(|way| way.find(nothing.as_bytes()).is_none()));
    }
}
