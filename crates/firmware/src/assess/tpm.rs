//! The TPM: there, on, of version 2.0, with the right bank and interface, and without known faults.

use tpm_vendors::{Advisory, FirmwareVersion, Vendor, advisories};

use super::{Code, Looked, Severity};
use crate::plan::{is_tpm_12, reading};
use crate::profile::TxtRule;
use crate::registry::Values;
use crate::system::{Interface, Source, TrustedModule};
use crate::vendor::{Access, Banks, Intent, Reading, Setting};

pub(super) fn look(looked: &mut Looked<'_>) {
    let there = presence(looked);
    if there != There::No {
        kind(looked, there);
        bank(looked);
        hierarchies(looked);
        interface(looked);
        firmware(looked);
    }
    txt(looked);
    clear_pending(looked);
    unmeasured(looked);
}

/// What is known of the TPM's presence.
#[derive(Clone, Copy, PartialEq, Eq)]
enum There {
    Yes,
    No,
    Unknown,
}

fn presence(looked: &mut Looked<'_>) -> There {
    let system = looked.system;
    let hidden: Vec<Setting> =
        looked.of(Intent::TpmVisible).filter(|s| s.reading == Reading::Off).cloned().collect();
    for setting in &hidden {
        let detail = format!("{} is {}", setting.attribute, setting.value);
        looked.find(Code::TpmHidden, detail, Some(&setting.source));
    }
    // A TPM that firmware hides is one that it knows, and whose state means nothing else.
    if !hidden.is_empty() {
        return There::Yes;
    }
    if let (Some(state), Some(bios)) = (system_values(looked).get("TpmState"), &system.bios)
        && state.to_string().ends_with("Disabled")
    {
        let source = Source::new(&bios.path, "Attributes/TpmState");
        looked.find(Code::TpmDisabled, format!("TpmState is {state}"), Some(&source));
    }
    let modules = system.trusted_modules.as_deref();
    let is_absent = |module: &&TrustedModule| module.state.as_deref() == Some("Absent");
    if let Some(modules) = modules {
        if modules.iter().all(|module| is_absent(&module)) {
            let source = modules.first().map(|module| &module.source);
            // An empty list and a list of absent ones say the same; of a BMC that shows the TPM in its
            // settings neither counts.
            if told(&system_values(looked)) != Some(true) {
                let detail = match modules.len() {
                    0 => "the list of trusted modules is empty".to_owned(),
                    n => format!("{n} trusted modules, all absent"),
                };
                looked.find(Code::NoTpm, detail, source);
                return There::No;
            }
        }
        for module in modules.iter().filter(|module| !is_absent(module)) {
            state(looked, module);
        }
        if modules.iter().any(|module| !is_absent(&module)) {
            return There::Yes;
        }
    }
    let is_measured = !system.measured_banks.is_empty();
    match told(&system_values(looked)) {
        Some(true) => There::Yes,
        Some(false) => {
            looked.find(Code::NoTpm, "a setting says that none is there", None);
            There::No
        }
        None if is_measured => There::Yes,
        None => {
            let detail = match modules {
                None => "TrustedModules is absent",
                Some(_) => "TrustedModules has no module that is there",
            };
            looked.find(Code::TpmUnseen, detail, None);
            There::Unknown
        }
    }
}

pub(super) fn system_values(looked: &Looked<'_>) -> Values {
    looked.system.bios.as_ref().map(|bios| bios.values.clone()).unwrap_or_default()
}

/// What settings that only tell say of a TPM's presence.
fn told(values: &Values) -> Option<bool> {
    let says = |name: &str, yes: &[&str], no: &[&str]| {
        let text = values.get(name)?.to_string().to_ascii_lowercase();
        match () {
            () if no.iter().any(|word| text.contains(word)) => Some(false),
            () if yes.iter().any(|word| text.contains(word)) => Some(true),
            () => None,
        }
    };
    says("TpmType", &["tpm12", "tpm20"], &["notpm"])
        .or_else(|| says("TpmState", &["present"], &["notpresent"]))
        .or_else(|| says("TpmInfo", &["type:"], &["no tpm", "not present"]))
        .or_else(|| {
            let name = "TrustedComputingGroup_DeviceStatus";
            says(name, &["present"], &["not present", "no tpm", "absent"])
        })
}

fn state(looked: &mut Looked<'_>, module: &TrustedModule) {
    // States in which a module is there and works, or is about to. [DSP0266-1.20 Resource.State]
    const WORKS: &[&str] = &["Enabled", "Starting", "Updating", "StandbySpare", "Qualified"];
    if let Some(state) = &module.state
        && !WORKS.contains(&state.as_str())
    {
        let detail = format!("its state is {state}");
        looked.find(Code::TpmDisabled, detail, Some(&module.source));
    }
    if let Some(health) = &module.health
        && health != "OK"
    {
        let detail = format!("its health is {health}");
        looked.find(Code::TpmHealth, detail, Some(&module.source));
    }
}

