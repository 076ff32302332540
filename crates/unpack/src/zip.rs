//! Zip archives as a stream of members: by the headers in front of members, not by the table at the
//! end, which no pipe and no member of another archive could be asked for. [APPNOTE-6.3.10]
//!
//! Tables that name the same bytes again and again, as bombs have them, are never looked at.

use std::io::{self, Read};

use flate2::{Crc, bufread::DeflateDecoder};

use crate::{UnpackError, blocks::Blocks};

const LOCAL_HEADER: [u8; 4] = *b"PK\x03\x04";
const TABLE: [u8; 4] = *b"PK\x01\x02";
const END: [u8; 4] = *b"PK\x05\x06";
const END_64: [u8; 4] = *b"PK\x06\x06";
const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";

/// What a header says of its member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Its name. Untrusted.
    pub(crate) name: String,
    /// When it was written, in seconds since 1970; 0 where it does not say.
    pub(crate) modified_s: i64,
    method: Method,
    sizes: Sizes,
    is_encrypted: bool,
    crc: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Stored,
    Deflated,
    Other(u16),
}

/// How the end of a member is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sizes {
    /// So many bytes are stored.
    Known(u64),
    /// By its contents; sizes of this width stand behind it.
    Behind(Width),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Width {
    Bits32,
    Bits64,
}

impl Header {
    /// Whether it is a file: folders hold no lines.
    pub(crate) fn is_file(&self) -> bool {
        !self.name.ends_with('/')
    }
}

/// The next header of `stream`; `None` where the table begins.
///
/// # Errors
/// The archive is cut or damaged.
pub(crate) fn next(stream: &mut Blocks<impl Read>) -> Result<Option<Header>, UnpackError> {
    let mut signature = [0; 4];
    stream.read_exact(&mut signature)?;
    match signature {
        LOCAL_HEADER => {}
        TABLE | END | END_64 => return Ok(None),
        _ => return Err(UnpackError::Damaged("a header is missing between its members")),
    }
    let mut fixed = [0; 26];
    stream.read_exact(&mut fixed)?;
    let u16_at = |at: usize| u16::from_le_bytes([fixed[at], fixed[at + 1]]);
    let u32_at = |at: usize| u32::from(u16_at(at)) | u32::from(u16_at(at + 2)) << 16;
    // Both lengths have 16 bits: no limit is needed.
    let mut name = vec![0; usize::from(u16_at(22))];
    stream.read_exact(&mut name)?;
    let mut extra = vec![0; usize::from(u16_at(24))];
    stream.read_exact(&mut extra)?;
    let flags = u16_at(2);
    let wide = field(&extra, 0x0001);
    let packed = match (u32_at(14), wide) {
        // The size of what is packed stands behind that of what it unpacks to.
        (u32::MAX, Some(wide)) => match wide.get(8..16).map(<[u8; 8]>::try_from) {
            Some(Ok(size)) => u64::from_le_bytes(size),
            _ => return Err(UnpackError::Damaged("a member's size")),
        },
        (size, _) => u64::from(size),
    };
    let is_behind = flags & 0x0008 != 0;
    Ok(Some(Header {
        name: String::from_utf8_lossy(&name).into_owned(),
        modified_s: modified(&extra).unwrap_or_else(|| dos_time(u16_at(6), u16_at(8))),
        method: match u16_at(4) {
            0 => Method::Stored,
            8 => Method::Deflated,
            other => Method::Other(other),
        },
        sizes: match is_behind && packed == 0 {
            true => Sizes::Behind(if wide.is_some() { Width::Bits64 } else { Width::Bits32 }),
            false => Sizes::Known(packed),
        },
        is_encrypted: flags & 0x0001 != 0,
        // With sizes in front and a checksum behind there is none to compare with.
        crc: if is_behind { 0 } else { u32_at(10) },
    }))
}

/// What a member's reader came to. Either way the stream stands at the next header.
pub(crate) type Came = Result<(), UnpackError>;

