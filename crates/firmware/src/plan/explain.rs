//! A plan in words: what locks, what follows, what is left alone.

use super::{Effect, Kept, Step, Target, Wait};
use crate::registry::{Condition, Lock, Operator, Property, Registry};
use crate::system::System;
use crate::vendor::{Basis, Intent, LEFT_ALONE};

/// "`Tpm2Algorithm` cannot be changed while `TpmSecurity` is `Off`".
pub(super) fn is_locked_text(name: &str, lock: &Lock) -> String {
    let how = match lock.property {
        Property::GrayOut => "greyed out",
        Property::Hidden => "hidden",
        _ => "read-only",
    };
    match lock.because.is_empty() {
        true => format!("{name} is {how}, and the registry does not say because of what"),
        false => format!("{name} is {how} while {}", conditions(&lock.because)),
    }
}

/// "`TpmSecurity` is `Off` and ...".
pub(super) fn conditions(all: &[Condition]) -> String {
    let words: Vec<_> = all.iter().map(condition).collect();
    words.join(" and ")
}

fn condition(condition: &Condition) -> String {
    let value = condition.value.as_ref().map_or_else(|| "null".to_owned(), ToString::to_string);
    let is = match condition.operator {
        Operator::Equal => "is",
        Operator::NotEqual => "is not",
        Operator::Greater => "is above",
        Operator::GreaterOrEqual => "is at least",
        Operator::Less => "is below",
        Operator::LessOrEqual => "is at most",
        Operator::Unknown => "compares in an unknown way to",
    };
    let of = match condition.property {
        Property::CurrentValue => String::new(),
        other => format!(" ({other:?})"),
    };
    format!("{}{of} {is} {value}", condition.attribute)
}

/// What to do so that the lock opens.
pub(super) fn unlock_text(registry: Option<&Registry>, lock: &Lock) -> String {
    let steps: Vec<_> = lock.because.iter().filter_map(|c| opposite(registry, c)).collect();
    match steps.is_empty() {
        true => "Look for a job or a lock of the BMC (system lockdown, configuration lock), end it, and plan \
                 again."
            .to_owned(),
        false => format!("Set {} first, then plan again.", steps.join(", ")),
    }
}

fn opposite(registry: Option<&Registry>, condition: &Condition) -> Option<String> {
    let name = &condition.attribute;
    let value = condition.value.as_ref()?;
    if condition.property != Property::CurrentValue {
        return None;
    }
    let attribute = registry.and_then(|registry| registry.attribute(name));
    match condition.operator {
        Operator::NotEqual => Some(format!("{name} to {value}")),
        Operator::Equal => {
            let all = attribute.map(|attribute| attribute.values.as_slice()).unwrap_or_default();
            let own = attribute.and_then(|attribute| attribute.value(value));
            let others: Vec<_> = all.iter().filter(|other| Some(*other) != own).collect();
            match others.as_slice() {
                [one] => Some(format!("{name} to {}", one.name)),
                _ => Some(format!("{name} to something else than {value}")),
            }
        }
        _ => Some(format!("{name} so that it is no longer: {}", self::condition(condition))),
    }
}

/// What the steps do to PCRs. [PFP-1.06 §3.3.4]
pub(super) fn effects(steps: &[Step]) -> Vec<Effect> {
    let intents: Vec<_> =
        steps.iter().flat_map(|step| &step.changes).map(|change| change.intent).collect();
    let has = |all: &[Intent]| all.iter().any(|intent| intents.contains(intent));
    let waits = steps.iter().any(|step| step.changes.is_empty());
    let mut effects = Vec::new();
    let mut tell = |pcrs: &[u8], what: &str| {
        effects.push(Effect { pcrs: pcrs.to_vec(), what: what.to_owned() });
    };
    if has(&[Intent::SecureBoot]) || waits {
        tell(
            &[7],
            "Secure Boot is measured: what was sealed to PCR 7 (BitLocker, LUKS, ESXi's configuration) \
             does not open until it is sealed anew; keep recovery keys at hand, and accept the change of \
             references",
        );
    }
    if has(&[Intent::UefiBoot, Intent::NoLegacyVideo]) {
        tell(&[0, 1, 2, 3, 4, 5, 6, 7], "the whole path of the boot changes");
    } else if !intents.is_empty() {
        tell(
            &[1],
            "settings of the platform are measured by most firmware; PCR 0 stays, since its code does",
        );
    }
    if has(&[Intent::TpmVisible, Intent::Tpm20]) {
        tell(
            &[0, 1, 2, 3, 4, 5, 6, 7],
            "a TPM that was not there is measured into: enrol the host, or reconnect it, after the last step",
        );
    }
    if has(&[Intent::Sha256Bank]) {
        tell(
            &[0, 1, 2, 3, 4, 5, 6, 7],
            "another bank is extended: what was sealed to a bank that goes off does not open",
        );
    }
    if has(&[Intent::Txt]) {
        tell(&[17, 18], "a measured launch extends them, or no longer does");
    }
    effects
}

