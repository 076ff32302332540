//! Names that were mistyped.

/// The one of `names` that `typed` is most like, where that is by `least` or more: 1 is equal.
pub fn alike<'a>(typed: &str, names: impl Iterator<Item = &'a str>, least: f64) -> Option<&'a str> {
    let scored = names.map(|name| (strsim::jaro_winkler(typed, name), name));
    let (score, best) = scored.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (score >= least).then_some(best)
}