/// Gives the contents of the member of `header` to `reader`, which reads them to their end, then reads past it.
///
/// # Errors
/// Nothing behind the member can be read. What only is wrong with it comes as the value.
pub(crate) fn member(
    stream: &mut Blocks<impl Read>,
    header: &Header,
    reader: impl FnOnce(&mut dyn Read) -> Came,
) -> Result<Came, UnpackError> {
    match header.sizes {
        Sizes::Known(size) => known(stream, header, size, reader),
        Sizes::Behind(_) if header.is_encrypted => Err(UnpackError::Encrypted),
        Sizes::Behind(width) => match header.method {
            Method::Deflated => deflated(stream, width, reader),
            Method::Stored => stored_empty(stream, width, reader),
            Method::Other(method) => Err(UnpackError::Method { method }),
        },
    }
}

fn known(
    stream: &mut Blocks<impl Read>,
    header: &Header,
    size: u64,
    reader: impl FnOnce(&mut dyn Read) -> Came,
) -> Result<Came, UnpackError> {
    let mut stored = stream.take(size);
    let came = match header.method {
        _ if header.is_encrypted => Err(UnpackError::Encrypted),
        Method::Stored => checked(&mut stored, header.crc, reader),
        Method::Deflated => checked(&mut DeflateDecoder::new(&mut stored), header.crc, reader),
        Method::Other(method) => Err(UnpackError::Method { method }),
    };
    io::copy(&mut stored, &mut io::sink())?;
    if stored.limit() > 0 {
        return Err(UnpackError::Cut);
    }
    descriptor_of_known(stream, header)?;
    Ok(came)
}

/// Lets `reader` read, and compares the checksum (0 where there is none).
fn checked(stream: &mut dyn Read, crc: u32, reader: impl FnOnce(&mut dyn Read) -> Came) -> Came {
    let mut summed = Summed { stream, crc: Crc::new(), has_ended: false };
    reader(&mut summed)?;
    match crc == 0 || !summed.has_ended || summed.crc.sum() == crc {
        true => Ok(()),
        false => Err(UnpackError::Damaged("a member's checksum")),
    }
}

/// Some write sizes in front and a descriptor all the same.
fn descriptor_of_known(stream: &mut Blocks<impl Read>, header: &Header) -> Result<(), UnpackError> {
    let Sizes::Known(size) = header.sizes else { return Ok(()) };
    if header.crc != 0 || size == 0 || stream.ahead(4) != DESCRIPTOR {
        return Ok(());
    }
    let mut rest = [0; 16];
    stream.read_exact(&mut rest)?;
    let low = u32::from_le_bytes([rest[8], rest[9], rest[10], rest[11]]);
    // The second half of a wide size is 0 up to 4 GiB, which the size of the contents is not.
    let is_wide = u64::from(low) == size && rest[12..] == [0; 4] && size <= u64::from(u32::MAX);
    if is_wide && stream.ahead(2) != b"PK" {
        let mut unpacked = [0; 8];
        stream.read_exact(&mut unpacked)?;
    }
    Ok(())
}

/// A member that is stored and has its sizes behind it: only where nothing is in it, as in a folder,
/// is its end known. Else it could hold anything, also what looks like its end.
fn stored_empty(
    stream: &mut Blocks<impl Read>,
    width: Width,
    reader: impl FnOnce(&mut dyn Read) -> Came,
) -> Result<Came, UnpackError> {
    let n = if width == Width::Bits64 { 24 } else { 16 };
    let mut descriptor = [0; 24];
    let descriptor = &mut descriptor[..n];
    let ahead = stream.ahead(n);
    if !ahead.starts_with(&DESCRIPTOR)
        || ahead.get(4..n).is_none_or(|rest| rest.iter().any(|b| *b != 0))
    {
        return Err(UnpackError::NoSize);
    }
    stream.read_exact(descriptor)?;
    Ok(reader(&mut io::empty()))
}

