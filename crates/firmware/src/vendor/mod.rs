//! One intent, many names: which settings of a host are about TPM, Secure Boot and TXT.
//!
//! Rows are chosen by what the host's registry (or, where there is none, its settings) lists, never by
//! the name of a vendor or a model: those change their settings from one release to the next.

mod by_display;
mod table;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::Scalar;
use crate::system::{Bios, Source};
pub use table::{LEFT_ALONE, LeftAlone, ROWS, Row};

/// What a setting is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Intent {
    /// The firmware boots by UEFI, without a legacy module.
    UefiBoot,
    /// No legacy option ROM of the video card, which Secure Boot cannot verify.
    NoLegacyVideo,
    /// The TPM is shown to the system.
    TpmVisible,
    /// The module works as TPM 2.0.
    Tpm20,
    /// A PCR bank of SHA-256 is on.
    Sha256Bank,
    /// The endorsement hierarchy is usable: without it there is no endorsement key.
    EndorsementHierarchy,
    /// The storage hierarchy is usable.
    StorageHierarchy,
    /// The TPM speaks FIFO (TIS).
    Fifo,
    /// Intel TXT is on. Whether that is wanted hangs on the profile.
    Txt,
    /// Secure Boot is on.
    SecureBoot,
}

impl Intent {
    /// Each, in the order in which one should mend them.
    pub const ALL: [Self; 10] = [
        Self::UefiBoot,
        Self::NoLegacyVideo,
        Self::TpmVisible,
        Self::Tpm20,
        Self::Sha256Bank,
        Self::EndorsementHierarchy,
        Self::StorageHierarchy,
        Self::Fifo,
        Self::Txt,
        Self::SecureBoot,
    ];

    /// What holds where it is on, for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::UefiBoot => "UEFI boot",
            Self::NoLegacyVideo => "no legacy video option ROM",
            Self::TpmVisible => "TPM visible",
            Self::Tpm20 => "TPM 2.0",
            Self::Sha256Bank => "SHA-256 bank",
            Self::EndorsementHierarchy => "endorsement hierarchy",
            Self::StorageHierarchy => "storage hierarchy",
            Self::Fifo => "FIFO interface",
            Self::Txt => "Intel TXT",
            Self::SecureBoot => "Secure Boot",
        }
    }
}

/// What the value of a setting means for its intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// It holds.
    On,
    /// It does not.
    Off,
    /// The value is none that is known: nothing follows from it.
    Unknown,
}

/// How a setting was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// By its attribute's name.
    Name,
    /// By the name that the registry shows to people: less sure.
    DisplayName,
}

/// A setting of this host.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// What it is for.
    pub intent: Intent,
    /// The attribute's name, as the host has it.
    pub attribute: String,
    /// Its value in force.
    pub value: Scalar,
    /// What that means.
    pub reading: Reading,
    /// What it may be used for.
    pub access: Access,
    /// How it was recognised.
    pub basis: Basis,
    /// Values that turn it on, best first, as the registry names them where it does.
    on: Vec<Scalar>,
    /// Values that turn it off.
    off: Vec<Scalar>,
    /// Where it was read.
    pub source: Source,
}

/// What a row of the table may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading and changing.
    Write,
    /// Reading: it tells a state, or another way of changing it is better.
    Read,
    /// Changing: it is an operation that is done at the next start, and its value tells nothing.
    Operation,
}

impl Setting {
    /// The value that turns it on, or off, in the words that this host takes.
    pub fn value_for(&self, wanted: Reading) -> Option<&Scalar> {
        match wanted {
            Reading::On => self.on.first(),
            Reading::Off => self.off.first(),
            Reading::Unknown => None,
        }
    }

    /// All values that turn it on, or off, best first.
    pub fn values_for(&self, wanted: Reading) -> &[Scalar] {
        match wanted {
            Reading::On => &self.on,
            Reading::Off => &self.off,
            Reading::Unknown => &[],
        }
    }

    /// What `value` would mean.
    pub fn reading_of(&self, value: &Scalar, bios: &Bios) -> Reading {
        let attribute = bios.registry.as_ref().and_then(|(_, r)| r.attribute(&self.attribute));
        let is = |known: &Scalar| match attribute {
            Some(attribute) => attribute.same(known, value),
            None => known.says(value),
        };
        match () {
            () if self.on.iter().any(is) => Reading::On,
            () if self.off.iter().any(is) => Reading::Off,
            () => Reading::Unknown,
        }
    }
}

/// Most settings of one host that count: recorded ones have up to eleven, and a BMC may list as many as
/// it likes.
const SETTINGS_MAX: usize = 48;