fn kind(looked: &mut Looked<'_>, there: There) {
    let own: Vec<Setting> = looked.of(Intent::Tpm20).cloned().collect();
    let refs: Vec<&Setting> = own.iter().collect();
    let modules = looked.system.trusted_modules.as_deref().unwrap_or_default();
    let kind = kind_told(&system_values(looked));
    let is_20 = modules.iter().any(|module| module.interface == Some(Interface::Tpm20))
        || refs.iter().any(|s| s.access == Access::Read && s.reading == Reading::On)
        || kind == Some(Interface::Tpm20);
    if is_tpm_12(looked.system, &refs) || (kind == Some(Interface::Tpm12) && !is_20) {
        let source = modules.first().map(|module| module.source.clone());
        let source = source.or_else(|| refs.first().map(|setting| setting.source.clone()));
        looked.find(Code::Tpm12, "it works as TPM 1.2", source.as_ref());
    } else if let Some(module) = modules
        .iter()
        .find(|module| matches!(&module.interface, Some(Interface::Other(_))) && !is_20)
    {
        let detail = format!("its kind is {:?}", module.interface);
        let source = module.source.clone();
        looked.find(Code::TpmKindUnknown, detail, Some(&source));
    } else if !is_20 && there == There::Yes {
        looked.find(Code::TpmKindUnknown, "no property says it", None);
    }
}

/// Dell's `TpmInfo` ("Type: 2.0-NTC") and Lenovo's text ("TPM2.0 Device present.").
fn kind_told(values: &Values) -> Option<Interface> {
    let all = ["TpmInfo", "TrustedComputingGroup_DeviceStatus"];
    all.iter().find_map(|name| {
        let text = values.get(*name)?.to_string();
        match () {
            () if text.contains("2.0") => Some(Interface::Tpm20),
            () if text.contains("1.2") => Some(Interface::Tpm12),
            () => None,
        }
    })
}

fn bank(looked: &mut Looked<'_>) {
    let profile = looked.goal.profile;
    let own: Vec<Setting> = looked.of(Intent::Sha256Bank).cloned().collect();
    let readings: Vec<_> = own.iter().map(|setting| reading(setting, profile)).collect();
    let is = |wanted| readings.contains(&wanted);
    if is(Reading::Off) {
        for (setting, _) in own.iter().zip(&readings).filter(|(_, r)| **r == Reading::Off) {
            let detail = format!("{} is {}", setting.attribute, setting.value);
            looked.find(Code::Sha256Inactive, detail, Some(&setting.source));
        }
    } else if !is(Reading::On) {
        let measured = looked.system.measured_banks.iter();
        let has = |wanted: fn(Banks) -> bool| {
            measured.clone().filter_map(|bank| Banks::of(&bank.value)).any(wanted)
        };
        if has(|banks| banks.sha256)
            || (has(|banks| banks.sha384) && !profile.needs_sha256_itself())
        {
            return;
        }
        // Lenovo's firmware has SHA-256 on always, and a switch for SHA-1 only.
        let values = system_values(looked);
        if values.contains_key("TrustedComputingGroup_SHA_1PCRBank") {
            return;
        }
        let detail = match own.first() {
            Some(setting) => format!("{} is {}", setting.attribute, setting.value),
            None => "no setting of this firmware is known to tell it".to_owned(),
        };
        looked.find(Code::Sha256Unknown, detail, own.first().map(|setting| &setting.source));
    }
}

fn hierarchies(looked: &mut Looked<'_>) {
    let both = [Intent::EndorsementHierarchy, Intent::StorageHierarchy];
    let off: Vec<Setting> = looked
        .settings
        .iter()
        .filter(|setting| both.contains(&setting.intent) && setting.reading == Reading::Off)
        .cloned()
        .collect();
    for setting in &off {
        let detail = format!("{} is {}", setting.attribute, setting.value);
        looked.find(Code::HierarchyDisabled, detail, Some(&setting.source));
    }
}

fn interface(looked: &mut Looked<'_>) {
    let needs = looked.goal.profile.needs_fifo();
    let own: Vec<Setting> =
        looked.of(Intent::Fifo).filter(|s| s.access != Access::Operation).cloned().collect();
    if let Some(setting) = own.iter().find(|setting| setting.reading == Reading::Off) {
        let severity = if needs { Severity::Fail } else { Severity::Info };
        let detail = format!("{} is {}", setting.attribute, setting.value);
        looked.find_as(Code::NotFifo, severity, detail, Some(&setting.source));
    } else if needs && !own.iter().any(|setting| setting.reading == Reading::On) {
        looked.find_as(
            Code::InterfaceUnknown,
            Severity::Unknown,
            "no property says it",
            own.first().map(|setting| &setting.source),
        );
    }
}

/// The maker, by the property of a BIOS that tells it. The BMC's own word for it is not used: HPE's
/// `VendorName` is wrong on real modules.
pub(super) fn maker(values: &Values) -> Option<Vendor> {
    let text = |name: &str| values.get(name).map(|value| value.to_string().to_ascii_uppercase());
    let of = |text: &str| {
        let has = |word: &str| text.contains(word);
        match () {
            () if has("NTC") || has("NUVOTON") => Some(Vendor::NUVOTON),
            () if has("IFX") || has("INFINEON") => Some(Vendor::INFINEON),
            () if has("STM") => Some(Vendor::ST),
            () if has("INTC") || has("INTEL") => Some(Vendor::INTEL),
            () if has("NTZ") || has("NATIONZ") => Some(Vendor::NATIONZ),
            () if has("AMD") => Some(Vendor::AMD),
            () => None,
        }
    };
    ["TpmInfo", "TpmChipId"].iter().find_map(|name| of(&text(name)?))
}

