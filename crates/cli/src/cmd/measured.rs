//! Whether firmware measured into a bank, by the values of its PCRs 0 to 7.

/// Whether a value of PCR 0 to 7 is another than at the start.
pub(super) fn is_extended(value: &[u8]) -> bool {
    value.iter().any(|byte| *byte != 0)
}

/// What all say; `None` where they differ, or there are none.
pub(super) fn all_alike(all: impl IntoIterator<Item = bool>) -> Option<bool> {
    let mut all = all.into_iter();
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}
