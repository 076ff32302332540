//! Values that are called a secret: `token=…`, `"password": "…"`, `Authorization: …`.

use crate::{Removed, Secret};

/// Headers whose whole value opens a session.
const HEADERS: &[&str] =
    &["authorization", "x-auth-token", "x-api-key", "set-cookie", "cookie", "x-csrf-token"];

/// Ends of names whose value is a secret. In small letters; `-` and `_` are one.
const NAMES: &[(&str, Secret)] = &[
    ("recovery_key", Secret::RecoveryKey),
    ("recoverykey", Secret::RecoveryKey),
    ("private_key", Secret::PrivateKey),
    ("privatekey", Secret::PrivateKey),
    ("password", Secret::Password),
    ("passwd", Secret::Password),
    ("passphrase", Secret::Password),
    ("token", Secret::Token),
    ("secret", Secret::Token),
    ("api_key", Secret::Token),
    ("apikey", Secret::Token),
    ("access_key", Secret::Token),
    ("credential", Secret::Token),
    ("credentials", Secret::Token),
    ("session_id", Secret::Token),
    ("bearer", Secret::Authorization),
];

/// The least of what stands behind `Bearer` to be a token and no word.
const BEARER_CHARS_MIN: usize = 8;

/// Whether a value of this name is a secret: `api-token`, `Password`, `authorization`.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    is_header(&name) || NAMES.iter().any(|(known, _)| name.ends_with(known))
}

/// Whether this name, in small letters with `_` for `-`, is one of a header that opens a session.
fn is_header(name: &str) -> bool {
    HEADERS.iter().any(|header| name.ends_with(&header.replace('-', "_")))
}

pub(crate) fn take_out(line: &str, removed: &mut Removed) -> String {
    let mut kept = String::new();
    let mut rest = line;
    // Names are words of letters, digits, `-` and `_`.
    while let Some(start) = rest.find(is_of_name) {
        let (front, from_name) = rest.split_at(start);
        let len = from_name.find(|c| !is_of_name(c)).unwrap_or(from_name.len());
        let (name, behind) = from_name.split_at(len);
        kept.push_str(front);
        kept.push_str(name);
        rest = behind;
        let Some(value) = secret_behind(name, behind) else { continue };
        let Found { secret, lead, len } = value;
        let (lead, from_value) = behind.split_at_checked(lead).unwrap_or((behind, ""));
        let (gone, behind) = from_value.split_at_checked(len).unwrap_or((from_value, ""));
        kept.push_str(lead);
        rest = behind;
        // Whether there is one is no secret.
        let is_secret = !["", "true", "false", "null"].contains(&gone);
        if !is_secret || gone.starts_with("[removed") {
            kept.push_str(gone);
        } else {
            kept.push_str(&secret.mark());
            removed.count(secret);
        }
    }
    kept.push_str(rest);
    kept
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

/// A value that is to go: how many bytes stand before it, and how many it has.
struct Found {
    secret: Secret,
    lead: usize,
    len: usize,
}

fn secret_behind(name: &str, behind: &str) -> Option<Found> {
    let name = name.to_ascii_lowercase().replace('-', "_");
    let is_header =
        |header: &&&str| name.trim_start_matches('_').ends_with(&header.replace('-', "_"));
    if HEADERS.iter().any(|header| is_header(&header)) {
        let lead = lead(behind, Separator::Sign)?;
        let value = behind.get(lead.len..)?;
        let len = match lead.quote {
            Some(quote) => quoted_len(value, quote),
            None => value.trim_end_matches('\r').len(),
        };
        return Some(Found { secret: Secret::Authorization, lead: lead.len, len });
    }
    let (_, secret) = NAMES.iter().find(|(known, _)| name.ends_with(known))?;
    let is_flag = name.starts_with("__");
    let separator = match (*secret, is_flag) {
        (Secret::Authorization, _) | (_, true) => Separator::SignOrBlank,
        (_, false) => Separator::Sign,
    };
    let lead = lead(behind, separator)?;
    let value = behind.get(lead.len..)?;
    let len = match lead.quote {
        Some(quote) => quoted_len(value, quote),
        None => value
            .find(|c: char| c.is_whitespace() || ",;&\"'\\)}]<>".contains(c))
            .unwrap_or(value.len()),
    };
    // A mark has a blank in it; and a word behind `bearer` is one of a sentence.
    let len = match value.strip_prefix("[removed") {
        Some(mark) => value.len() - mark.len() + mark.find(']').map_or(0, |at| at + 1),
        None => len,
    };
    if *secret == Secret::Authorization && len < BEARER_CHARS_MIN {
        return None;
    }
    Some(Found { secret: *secret, lead: lead.len, len })
}

/// What may stand between a name and its value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Separator {
    /// `=` or `:`.
    Sign,
    /// The same, or a blank: `--token VALUE`.
    SignOrBlank,
}

struct Lead {
    len: usize,
    quote: Option<Quote>,
}

/// The quote that begins a value, and whether a backslash stands before it, as in a text in quotes.
#[derive(Clone, Copy)]
struct Quote {
    sign: char,
    escaped: bool,
}

/// Quotes that end the name, the separator, blanks, the quote that begins the value.
fn lead(behind: &str, separator: Separator) -> Option<Lead> {
    let is_quote = |c: char| c == '"' || c == '\'' || c == '\\';
    let rest = behind.trim_start_matches(is_quote);
    let unspaced = rest.trim_start_matches([' ', '\t']);
    let from_value = match unspaced.strip_prefix(['=', ':']) {
        // `::` and `://` separate no value from its name.
        Some(value) if !value.starts_with([':', '/']) => value,
        Some(_) => return None,
        None if separator == Separator::SignOrBlank && unspaced.len() < rest.len() => unspaced,
        None => return None,
    };
    let from_value = from_value.trim_start_matches([' ', '\t']);
    let unescaped = from_value.trim_start_matches('\\');
    let sign = unescaped.chars().next().filter(|c| *c == '"' || *c == '\'');
    let quote = sign.map(|sign| Quote { sign, escaped: unescaped.len() < from_value.len() });
    let value = match quote {
        Some(quote) => unescaped.strip_prefix(quote.sign).unwrap_or(unescaped),
        None => from_value,
    };
    Some(Lead { len: behind.len() - value.len(), quote })
}

/// Up to the quote that ends a value, or to the end of the line.
fn quoted_len(value: &str, quote: Quote) -> usize {
    let mut n_backslashes = 0_usize;
    for (at, c) in value.char_indices() {
        if c == quote.sign {
            match (quote.escaped, n_backslashes) {
                (false, n) if n % 2 == 0 => return at,
                (true, 1) => return at.saturating_sub(1),
                // A text in quotes that ended without the one of the value.
                (true, 0) => return at,
                _ => {}
            }
        }
        n_backslashes = if c == '\\' { n_backslashes.saturating_add(1) } else { 0 };
    }
    value.trim_end_matches('\r').len()
}
