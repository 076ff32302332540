//! What a host says of its hardware and its system.

use serde::{Deserialize, Serialize};

/// Characters of each text of [`Machine`]: SMBIOS tables keep such texts below 64, by custom.
pub const MACHINE_TEXT_CHARS_MAX: usize = 128;

/// What a host says of the machine that it is and of the system that it runs, as the kernel shows
/// it. Untrusted in every field: no quote covers any of it. Absent is what the host does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Machine {
    /// Who made the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_vendor: Option<String>,
    /// The model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_name: Option<String>,
    /// The model's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_version: Option<String>,
    /// The maker's order number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_sku: Option<String>,
    /// Who made the board.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub board_vendor: Option<String>,
    /// The board's model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub board_name: Option<String>,
    /// The board's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub board_version: Option<String>,
    /// Who made the firmware.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firmware_vendor: Option<String>,
    /// The firmware's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firmware_version: Option<String>,
    /// The firmware's date, as its maker writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firmware_date: Option<String>,
    /// The running kernel's release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel_release: Option<String>,
    /// The system's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os_name: Option<String>,
    /// What the running system says of the platform's guards.
    #[serde(skip_serializing_if = "Platform::is_silent")]
    pub platform: Platform,
}

/// What the running system says of the guards of its platform. Untrusted in every field, as all of
/// [`Machine`]: who controls the system can make it say anything. It never makes a verdict better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Platform {
    /// Whether the UEFI variable SecureBoot says so. What PCR 7 proves is another fact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secure_boot: Option<bool>,
    /// How far the kernel keeps root out of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lockdown: Option<Lockdown>,
    /// Whether the processor has Intel TXT's instructions (`smx`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub txt_capable: Option<bool>,
    /// Whether tboot launched the kernel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tboot: Option<bool>,
    /// Whether the kernel uses an IOMMU, which keeps devices out of memory that is not theirs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iommu: Option<bool>,
    /// The TPM's guard against guessing, as the TPM says without signing it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tpm_lockout: Option<TpmLockout>,
}

impl Platform {
    /// Whether it says nothing.
    pub fn is_silent(&self) -> bool {
        *self == Self::default()
    }
}

/// Modes of the kernel's lockdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Lockdown {
    /// Off.
    None,
    /// Root may not change the running kernel.
    Integrity,
    /// Nor read what it keeps.
    Confidentiality,
}

/// A TPM's guard against guessing. [TPM2-P2-1.59 §6.13, §8.6 TPMA_PERMANENT]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TpmLockout {
    /// Whether it refuses what is guarded now.
    pub locked: bool,
    /// Wrong authorisations that count now.
    pub failures: u32,
    /// At so many of them it locks.
    pub failures_max: u32,
    /// Seconds after which one of them is forgotten.
    pub interval_s: u32,
}

/// The machines that should boot alike: one maker, one model, one version of the firmware.
///
/// It is made of a host's own words, so it proves nothing. It only says which references of a
/// cohort a host is held to beside those of its own: a host that names another cohort has to boot
/// like that one, and a host that names none has the references of its own alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Cohort {
    /// Who made the machines.
    pub system_vendor: String,
    /// The model.
    pub product_name: String,
    /// The firmware's version.
    pub firmware_version: String,
}

impl Machine {
    /// All texts, in the order of the fields.
    fn texts(&self) -> [&Option<String>; 12] {
        [
            &self.system_vendor,
            &self.product_name,
            &self.product_version,
            &self.product_sku,
            &self.board_vendor,
            &self.board_name,
            &self.board_version,
            &self.firmware_vendor,
            &self.firmware_version,
            &self.firmware_date,
            &self.kernel_release,
            &self.os_name,
        ]
    }

    /// Whether each text has a character, at most [`MACHINE_TEXT_CHARS_MAX`] of them, and none that
    /// steers a terminal.
    pub fn is_bounded(&self) -> bool {
        self.texts().into_iter().flatten().all(|text| is_bounded(text))
    }

