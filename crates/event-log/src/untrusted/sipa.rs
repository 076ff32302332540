//! The events of the Windows boot log, inside tagged events and behind the last PCR.

use efi::Ucs2;

use super::tagged::wide;

/// A value of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SipaValue<'a> {
    /// Yes or no: one byte.
    Flag(u8),
    /// A number of four or eight bytes.
    Number(u64),
    /// Text in UCS-2.
    Text(Ucs2<'a>),
    /// A digest, a key or a structure.
    Bytes(&'a [u8]),
}

/// How to read a value.
#[derive(Clone, Copy)]
enum Shape {
    Flag,
    Number,
    Text,
    Bytes,
}

/// One row per event: number, shape, name.
macro_rules! sipa_events {
    ($($id:literal $shape:ident $name:literal;)*) => {
        /// Name of an event, where it is known.
        pub(super) const fn name(id: u32) -> Option<&'static str> {
            match id {
                $($id => Some($name),)*
                _ => None,
            }
        }

        const fn shape(id: u32) -> Shape {
            match id {
                $($id => Shape::$shape,)*
                _ => Shape::Bytes,
            }
        }

        #[cfg(test)]
        const IDS: &[u32] = &[$($id),*];
    };
}

sipa_events! {
    0x4001_0001 Bytes "TrustBoundary";
    0x4001_0002 Bytes "ElamAggregation";
    0x4001_0003 Bytes "LoadedModuleAggregation";
    0xc001_0004 Bytes "TrustpointAggregation";
    0x4001_0005 Bytes "KsrAggregation";
    0x4001_0006 Bytes "KsrSignedMeasurementAggregation";
    0x0003_0001 Bytes "FirmwareFailure";
    0x8003_0002 Bytes "TpmFailure";
    0x0003_0003 Bytes "InternalFailure";
    0x0002_0001 Bytes "Information";
    0x0002_0002 Number "BootCounter";
    0x0002_0003 Number "TransferControl";
    0x0002_0004 Bytes "ApplicationReturn";
    0x0002_0005 Bytes "BitlockerUnlock";
    0x0002_0006 Number "EventCounter";
    0x0002_0007 Number "CounterId";
    0x0002_0008 Flag "MorBitNotCancelable";
    0x0002_0009 Number "ApplicationSvn";
    0x0002_000a Number "SvnChainStatus";
    0x0002_000b Number "MorBitApiStatus";
    0x0004_0001 Flag "BootDebugging";
    0x0004_0002 Bytes "BootRevocationList";
    0x0005_0001 Flag "OsKernelDebug";
    0x0005_0002 Flag "CodeIntegrity";
    0x0005_0003 Flag "TestSigning";
    0x0005_0004 Number "DataExecutionPrevention";
    0x0005_0005 Flag "SafeMode";
    0x0005_0006 Flag "WinPe";
    0x0005_0007 Number "PhysicalAddressExtension";
    0x0005_0008 Number "OsDevice";
    0x0005_0009 Text "SystemRoot";
    0x0005_000a Number "HypervisorLaunchType";
    0x0005_000b Text "HypervisorPath";
    0x0005_000c Number "HypervisorIommuPolicy";
    0x0005_000d Flag "HypervisorDebug";
    0x0005_000e Number "DriverLoadPolicy";
    0x0005_000f Bytes "SiPolicy";
    0x0005_0010 Number "HypervisorMmioNxPolicy";
    0x0005_0011 Number "HypervisorMsrFilterPolicy";
    0x0005_0012 Number "VsmLaunchType";
    0x0005_0013 Bytes "OsRevocationList";
    0x0005_0014 Bytes "SmtStatus";
    0x0005_0020 Bytes "VsmIdkInfo";
    0x0005_0021 Flag "FlightSigning";
    0x0005_0022 Flag "PagefileEncryptionEnabled";
    0x0005_0023 Bytes "VsmIdksInfo";
    0x0005_0024 Flag "HibernationDisabled";
    0x0005_0025 Flag "DumpsDisabled";
    0x0005_0026 Flag "DumpEncryptionEnabled";
    0x0005_0027 Bytes "DumpEncryptionKeyDigest";
    0x0005_0028 Number "LsaIsoConfig";
    0x0005_0029 Bytes "SbcpInfo";
    0x0005_0030 Flag "HypervisorBootDmaProtection";
    0x0006_0001 Bytes "NoAuthority";
    0x0006_0002 Bytes "AuthorityPublicKey";
    0x0007_0001 Text "FilePath";
    0x0007_0002 Number "ImageSize";
    0x0007_0003 Number "HashAlgorithmId";
    0x0007_0004 Bytes "AuthenticodeHash";
    0x0007_0005 Text "AuthorityIssuer";
    0x0007_0006 Bytes "AuthoritySerial";
    0x0007_0007 Number "ImageBase";
    0x0007_0008 Text "AuthorityPublisher";
    0x0007_0009 Bytes "AuthoritySha1Thumbprint";
    0x0007_000a Flag "ImageValidated";
    0x0007_000b Number "ModuleSvn";
    0x8008_0001 Bytes "Quote";
    0x8008_0002 Bytes "QuoteSignature";
    0x8008_0003 Text "AikId";
    0x8008_0004 Bytes "AikPublicDigest";
    0x0009_0001 Text "ElamKeyName";
    0x0009_0002 Bytes "ElamConfiguration";
    0x0009_0003 Bytes "ElamPolicy";
    0x0009_0004 Bytes "ElamMeasured";
    0x000a_0001 Flag "VbsVsmRequired";
    0x000a_0002 Flag "VbsSecureBootRequired";
    0x000a_0003 Flag "VbsIommuRequired";
    0x000a_0004 Flag "VbsMmioNxRequired";
    0x000a_0005 Flag "VbsMsrFilteringRequired";
    0x000a_0006 Flag "VbsMandatoryEnforcement";
    0x000a_0007 Bytes "VbsHvciPolicy";
    0x000a_0008 Flag "VbsMicrosoftBootChainRequired";
    0x000a_0009 Flag "VbsDumpUsesAmeRoot";
    0x000a_000a Flag "VbsVsmNoSecretsEnforced";
    0x000b_0001 Bytes "KsrSignature";
    0x000c_0001 Bytes "DrtmStateAuth";
    0x000c_0002 Bytes "DrtmSmmLevel";
    0x000c_0003 Bytes "DrtmAmdSmmHash";
    0x000c_0004 Bytes "DrtmAmdSmmSignerKey";
}