/// What the plan could not be sure of: locks that hang on what the BMC does not give, entries of the
/// registry that are not understood, settings that were recognised by what people read.
pub(super) fn notes(system: &System, steps: &[Step]) -> Vec<String> {
    let Some(bios) = &system.bios else { return Vec::new() };
    let Some((_, registry)) = &bios.registry else { return Vec::new() };
    let mut notes = Vec::new();
    let mut n_attributes = 0usize;
    for change in steps.iter().flat_map(|step| &step.changes) {
        let Target::Attribute { attribute, .. } = &change.target else { continue };
        n_attributes = n_attributes.saturating_add(1);
        if registry.may_be_locked(attribute, &bios.values) {
            notes.push(format!(
                "{attribute} may be locked: that hangs on a setting whose value the BMC does not give"
            ));
        }
        if change.basis == Basis::DisplayName {
            notes.push(format!(
                "{attribute} is known by the name in the firmware's menu only; look at it before"
            ));
        }
    }
    if n_attributes > 0 && registry.n_not_understood() > 0 {
        let n = registry.n_not_understood();
        notes.push(format!(
            "{n} entries of the registry are not understood: what they lock is not known"
        ));
    }
    notes
}

/// Jobs and pending changes.
pub(super) fn waits_for(system: &System) -> Vec<Wait> {
    let jobs = system.jobs.iter().filter(|job| job.of_settings).map(|job| Wait {
        resource: job.path.clone(),
        what: match job.is_stuck {
            true => {
                format!("a job of settings, {}, which will not end (PR30): delete it", job.state)
            }
            false => format!("a job of settings, {}", job.state),
        },
    });
    let settings = system.bios.as_ref().and_then(|bios| bios.settings.as_ref());
    let pending = settings.filter(|settings| !settings.pending.is_empty()).map(|settings| {
        let names: Vec<_> = settings.pending.keys().take(8).map(String::as_str).collect();
        let more = settings.pending.len().saturating_sub(names.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        Wait {
            resource: settings.path.clone(),
            what: format!("changes that wait for a restart: {}{more}", names.join(", ")),
        }
    });
    jobs.chain(pending).collect()
}

/// Settings of this host that the table names as left alone, and the actions that nobody should take
/// for a repair.
pub(super) fn left_alone(system: &System) -> Vec<Kept> {
    let mut kept = Vec::new();
    for (name, value) in system.bios.iter().flat_map(|bios| &bios.values) {
        if let Some(left) = LEFT_ALONE.iter().find(|left| left.is_of(name)) {
            kept.push(Kept {
                what: name.clone(),
                value: Some(value.clone()),
                because: left.because.to_owned(),
            });
        }
    }
    let because = match crate::assess::factory_keys(system) {
        crate::assess::FactoryKeys::Fit => {
            "the keys that are there are kept; those of the factory would do"
        }
        crate::assess::FactoryKeys::Test => "the factory's platform key is one of tests",
        crate::assess::FactoryKeys::Old => "the factory's keys lack the authorities of 2023",
        crate::assess::FactoryKeys::Unknown => {
            "the BMC does not show the factory's keys: they may lack the authorities of 2023"
        }
    };
    let mut action = |what: &str| {
        kept.push(Kept { what: what.to_owned(), value: None, because: because.to_owned() });
    };
    if system.secure_boot.as_ref().is_some_and(|secure_boot| secure_boot.reset_keys.is_some()) {
        action("SecureBoot.ResetKeys");
    }
    if system.bios.is_some() {
        action("Bios.ResetBios");
    }
    kept
}
