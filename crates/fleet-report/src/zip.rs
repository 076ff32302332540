//! A report and the signature over it as one file, which each system opens: a ZIP archive of both.
//! [APPNOTE-6.3.10]

use std::io::Write as _;

use flate2::{Compression, Crc, write::DeflateEncoder};

/// A file of an archive.
#[derive(Debug, Clone, Copy)]
pub struct ZipFile<'a> {
    /// Its name: letters of ASCII, digits, `-`, `.` and `_`.
    pub name: &'a str,
    /// What is in it.
    pub bytes: &'a [u8],
}

/// An archive cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ZipError {
    /// A file has 4 GiB, for which the format has no number, or a name too long for it.
    #[error("{name} is too large for a ZIP archive")]
    TooLarge {
        /// The file.
        name: String,
    },
    /// The compressor's.
    #[error("the archive cannot be packed")]
    Pack(#[source] std::io::Error),
}

/// Deflated. [APPNOTE-6.3.10 §4.4.5]
const METHOD: u16 = 8;
/// What a reader must know: folders and deflate, which is version 2.0. [APPNOTE-6.3.10 §4.4.3.2]
const VERSION: u16 = 20;
/// When the files are of: 1 January 1980, the format's beginning. It has no time zone; the report says its time.
const DATE: u16 = 0x21;

/// The archive, with the files in this order.
///
/// # Errors
/// See [`ZipError`].
pub fn zip(files: &[ZipFile<'_>]) -> Result<Vec<u8>, ZipError> {
    let mut out = Vec::new();
    let mut table = Vec::new();
    for file in files {
        let too_large = || ZipError::TooLarge { name: file.name.to_owned() };
        let at = u32::try_from(out.len()).map_err(|_| too_large())?;
        let mut packer = DeflateEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(file.bytes).map_err(ZipError::Pack)?;
        let packed = packer.finish().map_err(ZipError::Pack)?;
        let mut crc = Crc::new();
        crc.update(file.bytes);

        // What a file's own header and its row of the table have in common.
        let mut said = Vec::new();
        for number in [VERSION, 0, METHOD, 0, DATE] {
            said.extend(number.to_le_bytes());
        }
        said.extend(crc.sum().to_le_bytes());
        for n in [packed.len(), file.bytes.len()] {
            said.extend(u32::try_from(n).map_err(|_| too_large())?.to_le_bytes());
        }
        said.extend(u16::try_from(file.name.len()).map_err(|_| too_large())?.to_le_bytes());
        said.extend(0_u16.to_le_bytes());

        out.extend(b"PK\x03\x04");
        out.extend(&said);
        out.extend(file.name.as_bytes());
        out.extend(packed);
        table.extend(b"PK\x01\x02");
        table.extend(VERSION.to_le_bytes());
        table.extend(&said);
        // No comment, the first volume, a text or not, no rights.
        table.extend([0; 10]);
        table.extend(at.to_le_bytes());
        table.extend(file.name.as_bytes());
    }
    let too_large = || ZipError::TooLarge { name: "the report".to_owned() };
    let n_files = u16::try_from(files.len()).map_err(|_| too_large())?.to_le_bytes();
    let table_at = u32::try_from(out.len()).map_err(|_| too_large())?.to_le_bytes();
    let table_len = u32::try_from(table.len()).map_err(|_| too_large())?.to_le_bytes();
    out.extend(table);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([n_files, n_files].concat());
    out.extend([table_len, table_at].concat());
    out.extend(0_u16.to_le_bytes());
    Ok(out)
}
