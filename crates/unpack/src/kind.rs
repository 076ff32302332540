//! What a stream is, by its first bytes: logs are renamed when they are rotated.

use crate::{UnpackError, tar};

/// How much of a stream is looked at to tell what it is: the header of a tar archive.
pub const HEAD_BYTES: usize = tar::BLOCK_BYTES;

/// What a stream is.
pub(crate) enum Kind {
    Gzip,
    Tar,
    Zip,
    Utf16(Endian),
    /// What `journalctl -o export` writes.
    JournalExport,
    /// Something that a program opens.
    NotOpened(UnpackError),
    /// Text, or anything else: read as lines. So many bytes in front are a mark, no text.
    Text(usize),
}

/// The order of the bytes of a unit of UTF-16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endian {
    Little,
    Big,
}

/// First bytes, what they say, and what makes text of it. Their windows may have more than the memory
/// that this program allows itself (128 MiB and above), and no log of ESXi, vCenter or a journal is
/// rotated into them by default; so they are named, not opened.
const NOT_OPENED: &[(&[u8], &str, &str)] = &[
    (b"\xfd7zXZ\0", "packed with xz", "xz -dc FILE"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd", "zstd -dc FILE"),
    (b"BZh", "packed with bzip2", "bzip2 -dc FILE"),
    (b"\x04\x22\x4d\x18", "packed with lz4", "lz4 -dc FILE"),
    (b"\x1f\x9d", "packed with compress", "gzip -dc FILE"),
    (b"7z\xbc\xaf\x27\x1c", "an archive of 7-Zip", "7z x -so FILE"),
    (b"Rar!\x1a\x07", "an archive of RAR", "unrar p -inul FILE"),
    (b"LPKSHHRH", "a journal as systemd stores it", "journalctl --file FILE -o short-iso"),
];

impl Kind {
    pub(crate) fn of(head: &[u8]) -> Self {
        if head.starts_with(b"\x1f\x8b") {
            return Self::Gzip;
        }
        if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
            return Self::Zip;
        }
        if tar::is_header(head) {
            return Self::Tar;
        }
        let not_opened = NOT_OPENED.iter().find(|(start, ..)| head.starts_with(start));
        // A line may begin with BZh.
        let is_text = head.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
        if let Some((_, by, with)) = not_opened.filter(|_| !is_text) {
            return Self::NotOpened(UnpackError::NotOpened { by, with });
        }
        if head.starts_with(b"__CURSOR=") {
            return Self::JournalExport;
        }
        if head.starts_with(b"\xef\xbb\xbf") {
            return Self::Text(3);
        }
        utf16(head).map_or(Self::Text(0), Self::Utf16)
    }

    /// Whether it is a layer around something else.
    pub(crate) const fn is_packed(&self) -> bool {
        matches!(self, Self::Gzip | Self::Tar | Self::Zip)
    }
}

/// Whether what begins with `head`, its first [`HEAD_BYTES`], is packed, and so is no log that grows.
pub fn is_packed(head: &[u8]) -> bool {
    let kind = Kind::of(head);
    kind.is_packed() || matches!(kind, Kind::NotOpened(_))
}

/// By its mark, or, as some tools leave that out, by the zeros of letters.
fn utf16(head: &[u8]) -> Option<Endian> {
    match head {
        [0xff, 0xfe, ..] => return Some(Endian::Little),
        [0xfe, 0xff, ..] => return Some(Endian::Big),
        _ => {}
    }
    let pairs = head.chunks_exact(2);
    let n = pairs.len();
    let n_zero = |at: usize| pairs.clone().filter(|pair| pair[at] == 0).count();
    match (n_zero(0), n_zero(1)) {
        _ if n < 8 => None,
        (0, low) if low * 10 >= n * 9 => Some(Endian::Little),
        (high, 0) if high * 10 >= n * 9 => Some(Endian::Big),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_looks_like_it_is_text() {
        for text in
            [&b"BZhang logged in"[..], b"PK", b"", b"\x1f", b"7z is a program", b"\0\0", b"a\0"]
        {
            assert!(matches!(Kind::of(text), Kind::Text(0)), "{text:?}");
        }
        assert!(matches!(Kind::of(b"\xef\xbb\xbfa"), Kind::Text(3)));
        assert!(matches!(Kind::of(b"\xfd7zXZ\0\0\x04"), Kind::NotOpened(_)));
        assert!(matches!(Kind::of(b"BZh91AY&SY\x8c\0"), Kind::NotOpened(_)));
        assert!(matches!(Kind::of(b"\xff\xfea\0"), Kind::Utf16(Endian::Little)));
        let zeros = [0; HEAD_BYTES];
        assert!(matches!(Kind::of(&zeros), Kind::Text(0)));
    }
}
