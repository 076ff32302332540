//! UEFI_GPT_DATA: the partition table that was booted from.

use tpm_wire::{ParseError, ParseErrorKind};

use crate::guid::Guid;
use crate::reader::{Reader, length};
use crate::text::Ucs2;

/// Partitions in one event. The usual table has room for 128; the specification sets no limit.
pub const PARTITIONS_MAX: u64 = 4096;

/// The smallest partition entry. [UEFI-2.10 §5.3.3]
const ENTRY_LEN_MIN: usize = 128;

/// Bytes of the header and the count of partitions.
const HEADER_LEN: usize = 100;

/// UEFI_GPT_DATA. [PFP-1.06 §10.2.5] Little-endian: the GPT header, a count, the entries in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GptEvent<'a> {
    /// DiskGUID.
    pub disk_guid: Guid,
    /// SizeOfPartitionEntry, in bytes: 128 or more.
    entry_len: usize,
    entries: &'a [u8],
    /// All before `entries`, as it lay there: what is not a field of its own is of no use to a
    /// verifier, and is written back.
    header: &'a [u8],
}

/// One entry of the table. [UEFI-2.10 §5.3.3]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GptPartition<'a> {
    /// PartitionTypeGUID.
    pub type_guid: Guid,
    /// UniquePartitionGUID.
    pub unique_guid: Guid,
    /// StartingLBA, in blocks.
    pub first_lba: u64,
    /// EndingLBA, in blocks, inclusive.
    pub last_lba: u64,
    /// Attributes.
    pub attributes: u64,
    /// PartitionName, up to its NUL.
    pub name: Ucs2<'a>,
}

impl<'a> GptEvent<'a> {
    /// Reads the structure, and nothing may be left behind it.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(bytes);
        let signature: [u8; 8] = reader.array("EFI_PARTITION_TABLE_HEADER.Signature")?;
        if signature != *b"EFI PART" {
            let kind = ParseErrorKind::Value { have: u64::from_be_bytes(signature) };
            return Err(reader.error("EFI_PARTITION_TABLE_HEADER.Signature", kind));
        }
        // Revision, size, checksum, and where the table and its copy lie: of no use to a verifier.
        reader.take("EFI_PARTITION_TABLE_HEADER", 48)?;
        let disk_guid = Guid::read(&mut reader, "EFI_PARTITION_TABLE_HEADER.DiskGUID")?;
        reader.take("EFI_PARTITION_TABLE_HEADER.PartitionEntryLBA", 12)?;
        let entry_len = reader.u32("EFI_PARTITION_TABLE_HEADER.SizeOfPartitionEntry")?;
        let entry_len = length(entry_len.into());
        reader.take("EFI_PARTITION_TABLE_HEADER.PartitionEntryArrayCRC32", 4)?;
        if entry_len < ENTRY_LEN_MIN {
            let kind = ParseErrorKind::Short { want: ENTRY_LEN_MIN, have: entry_len };
            return Err(reader.error("EFI_PARTITION_TABLE_HEADER.SizeOfPartitionEntry", kind));
        }
        let n = reader.u64("UEFI_GPT_DATA.NumberOfPartitions")?;
        if n > PARTITIONS_MAX {
            let kind = ParseErrorKind::Limit { max: length(PARTITIONS_MAX), have: length(n) };
            return Err(reader.error("UEFI_GPT_DATA.NumberOfPartitions", kind));
        }
        let entries =
            reader.take("UEFI_GPT_DATA.Partitions", length(n).saturating_mul(entry_len))?;
        reader.finish("UEFI_GPT_DATA")?;
        let header = bytes.get(..HEADER_LEN).unwrap_or_default();
        Ok(Self { disk_guid, entry_len, entries, header })
    }

    /// The structure as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.header, self.entries].concat()
    }

    /// The partitions, in order.
    pub fn partitions(&self) -> impl Iterator<Item = GptPartition<'a>> + use<'a> {
        // Not zero: a smaller entry was refused.
        self.entries.chunks_exact(self.entry_len.max(1)).filter_map(|entry| {
            let mut reader = Reader::new(entry);
            Some(GptPartition {
                type_guid: Guid::read(&mut reader, "PartitionTypeGUID").ok()?,
                unique_guid: Guid::read(&mut reader, "UniquePartitionGUID").ok()?,
                first_lba: reader.u64("StartingLBA").ok()?,
                last_lba: reader.u64("EndingLBA").ok()?,
                attributes: reader.u64("Attributes").ok()?,
                name: Ucs2(reader.take("PartitionName", 72).ok()?).until_nul(),
            })
        })
    }
}