/// A member that ends where its contents do; its sizes stand behind it.
fn deflated(
    stream: &mut Blocks<impl Read>,
    width: Width,
    reader: impl FnOnce(&mut dyn Read) -> Came,
) -> Result<Came, UnpackError> {
    let mut decoder = DeflateDecoder::new(&mut *stream);
    let mut summed = Summed { stream: &mut decoder, crc: Crc::new(), has_ended: false };
    let came = reader(&mut summed);
    // Only the contents know where they end.
    if !summed.has_ended {
        return came.and(Err(UnpackError::Cut));
    }
    let crc = summed.crc.sum();
    let (n_in, n_out) = (decoder.total_in(), decoder.total_out());
    let mut four = [0; 4];
    stream.read_exact(&mut four)?;
    if four == DESCRIPTOR {
        stream.read_exact(&mut four)?;
    }
    let told = u32::from_le_bytes(four);
    let mut sizes = [0; 8];
    stream.read_exact(&mut sizes)?;
    let is_64 =
        width == Width::Bits64 || (u64::from_le_bytes(sizes) == n_in && sizes[4..] != low(n_out));
    let (is_right, of_contents) = match is_64 {
        true => {
            let mut unpacked = [0; 8];
            stream.read_exact(&mut unpacked)?;
            (u64::from_le_bytes(sizes) == n_in, u64::from_le_bytes(unpacked) == n_out)
        }
        false => (sizes[..4] == low(n_in), sizes[4..] == low(n_out)),
    };
    if !is_right || !of_contents {
        return Err(UnpackError::Damaged("the sizes behind a member"));
    }
    Ok(came.and(if told == crc {
        Ok(())
    } else {
        Err(UnpackError::Damaged("a member's checksum"))
    }))
}

/// The low half, as it is written.
fn low(n: u64) -> [u8; 4] {
    let [a, b, c, d, ..] = n.to_le_bytes();
    [a, b, c, d]
}

/// A stream and the checksum of what was read of it.
struct Summed<'a> {
    stream: &'a mut dyn Read,
    crc: Crc,
    has_ended: bool,
}

impl Read for Summed<'_> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        let n = self.stream.read(block)?;
        self.crc.update(&block[..n]);
        self.has_ended |= n == 0 && !block.is_empty();
        Ok(n)
    }
}

/// The extra field of this number.
fn field(extra: &[u8], number: u16) -> Option<&[u8]> {
    let mut rest = extra;
    loop {
        let (head, behind) = rest.split_at_checked(4)?;
        let length = usize::from(u16::from_le_bytes([head[2], head[3]]));
        let (value, next) = behind.split_at_checked(length)?;
        if u16::from_le_bytes([head[0], head[1]]) == number {
            return Some(value);
        }
        rest = next;
    }
}

/// The time in the extra field of Info-ZIP, in seconds since 1970.
fn modified(extra: &[u8]) -> Option<i64> {
    let value = field(extra, 0x5455)?;
    let (flags, times) = value.split_first()?;
    let seconds = times.first_chunk::<4>().filter(|_| flags & 1 != 0)?;
    Some(i64::from(i32::from_le_bytes(*seconds)))
}

/// A time as MS-DOS has it, without a zone: taken for UTC. 0 where it is none.
fn dos_time(time: u16, date: u16) -> i64 {
    let part = |bits: u16, shift: u16, mask: u16| i64::from(bits >> shift & mask);
    let (year, month, day) = (1980 + part(date, 9, 0x7f), part(date, 5, 0x0f), part(date, 0, 0x1f));
    if !(1..=12).contains(&month) || day == 0 {
        return 0;
    }
    // Days since 1970, of years that begin in March.
    let shifted = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + day_of_year - 719_468;
    days * 86_400 + part(time, 11, 0x1f) * 3600 + part(time, 5, 0x3f) * 60 + part(time, 0, 0x1f) * 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_both_forms() {
        // 2018-05-10T14:02:26Z
        assert_eq!(dos_time(14 << 11 | 2 << 5 | 13, 38 << 9 | 5 << 5 | 10), 1_525_960_946);
        assert_eq!(dos_time(0, 0), 0);
        assert_eq!(modified(b"UT\x05\x00\x01\x33\x51\xf4\x5a"), Some(1_525_961_011));
        assert_eq!(modified(b"ux\x01\x00\x00UT\x05\x00\x00\x33\x51\xf4\x5a"), None);
        assert_eq!(modified(b"UT\xff\xff\x01"), None);
    }
}
