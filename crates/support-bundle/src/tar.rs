//! Members of a tar archive, in the form that each system reads. [POSIX.1-1988 ustar]

use std::io::{self, Write};

const BLOCK_BYTES: usize = 512;
/// Bytes of a name in the header.
const NAME_BYTES_MAX: usize = 100;

/// A file for its owner's eyes, of no time: times of machines that are looked at go astray.
pub(crate) fn member(to: &mut impl Write, name: &str, bytes: &[u8]) -> io::Result<()> {
    if name.len() > NAME_BYTES_MAX {
        return Err(io::Error::other("the name of a file in the archive is too long"));
    }
    let mut header = [0; BLOCK_BYTES];
    let mut put = |at: usize, field: &[u8]| {
        if let Some(to) = header.get_mut(at..at + field.len()) {
            to.copy_from_slice(field);
        }
    };
    put(0, name.as_bytes());
    put(100, b"0000600\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{:011o}\0", bytes.len()).as_bytes());
    put(136, b"00000000000\0");
    // The sum counts its own field as blanks.
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    if let Some(to) = header.get_mut(148..156) {
        to.copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    to.write_all(&header)?;
    to.write_all(bytes)?;
    let padding = bytes.len().next_multiple_of(BLOCK_BYTES) - bytes.len();
    to.write_all([0; BLOCK_BYTES].get(..padding).unwrap_or_default())
}

/// Two empty blocks.
pub(crate) fn end(to: &mut impl Write) -> io::Result<()> {
    to.write_all(&[0; 2 * BLOCK_BYTES])
}
