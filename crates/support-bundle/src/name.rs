//! Names of files in the archive.

/// What a tar's header has room for, less the folder and the ending.
const NAME_CHARS_MAX: usize = 64;

/// `untrusted_name` as the name of a file: it leads nowhere, and no terminal or shell is steered by it.
pub fn file_name(untrusted_name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let name: String = untrusted_name.chars().map(plain).take(NAME_CHARS_MAX).collect();
    match name.trim_start_matches('.') {
        "" => "unnamed".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere() {
        for (name, expected) in [
            ("web-1.example.org", "web-1.example.org"),
            ("../../etc/passwd", "_.._etc_passwd"),
            ("a\u{1b}[2J b", "a__2J_b"),
            ("", "unnamed"),
            ("..", "unnamed"),
        ] {
            assert_eq!(file_name(name), expected);
        }
        assert_eq!(file_name(&"x".repeat(500)).len(), NAME_CHARS_MAX);
    }
}
