//! Which host a line is about.

use memchr::memmem;

use crate::signature::Source;

/// DNS allows 253.
const NAME_BYTES_MAX: usize = 253;

/// A host's name, in small letters: letters, digits, `.`, `-`, `_`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(String);

impl HostName {
    /// A name, if `text` is one.
    pub fn new(text: &str) -> Option<Self> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        let sound = text.len() <= NAME_BYTES_MAX
            && text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
            && text.bytes().all(is_name);
        sound.then(|| Self(text.to_ascii_lowercase()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `full` is this name with its domain.
    pub(crate) fn is_short_for(&self, full: &Self) -> bool {
        let rest = full.0.strip_prefix(&self.0);
        rest.is_some_and(|rest| rest.starts_with('.')) && !self.0.contains('.')
    }
}

/// What a line says of its host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Subject {
    /// Its name.
    pub(crate) name: Option<HostName>,
    /// vCenter's identifier of it, `host-29`.
    pub(crate) moref: Option<String>,
}

/// What `line` says; `behind_time` is its part behind the time, `source` who printed the text.
pub(crate) fn of_line(line: &[u8], behind_time: &[u8], source: Source) -> Subject {
    if let Some(subject) = of_vcenter(line) {
        return subject;
    }
    let name = match source {
        Source::Bootproof => after(line, b"name=")
            .or_else(|| after(line, b"name\":\""))
            .or_else(|| after(line, b"host=").or_else(|| after(line, b"host\":\""))),
        _ => after(line, b"\"_HOSTNAME\":\"").or_else(|| of_syslog(behind_time)),
    };
    Subject { name, moref: moref(line) }
}

/// `[vim.HostSystem:host-29,esxi-117.foobar.com]`
fn of_vcenter(line: &[u8]) -> Option<Subject> {
    let key: &[u8] = b"[vim.HostSystem:";
    let rest = line.get(memmem::find(line, key)? + key.len()..)?;
    let inner = rest.get(..memchr::memchr(b']', rest)?)?;
    let (moref, name) = std::str::from_utf8(inner).ok()?.split_once(',')?;
    HostName::new(moref)?;
    Some(Subject { name: HostName::new(name.trim()), moref: Some(moref.to_owned()) })
}

/// `opID=HB-host-29@1`
fn moref(line: &[u8]) -> Option<String> {
    let at = memmem::find(line, b"opID=HB-host-")? + b"opID=HB-".len();
    let rest = line.get(at..)?;
    let n = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    let text = std::str::from_utf8(rest.get(..n.min(32))?).ok()?;
    Some(text.to_owned())
}

fn after(line: &[u8], key: &[u8]) -> Option<HostName> {
    let rest = line.get(memmem::find(line, key)? + key.len()..)?;
    let rest = rest.strip_prefix(b"\"").unwrap_or(rest);
    let end = rest.iter().position(|byte| matches!(byte, b' ' | b'"' | b'}' | b',' | b':'));
    HostName::new(std::str::from_utf8(rest.get(..end.unwrap_or(rest.len()))?).ok()?)
}

/// `esxi-117 vmkernel: …`: a name, and behind it a program with a colon.
fn of_syslog(behind_time: &[u8]) -> Option<HostName> {
    let head = behind_time.get(..2 * NAME_BYTES_MAX).unwrap_or(behind_time);
    let mut words = head.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let name = HostName::new(std::str::from_utf8(words.next()?).ok()?)?;
    let is_level = ["trace", "debug", "verbose", "info", "warn", "warning", "error"];
    let program = words.next()?.strip_suffix(b":")?;
    let program =
        program.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_./[]()@".contains(byte));
    (program && !is_level.contains(&name.as_str())).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(line: &str, behind: &str, source: Source) -> Option<String> {
        of_line(line.as_bytes(), behind.as_bytes(), source).name.map(|name| name.0)
    }

    #[test]
    fn names_are_found_where_logs_have_them() {
        let vpxd = "Failed; [vim.HostSystem:host-29,ESXi-117.foobar.com], N7Vmacore";
        assert_eq!(name(vpxd, "", Source::VCenter).unwrap(), "esxi-117.foobar.com");
        let subject = of_line(b"opID=HB-host-29@1] No cached", b"", Source::VCenter);
        assert_eq!(subject, Subject { name: None, moref: Some("host-29".to_owned()) });
        for (behind, found) in [
            (" esxi-117 vmkernel: cpu0:1)tpmDriver", Some("esxi-117")),
            (" esxi-117.foobar.com Hostd: info hostd[1]", Some("esxi-117.foobar.com")),
            (" web-1 kernel: tpm tpm0", Some("web-1")),
            (" web-1 bootproof-agent[812]: text", Some("web-1")),
            (" cpu29:2097807)tpmdriver loaded", None),
            (" info hostd[2099]: x", None),
            ("  INFO server::app: text", None),
            (" In(182) vmkernel: cpu0:1)x", None),
            ("", None),
        ] {
            assert_eq!(name("", behind, Source::Vmkernel).as_deref(), found, "{behind}");
        }
        let text = "WARN server: another TPM was shown host=4f name=\"web-1\" ek=1";
        assert_eq!(name(text, "", Source::Bootproof).unwrap(), "web-1");
        let json = r#"{"fields":{"message":"x","host":"4f","name":"web-2"}}"#;
        assert_eq!(name(json, "", Source::Bootproof).unwrap(), "web-2");
        let journal = r#"{"_HOSTNAME":"web-3","MESSAGE":"x"}"#;
        assert_eq!(name(journal, "", Source::Linux).unwrap(), "web-3");
    }

    #[test]
    fn what_is_no_name_is_none() {
        for wrong in ["", "-a", "a b", "a\u{1b}[2J", "ü", &"a".repeat(254)] {
            assert_eq!(HostName::new(wrong), None, "{wrong}");
        }
        let (short, full) = (HostName::new("a1").unwrap(), HostName::new("a1.b").unwrap());
        assert!(short.is_short_for(&full) && !full.is_short_for(&short));
        assert!(!short.is_short_for(&HostName::new("a10.b").unwrap()));
    }
}
