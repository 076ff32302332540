//! TCG_EfiSpecIDEvent: the first event of a crypto-agile log.

use efi::Reader;
use tpm_wire::TpmAlgId;

/// Algorithms that a log may declare. The registry has eight hashes; TPMs have up to five banks.
pub const ALGORITHMS_MAX: usize = 8;

/// Signature of the crypto-agile header.
pub(crate) const SIGNATURE_AGILE: &[u8; 16] = b"Spec ID Event03\0";

/// TCG_EfiSpecIDEvent. [PFP-1.06 §10.2.1.1] Little-endian. Not measured: what it says is believed
/// only as far as the digests that it describes replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpecId<'a> {
    /// platformClass: 0 client, 1 server.
    pub platform_class: u32,
    /// specVersionMajor, specVersionMinor, specErrata.
    pub version: [u8; 3],
    /// uintnSize: 1 for 32-bit, 2 for 64-bit firmware.
    pub uintn_size: u8,
    /// digestSizes: pairs of algorithm and length, each two bytes.
    table: &'a [u8],
    /// vendorInfo.
    pub vendor_info: &'a [u8],
}

impl<'a> SpecId<'a> {
    /// Reads the structure behind its 16 bytes of signature. The error names the field.
    pub(crate) fn parse(data: &'a [u8]) -> Result<Self, &'static str> {
        let mut reader = Reader::new(data);
        let mut read = || {
            reader.take("signature", 16)?;
            let platform_class = reader.u32("platformClass")?;
            let [minor, major, errata, uintn_size] = reader.array("specVersion")?;
            let n = reader.u32("numberOfAlgorithms")?;
            Ok((platform_class, [major, minor, errata], uintn_size, n))
        };
        let (platform_class, version, uintn_size, n) =
            read().map_err(|error: tpm_wire::ParseError| error.what)?;
        let n = usize::try_from(n).unwrap_or(usize::MAX);
        if n > ALGORITHMS_MAX {
            return Err("numberOfAlgorithms");
        }
        let table = reader.take("digestSizes", n.saturating_mul(4)).map_err(|e| e.what)?;
        let n = reader.u8("vendorInfoSize").map_err(|e| e.what)?;
        let vendor_info = reader.take("vendorInfo", n.into()).map_err(|e| e.what)?;
        let spec_id = Self { platform_class, version, uintn_size, table, vendor_info };
        for (i, (alg, len)) in spec_id.algorithms().enumerate() {
            // A known hash has one length; a wrong one would shift each digest behind it.
            if len == 0 || alg.digest_len().is_some_and(|known| known != len) {
                return Err("digestSizes.digestSize");
            }
            if spec_id.algorithms().take(i).any(|(other, _)| other == alg) {
                return Err("digestSizes.algorithmId");
            }
        }
        reader.finish("Spec ID event").map(|()| spec_id).map_err(|e| e.what)
    }

    /// The declared algorithms, and the bytes of a digest of each.
    pub fn algorithms(&self) -> impl Iterator<Item = (TpmAlgId, usize)> + use<'a> {
        pairs(self.table)
    }

    pub(crate) const fn table(&self) -> &'a [u8] {
        self.table
    }
}

/// The pairs of a digestSizes table.
pub(crate) fn pairs<'a>(table: &'a [u8]) -> impl Iterator<Item = (TpmAlgId, usize)> + use<'a> {
    table.chunks_exact(4).filter_map(|pair| {
        let &[a0, a1, n0, n1] = pair.first_chunk()?;
        Some((TpmAlgId(u16::from_le_bytes([a0, a1])), u16::from_le_bytes([n0, n1]).into()))
    })
}

/// Bytes of a digest of `alg`, which `table` declares. Those of a known hash are what is known of it:
/// a table that says otherwise was refused.
pub(crate) fn declared_len(table: &[u8], alg: TpmAlgId) -> Option<usize> {
    alg.digest_len().or_else(|| Some(pairs(table).find(|(declared, _)| *declared == alg)?.1))
}

/// Whether `data` is a Spec ID event in all but its signature. A first event like that is a
/// damaged header, not the first event of a SHA-1 log: no event of such logs is built this way.
pub(crate) fn is_spec_id_but_for_signature(data: &[u8]) -> bool {
    SpecId::parse(data).is_ok_and(|spec_id| {
        spec_id.table.len() >= 4
            && matches!(spec_id.uintn_size, 1 | 2)
            && spec_id.algorithms().all(|(alg, _)| alg.digest_len().is_some())
    })
}
