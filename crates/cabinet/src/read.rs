//! Bytes -> [`Cabinet`].

use efi::Reader;

use crate::block::{Packing, checksum};
use crate::error::CabinetError;

/// Bytes that a cabinet may unpack to. TrustedTpm.cab has some 1,600 certificates, 3 MiB; without a
/// limit one of 4 KiB can stand for gigabytes.
pub const UNPACKED_BYTES_MAX: usize = 64 << 20;
/// Files: ten times those of TrustedTpm.cab.
pub const FILES_MAX: usize = 16_384;
/// Folders, which are runs of compression. A writer begins one for each medium; each of LZX takes a
/// window of up to 2 MiB while it is read.
pub const FOLDERS_MAX: usize = 256;
/// Bytes of a name: what the format's own limit is. [MS-CAB §2.3]
pub const NAME_BYTES_MAX: usize = 255;

const SIGNATURE: &[u8] = b"MSCF";
const PREVIOUS: u16 = 1;
const NEXT: u16 = 2;
const RESERVE: u16 = 4;
/// iFolder values from here on are files that lie in several cabinets.
const SPANNED_FROM: u16 = 0xfffd;

/// An unpacked cabinet.
#[derive(Clone, Debug)]
pub struct Cabinet {
    folders: Vec<Vec<u8>>,
    files: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    name: String,
    folder: usize,
    at: usize,
    len: usize,
}

/// A file of a cabinet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File<'a> {
    /// Its name: a path with `/`, relative, that leads nowhere else. For people only.
    pub name: &'a str,
    /// What it holds.
    pub bytes: &'a [u8],
}

impl Cabinet {
    /// The files, in the order of the cabinet.
    pub fn files(&self) -> impl Iterator<Item = File<'_>> {
        self.files.iter().filter_map(|entry| {
            let end = entry.at.checked_add(entry.len)?;
            let bytes = self.folders.get(entry.folder)?.get(entry.at..end)?;
            Some(File { name: &entry.name, bytes })
        })
    }
}

/// Whether `bytes` begin as a cabinet.
pub fn is_cabinet(bytes: &[u8]) -> bool {
    bytes.starts_with(SIGNATURE)
}

/// Unpacks a cabinet: the header, the folders, the files, then the blocks of each folder once.
/// [MS-CAB §2] Little-endian. What lies behind its own length is ignored: there a signature stands.
///
/// # Errors
/// The first fault. A cabinet with one is refused as a whole.
pub fn read(bytes: &[u8]) -> Result<Cabinet, CabinetError> {
    let mut reader = Reader::new(bytes);
    if reader.take("signature", 4)? != SIGNATURE {
        return Err(CabinetError::NotACabinet);
    }
    reader.u32("reserved1")?;
    let said = length(reader.u32("cbCabinet")?);
    let Some(cabinet) = bytes.get(..said) else {
        return Err(CabinetError::Cut { said, have: bytes.len() });
    };
    reader.u32("reserved2")?;
    let files_at = length(reader.u32("coffFiles")?);
    reader.u32("reserved3")?;
    let _minor = reader.u8("versionMinor")?;
    if reader.u8("versionMajor")? != 1 {
        return Err(CabinetError::NotACabinet);
    }
    let n_folders = limited("folders", reader.u16("cFolders")?, FOLDERS_MAX)?;
    let n_files = limited("files", reader.u16("cFiles")?, FILES_MAX)?;
    let flags = reader.u16("flags")?;
    reader.u32("setID, iCabinet")?;
    let mut reserved = Reserved { folder: 0, data: 0 };
    if flags & RESERVE != 0 {
        let n = reader.u16("cbCFHeader")?;
        reserved.folder = reader.u8("cbCFFolder")?.into();
        reserved.data = reader.u8("cbCFData")?.into();
        reader.take("abReserve", n.into())?;
    }
    if flags & (PREVIOUS | NEXT) != 0 {
        return Err(CabinetError::Spanned);
    }
    let mut budget = UNPACKED_BYTES_MAX;
    let mut folders = Vec::new();
    for folder in 0..n_folders {
        let at = length(reader.u32("coffCabStart")?);
        let n_blocks = reader.u16("cCFData")?;
        let kind = reader.u16("typeCompress")?;
        reader.take("abReserve", reserved.folder)?;
        let packing = Packing::from_type(kind).ok_or(CabinetError::Compression { kind })?;
        let blocks = from(cabinet, at, "coffCabStart")?;
        folders.push(unpack(blocks, folder, n_blocks, packing, &reserved, &mut budget)?);
    }
    let mut reader = from(cabinet, files_at, "coffFiles")?;
    let mut files = Vec::new();
    for n in 0..n_files {
        files.push(entry(&mut reader, n, &folders)?);
    }
    Ok(Cabinet { folders, files })
}

