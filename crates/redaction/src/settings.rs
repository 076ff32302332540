//! Settings: TOML, and assignments as a shell reads them.

use crate::{Redacted, Secret, text};

/// `untrusted_settings` with the values of `allowed` keys alone, those of a table by their whole name
/// (`verdict.good_for_s`). Of every other key the value goes and the key stays; comments go, and so does
/// what is no setting on one line. What stays is taken through [`text`] as well, since a list says which
/// keys are no secrets and not what somebody put there.
pub fn settings(untrusted_settings: &str, allowed: &[&str]) -> Redacted {
    let mut done = Redacted::default();
    let mut table = String::new();
    let mut inside: Option<&str> = None;
    for line in untrusted_settings.lines() {
        let trimmed = line.trim();
        if let Some(end) = inside {
            if trimmed.contains(end) {
                inside = None;
            }
            continue;
        }
        if trimmed.is_empty() {
            done.text.push('\n');
        } else if trimmed.starts_with('#') {
            done.removed.count(Secret::Comment);
        } else if let Some(name) = table_name(trimmed) {
            name.clone_into(&mut table);
            done.text.push_str(trimmed.split('#').next().unwrap_or_default().trim_end());
            done.text.push('\n');
        } else if let Some((key, value)) = setting(trimmed) {
            let whole = match table.as_str() {
                "" => key.to_owned(),
                table => format!("{table}.{key}"),
            };
            inside = goes_on(value);
            if inside.is_none() && allowed.contains(&whole.as_str()) {
                let (value, comment) = without_comment(value);
                if comment {
                    done.removed.count(Secret::Comment);
                }
                let value = text(value);
                done.removed.extend(value.removed);
                done.text.push_str(&format!("{key} = {}\n", value.text));
            } else {
                done.removed.add_setting(&whole);
                done.text.push_str(&format!("{key} = \"{}\"\n", Secret::Setting.mark()));
            }
        } else {
            done.removed.add_setting("a line that is no setting");
        }
    }
    done
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
}

/// The name in `[name]` or `[[name]]`.
fn table_name(line: &str) -> Option<&str> {
    let head = line.split('#').next()?.trim();
    let name = head.strip_prefix('[')?.strip_suffix(']')?;
    let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    is_name(name.trim()).then(|| name.trim())
}

fn setting(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
    is_name(key.trim()).then(|| (key.trim(), value.trim()))
}

/// The value without a comment behind it, and whether there was one. A sign in quotes begins none.
fn without_comment(value: &str) -> (&str, bool) {
    let mut quote = None;
    for (at, c) in value.char_indices() {
        match (quote, c) {
            (None, '#') => return (value.get(..at).unwrap_or_default().trim_end(), true),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
    }
    (value, false)
}

/// What ends a value that goes on behind this line; `None` where it ends on it.
fn goes_on(value: &str) -> Option<&'static str> {
    for quotes in ["\"\"\"", "'''"] {
        if let Some(rest) = value.strip_prefix(quotes) {
            return (!rest.contains(quotes)).then_some(quotes);
        }
    }
    let closes = |open: char, close: char| {
        value.starts_with(open) && value.matches(open).count() > value.matches(close).count()
    };
    if closes('[', ']') {
        return Some("]");
    }
    closes('{', '}').then_some("}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_on_the_list_stays() {
        let file = "# old: hunter1\nlisten = \"0.0.0.0:8443\"\nsmtp = \"hunter2\"\n\n\
                    [store]\nurl = \"postgres://u:hunter3@db/x\" # hunter4\nlisten = \"hunter5\"\n\
                    long = \"\"\"\nlisten = \"hunter6\"\n\"\"\"\n[[a]]\nlist = [\n  \"hunter7\",\n]\nhunter8\n";
        let done = settings(file, &["listen", "store.url"]);
        assert_eq!(
            done.text,
            "listen = \"0.0.0.0:8443\"\nsmtp = \"[removed: setting]\"\n\n[store]\n\
             url = \"postgres://u:[removed: password]@db/x\" # hunter4\nlisten = \"[removed: setting]\"\n\
             long = \"[removed: setting]\"\n[[a]]\nlist = \"[removed: setting]\"\n"
                .replace(" # hunter4", "")
        );
        let keys: Vec<_> = done.removed.iter().filter_map(|(_, key, _)| key).collect();
        assert_eq!(
            keys,
            ["a line that is no setting", "a.list", "smtp", "store.listen", "store.long"]
        );
        assert_eq!(done.removed.n_of(Secret::Comment), 2);
    }

    #[test]
    fn assignments_of_a_shell_are_settings() {
        let file =
            "BOOTPROOF_LOG=info\nexport BOOTPROOF_JOIN_TOKEN=bpj_0123456789\nBOOTPROOF_TPM='x y'\n";
        let done = settings(file, &["BOOTPROOF_LOG", "BOOTPROOF_TPM"]);
        assert_eq!(
            done.text,
            "BOOTPROOF_LOG = info\nBOOTPROOF_JOIN_TOKEN = \"[removed: setting]\"\nBOOTPROOF_TPM = 'x y'\n"
        );
    }
}
