//! Headers of PE/COFF.

use efi::Reader;
use tpm_wire::ParseError;

/// Bytes of one image. Unified kernel images with a large initrd have below 200 MiB, and a file is
/// held in memory as a whole.
pub const IMAGE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Sections of one image. Kernels have below ten, unified kernel images below thirty.
pub const SECTIONS_MAX: usize = 96;

/// Why a file is no image of which the digest is certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// More than [`IMAGE_BYTES_MAX`].
    #[error("the file has {bytes} bytes, at most {IMAGE_BYTES_MAX} are read")]
    TooLarge {
        /// How many.
        bytes: usize,
    },
    /// It does not begin as PE/COFF does.
    #[error("this is no UEFI program: it does not begin with the headers of PE/COFF")]
    NotPe,
    /// A header ends early.
    #[error("the headers end early: {0}")]
    Header(ParseError),
    /// More than [`SECTIONS_MAX`].
    #[error("{n} sections, at most {SECTIONS_MAX} are read")]
    Sections {
        /// How many.
        n: u16,
    },
    /// A part reaches beyond the file, or over another part: what is hashed twice, or not at all,
    /// is for each loader to say.
    #[error("{what} lies outside of the file or over another part of it")]
    Layout {
        /// Which part.
        what: &'static str,
    },
}

/// An image whose headers were read. [UEFI-2.10 §32.2.5] The layout is such that
/// its digest is certain: parts lie inside of the file, none over another, signatures at its end.
#[derive(Clone, Debug)]
pub struct Image<'a> {
    pub(crate) bytes: &'a [u8],
    /// Offset of the four bytes of the checksum, which the digest leaves out.
    pub(crate) checksum_at: usize,
    /// Offset of the eight bytes that say where signatures are, where the headers have them.
    pub(crate) directory_at: Option<usize>,
    pub(crate) headers_len: usize,
    /// Offset of the signatures; the end of the file where there are none.
    pub(crate) signed_at: usize,
    pub(crate) machine: u16,
    pub(crate) sections: Vec<Section<'a>>,
}

/// A section, in the order of the headers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Section<'a> {
    name: [u8; 8],
    /// Bytes in memory.
    pub memory_len: u32,
    /// Offset of its bytes in the file.
    pub file_at: usize,
    /// Its bytes in the file, with the padding to the file's alignment.
    pub raw: &'a [u8],
}

impl<'a> Section<'a> {
    /// The name, without the NULs behind it.
    pub fn name(&self) -> &[u8] {
        let len = self.name.iter().position(|byte| *byte == 0).unwrap_or(self.name.len());
        self.name.get(..len).unwrap_or(&[])
    }

    /// What the section is in memory; `None` where memory is larger than what the file gives.
    pub fn content(&self) -> Option<&'a [u8]> {
        self.raw.get(..usize::try_from(self.memory_len).ok()?)
    }
}

impl core::fmt::Debug for Section<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let name = self.name().escape_ascii();
        write!(f, "Section({name}, {} bytes at {})", self.raw.len(), self.file_at)
    }
}

const PE32: u16 = 0x10b;
const PE32_PLUS: u16 = 0x20b;

impl<'a> Image<'a> {
    /// Reads the headers, and refuses a layout that leaves it open what the digest is.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ImageError> {
        if bytes.len() > IMAGE_BYTES_MAX {
            return Err(ImageError::TooLarge { bytes: bytes.len() });
        }
        let pe_at = pe_header(bytes).ok_or(ImageError::NotPe)?;
        let behind = bytes.get(pe_at..).unwrap_or(&[]);
        let mut coff = Reader::at_offset(behind, pe_at);
        coff.u32("PE signature").map_err(ImageError::Header)?;
        let header = coff_header(&mut coff).map_err(ImageError::Header)?;
        if usize::from(header.n_sections) > SECTIONS_MAX {
            return Err(ImageError::Sections { n: header.n_sections });
        }
        let optional_at = coff.offset();
        let optional = coff
            .take("optional header", usize::from(header.optional_len))
            .map_err(ImageError::Header)?;
        let optional = optional_header(optional, optional_at)?;
        let headers_len =
            usize::try_from(optional.headers_len).map_err(|_| outside("the headers"))?;
        let sections_end = coff.offset().saturating_add(usize::from(header.n_sections) * 40);
        let directory_end = optional.directory_at.unwrap_or(optional.checksum_at).saturating_add(8);
        if headers_len > bytes.len() || headers_len < sections_end.max(directory_end) {
            return Err(outside("the headers"));
        }
        let mut image = Self {
            bytes,
            checksum_at: optional.checksum_at,
            directory_at: optional.directory_at,
            headers_len,
            signed_at: bytes.len(),
            machine: header.machine,
            sections: Vec::with_capacity(usize::from(header.n_sections)),
        };
        for _ in 0..header.n_sections {
            image.sections.push(section(&mut coff, bytes)?);
        }
        image.signed_at = signatures_at(optional.signatures, bytes.len())?;
        image.check_layout()?;
        Ok(image)
    }

    /// The machine that it is for: 0x8664 x86-64, 0xaa64 AArch64.
    pub const fn machine(&self) -> u16 {
        self.machine
    }

    /// The sections, in the order of the headers.
    pub fn sections(&self) -> &[Section<'a>] {
        &self.sections
    }

    /// The sections of this name.
    pub fn named<'s>(&'s self, name: &'s [u8]) -> impl Iterator<Item = &'s Section<'a>> {
        self.sections.iter().filter(move |section| section.name() == name)
    }

    /// The sections that have bytes in the file, in the order of the file.
    pub(crate) fn in_file_order(&self) -> Vec<&Section<'a>> {
        let mut sections: Vec<_> =
            self.sections.iter().filter(|section| !section.raw.is_empty()).collect();
        sections.sort_by_key(|section| section.file_at);
        sections
    }

    fn check_layout(&self) -> Result<(), ImageError> {
        let mut end = self.headers_len;
        for section in self.in_file_order() {
            if section.file_at < end {
                return Err(outside("a section"));
            }
            end = section.file_at.saturating_add(section.raw.len());
        }
        if end > self.signed_at { Err(outside("a signature")) } else { Ok(()) }
    }
}

