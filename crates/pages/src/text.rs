//! Untrusted text in a page.

use std::fmt::{self, Write};

use askama::filters::Escaper;

/// Characters of one piece of text that a page shows: a name, a path, a sentence, a line of a log.
/// Real ones have a few hundred; a host may send a megabyte.
pub const SHOWN_CHARS_MAX: usize = 2_048;

/// Escapes what a page shows: HTML, and characters that nobody sees but that change what is read.
///
/// Explicit marks of reading direction and invisible ones are written as their number, control
/// characters too; lines and tabs stay. What is longer than [`SHOWN_CHARS_MAX`] is cut, and says so.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shown;

impl Escaper for Shown {
    fn write_escaped_str<W: Write>(&self, mut to: W, text: &str) -> fmt::Result {
        for (n, c) in text.chars().enumerate() {
            if n == SHOWN_CHARS_MAX {
                let n_more = text.chars().count().saturating_sub(n);
                return write!(to, "… ({n_more} more characters)");
            }
            self.write_escaped_char(&mut to, c)?;
        }
        Ok(())
    }

    fn write_escaped_char<W: Write>(&self, mut to: W, c: char) -> fmt::Result {
        match c {
            '&' => to.write_str("&amp;"),
            '<' => to.write_str("&lt;"),
            '>' => to.write_str("&gt;"),
            '"' => to.write_str("&quot;"),
            '\'' => to.write_str("&#39;"),
            '\n' | '\t' => to.write_char(c),
            c if is_hidden(c) => write!(to, "\\u{{{:x}}}", u32::from(c)),
            c => to.write_char(c),
        }
    }
}

/// A text by the rules of [`Shown`] where it is no HTML: on one line, and cut after `chars_max` characters.
pub fn plain(text: &str, chars_max: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(chars_max));
    for (n, c) in text.chars().enumerate() {
        if n == chars_max {
            let n_more = text.chars().count().saturating_sub(n);
            shown.push_str(&format!("… ({n_more} more characters)"));
            break;
        }
        match c {
            '\n' | '\t' => shown.push(' '),
            c if is_hidden(c) => shown.push_str(&numbered(c)),
            c => shown.push(c),
        }
    }
    shown
}

/// A character by its number, where it cannot or must not be shown itself.
pub fn numbered(c: char) -> String {
    format!("\\u{{{:x}}}", u32::from(c))
}

/// Whether `c` is not seen, yet changes what is read.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// A sentence of ours with commands between backticks, as HTML. Whatever stands in it is escaped.
pub(crate) fn prose(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for (n, piece) in text.split('`').enumerate() {
        let is_code = n % 2 == 1;
        html.push_str(match (is_code, n) {
            (_, 0) => "",
            (true, _) => "<code>",
            (false, _) => "</code>",
        });
        // Writing to a text cannot fail.
        let _ = Shown.write_escaped_str(&mut html, piece);
    }
    if text.matches('`').count() % 2 == 1 {
        html.push_str("</code>");
    }
    html
}

/// A text of ours, or of somebody who may change what hosts are judged by, in full, as HTML: what hides is seen.
pub(crate) fn whole(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        // Writing to a text cannot fail.
        let _ = Shown.write_escaped_char(&mut html, c);
    }
    html
}

/// A text in a field of a form, in full: what a person edits comes back as it is, also what is not seen.
pub(crate) fn in_field(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' | '<' | '>' | '"' | '\'' => {
                let _ = Shown.write_escaped_char(&mut html, c);
            }
            // HTML would make a line's end of it. [HTML, preprocessing the input stream]
            '\r' => html.push_str("&#13;"),
            c => html.push(c),
        }
    }
    html
}

/// A text as a part of an address: `a b/c` is `a%20b%2Fc`.
pub fn in_address(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                written.push(char::from(byte));
            }
            other => {
                written.push('%');
                written.push_str(&hex::encode_upper([other]));
            }
        }
    }
    written
}

/// A digest's beginning, by which people tell it from others; the whole one stands beside it.
pub fn short(digest: &str) -> &str {
    let (kind, value) = digest.split_once(':').unwrap_or(("", digest));
    let end = kind.len() + usize::from(!kind.is_empty()) + 12;
    if value.len() > 16 { digest.get(..end).unwrap_or(digest) } else { digest }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let mut to = String::new();
        Shown.write_escaped_str(&mut to, text).unwrap();
        to
    }

    #[test]
    fn html_is_text() {
        assert_eq!(
            shown("<img src=x onerror='a()'>&\"\n"),
            "&lt;img src=x onerror=&#39;a()&#39;&gt;&amp;&quot;\n"
        );
    }

    #[test]
    fn nothing_turns_the_reading_direction_or_hides() {
        assert_eq!(
            shown("a\u{202e}b\u{200b}c\u{1b}[2J\0"),
            "a\\u{202e}b\\u{200b}c\\u{1b}[2J\\u{0}"
        );
        assert_eq!(shown("שלום München 主機"), "שלום München 主機");
    }

    #[test]
    fn what_is_no_html_is_shown_by_the_same_rules() {
        assert_eq!(plain("a\u{202e}<b>\n\u{0}", 9), "a\\u{202e}<b> \\u{0}");
        assert_eq!(plain("üüü", 2), "üü… (1 more characters)");
        assert_eq!(plain("üü", 2), "üü");
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        assert_eq!(shown(&"a".repeat(SHOWN_CHARS_MAX)).len(), SHOWN_CHARS_MAX);
        let cut = shown(&"ü".repeat(SHOWN_CHARS_MAX + 1));
        assert!(cut.ends_with("… (1 more characters)"), "{cut}");
    }

    #[test]
    fn commands_stand_out_and_are_escaped_too() {
        assert_eq!(prose("run `a <b>` now"), "run <code>a &lt;b&gt;</code> now");
        assert_eq!(prose("<b> `x"), "&lt;b&gt; <code>x</code>");
    }

    #[test]
    fn a_field_gives_back_what_it_was_given() {
        let text = format!("a\u{202e} <b> \"'&\n{}", "x".repeat(SHOWN_CHARS_MAX));
        let field = in_field(&text);
        assert!(field.starts_with("a\u{202e} &lt;b&gt; &quot;&#39;&amp;\n"), "{field}");
        assert!(field.ends_with('x'), "nothing is cut");
        let shown = whole(&text);
        assert!(shown.starts_with("a\\u{202e} &lt;b&gt;") && shown.ends_with('x'), "{shown}");
    }

    #[test]
    fn an_address_holds_any_text() {
        assert_eq!(in_address("site=a b/ü"), "site%3Da%20b%2F%C3%BC");
    }

    #[test]
    fn a_digest_is_known_by_its_beginning() {
        assert_eq!(short("sha256:00112233445566778899"), "sha256:001122334455");
        assert_eq!(short("00112233445566778899"), "001122334455");
        assert_eq!(short("sha256:0011"), "sha256:0011");
    }
}
