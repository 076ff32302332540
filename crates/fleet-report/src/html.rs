//! A report as one HTML file: no script, nothing from elsewhere, which its own Content-Security-Policy
//! says. It prints, and is light or dark as its reader likes.

use api::fleet_report::Report;
use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};

use crate::section::{Block, Level, Table, Tone, tell, title};

const STYLE: &str = include_str!("../templates/style.css");

#[derive(Template)]
#[template(path = "head.html")]
struct Head<'a> {
    title: &'static str,
    json_sha256: &'a str,
    style: &'static str,
    style_sha256: String,
}

#[derive(Template)]
#[template(path = "block.html")]
struct Drawn<'a> {
    block: &'a Block,
}

/// The report as HTML; `json_sha256` names its JSON. An error is a value that a template could not write,
/// which no value of ours is.
pub fn html(report: &Report, json_sha256: &str) -> Result<Vec<u8>, askama::Error> {
    let style_sha256 = base64(digest(&SHA256, STYLE.as_bytes()).as_ref());
    let head = Head { title: title(report.kind), json_sha256, style: STYLE, style_sha256 };
    let mut html = head.render()?;
    let mut failed = None;
    tell(report, json_sha256, &mut |block| {
        if let Err(err) = (Drawn { block: &block }).render_into(&mut html) {
            failed.get_or_insert(err);
        }
    });
    match failed {
        Some(err) => Err(err),
        None => {
            html.push_str("</main>\n</body>\n</html>\n");
            Ok(html.into_bytes())
        }
    }
}

/// Parts of a bar in thousandths: where each begins, and its width. One host among many is seen.
pub(crate) fn shares(parts: &[(Tone, usize)]) -> Vec<(Tone, usize, usize)> {
    let n: usize = parts.iter().map(|(_, n)| n).sum();
    let least = |part: usize| {
        let share = part.saturating_mul(1000).checked_div(n).unwrap_or(0);
        if part > 0 { share.max(8) } else { 0 }
    };
    let all: usize = parts.iter().map(|(_, n)| least(*n)).sum();
    let mut x = 0;
    parts
        .iter()
        .map(|(tone, part)| {
            let width = least(*part).saturating_mul(1000).checked_div(all).unwrap_or(0);
            let drawn = (*tone, x, width);
            x += width;
            drawn
        })
        .collect()
}

/// The widths of columns, in hundredths.
pub(crate) fn widths(table: &Table) -> Vec<String> {
    let all: f32 = table.columns.iter().map(|(_, share)| share).sum();
    table.columns.iter().map(|(_, share)| format!("{:.0}", share / all * 100.0)).collect()
}

/// [RFC 4648 §4]
fn base64(bytes: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_host_among_many_is_seen_in_the_bar() {
        let parts = [(Tone::Good, 99_999), (Tone::Unsure, 0), (Tone::Bad, 1)];
        let drawn = shares(&parts);
        assert_eq!(drawn[1].2, 0);
        assert!((7..=9).contains(&drawn[2].2), "{drawn:?}");
        assert!(shares(&[(Tone::Good, 0)]).iter().all(|(_, _, width)| *width == 0));
    }
}
