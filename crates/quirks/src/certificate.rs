//! Quirks of endorsement certificates.

use verify::{EkCertDeviation, VerifiedEk};

use crate::Quirk;

/// The quirks of a certificate that a trusted authority signed, each once.
pub fn in_certificate(ek: &VerifiedEk) -> impl Iterator<Item = Quirk> {
    ek.deviations().iter().filter_map(|deviation| match deviation {
        EkCertDeviation::NoExtendedKeyUsage => Some(Quirk::EkCertNoExtendedKeyUsage),
        EkCertDeviation::NoManufacturer => Some(Quirk::EkCertNoManufacturer),
        EkCertDeviation::NoKeyUsage => Some(Quirk::EkCertNoKeyUsage),
        EkCertDeviation::EccKeyEncipherment => Some(Quirk::EkCertEccKeyEncipherment),
        EkCertDeviation::NvHeader => Some(Quirk::EkCertNvHeader),
        // A choice of the operator, who has a finding of its own for it.
        EkCertDeviation::Pinned => None,
    })
}
