//! Tokens that are known by their looks: Bootproof's own, and signed ones (JWT).

use crate::{Removed, Secret};

/// Join tokens, programs' tokens, hosts' tokens, sessions, each with 64 digits behind, and the code for the
/// first account with 24.
const PREFIXES: &[&str] = &["bpj_", "bpa_", "bph_", "bps_", "bpc_"];
/// Digits behind a prefix from which on it is a token, be it cut.
const DIGITS_MIN: usize = 8;
/// `{"` in base64, with which each header of a JWT begins. [RFC7515 §3.1]
const JWT: &str = "eyJ";

pub(crate) fn take_out(line: &str, removed: &mut Removed) -> String {
    let mut kept = String::new();
    let mut rest = line;
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    while let Some(start) = rest.find(is_of_token) {
        let (front, word) = rest.split_at(start);
        let (word, behind) = word.split_at(word.find(|c| !is_of_token(c)).unwrap_or(word.len()));
        kept.push_str(front);
        rest = behind;
        match token_at(word) {
            Some(at) => {
                kept.push_str(word.get(..at).unwrap_or_default());
                kept.push_str(&Secret::Token.mark());
                removed.count(Secret::Token);
            }
            None => kept.push_str(word),
        }
    }
    kept.push_str(rest);
    kept
}

/// Where in this word a token begins.
fn token_at(word: &str) -> Option<usize> {
    let own = PREFIXES.iter().find_map(|prefix| {
        let at = word.find(prefix)?;
        let digits = word.get(at + prefix.len()..)?;
        let n_digits = digits.chars().take_while(char::is_ascii_hexdigit).count();
        (n_digits >= DIGITS_MIN).then_some(at)
    });
    own.or_else(|| {
        let at = word.find(JWT)?;
        (word.get(at..)?.split('.').filter(|part| part.len() > 3).count() >= 3).then_some(at)
    })
}