/// Bytes that a writer reserved for itself in each structure.
struct Reserved {
    folder: usize,
    data: usize,
}

/// A length field; one that no memory can hold is longer than all there is.
fn length(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

fn limited(what: &'static str, n: u16, max: usize) -> Result<usize, CabinetError> {
    let have = usize::from(n);
    if have > max { Err(CabinetError::TooMany { what, have, max }) } else { Ok(have) }
}

/// The bytes of `cabinet` from `at` on, which the field `what` names.
fn from<'a>(cabinet: &'a [u8], at: usize, what: &'static str) -> Result<Reader<'a>, CabinetError> {
    let mut reader = Reader::new(cabinet);
    reader.take(what, at)?;
    Ok(reader)
}

/// The blocks of one folder. [MS-CAB §2.5]
fn unpack(
    mut blocks: Reader<'_>,
    folder: usize,
    n_blocks: u16,
    mut packing: Packing,
    reserved: &Reserved,
    budget: &mut usize,
) -> Result<Vec<u8>, CabinetError> {
    let mut unpacked = Vec::new();
    for block in 0..usize::from(n_blocks) {
        let expected = blocks.u32("csum")?;
        let before = blocks.rest();
        let n_packed = usize::from(blocks.u16("cbData")?);
        let n = usize::from(blocks.u16("cbUncomp")?);
        blocks.take("abReserve", reserved.data)?;
        let sizes_and_reserve = before.get(..4usize.saturating_add(reserved.data));
        let packed = blocks.take("ab", n_packed)?;
        let actual = checksum(packed, sizes_and_reserve.unwrap_or_default());
        // Zero says that there is none.
        if expected != 0 && actual != expected {
            return Err(CabinetError::Checksum { folder, block });
        }
        *budget =
            budget.checked_sub(n).ok_or(CabinetError::TooLarge { max: UNPACKED_BYTES_MAX })?;
        packing.unpack(packed, &mut unpacked, n).ok_or(CabinetError::Block { folder, block })?;
    }
    Ok(unpacked)
}

/// CFFILE. [MS-CAB §2.3]
fn entry(reader: &mut Reader<'_>, n: usize, folders: &[Vec<u8>]) -> Result<Entry, CabinetError> {
    let len = length(reader.u32("cbFile")?);
    let at = length(reader.u32("uoffFolderStart")?);
    let folder = reader.u16("iFolder")?;
    reader.take("date, time, attribs", 6)?;
    let rest = reader.rest();
    let name_len = rest.iter().take(NAME_BYTES_MAX.saturating_add(1)).position(|byte| *byte == 0);
    let name = reader.take("szName", name_len.ok_or(CabinetError::Name { n })?)?;
    reader.u8("szName")?;
    if folder >= SPANNED_FROM {
        return Err(CabinetError::Spanned);
    }
    let folder = usize::from(folder);
    let end = at.checked_add(len);
    let holder = folders.get(folder).ok_or(CabinetError::Outside { n })?;
    if end.is_none_or(|end| end > holder.len()) {
        return Err(CabinetError::Outside { n });
    }
    let name = relative(name).ok_or(CabinetError::Name { n })?;
    Ok(Entry { name, folder, at, len })
}

/// A name as a relative path with `/`; `None` where it leads elsewhere or is not for people. A code
/// page is not known, so that bytes outside of UTF-8 are shown as unknown.
fn relative(name: &[u8]) -> Option<String> {
    let name = String::from_utf8_lossy(name).replace('\\', "/");
    let leads_on = |part: &str| part.is_empty() || part == "." || part == "..";
    let is_plain = !name.contains([':', '\0']) && !name.chars().any(char::is_control);
    (is_plain && !name.split('/').any(leads_on)).then_some(name)
}