/// The settings of this host that the table knows, in the order of their intents.
pub fn settings(bios: &Bios) -> Vec<Setting> {
    let mut settings = Vec::new();
    let mut taken = BTreeSet::new();
    for (name, value) in &bios.values {
        for row in ROWS.iter().filter(|row| row.is_of(name)) {
            taken.insert(name.clone());
            settings.push(setting(bios, row, name, value, Basis::Name));
        }
    }
    // Only what no row knows by its attribute's name is looked for by what people read.
    let named: BTreeSet<Intent> = settings.iter().map(|setting| setting.intent).collect();
    let registry = bios.registry.as_ref().map(|(_, registry)| registry);
    for attribute in registry.into_iter().flat_map(crate::registry::Registry::attributes) {
        let Some(value) = bios.values.get(&attribute.name) else { continue };
        if taken.contains(&attribute.name) || LEFT_ALONE.iter().any(|l| l.is_of(&attribute.name)) {
            continue;
        }
        if let Some(row) = by_display::row(attribute).filter(|row| !named.contains(&row.intent)) {
            settings.push(setting(bios, row, &attribute.name, value, Basis::DisplayName));
        }
    }
    settings.sort_by(|a, b| (a.intent, &a.attribute).cmp(&(b.intent, &b.attribute)));
    settings.truncate(SETTINGS_MAX);
    settings
}

fn setting(bios: &Bios, row: &Row, name: &str, value: &Scalar, basis: Basis) -> Setting {
    let mut setting = Setting {
        intent: row.intent,
        attribute: name.to_owned(),
        value: value.clone(),
        reading: Reading::Unknown,
        access: row.access,
        basis,
        on: words(bios, name, value, row.on),
        off: words(bios, name, value, row.off),
        source: Source::new(&bios.path, format!("Attributes/{name}")),
    };
    if row.access != Access::Operation {
        setting.reading = setting.reading_of(value, bios);
    }
    setting
}

/// Those of `known` that this host's attribute takes, in the spelling that it takes.
fn words(bios: &Bios, name: &str, current: &Scalar, known: &[&str]) -> Vec<Scalar> {
    if let Scalar::Bool(_) = current {
        let truth = known.iter().find_map(|word| match *word {
            "Enabled" => Some(true),
            "Disabled" => Some(false),
            _ => None,
        });
        return truth.map(Scalar::Bool).into_iter().collect();
    }
    let registry = bios.registry.as_ref().map(|(_, registry)| registry);
    let Some(attribute) = registry.and_then(|registry| registry.attribute(name)) else {
        return known.iter().map(|word| Scalar::from(*word)).collect();
    };
    if attribute.values.is_empty() {
        return known.iter().map(|word| Scalar::from(*word)).collect();
    }
    let of_display = speaks_display(bios, name, current);
    let found = known.iter().filter_map(|word| {
        let value = attribute.value(&Scalar::from(*word))?;
        // The standard wants the value's name; who gives the text for people takes that.
        let word = match (&value.display, of_display) {
            (Some(display), true) => display,
            _ => &value.name,
        };
        Some(Scalar::Text(word.clone()))
    });
    let mut unique: Vec<Scalar> = Vec::new();
    for word in found {
        if !unique.contains(&word) {
            unique.push(word);
        }
    }
    unique
}

/// Whether this host gives the texts for people as values, as AMI's firmware does: told by this
/// attribute's value, else by those of all others.
fn speaks_display(bios: &Bios, name: &str, current: &Scalar) -> bool {
    let registry = bios.registry.as_ref().map(|(_, registry)| registry);
    let by = |name: &str, value: &Scalar| {
        let attribute = registry.and_then(|registry| registry.attribute(name))?;
        let text = value.to_string();
        let by_name = attribute.values.iter().any(|value| value.name == text);
        let by_display = attribute.values.iter().any(|v| v.display.as_deref() == Some(&*text));
        (by_name != by_display).then_some(by_display)
    };
    by(name, current).unwrap_or_else(|| {
        let all = bios.values.iter().filter_map(|(name, value)| by(name, value));
        let (display, names): (Vec<bool>, Vec<bool>) = all.partition(|is_display| *is_display);
        display.len() > names.len()
    })
}

/// PCR banks that a value names: `SHA256`, `Sha1Sha256`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Banks {
    /// SHA-1.
    pub sha1: bool,
    /// SHA-256.
    pub sha256: bool,
    /// SHA-384 or better.
    pub sha384: bool,
}

impl Banks {
    /// The banks in `text`; `None` where it names none.
    pub fn of(text: &str) -> Option<Self> {
        let folded: String = text
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase();
        let mut banks = Self::default();
        for part in folded.split("sha").skip(1) {
            let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
            match digits.as_str() {
                "1" => banks.sha1 = true,
                "256" => banks.sha256 = true,
                "384" | "512" => banks.sha384 = true,
                _ => {}
            }
        }
        (banks != Self::default()).then_some(banks)
    }
}

#[cfg(test)]
mod tests;
