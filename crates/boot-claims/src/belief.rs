//! How far a fact may be believed.

/// How far a fact may be believed. Not ordered: combining is a written-out `match`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belief {
    /// The TPM was extended with the event, and the data hashes to its digests.
    Verified,
    /// Nothing says that it is wrong, and nothing that it is right.
    Unverifiable(Doubt),
    /// The data does not hash to the digests, and should.
    Contradicted,
}

/// Why a fact cannot be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The digest is of something that is not in the log. What was measured is known by its digest
    /// only; the text about it is the host's word.
    DataNotMeasured,
    /// The PCR of the event does not replay in a quoted bank that counts, or was not quoted.
    NotReplayed,
}
