//! What a PDF of ours carries: the JSON of the report, and the signature over it.
//!
//! The bytes come from anybody. What is found here proves nothing: who asks checks the signature, and may
//! make the pages anew. So this reads just what our own PDFs have, streams that are files, and no more of
//! the format.

use std::io::Read as _;

use api::fleet_report::REPORT_BYTES_MAX;
use flate2::read::ZlibDecoder;

/// Files that are looked at: ours have two.
const FILES_MAX: usize = 8;

/// Bytes before a stream in which its dictionary lies: ours have some hundred.
const HEAD_BYTES_MAX: usize = 1_024;

/// The JSON, and the detached signature, as they lie in a PDF; `None`: it carries no report.
pub fn attachments(pdf: &[u8]) -> Option<(Vec<u8>, String)> {
    let (mut json, mut jws) = (None, None);
    let mut rest = pdf;
    for _ in 0..FILES_MAX {
        let Some(at) = find(rest, b"/EmbeddedFile") else { break };
        rest = rest.get(at.checked_add(13)?..)?;
        let Some(file) = stream(rest) else { continue };
        if file.starts_with(b"{") {
            json.get_or_insert(file);
        } else if let Ok(text) = String::from_utf8(file)
            && text.contains("..")
        {
            jws.get_or_insert(text);
        }
    }
    Some((json?, jws?))
}

/// The stream that begins within the dictionary at `rest`, unpacked.
fn stream(rest: &[u8]) -> Option<Vec<u8>> {
    let head = rest.get(..HEAD_BYTES_MAX.min(rest.len()))?;
    let begins = find(head, b"stream")?;
    let packed = rest.get(begins.checked_add(6)?..)?;
    let packed = packed.strip_prefix(b"\r").unwrap_or(packed);
    let packed = packed.strip_prefix(b"\n")?;
    let mut file = Vec::new();
    // The packed bytes say themselves where they end. One more than is allowed, so that more is seen.
    let limit = u64::try_from(REPORT_BYTES_MAX).ok()?.checked_add(1)?;
    ZlibDecoder::new(packed).take(limit).read_to_end(&mut file).ok()?;
    (file.len() <= REPORT_BYTES_MAX).then_some(file)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_report_carries_none() {
        for bytes in [
            &b""[..],
            b"%PDF-1.7",
            b"/EmbeddedFile",
            b"/EmbeddedFile stream",
            b"/EmbeddedFile stream\n",
            b"/EmbeddedFile stream\nabc endstream",
        ] {
            assert_eq!(attachments(bytes), None, "{bytes:?}");
        }
    }
}
