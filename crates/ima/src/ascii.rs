//! `ascii_runtime_measurements`: a line an entry; PCR, digest in hex, template, and its fields,
//! a space between them. The template data is made again from the text, as the kernel had it.

use std::borrow::Cow;

use crate::binary::TEMPLATE_DATA_LEN_MAX;
use crate::list::{ENTRIES_MAX, Entry, Problem, ProblemKind};
use crate::template::fields_of;

pub(crate) fn parse(bytes: &[u8]) -> (Vec<Entry<'_>>, Option<Problem>) {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let mut offset = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let at = offset;
        offset += line.len();
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        if entries.len() >= ENTRIES_MAX {
            return (entries, Some(Problem { offset: at, kind: ProblemKind::Entries }));
        }
        let number = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        match entry(line, number, at) {
            Ok(entry) => entries.push(entry),
            Err(kind) => return (entries, Some(Problem { offset: at, kind })),
        }
    }
    (entries, None)
}

fn entry(line: &[u8], number: u32, offset: usize) -> Result<Entry<'_>, ProblemKind> {
    if line.len() > TEMPLATE_DATA_LEN_MAX * 2 {
        return Err(ProblemKind::TemplateSize);
    }
    // A name may be of any bytes but NUL and space; all else is ASCII.
    let mut words = line.split(|byte| *byte == b' ').map(<[u8]>::trim_ascii);
    let pcr = std::str::from_utf8(word(&mut words)?).map_err(|_| ProblemKind::Line)?;
    let pcr_index: u32 = pcr.parse().map_err(|_| ProblemKind::Line)?;
    if pcr_index > 23 {
        return Err(ProblemKind::PcrIndex { have: pcr_index });
    }
    let digest = unhex(word(&mut words)?).ok_or(ProblemKind::Line)?;
    let untrusted_digest = digest.try_into().map_err(|_| ProblemKind::Line)?;
    let template = word(&mut words)?;
    let untrusted_template =
        std::str::from_utf8(template).map_err(|_| ProblemKind::TemplateName)?;
    let template_data = match untrusted_template {
        "ima" => {
            let digest =
                unhex(word(&mut words)?).filter(|d| d.len() == 20).ok_or(ProblemKind::Line)?;
            [digest.as_slice(), word(&mut words)?].concat()
        }
        name => {
            let mut data = Vec::with_capacity(line.len());
            for field in fields_of(name).ok_or(ProblemKind::Template)?.split('|') {
                let value = match field {
                    "d-ng" | "d-ngv2" => {
                        digest_field(word(&mut words)?).ok_or(ProblemKind::Line)?
                    }
                    "d" => unhex(word(&mut words)?).ok_or(ProblemKind::Line)?,
                    "n" => word(&mut words)?.to_vec(),
                    "n-ng" => [word(&mut words)?, &[0]].concat(),
                    // A file without a signature has an empty field, or none at the end of a line.
                    "sig" | "buf" => {
                        unhex(words.next().unwrap_or_default()).ok_or(ProblemKind::Line)?
                    }
                    _ => return Err(ProblemKind::Template),
                };
                let len = u32::try_from(value.len()).map_err(|_| ProblemKind::TemplateSize)?;
                data.extend_from_slice(&len.to_le_bytes());
                data.extend_from_slice(&value);
            }
            data
        }
    };
    if words.next().is_some_and(|word| !word.is_empty()) {
        return Err(ProblemKind::Line);
    }
    let template_data = Cow::Owned(template_data);
    Ok(Entry { number, offset, pcr_index, untrusted_digest, untrusted_template, template_data })
}

fn word<'a>(words: &mut impl Iterator<Item = &'a [u8]>) -> Result<&'a [u8], ProblemKind> {
    words.next().ok_or(ProblemKind::Line)
}

/// `sha256:hex` as the kernel has it: the name, a colon, NUL, the bytes.
fn digest_field(word: &[u8]) -> Option<Vec<u8>> {
    let colon = word.iter().rposition(|byte| *byte == b':')?;
    let (name, hex) = word.split_at_checked(colon + 1)?;
    Some([name, &[0], unhex(hex)?.as_slice()].concat())
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    hex::decode(text).ok()
}
