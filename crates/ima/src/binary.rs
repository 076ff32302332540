//! `binary_runtime_measurements`: UINT32 PCR, 20 bytes of digest, UINT32 size and name of the
//! template, and then of the template `ima` 20 bytes of digest, UINT32 size and name of the file,
//! of each other UINT32 size and its data. All integers little-endian.

use std::borrow::Cow;

use crate::list::{ENTRIES_MAX, Entry, Problem, ProblemKind};

/// Bytes of a template's name: a user may write out the fields, and the longest known has 67.
const TEMPLATE_NAME_LEN_MAX: usize = 128;
/// Bytes of the data of one entry: the kernel ends names at 256, buffers and signatures at 64 KiB.
pub(crate) const TEMPLATE_DATA_LEN_MAX: usize = 64 * 1024 + 1024;

pub(crate) fn parse(bytes: &[u8]) -> (Vec<Entry<'_>>, Option<Problem>) {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let mut left = bytes;
    while !left.is_empty() {
        let offset = bytes.len() - left.len();
        if entries.len() >= ENTRIES_MAX {
            return (entries, Some(Problem { offset, kind: ProblemKind::Entries }));
        }
        let number = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        match entry(&mut left, number, offset) {
            Ok(entry) => entries.push(entry),
            Err(kind) => return (entries, Some(Problem { offset, kind })),
        }
    }
    (entries, None)
}

fn entry<'a>(left: &mut &'a [u8], number: u32, offset: usize) -> Result<Entry<'a>, ProblemKind> {
    let pcr_index = number_of(left)?;
    if pcr_index > 23 {
        return Err(ProblemKind::PcrIndex { have: pcr_index });
    }
    let (untrusted_digest, rest) = left.split_first_chunk::<20>().ok_or(ProblemKind::Short)?;
    *left = rest;
    let name_len = size_of(left, TEMPLATE_NAME_LEN_MAX).map_err(|kind| match kind {
        ProblemKind::TemplateSize => ProblemKind::TemplateName,
        kind => kind,
    })?;
    let untrusted_template = std::str::from_utf8(take(left, name_len)?)
        .ok()
        .filter(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()))
        .ok_or(ProblemKind::TemplateName)?;
    let template_data = if untrusted_template == "ima" {
        let before = *left;
        take(left, 20)?;
        let name_len = size_of(left, 256)?;
        let name = take(left, name_len)?;
        let digest = before.get(..20).ok_or(ProblemKind::Short)?;
        Cow::Owned([digest, name].concat())
    } else {
        let len = size_of(left, TEMPLATE_DATA_LEN_MAX)?;
        Cow::Borrowed(take(left, len)?)
    };
    Ok(Entry {
        number,
        offset,
        pcr_index,
        untrusted_digest: *untrusted_digest,
        untrusted_template,
        template_data,
    })
}

fn number_of(left: &mut &[u8]) -> Result<u32, ProblemKind> {
    let (number, rest) = left.split_first_chunk::<4>().ok_or(ProblemKind::Short)?;
    *left = rest;
    Ok(u32::from_le_bytes(*number))
}

fn size_of(left: &mut &[u8], max: usize) -> Result<usize, ProblemKind> {
    let size = usize::try_from(number_of(left)?).unwrap_or(usize::MAX);
    if size > max { Err(ProblemKind::TemplateSize) } else { Ok(size) }
}

fn take<'a>(left: &mut &'a [u8], len: usize) -> Result<&'a [u8], ProblemKind> {
    let (taken, rest) = left.split_at_checked(len).ok_or(ProblemKind::Short)?;
    *left = rest;
    Ok(taken)
}
