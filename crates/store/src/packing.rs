//! Evidence in less room: zstd, where that makes a part smaller. Parts are small (a quote, a challenge) and new
//! each time, or large (a log) and known already: of the latter only the first is packed.

use crate::StoreError;

/// The level of zstd: higher ones make logs by some hundredths smaller, and take many times as long.
const LEVEL: i32 = 3;

/// Shorter ones are kept as they are: what answers a challenge is new each time and has some hundred bytes, of
/// which signatures and digests do not pack.
const BYTES_MIN: usize = 2048;

/// What a part may unpack to: it came in a request of 6 MiB.
pub(crate) const UNPACKED_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How bytes are kept, as a number in the column `packing`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    /// As they are: short ones, those that do not pack, and all from before there was packing.
    None,
    /// By zstd.
    Zstd,
}

impl Packing {
    /// The number in the column.
    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::None => 0,
            Self::Zstd => 1,
        }
    }

    pub(crate) fn of(number: i64) -> Option<Self> {
        [Self::None, Self::Zstd].into_iter().find(|packing| packing.number() == number)
    }
}

/// A part as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packed<'a> {
    pub(crate) packing: Packing,
    pub(crate) bytes: std::borrow::Cow<'a, [u8]>,
    /// How many bytes it has unpacked.
    pub(crate) n_bytes: i64,
}

/// Packs a part, where it gets smaller by an eighth at least.
pub(crate) fn pack(bytes: &[u8]) -> Packed<'_> {
    let n_bytes = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    if bytes.len() >= BYTES_MIN
        && let Ok(packed) = zstd::bulk::compress(bytes, LEVEL)
        && packed.len() <= bytes.len().saturating_sub(bytes.len() / 8)
    {
        return Packed { packing: Packing::Zstd, bytes: packed.into(), n_bytes };
    }
    Packed { packing: Packing::None, bytes: bytes.into(), n_bytes }
}

/// The part that was kept so.
pub(crate) fn unpack(
    packing: i64,
    bytes: Vec<u8>,
    n_bytes: Option<i64>,
) -> Result<Vec<u8>, StoreError> {
    match Packing::of(packing) {
        Some(Packing::None) => Ok(bytes),
        Some(Packing::Zstd) => {
            let n_bytes = n_bytes.and_then(|n| usize::try_from(n).ok());
            let n_bytes = n_bytes.filter(|n| *n <= UNPACKED_BYTES_MAX);
            let n_bytes = n_bytes.ok_or_else(|| StoreError::broken("evidence of no length"))?;
            let unpacked = zstd::bulk::decompress(&bytes, n_bytes)
                .map_err(|error| StoreError::Broken { source: Box::new(error) })?;
            if unpacked.len() != n_bytes {
                return Err(StoreError::broken("evidence of another length"));
            }
            Ok(unpacked)
        }
        None => Err(StoreError::broken("evidence that is packed in a way that is not known")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(bytes: &[u8]) -> Packing {
        let packed = pack(bytes);
        let n = Some(packed.n_bytes);
        let back = unpack(packed.packing.number(), packed.bytes.to_vec(), n).unwrap();
        assert_eq!(back, bytes);
        packed.packing
    }

    #[test]
    fn what_gets_smaller_is_packed_and_all_comes_back() {
        assert_eq!(round(b""), Packing::None);
        assert_eq!(round(&[7; BYTES_MIN - 1]), Packing::None);
        assert_eq!(round(&[7; BYTES_MIN]), Packing::Zstd);
        let noise =
            |seed: u32| aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &seed.to_be_bytes());
        let noise: Vec<u8> = (0..100).flat_map(|seed| noise(seed).as_ref().to_vec()).collect();
        assert_eq!(round(&noise), Packing::None);
        assert_eq!(round(&vec![0; 6 * 1024 * 1024]), Packing::Zstd);
        assert_eq!(unpack(0, b"old".to_vec(), None).unwrap(), b"old");
    }

    #[test]
    fn what_unpacks_to_something_else_is_an_error() {
        let packed = zstd::bulk::compress(&[0; 4096], LEVEL).unwrap();
        assert_eq!(unpack(1, packed.clone(), Some(4096)).unwrap(), [0; 4096]);
        let bomb = zstd::bulk::compress(&vec![0; UNPACKED_BYTES_MAX + 1], LEVEL).unwrap();
        for (packing, bytes, n) in [
            (1, packed.clone(), Some(4095)),
            (1, packed.clone(), Some(4097)),
            (1, packed.clone(), None),
            (1, packed.clone(), Some(-1)),
            (1, packed[..9].to_vec(), Some(4096)),
            (1, b"x".to_vec(), Some(1)),
            (1, bomb, Some(i64::try_from(UNPACKED_BYTES_MAX + 1).unwrap())),
            (9, packed, Some(4096)),
        ] {
            assert!(unpack(packing, bytes, n).is_err(), "{packing} {n:?}");
        }
    }
}
