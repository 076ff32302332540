//! The blocks of a folder, packed and unpacked.

use lzxd::{Lzxd, WindowSize};
use miniz_oxide::inflate::{
    TINFLStatus,
    core::{
        DecompressorOxide, decompress, inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
    },
};

/// What an MSZIP block begins with. [MS-MCI §2]
const MSZIP: &[u8] = b"CK";

/// The compression of a folder, with what it keeps between blocks. [MS-CAB §2.4]
pub(crate) enum Packing {
    Stored,
    /// Each block may point back into the 32 KiB before it.
    MsZip(Box<DecompressorOxide>),
    Lzx(Box<Lzxd>),
}

impl Packing {
    /// The packing that typeCompress says; `None` for Quantum, which nobody wrote for decades, and
    /// for unknown ones.
    pub(crate) fn from_type(kind: u16) -> Option<Self> {
        match (kind & 0xf, kind >> 8) {
            (0, _) => Some(Self::Stored),
            (1, _) => Some(Self::MsZip(Box::default())),
            (3, bits) => Some(Self::Lzx(Box::new(Lzxd::new(window(bits)?)))),
            _ => None,
        }
    }

    /// Unpacks `packed`, the block behind those in `folder`, to exactly `n` bytes more.
    pub(crate) fn unpack(&mut self, packed: &[u8], folder: &mut Vec<u8>, n: usize) -> Option<()> {
        let from = folder.len();
        match self {
            Self::Stored => (packed.len() == n).then(|| folder.extend(packed)),
            Self::MsZip(inflate) => {
                let packed = packed.strip_prefix(MSZIP)?;
                folder.resize(from.checked_add(n)?, 0);
                inflate.init();
                let flags = TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
                let (status, _, written) = decompress(inflate, packed, folder, from, flags);
                (status == TINFLStatus::Done && written == n).then_some(())
            }
            Self::Lzx(lzx) => {
                let unpacked = lzx.decompress_next(packed, n).ok()?;
                (unpacked.len() == n).then(|| folder.extend(unpacked))
            }
        }
    }
}

/// The window of LZX, of 2^15 to 2^21 bytes in cabinets. [MS-CAB §2.4]
fn window(bits: u16) -> Option<WindowSize> {
    Some(match bits & 0x1f {
        15 => WindowSize::KB32,
        16 => WindowSize::KB64,
        17 => WindowSize::KB128,
        18 => WindowSize::KB256,
        19 => WindowSize::KB512,
        20 => WindowSize::MB1,
        21 => WindowSize::MB2,
        _ => return None,
    })
}

/// CFDATA.csum, over the packed bytes, then over their sizes and what is reserved. [MS-CAB §3.1]
pub(crate) fn checksum(packed: &[u8], sizes_and_reserve: &[u8]) -> u32 {
    xor_of_words(packed) ^ xor_of_words(sizes_and_reserve)
}

/// Words are little-endian; the last one to three bytes count as if they were big-endian.
fn xor_of_words(bytes: &[u8]) -> u32 {
    let (words, tail) = bytes.as_chunks::<4>();
    let of_words = words.iter().fold(0, |sum, word| sum ^ u32::from_le_bytes(*word));
    of_words ^ tail.iter().fold(0, |sum, byte| (sum << 8) | u32::from(*byte))
}