    /// The cohort, where the host says all three parts of it.
    pub fn cohort(&self) -> Option<Cohort> {
        Some(Cohort {
            system_vendor: self.system_vendor.clone()?,
            product_name: self.product_name.clone()?,
            firmware_version: self.firmware_version.clone()?,
        })
    }
}

fn is_bounded(text: &str) -> bool {
    let n_chars = text.chars().take(MACHINE_TEXT_CHARS_MAX + 1).count();
    (1..=MACHINE_TEXT_CHARS_MAX).contains(&n_chars) && !text.chars().any(char::is_control)
}

impl Cohort {
    /// The cohort as one text: what stores and addresses name it by. No two cohorts share one.
    pub fn key(&self) -> String {
        let Self { system_vendor, product_name, firmware_version } = self;
        // A list of texts always becomes JSON.
        serde_json::to_string(&[system_vendor, product_name, firmware_version]).unwrap_or_default()
    }

    /// The cohort of a text of [`Self::key`].
    pub fn from_key(key: &str) -> Option<Self> {
        let [system_vendor, product_name, firmware_version] =
            serde_json::from_str::<[String; 3]>(key).ok()?;
        let cohort = Self { system_vendor, product_name, firmware_version };
        cohort.is_bounded().then_some(cohort)
    }

    /// As [`Machine::is_bounded`].
    pub fn is_bounded(&self) -> bool {
        let Self { system_vendor, product_name, firmware_version } = self;
        [system_vendor, product_name, firmware_version].into_iter().all(|text| is_bounded(text))
    }
}

impl std::fmt::Display for Cohort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { system_vendor, product_name, firmware_version } = self;
        write!(f, "{system_vendor} {product_name}, firmware {firmware_version}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(vendor: &str) -> Machine {
        let text = |text: &str| Some(text.to_owned());
        Machine {
            system_vendor: text(vendor),
            product_name: text("Model 9"),
            firmware_version: text("1.2"),
            ..Machine::default()
        }
    }

    #[test]
    fn a_cohort_has_one_key_and_a_key_one_cohort() {
        let cohort = machine("A \"quoted\", Inc.").cohort().unwrap();
        assert_eq!(Cohort::from_key(&cohort.key()), Some(cohort));
        for wrong in ["", "x", "[]", r#"["a","b"]"#, r#"["a","b",""]"#, r#"["a","b","c","d"]"#] {
            assert_eq!(Cohort::from_key(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_cohort_needs_all_three_parts() {
        assert!(machine("Vendor").cohort().is_some());
        assert_eq!(Machine { firmware_version: None, ..machine("Vendor") }.cohort(), None);
    }

    #[test]
    fn a_machine_of_an_agent_of_before_says_nothing_of_its_platform() {
        let old: Machine = serde_json::from_str(r#"{"os_name":"x"}"#).unwrap();
        assert!(old.platform.is_silent());
        assert_eq!(serde_json::to_string(&old).unwrap(), r#"{"os_name":"x"}"#);
        let lockdown = Some(Lockdown::Integrity);
        let new = Machine { platform: Platform { lockdown, ..Platform::default() }, ..old };
        let text = serde_json::to_string(&new).unwrap();
        assert!(text.contains(r#""platform":{"lockdown":"integrity"}"#), "{text}");
        assert_eq!(serde_json::from_str::<Machine>(&text).unwrap(), new);
        let odd = text.replace("integrity", "integrity\\u001b[2J");
        assert!(serde_json::from_str::<Machine>(&odd).is_err());
    }

    #[test]
    fn texts_have_bounds() {
        assert!(Machine::default().is_bounded());
        assert!(machine(&"x".repeat(MACHINE_TEXT_CHARS_MAX)).is_bounded());
        for wrong in ["x".repeat(MACHINE_TEXT_CHARS_MAX + 1), String::new(), "a\nb".to_owned()] {
            assert!(!machine(&wrong).is_bounded(), "{wrong:?}");
        }
    }
}
