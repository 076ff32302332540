//! TPMs that are programs.

use crate::vendor::Vendor;

/// A TPM that is a program: what it says is as good as the machine that runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoftwareTpm {
    /// Which program, for people.
    pub name: &'static str,
}

/// PCI vendor identifier of IBM, which the certificates of swtpm carry in place of a TPM vendor.
const SWTPM_CERTIFICATE: Vendor = Vendor::new(0x1014);
/// The placeholder in the reference code, which simulators that nobody adapted still say.
const REFERENCE_CODE: Vendor = Vendor::new(0x5859_5A5A);

/// The program that a TPM of this vendor, model (out of its certificate) and vendor string (out of
/// its properties) is; `None` where it is a chip, part of one, or not known. A host can hide here
/// what only it says; the vendor of a verified certificate it cannot.
///
/// Microsoft makes both: Pluton, which is part of a processor, and the TPM of virtual machines.
pub fn software_tpm(
    vendor: Vendor,
    model: Option<&str>,
    vendor_string: Option<&str>,
) -> Option<SoftwareTpm> {
    let says =
        |text: &str| [model, vendor_string].into_iter().flatten().any(|said| said.contains(text));
    let name = match vendor {
        SWTPM_CERTIFICATE => "swtpm",
        Vendor::IBM if says("SW") => "swtpm or the IBM simulator",
        REFERENCE_CODE => "a simulator of the reference code",
        Vendor::MICROSOFT if says("xCG fTPM") => "Microsoft's simulator or virtual TPM",
        Vendor::MICROSOFT if says("Virtual") || says("vTPM") => "Microsoft's virtual TPM",
        Vendor::VMWARE => "VMware's virtual TPM",
        Vendor::GOOGLE if !says("Titan") => "Google's virtual TPM",
        Vendor::AMAZON => "Amazon's NitroTPM",
        _ => return None,
    };
    Some(SoftwareTpm { name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_told_from_chips() {
        let name = |vendor, model, string| {
            software_tpm(Vendor::new(vendor), model, string).map(|found| found.name)
        };
        assert_eq!(name(0x1014, Some("swtpm"), None), Some("swtpm"));
        assert!(name(0x4942_4D20, None, Some("SW   TPM")).is_some());
        assert_eq!(name(0x4942_4D00, None, None), None, "IBM alone says nothing");
        assert!(name(0x5859_5A5A, None, None).is_some());
        assert!(name(0x4D53_4654, None, Some("xCG fTPM")).is_some());
        assert_eq!(name(0x4D53_4654, Some("Pluton"), None), None);
        assert!(name(0x564D_5700, None, Some("VMware TPM")).is_some());
        assert!(name(0x474F_4F47, Some("vTPM"), None).is_some());
        assert!(name(0x414D_5A4E, None, Some("NitroTPM")).is_some());
        for chip in [0x5354_4D20, 0x4946_5800, 0x4E54_4300, 0x494E_5443, 0x414D_4400] {
            assert_eq!(name(chip, Some("SW"), Some("xCG fTPM")), None);
        }
    }
}
