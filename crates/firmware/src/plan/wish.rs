//! What should be set, before anything is asked about how.

use super::{Blocked, By, Goal, Installed, Target};
use crate::profile::TxtRule;
use crate::system::{Bios, Interface, Mode, System};
use crate::vendor::{Access, Banks, Basis, Intent, Reading, Setting, settings};
use crate::{Profile, Scalar};

/// A change that is wanted.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) intent: Intent,
    pub(super) target: Target,
    /// The attribute whose locks count, and which shows the value when it is in force.
    pub(super) attribute: Option<String>,
    pub(super) from: Option<Scalar>,
    pub(super) to: Scalar,
    pub(super) basis: Basis,
    pub(super) is_operation: bool,
}

/// What is wanted, and what is known beforehand not to be possible.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    pub(super) wanted: Vec<Wish>,
    pub(super) blocked: Vec<Blocked>,
    /// Secure Boot was set before and waits for a restart.
    pub(super) restart: bool,
}

/// What `setting` means under this profile: SHA-384 alone is as good as SHA-256 for who takes both.
pub(crate) fn reading(setting: &Setting, profile: Profile) -> Reading {
    let banks = Banks::of(&setting.value.to_string());
    match (setting.intent, banks) {
        (Intent::Sha256Bank, Some(banks)) if banks.sha256 => Reading::On,
        (Intent::Sha256Bank, Some(banks)) if banks.sha384 && !profile.needs_sha256_itself() => {
            Reading::On
        }
        (Intent::Sha256Bank, Some(_)) => Reading::Off,
        _ => setting.reading,
    }
}

pub(super) fn wishes(system: &System, goal: Goal) -> Wishes {
    let mut wishes = Wishes::default();
    let all = system.bios.as_ref().map(settings).unwrap_or_default();
    for intent in Intent::ALL {
        let own: Vec<&Setting> = all.iter().filter(|setting| setting.intent == intent).collect();
        match intent {
            Intent::SecureBoot => secure_boot(system, &own, &mut wishes),
            Intent::NoLegacyVideo => {
                // It matters where Secure Boot is to be turned on only.
                if !is_secure_boot_on(system) {
                    turn(system, &own, Reading::On, goal, &mut wishes);
                }
            }
            Intent::UefiBoot => boot_mode(system, &own, goal, &mut wishes),
            Intent::Tpm20 => tpm_20(system, &own, &mut wishes),
            Intent::Fifo => fifo(system, &own, goal, &mut wishes),
            Intent::Txt => match goal.profile.txt() {
                TxtRule::Off => turn(system, &own, Reading::Off, goal, &mut wishes),
                TxtRule::On => turn(system, &own, Reading::On, goal, &mut wishes),
                TxtRule::Either | TxtRule::EitherWithoutQuickBoot => {}
            },
            Intent::TpmVisible
            | Intent::Sha256Bank
            | Intent::EndorsementHierarchy
            | Intent::StorageHierarchy => turn(system, &own, Reading::On, goal, &mut wishes),
        }
    }
    wishes
}

fn is_secure_boot_on(system: &System) -> bool {
    let current = system.secure_boot.as_ref().and_then(|secure_boot| secure_boot.current.as_ref());
    current.is_some_and(|current| current.value)
}

/// Each setting of an intent that is the other way is changed: firmware may have one for each kind of
/// TPM, and which of them counts it does not say.
fn turn(system: &System, own: &[&Setting], to: Reading, goal: Goal, wishes: &mut Wishes) {
    let opposite = match to {
        Reading::On => Reading::Off,
        _ => Reading::On,
    };
    for setting in own.iter().filter(|setting| setting.access == Access::Write) {
        if reading(setting, goal.profile) == opposite {
            let value = bank_value(setting, to).or_else(|| setting.value_for(to).cloned());
            want(system, setting, value, Operation::No, wishes);
        }
    }
}

/// Of values that name several banks, one that adds SHA-256 and keeps those that are on: what others
/// sealed to them still opens.
fn bank_value(setting: &Setting, to: Reading) -> Option<Scalar> {
    let have = Banks::of(&setting.value.to_string())?;
    if setting.intent != Intent::Sha256Bank || to != Reading::On {
        return None;
    }
    let candidates = setting.values_for(to);
    let keeps = |value: &&Scalar| {
        let banks = Banks::of(&value.to_string()).unwrap_or_default();
        banks.sha256 && (!have.sha1 || banks.sha1) && (!have.sha384 || banks.sha384)
    };
    let is_it_alone = |value: &&Scalar| {
        let banks = Banks::of(&value.to_string()).unwrap_or_default();
        banks.sha256 && !banks.sha1 && !banks.sha384
    };
    let found = candidates.iter().find(keeps).or_else(|| candidates.iter().find(is_it_alone));
    found.cloned()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Yes,
    No,
}