/// Whether an event holds events: two bits of its number say so.
pub(super) const fn is_container(id: u32) -> bool {
    id & 0x4001_0000 == 0x4001_0000 && name(id).is_some()
}

impl<'a> SipaValue<'a> {
    /// A value whose size is not that of its shape is bytes.
    pub(super) fn read(id: u32, data: &'a [u8]) -> Self {
        let number = || match data.len() {
            1 => data.first().map(|byte| u64::from(*byte)),
            4 => data.first_chunk().map(|bytes| u32::from_le_bytes(*bytes).into()),
            8 => data.first_chunk().map(|bytes| u64::from_le_bytes(*bytes)),
            _ => None,
        };
        match (shape(id), data) {
            (Shape::Flag, [flag]) => Self::Flag(*flag),
            (Shape::Number, _) => number().map_or(Self::Bytes(data), Self::Number),
            (Shape::Text, _) if data.len().is_multiple_of(2) => Self::Text(wide(data)),
            _ => Self::Bytes(data),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_unique() {
        let mut ids = IDS.to_vec();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), IDS.len());
        let mut names: Vec<_> = IDS.iter().filter_map(|id| name(*id)).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), IDS.len());
    }

    #[test]
    fn a_value_of_another_size_is_bytes() {
        assert_eq!(SipaValue::read(0x0005_0003, &[1]), SipaValue::Flag(1));
        assert_eq!(SipaValue::read(0x0005_0003, &[1, 0]), SipaValue::Bytes(&[1, 0]));
        assert_eq!(SipaValue::read(0x0002_0002, &[7, 0, 0, 0, 0, 0, 0, 0]), SipaValue::Number(7));
        assert_eq!(SipaValue::read(0x0002_0002, &[7, 0]), SipaValue::Bytes(&[7, 0]));
    }
}
