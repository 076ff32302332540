//! The newest lines of logs.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::Path,
};

/// Bytes of one log: some days of a busy server, the last hours of one in trouble.
pub const LOG_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The newest lines of a file.
#[derive(Clone, Debug)]
pub struct Tail {
    /// The lines.
    pub lines: Vec<u8>,
    /// Whether there were older ones.
    pub cut: bool,
}

/// The newest [`LOG_BYTES_MAX`] of `path`, from the beginning of a line on.
///
/// # Errors
/// It cannot be read, or is packed: what is packed cannot be looked through for secrets.
pub fn tail(path: &Path) -> io::Result<Tail> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut head = [0; 6];
    let n = file.read(&mut head)?;
    let is_packed = [&[0x1f, 0x8b][..], b"PK\x03\x04", b"\xfd7zXZ", b"(\xb5/\xfd", b"BZh"];
    if is_packed.iter().any(|magic| head.get(..n).is_some_and(|head| head.starts_with(magic))) {
        return Err(io::Error::other(
            "it is packed: unpack it first, so that secrets can be taken out",
        ));
    }
    let bytes_max = LOG_BYTES_MAX as u64;
    let from = metadata.len().saturating_sub(bytes_max);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    // What is written meanwhile is left.
    file.take(bytes_max).read_to_end(&mut bytes)?;
    if from == 0 {
        return Ok(Tail { lines: bytes, cut: false });
    }
    let lines = bytes.splitn(2, |byte| *byte == b'\n').nth(1).unwrap_or_default().to_vec();
    Ok(Tail { lines, cut: true })
}

/// The newest [`LOG_BYTES_MAX`] of `lines`, from the beginning of a line on, and whether there were more.
pub(crate) fn newest(lines: &[u8]) -> (&[u8], bool) {
    let Some(from) = lines.len().checked_sub(LOG_BYTES_MAX).filter(|from| *from > 0) else {
        return (lines, false);
    };
    let newest = lines.get(from..).unwrap_or_default();
    (newest.splitn(2, |byte| *byte == b'\n').nth(1).unwrap_or_default(), true)
}

/// All of a file that has at most `bytes_max`.
pub(crate) fn read_limited(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        return Err(io::Error::other(format!("it is over {bytes_max} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn of_a_long_log_the_newest_lines_are_taken_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long.log");
        let line = [&[b'x'; 1023][..], b"\n"].concat();
        let n = LOG_BYTES_MAX / line.len() + 3;
        let mut text = b"old\n".to_vec();
        (0..n).for_each(|_| text.extend(&line));
        text.extend(b"newest");
        fs::write(&path, &text).unwrap();
        let tail = tail(&path).unwrap();
        assert!(tail.cut && tail.lines.len() <= LOG_BYTES_MAX && tail.lines.ends_with(b"\nnewest"));
        assert!(tail.lines.starts_with(&line[..100]));
        assert_eq!(newest(&text).0, tail.lines);
        fs::write(&path, "short\n").unwrap();
        assert_eq!(super::tail(&path).unwrap().lines, b"short\n");
    }

    #[test]
    fn what_is_packed_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log.1.gz");
        fs::write(&path, [0x1f, 0x8b, 8, 0]).unwrap();
        assert!(tail(&path).unwrap_err().to_string().contains("unpack it first"));
        assert!(tail(folder.path()).is_err());
        fs::write(&path, "").unwrap();
        assert!(tail(&path).unwrap().lines.is_empty());
    }
}