fn firmware(looked: &mut Looked<'_>) {
    let values = system_values(looked);
    let maker = maker(&values);
    let modules = looked.system.trusted_modules.as_deref().unwrap_or_default();
    let of_modules =
        modules.iter().filter_map(|module| Some((versions(module)?, Some(module.source.clone()))));
    let of_setting = || {
        let version = values.get("TpmFirmware")?.to_string().trim().parse().ok()?;
        let bios = looked.system.bios.as_ref()?;
        Some((version, Some(Source::new(&bios.path, "Attributes/TpmFirmware"))))
    };
    let mut all: Vec<(FirmwareVersion, Option<Source>)> = of_modules.collect();
    if all.is_empty() {
        all.extend(of_setting());
    }
    for (version, source) in all {
        match maker {
            Some(maker) => {
                for known in advisories(maker, &version) {
                    let detail = format!("{maker} {version}: {}", of_advisory(known));
                    looked.find(Code::TpmFirmwareAdvisory, detail, source.as_ref());
                }
            }
            None => {
                let makers = Vendor::short_names().filter_map(Vendor::from_short_name);
                for known in makers.flat_map(|maker| advisories(maker, &version)) {
                    if !is_telling(known) {
                        continue;
                    }
                    let detail =
                        format!("{version}, if {} made it: {}", known.vendor, of_advisory(known));
                    looked.find(Code::TpmFirmwarePossible, detail, source.as_ref());
                }
            }
        }
    }
}

/// Whether a version alone is reason enough to look: ranges that begin at zero fit too much.
fn is_telling(known: &Advisory) -> bool {
    known.id != "CVE-2017-15361"
}

fn of_advisory(known: &Advisory) -> String {
    format!("{} ({}): {}; fixed in {}", known.id, known.name, known.impact, known.fixed)
}

/// `FirmwareVersion` as two or four numbers; where it has two, `FirmwareVersion2` has the others.
fn versions(module: &TrustedModule) -> Option<FirmwareVersion> {
    let first = module.firmware.as_deref()?.trim();
    let whole = module.firmware_2.as_deref().map(|second| format!("{first}.{}", second.trim()));
    whole.and_then(|text| text.parse().ok()).or_else(|| first.parse().ok())
}

fn txt(looked: &mut Looked<'_>) {
    let own: Vec<Setting> = looked.of(Intent::Txt).cloned().collect();
    let rule = looked.goal.profile.txt();
    let wrong = match rule {
        TxtRule::Off | TxtRule::EitherWithoutQuickBoot => Reading::On,
        TxtRule::On => Reading::Off,
        TxtRule::Either => return,
    };
    let (code, severity) = match rule {
        TxtRule::Off => (Code::TxtEnabled, Severity::Fail),
        TxtRule::On => (Code::TxtDisabled, Severity::Warn),
        TxtRule::EitherWithoutQuickBoot | TxtRule::Either => (Code::TxtEnabled, Severity::Warn),
    };
    for setting in own.iter().filter(|setting| setting.reading == wrong) {
        let detail = format!("{} is {}", setting.attribute, setting.value);
        looked.find_as(code, severity, detail, Some(&setting.source));
    }
}

/// Operations that clear the TPM at the next start, in force or waiting.
fn clear_pending(looked: &mut Looked<'_>) {
    let Some(bios) = &looked.system.bios else { return };
    let pending = bios.settings.as_ref().map(|settings| (&settings.path, &settings.pending));
    let mut found = Vec::new();
    for (path, values) in [Some((&bios.path, &bios.values)), pending].into_iter().flatten() {
        for (name, value) in values {
            let folded = name.to_ascii_lowercase();
            let is_operation = folded.contains("tpm")
                || folded.starts_with("pendingoperation")
                || folded.starts_with("trustedcomputinggroup");
            let value = value.to_string().to_ascii_lowercase();
            if is_operation && (value == "clear" || value == "tpm clear") {
                found.push((
                    format!("{name} is {value}"),
                    Source::new(path, format!("Attributes/{name}")),
                ));
            }
        }
    }
    for (detail, source) in &found {
        looked.find(Code::TpmClearPending, detail.clone(), Some(source));
    }
}

fn unmeasured(looked: &mut Looked<'_>) {
    let Some(bios) = &looked.system.bios else { return };
    let name = "OmitBootDeviceEvent";
    if bios.values.get(name).is_some_and(|value| value.to_string() == "Enabled") {
        let source = Source::new(&bios.path, format!("Attributes/{name}"));
        looked.find(Code::BootDeviceUnmeasured, format!("{name} is Enabled"), Some(&source));
    }
}
