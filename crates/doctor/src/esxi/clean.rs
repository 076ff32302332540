//! What a terminal, a mail or PowerShell made of an output -> its words.

/// `bytes` as text: UTF-16 where it says or looks so (PowerShell's `>`), else UTF-8 with what is none
/// replaced; without colours and other steering, without what was rubbed out, with plain blanks and
/// line feeds.
pub(super) fn clean(bytes: &[u8]) -> String {
    let text = decode(bytes);
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_escape(&mut chars),
            // A terminal goes back over the last character.
            '\u{8}' => {
                if !clean.ends_with('\n') {
                    clean.pop();
                }
            }
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' => clean.push('\n'),
            '\n' | '\t' => clean.push(c),
            '\u{feff}' | '\u{200b}' => {}
            '\u{a0}' | '\u{202f}' => clean.push(' '),
            c if c.is_control() => {}
            c => clean.push(c),
        }
    }
    clean
}

fn decode(bytes: &[u8]) -> String {
    let little = |bytes: &[u8]| utf16(bytes, u16::from_le_bytes);
    match bytes {
        [0xff, 0xfe, rest @ ..] => little(rest),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        // Without a mark: a text of ASCII has every second byte 0.
        [a, 0, b, 0, ..] if *a != 0 && *b != 0 => little(bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units: Vec<u16> =
        bytes.chunks_exact(2).filter_map(|pair| Some(unit(pair.try_into().ok()?))).collect();
    String::from_utf16_lossy(&units)
}

/// The rest of a sequence that steers a terminal. [ECMA-48 §5.4, §8.3.89]
fn skip_escape(chars: &mut core::iter::Peekable<core::str::Chars<'_>>) {
    match chars.next() {
        // CSI: up to its final byte.
        Some('[') => {
            while let Some(c) = chars.peek().copied() {
                if c == '\n' {
                    break;
                }
                chars.next();
                if ('@'..='~').contains(&c) {
                    break;
                }
            }
        }
        // OSC, a window's title: up to BEL or ESC \.
        Some(']') => {
            while let Some(c) = chars.peek().copied() {
                if c == '\n' {
                    break;
                }
                chars.next();
                if c == '\u{7}' || c == '\\' {
                    break;
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_same_whatever_they_came_through() {
        let plain = "   Mode: TPM\n   Require Secure Boot: true\n";
        let units = || plain.encode_utf16();
        let utf16 = |mark: &[u8], of: fn(u16) -> [u8; 2]| {
            mark.iter().copied().chain(units().flat_map(of)).collect::<Vec<u8>>()
        };
        for bytes in [
            plain.as_bytes().to_vec(),
            plain.replace('\n', "\r\n").into_bytes(),
            format!("\u{feff}{plain}").into_bytes(),
            utf16(&[0xff, 0xfe], u16::to_le_bytes),
            utf16(&[0xfe, 0xff], u16::to_be_bytes),
            utf16(&[], u16::to_le_bytes),
            plain.replace("TPM", "\u{1b}[1;32mTPM\u{1b}[0m").into_bytes(),
            plain.replace("TPM", "\u{1b}]0;root@esx\u{7}TPX\u{8}M").into_bytes(),
            plain.replace("  ", "\u{a0} ").into_bytes(),
        ] {
            assert_eq!(clean(&bytes), plain, "{bytes:?}");
        }
    }

    #[test]
    fn junk_is_harmless() {
        for junk in [
            &[0xff, 0xfe, 0xd8][..],
            b"\x1b",
            b"\x1b[",
            b"\x1b]\n",
            b"\x08\x08",
            &[0xff; 9],
            &[0; 9],
        ] {
            let text = clean(junk);
            assert!(text.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()));
        }
        assert_eq!(clean(b"a\x1b[31\nb"), "a\nb", "what was cut takes no line with it");
    }
}