fn want(
    system: &System,
    setting: &Setting,
    value: Option<Scalar>,
    operation: Operation,
    wishes: &mut Wishes,
) {
    let Some(bios) = &system.bios else { return };
    let blocked = |would, because: String, next_step: &str, by| Blocked {
        intent: setting.intent,
        would,
        because,
        next_step: next_step.to_owned(),
        by,
    };
    let name = &setting.attribute;
    let Some(to) = value else {
        return wishes.blocked.push(blocked(
            None,
            format!("the registry lists no value of {name} that this program knows"),
            "Set it in the firmware's setup, and tell the values that it offers.",
            By::Person,
        ));
    };
    let would = Some(format!("set {name} to {to}"));
    if bios.registry.is_none() {
        return wishes.blocked.push(blocked(
            would,
            "the BMC gives no registry of its settings, so that neither values nor locks are known"
                .to_owned(),
            "Read the BMC itself instead of a part of it, or set it in the firmware's setup.",
            By::Look,
        ));
    }
    let Some(settings) = &bios.settings else {
        return wishes.blocked.push(blocked(
            would,
            "the BMC names no resource that takes changes of settings".to_owned(),
            "Set it in the firmware's setup.",
            By::Person,
        ));
    };
    wishes.wanted.push(Wish {
        intent: setting.intent,
        target: Target::Attribute {
            settings: settings.path.clone(),
            bios: bios.path.clone(),
            attribute: name.clone(),
        },
        attribute: Some(name.clone()),
        from: (operation == Operation::No).then(|| setting.value.clone()),
        to,
        basis: setting.basis,
        is_operation: operation == Operation::Yes,
    });
}

fn boot_mode(system: &System, own: &[&Setting], goal: Goal, wishes: &mut Wishes) {
    let off = own.iter().filter(|setting| setting.reading == Reading::Off);
    match goal.installed {
        Installed::ForUefi => turn(system, own, Reading::On, goal, wishes),
        Installed::Unknown => wishes.blocked.extend(off.map(|setting| Blocked {
            intent: Intent::UefiBoot,
            would: setting.value_for(Reading::On).map(|to| format!("set {} to {to}", setting.attribute)),
            because: format!(
                "{} is {}, and a system that was installed in that mode does not start in UEFI mode",
                setting.attribute, setting.value
            ),
            next_step: "Install the system anew in UEFI mode, or make sure that it was installed so, and \
                        plan again with --installed-for-uefi."
                .to_owned(),
            by: By::Reinstall,
        })),
    }
}

/// A module of version 1.2: firmware of some makers switches it, others want another module.
fn tpm_20(system: &System, own: &[&Setting], wishes: &mut Wishes) {
    if !is_tpm_12(system, own) {
        return;
    }
    let operation = own.iter().find(|setting| setting.access == Access::Operation);
    match operation {
        Some(setting) => {
            let to = setting.value_for(Reading::On).cloned();
            want(system, setting, to, Operation::Yes, wishes);
        }
        None => wishes.blocked.push(Blocked {
            intent: Intent::Tpm20,
            would: None,
            because: "the module works as TPM 1.2, and this firmware offers no switch".to_owned(),
            next_step: "Have the module replaced by one of version 2.0, or update it with the maker's tool."
                .to_owned(),
            by: By::Module,
        }),
    }
}

/// Whether all that is known of the module says version 1.2.
pub(crate) fn is_tpm_12(system: &System, own: &[&Setting]) -> bool {
    let modules = system.trusted_modules.as_deref().unwrap_or_default();
    let of_module = |interface: Interface| {
        modules.iter().any(|module| module.interface.as_ref() == Some(&interface))
    };
    let setting = own.iter().find(|setting| setting.access == Access::Read);
    match setting.map(|setting| setting.reading) {
        Some(Reading::Off) => true,
        Some(Reading::On) => false,
        _ => of_module(Interface::Tpm12) && !of_module(Interface::Tpm20),
    }
}

fn fifo(system: &System, own: &[&Setting], goal: Goal, wishes: &mut Wishes) {
    if !goal.profile.needs_fifo() {
        return;
    }
    let is_crb = own.iter().any(|setting| setting.reading == Reading::Off);
    if !is_crb {
        return;
    }
    if let Some(setting) = own.iter().find(|setting| setting.access == Access::Operation) {
        return want(
            system,
            setting,
            setting.value_for(Reading::On).cloned(),
            Operation::Yes,
            wishes,
        );
    }
    let writable = own.iter().any(|setting| setting.access == Access::Write);
    if writable {
        return turn(system, own, Reading::On, goal, wishes);
    }
    wishes.blocked.push(Blocked {
        intent: Intent::Fifo,
        would: None,
        because: "the TPM speaks CRB, and this firmware offers no switch".to_owned(),
        next_step: "Ask the maker of the server for a TPM that ESXi drives; a firmware TPM speaks CRB only."
            .to_owned(),
        by: By::Module,
    });
}

