//! Which host a line is about.

use std::net::Ipv4Addr;

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
        rest.is_some_and(|rest| rest.starts_with('.'))
            && !self.0.contains('.')
            && !full.is_address()
    }

    /// Whether it is an address, as vCenter has for a name where a host was added by it.
    pub(crate) fn is_address(&self) -> bool {
        self.0.parse::<Ipv4Addr>().is_ok()
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
        _ => after(line, b"\"_HOSTNAME\":\"").or_else(|| of_syslog(line, behind_time)),
    };
    Subject { name, moref: moref(line) }
}

/// `[vim.HostSystem:host-29,esxi-117.foobar.com]`
pub(crate) fn of_vcenter(line: &[u8]) -> Option<Subject> {
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

/// `esxi-117 vmkernel: …`: a name, and behind it a program with a colon. By the newer form the program has
/// none, and the line begins with `<181>1`. [RFC5424 §6]
fn of_syslog(line: &[u8], behind_time: &[u8]) -> Option<HostName> {
    let head = behind_time.get(..2 * NAME_BYTES_MAX).unwrap_or(behind_time);
    let mut words = head.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).peekable();
    // `14:02:27 CEST web-1 kernel: …`
    let is_zone = |word: &&[u8]| word.len() < 6 && word.iter().all(u8::is_ascii_uppercase);
    let zone = words.next_if(is_zone);
    let first = if words.peek().is_some_and(|word| word.ends_with(b":")) { zone } else { None };
    let name = HostName::new(str::from_utf8(first.or_else(|| words.next())?).ok()?)?;
    let program = words.next()?;
    if is_rfc_5424(line) {
        return Some(name);
    }
    let is_level = ["trace", "debug", "verbose", "info", "warn", "warning", "error"];
    let program = program.strip_suffix(b":")?;
    let program =
        program.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_./[]()@".contains(byte));
    (program && !is_level.contains(&name.as_str())).then_some(name)
}

/// `<181>1 `: a priority, and the version of the format.
fn is_rfc_5424(line: &[u8]) -> bool {
    let priority = line.strip_prefix(b"<").and_then(|rest| {
        let n = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        rest.get(n..).filter(|_| (1..=3).contains(&n))
    });
    priority.is_some_and(|rest| rest.starts_with(b">1 "))
}

/// A name and an address that `line` says to be of one host: `NAME (10.0.0.1)`, `NAME/10.0.0.1`,
/// `10.0.0.1 (NAME)`. Whether the name is a host's, other lines must tell: it may be any word.
pub(crate) fn tie(line: &[u8]) -> Option<(HostName, HostName)> {
    let is_in_name = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_".contains(byte);
    let mut before: Option<(&[u8], usize)> = None;
    let mut at = 0;
    while let Some(rest) = line.get(at..).filter(|rest| !rest.is_empty()) {
        let n = rest.iter().take_while(|byte| is_in_name(byte)).count();
        let word = rest.get(..n).unwrap_or_default();
        if let Some((before, end)) = before
            && matches!(line.get(end..at), Some(b" (" | b"(" | b"/" | b" [" | b"["))
        {
            let tied = match (address(before), address(word)) {
                (None, Some(address)) => name(before).map(|name| (name, address)),
                (Some(address), None) => name(word).map(|name| (name, address)),
                _ => None,
            };
            if tied.is_some() {
                return tied;
            }
        }
        if n > 0 {
            before = Some((word, at + n));
        }
        at += n.max(1);
    }
    None
}

fn name(word: &[u8]) -> Option<HostName> {
    str::from_utf8(word).ok().and_then(HostName::new)
}

fn address(word: &[u8]) -> Option<HostName> {
    let is_like = word.first()?.is_ascii_digit() && (7..16).contains(&word.len());
    name(word).filter(|name| is_like && name.is_address())
}

/// Names of one host as a hosts file has them: `10.0.0.1 esxi-117.foobar.com esxi-117`. Not the
/// machine's own loop, which is each host's.
pub(crate) fn of_hosts_file(line: &[u8]) -> Option<(HostName, HostName)> {
    let line = line.split(|byte| *byte == b'#').next()?;
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let mut name = || HostName::new(str::from_utf8(words.next()?).ok()?);
    let address = name().filter(HostName::is_address)?;
    let is_loop = address.as_str().starts_with("127.") || address.as_str().starts_with("0.");
    name().filter(|name| !is_loop && !name.is_address()).map(|name| (name, address))
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
    fn syslog_names_its_host_in_each_of_its_forms() {
        for (line, found) in [
            (
                "<181>1 2018-05-10T14:02:27.659Z esxi-117.a.b vmkernel - - - cpu0:1)x",
                Some("esxi-117.a.b"),
            ),
            ("<181>2018-05-10T14:02:27.659Z esxi-117.a.b vmkernel: cpu0:1)x", Some("esxi-117.a.b")),
            ("Thu 2018-05-10 14:02:27 CEST web-1 kernel: x", Some("web-1")),
            ("2018-05-10 14:02:27 WEB-1 kernel: x", Some("web-1")),
            ("<181>1 2018-05-10T14:02:27.659Z - vmkernel - - - x", None),
            ("2018-05-10T14:02:27.659Z esxi-117.a.b vmkernel - - - x", None),
        ] {
            let (_, end) = crate::time::of_line(line.as_bytes(), crate::Year::Unknown);
            let subject = of_line(line.as_bytes(), &line.as_bytes()[end..], Source::Vmkernel);
            assert_eq!(subject.name.as_ref().map(HostName::as_str), found, "{line}");
        }
    }

    #[test]
    fn lines_tie_names_to_addresses() {
        let strings = |tie: Option<(HostName, HostName)>| tie.map(|(name, ip)| (name.0, ip.0));
        let tied = Some(("esxi-117.a.b".to_owned(), "10.1.2.3".to_owned()));
        for line in [
            "Connected to host esxi-117.a.b (10.1.2.3), port 902",
            "host 10.1.2.3 [esxi-117.a.b]",
            "esxi-117.a.b/10.1.2.3:443 and others",
        ] {
            assert_eq!(strings(tie(line.as_bytes())), tied, "{line}");
        }
        for line in ["esxi-117.a.b 10.1.2.3", "10.1.2.3 (10.1.2.4)", "a (b)", "1.2.3.4.5 (a)x", ""]
        {
            assert_eq!(strings(tie(line.as_bytes())), None, "{line}");
        }
        let hosts = |line: &str| strings(of_hosts_file(line.as_bytes()));
        assert_eq!(hosts("10.1.2.3\tesxi-117.a.b esxi-117 # us"), tied);
        for line in
            ["127.0.0.1 localhost.localdomain", "# 10.1.2.3 a", "::1 localhost", "10.1.2.3", ""]
        {
            assert_eq!(hosts(line), None, "{line}");
        }
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