const fn outside(what: &'static str) -> ImageError {
    ImageError::Layout { what }
}

/// Offset of the PE header.
fn pe_header(bytes: &[u8]) -> Option<usize> {
    if !bytes.starts_with(b"MZ") {
        return None;
    }
    let mut at = Reader::new(bytes.get(0x3c..)?);
    let at = usize::try_from(at.u32("e_lfanew").ok()?).ok()?;
    bytes.get(at..)?.starts_with(b"PE\0\0").then_some(at)
}

struct CoffHeader {
    machine: u16,
    n_sections: u16,
    optional_len: u16,
}

fn coff_header(reader: &mut Reader<'_>) -> Result<CoffHeader, ParseError> {
    let machine = reader.u16("Machine")?;
    let n_sections = reader.u16("NumberOfSections")?;
    reader.take("TimeDateStamp to NumberOfSymbols", 12)?;
    let optional_len = reader.u16("SizeOfOptionalHeader")?;
    reader.u16("Characteristics")?;
    Ok(CoffHeader { machine, n_sections, optional_len })
}

struct OptionalHeader {
    checksum_at: usize,
    headers_len: u32,
    directory_at: Option<usize>,
    /// Offset and bytes of the signatures.
    signatures: (u32, u32),
}

fn optional_header(bytes: &[u8], at: usize) -> Result<OptionalHeader, ImageError> {
    let mut reader = Reader::at_offset(bytes, at);
    // Bytes between DllCharacteristics and NumberOfRvaAndSizes: sizes of stack and heap, flags.
    let stack_len = match reader.u16("Magic").map_err(ImageError::Header)? {
        PE32 => 20,
        PE32_PLUS => 36,
        _ => return Err(ImageError::NotPe),
    };
    windows_fields(&mut reader, stack_len).map_err(ImageError::Header)
}

fn windows_fields(reader: &mut Reader<'_>, stack_len: usize) -> Result<OptionalHeader, ParseError> {
    reader.take("MajorLinkerVersion to SizeOfImage", 58)?;
    let headers_len = reader.u32("SizeOfHeaders")?;
    let checksum_at = reader.offset();
    reader.u32("CheckSum")?;
    reader.take("Subsystem, DllCharacteristics", 4)?;
    reader.take("SizeOfStackReserve to LoaderFlags", stack_len)?;
    let n_directories = reader.u32("NumberOfRvaAndSizes")?;
    if n_directories <= 4 {
        return Ok(OptionalHeader {
            checksum_at,
            headers_len,
            directory_at: None,
            signatures: (0, 0),
        });
    }
    reader.take("the first four data directories", 32)?;
    let directory_at = Some(reader.offset());
    let signatures = (reader.u32("VirtualAddress")?, reader.u32("Size")?);
    Ok(OptionalHeader { checksum_at, headers_len, directory_at, signatures })
}

fn section<'a>(reader: &mut Reader<'_>, file: &'a [u8]) -> Result<Section<'a>, ImageError> {
    let fields = |reader: &mut Reader<'_>| {
        let name = reader.array("Name")?;
        let memory_len = reader.u32("VirtualSize")?;
        reader.u32("VirtualAddress")?;
        let raw = (reader.u32("SizeOfRawData")?, reader.u32("PointerToRawData")?);
        reader.take("PointerToRelocations to Characteristics", 16)?;
        Ok((name, memory_len, raw))
    };
    let (name, memory_len, (len, at)) = fields(reader).map_err(ImageError::Header)?;
    if len == 0 {
        return Ok(Section { name, memory_len, file_at: 0, raw: &[] });
    }
    let place = usize::try_from(at).ok().zip(usize::try_from(len).ok());
    let raw = place.and_then(|(at, len)| Some((at, file.get(at..at.checked_add(len)?)?)));
    let (file_at, raw) = raw.ok_or(outside("a section"))?;
    Ok(Section { name, memory_len, file_at, raw })
}

/// Offset of the signatures, which end with the file.
fn signatures_at((at, len): (u32, u32), file_len: usize) -> Result<usize, ImageError> {
    if len == 0 {
        return Ok(file_len);
    }
    let place = usize::try_from(at).ok().zip(usize::try_from(len).ok());
    match place {
        Some((at, len)) if at.checked_add(len) == Some(file_len) => Ok(at),
        _ => Err(outside("a signature")),
    }
}