fn secure_boot(system: &System, own: &[&Setting], wishes: &mut Wishes) {
    let resource = system.secure_boot.as_ref();
    let blocked = |would: Option<&str>, because: &str, next_step: &str, by| Blocked {
        intent: Intent::SecureBoot,
        would: would.map(str::to_owned),
        because: because.to_owned(),
        next_step: next_step.to_owned(),
        by,
    };
    let enable = resource.and_then(|resource| resource.enable.as_ref()).map(|enable| enable.value);
    // On, and set to be off after the next start, is to be set back.
    if is_secure_boot_on(system) && enable != Some(false) {
        return;
    }
    let mode = resource.and_then(|resource| resource.mode.as_ref()).map(|mode| &mode.value);
    if mode == Some(&Mode::Setup) {
        let (because, next_step) = factory_keys(system);
        return wishes.blocked.push(blocked(
            Some("turn Secure Boot on"),
            because,
            next_step,
            By::Person,
        ));
    }
    if enable == Some(true) {
        match resource.and_then(|resource| resource.current.as_ref()) {
            Some(_) => wishes.restart = true,
            None => wishes.blocked.push(blocked(
                None,
                "it is set, and the BMC does not say whether it is in force",
                "Look in the running system: `bootproof doctor` there.",
                By::Look,
            )),
        }
        return;
    }
    // One change with the others where the table says that the attribute is the better way, and where
    // there is no other.
    let on_by = |access| own.iter().find(|s| s.access == access && s.reading == Reading::Off);
    let attribute = on_by(Access::Write).or_else(|| match enable {
        Some(_) => None,
        None => on_by(Access::Read),
    });
    let has_settings =
        system.bios.as_ref().is_some_and(|b| b.registry.is_some() && b.settings.is_some());
    if let Some(setting) = attribute.filter(|_| has_settings || enable.is_none()) {
        let to = setting.value_for(Reading::On).cloned();
        return want(system, setting, to, Operation::No, wishes);
    }
    match (resource, enable) {
        (Some(resource), Some(false)) => wishes.wanted.push(Wish {
            intent: Intent::SecureBoot,
            target: Target::SecureBootEnable { resource: resource.path.clone() },
            attribute: own.first().map(|setting| setting.attribute.clone()),
            from: Some(Scalar::Bool(false)),
            to: Scalar::Bool(true),
            basis: Basis::Name,
            is_operation: false,
        }),
        _ => wishes.blocked.push(blocked(
            None,
            "the BMC does not say whether Secure Boot is on, and offers no switch",
            "Look into the firmware's setup.",
            By::Look,
        )),
    }
}

/// Without keys Secure Boot cannot be turned on. The factory's are offered only where the BMC shows
/// that they are fit: a reset to keys that lack the authorities of 2023, or to a maker's test key,
/// would make matters worse.
fn factory_keys(system: &System) -> (&'static str, &'static str) {
    match crate::assess::factory_keys(system) {
        crate::assess::FactoryKeys::Fit => (
            "there is no platform key, without which Secure Boot cannot be on",
            "Enrol the factory's keys: POST SecureBoot.ResetKeys with ResetAllKeysToDefault. The BMC shows \
             that they hold the authorities of 2023. Keys of your own are lost by it.",
        ),
        crate::assess::FactoryKeys::Test => (
            "there is no platform key, and the factory's own is one of tests",
            "Enrol keys of your own. The factory's platform key is one of tests, which others have too.",
        ),
        crate::assess::FactoryKeys::Old => (
            "there is no platform key, and the factory's keys lack the authorities of 2023",
            "Update the BIOS first, so that its factory keys hold the authorities of 2023, or enrol keys of \
             your own.",
        ),
        crate::assess::FactoryKeys::Unknown => (
            "there is no platform key, and the BMC does not show what the factory's keys are",
            "Look into the firmware's setup which keys it would enrol; enrol them only if those of 2023 are \
             among them, or enrol keys of your own.",
        ),
    }
}

/// Whether a change of this intent wants physical presence, where the BMC can assert it.
pub(super) const fn wants_presence(intent: Intent) -> bool {
    matches!(
        intent,
        Intent::TpmVisible
            | Intent::Tpm20
            | Intent::Sha256Bank
            | Intent::EndorsementHierarchy
            | Intent::StorageHierarchy
            | Intent::Fifo
            | Intent::SecureBoot
    )
}

/// The values of `bios` that tell what a wish is about, after it is in force.
pub(super) fn put(wish: &Wish, bios: &Bios, values: &mut crate::registry::Values) {
    let Some(attribute) = &wish.attribute else { return };
    if wish.is_operation {
        return;
    }
    let to = match &wish.target {
        Target::Attribute { .. } => Some(wish.to.clone()),
        // The attribute that shows the resource's state, in its own words.
        Target::SecureBootEnable { .. } => {
            let all = settings(bios);
            let shown = all.iter().find(|setting| &setting.attribute == attribute);
            shown.and_then(|setting| setting.value_for(Reading::On).cloned())
        }
    };
    if let Some(to) = to {
        values.insert(attribute.clone(), to);
    }
}
