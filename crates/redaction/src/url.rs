//! Passwords in addresses: `https://user:password@host/`. [RFC3986 §3.2.1]

use crate::{Removed, Secret};

const BEHIND_SCHEME: &str = "://";

pub(crate) fn take_out(line: &str, removed: &mut Removed) -> String {
    let mut kept = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(BEHIND_SCHEME) {
        let (front, behind) = rest.split_at(at + BEHIND_SCHEME.len());
        kept.push_str(front);
        rest = behind;
        let Some(userinfo) = userinfo(behind) else { continue };
        let mark = Secret::Password.mark();
        let (user, is_new) = match userinfo.strip_suffix(&mark) {
            Some(user) => (user, false),
            // Without a colon the name is all there is, and a token most often.
            None => (userinfo.find(':').and_then(|at| userinfo.get(..=at)).unwrap_or(""), true),
        };
        kept.push_str(user);
        kept.push_str(&mark);
        if is_new {
            removed.count(Secret::Password);
        }
        rest = behind.get(userinfo.len()..).unwrap_or_default();
    }
    kept.push_str(rest);
    kept
}

/// What stands before the `@` of an address that begins here. People write a `/` of a password as it
/// is, so that behind a colon which begins no port a `/` does not end it.
fn userinfo(address: &str) -> Option<&str> {
    let word = match address.find(|c: char| c.is_whitespace() || "\"'<>`".contains(c)) {
        Some(end) => address.get(..end)?,
        None => address,
    };
    let authority = word.split(['/', '?', '#']).next()?;
    let has_port_at_most =
        authority.split_once(':').is_none_or(|(_, port)| port.chars().all(|c| c.is_ascii_digit()));
    let within = if has_port_at_most { authority } else { word };
    // A mark that stands there already has a blank in it.
    let marked = Secret::Password.mark();
    if let Some(at) = address.find(&marked).filter(|at| !address.get(..*at).is_some_and(has_blank))
    {
        return address.get(..at + marked.len());
    }
    within.rfind('@').and_then(|at| within.get(..at))
}

fn has_blank(text: &str) -> bool {
    text.contains(char::is_whitespace)
}
