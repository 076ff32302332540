//! Archives as a stream of members: nothing is written anywhere, so a member's name is only shown.

use std::io::{self, Read};

use crate::UnpackError;

/// A header, and the unit of all sizes.
pub(crate) const BLOCK_BYTES: usize = 512;
/// A long name: what Linux allows for a path.
const NAME_BYTES_MAX: u64 = 4096;
/// Extended headers: a name and some times and numbers.
const EXTENDED_BYTES_MAX: u64 = 64 * 1024;

/// What a header says of its member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// Its name. Untrusted.
    pub(crate) name: String,
    /// Its size in bytes, without what fills the last block.
    pub(crate) size: u64,
    /// When it was written, in seconds since 1970.
    pub(crate) modified_s: i64,
    /// What is stored of it.
    pub(crate) contents: Contents,
}

/// What an archive stores of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contents {
    /// A file.
    File,
    /// The pieces of a file that are not zeros, in the old form of GNU: where they belong is not read.
    Sparse,
    /// Folders, links and devices hold no lines.
    Nothing,
}

/// Whether `block` is the first header of an archive: its checksum is right.
pub(crate) fn is_header(block: &[u8]) -> bool {
    let Some(stored) = block.get(148..156).and_then(octal) else { return false };
    let sum = block.iter().take(BLOCK_BYTES).enumerate().map(|(at, byte)| match at {
        148..156 => u64::from(b' '),
        _ => u64::from(*byte),
    });
    block.len() >= BLOCK_BYTES && sum.sum::<u64>() == stored
}

/// The next member of `stream`, which stands at a header; `None` at the end mark.
///
/// # Errors
/// The archive is cut or damaged.
pub(crate) fn next(stream: &mut dyn Read) -> Result<Option<Member>, UnpackError> {
    let mut long_name = None;
    loop {
        let mut block = [0; BLOCK_BYTES];
        stream.read_exact(&mut block)?;
        if block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        if !is_header(&block) {
            return Err(UnpackError::Damaged("a header is missing between its members"));
        }
        let size = number(&block[124..136]).ok_or(UnpackError::Damaged("a member's size"))?;
        match block[156] {
            // The name of the next member, by GNU and by POSIX.
            b'L' => long_name = Some(text(&contents(stream, size, NAME_BYTES_MAX)?)),
            b'x' => {
                let records = contents(stream, size, EXTENDED_BYTES_MAX)?;
                long_name = path_of(&records).or(long_name);
            }
            b'g' | b'K' => drop(contents(stream, size, EXTENDED_BYTES_MAX)?),
            kind => {
                if kind == b'S' {
                    skip_map(stream, block[482])?;
                }
                let modified_s = number(&block[136..148]).and_then(|s| i64::try_from(s).ok());
                return Ok(Some(Member {
                    name: long_name.unwrap_or_else(|| short_name(&block)),
                    size,
                    modified_s: modified_s.unwrap_or(0),
                    contents: match kind {
                        b'0' | 0 | b'7' => Contents::File,
                        b'S' => Contents::Sparse,
                        _ => Contents::Nothing,
                    },
                }));
            }
        }
    }
}

/// Reads past what is left of a member, `left` bytes of its contents, and what fills its last block.
///
/// # Errors
/// The archive is cut.
pub(crate) fn skip(stream: &mut dyn Read, size: u64, left: u64) -> Result<(), UnpackError> {
    let fill = size.next_multiple_of(BLOCK_BYTES as u64) - size;
    let n = io::copy(&mut stream.take(left + fill), &mut io::sink())?;
    if n == left + fill { Ok(()) } else { Err(UnpackError::Cut) }
}

/// Reads past the blocks that hold the rest of a sparse file's map; `more` says whether there is one.
fn skip_map(stream: &mut dyn Read, mut more: u8) -> Result<(), UnpackError> {
    while more != 0 {
        let mut block = [0; BLOCK_BYTES];
        stream.read_exact(&mut block)?;
        more = block[504];
    }
    Ok(())
}

fn contents(stream: &mut dyn Read, size: u64, bytes_max: u64) -> Result<Vec<u8>, UnpackError> {
    if size > bytes_max {
        return Err(UnpackError::Damaged("an extended header is too large"));
    }
    let mut bytes = Vec::new();
    stream.take(size).read_to_end(&mut bytes)?;
    let left = size - bytes.len() as u64;
    skip(stream, size, left)?;
    Ok(bytes)
}

/// `27 path=var/log/vmkernel.log`, one of several such lines.
fn path_of(records: &[u8]) -> Option<String> {
    let mut rest = records;
    while let Some(space) = rest.iter().position(|byte| *byte == b' ') {
        let length: usize = str::from_utf8(&rest[..space]).ok()?.parse().ok()?;
        let record = rest.get(space + 1..length)?;
        if let Some(path) = record.strip_prefix(b"path=") {
            return Some(text(path.strip_suffix(b"\n").unwrap_or(path)));
        }
        rest = rest.get(length..)?;
    }
    None
}

fn short_name(block: &[u8; BLOCK_BYTES]) -> String {
    let (name, prefix) = (text(&block[..100]), text(&block[345..500]));
    // GNU keeps other things where POSIX has the start of a long name.
    let is_posix = &block[257..263] == b"ustar\0";
    if is_posix && !prefix.is_empty() { format!("{prefix}/{name}") } else { name }
}

fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// A number in octal, or, by GNU, with the first bit set and big-endian.
fn number(field: &[u8]) -> Option<u64> {
    let is_binary = field.first()? & 0x80 != 0;
    if !is_binary {
        return octal(field);
    }
    let (high, low) = field.split_at_checked(field.len() - 8)?;
    let is_small =
        high.iter().enumerate().all(|(at, byte)| *byte == if at == 0 { 0x80 } else { 0 });
    let size = u64::from_be_bytes(low.try_into().ok()?);
    // Whoever adds sizes must not overflow.
    (is_small && size < 1 << 60).then_some(size)
}

fn octal(field: &[u8]) -> Option<u64> {
    let digits = str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    u64::from_str_radix(digits, 8).ok().filter(|number| *number < 1 << 60)
}
