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
        // Without a colon the name is all there is, and a token most often.
        if let Some((user, _)) = userinfo.split_once(':') {
            kept.push_str(user);
            kept.push(':');
        }
        if userinfo.ends_with(&Secret::Password.mark()) {
            kept.push_str(&Secret::Password.mark());
        } else {
            kept.push_str(&Secret::Password.mark());
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
