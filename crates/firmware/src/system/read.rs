//! From resources to hosts.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Action, Fact, Identity, Interface, Source, System, TrustedModule, bios, jobs, secure_boot,
};
use crate::json::{self, elements, link, link_at, text};
use crate::scalar::shown;
use crate::{ResourcePath, Snapshot, Unread};

/// Modules of one host that are looked at: real ones have one.
const MODULES_MAX: usize = 8;

/// Values that an action may take: real ones have up to ten.
const ALLOWED_MAX: usize = 64;

/// The hosts of a BMC, in the order in which it lists them. A member that has neither settings nor
/// Secure Boot nor a trusted module is none that starts by itself (a board of GPUs) and left out.
pub fn read(snapshot: &Snapshot) -> Vec<System> {
    let root = snapshot.body(&ResourcePath::service_root());
    let systems = root.and_then(|root| link_at(root, &["Systems"]));
    let paths = systems.map(|systems| members(snapshot, &systems)).unwrap_or_default();
    paths.iter().filter_map(|path| system(snapshot, path)).collect()
}

fn system(snapshot: &Snapshot, path: &ResourcePath) -> Option<System> {
    let body = snapshot.body(path)?;
    let trusted_modules =
        trusted_modules(path, body).or_else(|| trusted_components(snapshot, body));
    let is_host = ["Bios", "SecureBoot"].iter().any(|name| body.get(*name).is_some())
        || json::at(body, &["Oem", "Hp", "links", "BIOS"]).is_some()
        || trusted_modules.is_some();
    if !is_host {
        return None;
    }
    let fact = |names: &[&str]| Some(Fact::new(shown(text(body, names)?), path, names.join("/")));
    let presence = json::at(body, &["Oem", "Lenovo", "TPMSettings", "AssertRPP"]);
    let jobs = jobs::read(snapshot);
    Some(System {
        path: path.clone(),
        identity: identity(path, body),
        trusted_modules,
        trusted_module_required: fact(&["Boot", "TrustedModuleRequiredToBoot"]),
        boot_source_mode: fact(&["Boot", "BootSourceOverrideMode"]),
        boot_progress: fact(&["BootProgress", "LastState"]),
        reset: action(snapshot, body, "#ComputerSystem.Reset", "ResetType"),
        secure_boot: secure_boot::read(snapshot, body),
        bios: bios::read(snapshot, body),
        measured_banks: measured_banks(snapshot),
        jobs,
        presence: presence.map(|_| Source::new(path, "Oem/Lenovo/TPMSettings/AssertRPP")),
        unread: unread(snapshot),
    })
}

fn identity(path: &ResourcePath, body: &Value) -> Identity {
    let part = |name| {
        let text = text(body, &[name])?.trim();
        (!text.is_empty()).then(|| shown(text))
    };
    Identity {
        id: part("Id").unwrap_or_else(|| path.name().to_owned()),
        manufacturer: part("Manufacturer"),
        model: part("Model"),
        serial: part("SerialNumber"),
        host_name: part("HostName"),
        bios_version: part("BiosVersion"),
    }
}

fn trusted_modules(path: &ResourcePath, body: &Value) -> Option<Vec<TrustedModule>> {
    let places = ["TrustedModules", "Oem/Hp/TrustedModules"];
    let (place, all) = places.iter().find_map(|place| {
        let names: Vec<_> = place.split('/').collect();
        Some((place, json::at(body, &names)?.as_array()?))
    })?;
    let modules = all.iter().take(MODULES_MAX).enumerate().map(|(n, module)| {
        let part = |names: &[&str]| text(module, names).map(shown);
        // iLO 4 has the kind elsewhere and the state bare.
        let kind = part(&["InterfaceType"]).or_else(|| part(&["ModuleType"]));
        let interface = kind.map(|kind| match kind.as_str() {
            "TPM1_2" | "TPM1.2" => Interface::Tpm12,
            "TPM2_0" | "TPM2.0" => Interface::Tpm20,
            _ => Interface::Other(kind),
        });
        TrustedModule {
            interface,
            firmware: part(&["FirmwareVersion"]),
            firmware_2: part(&["FirmwareVersion2"]),
            state: part(&["Status", "State"]).or_else(|| part(&["Status"])),
            health: part(&["Status", "Health"]),
            source: Source::new(path, format!("{place}/{n}")),
        }
    });
    Some(modules.collect())
}

/// What later BMCs have in the place of `TrustedModules`: components of the host's chassis that call
/// themselves a TPM; of other parts, which have roots of trust of their own, there are many.
/// [DSP2046 TrustedComponent]
fn trusted_components(snapshot: &Snapshot, system: &Value) -> Option<Vec<TrustedModule>> {
    let chassis = elements(json::at(system, &["Links", "Chassis"])).iter();
    let of_chassis = chassis
        .filter_map(|chassis| link(chassis)?.ok())
        .filter_map(|chassis| link_at(snapshot.body(&chassis)?, &["TrustedComponents"]))
        .flat_map(|collection| members(snapshot, &collection));
    let linked = elements(json::at(system, &["Links", "TrustedComponents"])).iter();
    let all = of_chassis.chain(linked.filter_map(|component| link(component)?.ok()));
    let module = |path: ResourcePath| {
        let body = snapshot.body(&path)?;
        let names = ["Id", "Name", "Description", "Model"].map(|name| text(body, &[name]));
        let says = |word: &str| names.iter().flatten().any(|name| name.contains(word));
        if !says("TPM") {
            return None;
        }
        let part = |names: &[&str]| text(body, names).map(shown);
        let interface = match () {
            () if says("2.0") => Some(Interface::Tpm20),
            () if says("1.2") => Some(Interface::Tpm12),
            () => None,
        };
        Some(TrustedModule {
            interface,
            firmware: part(&["FirmwareVersion"]),
            firmware_2: None,
            state: part(&["Status", "State"]),
            health: part(&["Status", "Health"]),
            source: Source::new(&path, ""),
        })
    };
    let modules: Vec<_> = all.filter_map(module).take(MODULES_MAX).collect();
    (!modules.is_empty()).then_some(modules)
}

/// Banks in which the BMC shows values of PCRs, by the names of their algorithms.
/// [DSP2046 ComponentIntegrity.TPM]
fn measured_banks(snapshot: &Snapshot) -> Vec<Fact<String>> {
    let of_tpm = |body: &&Value| text(body, &["ComponentIntegrityType"]) == Some("TPM");
    let mut banks: Vec<Fact<String>> = Vec::new();
    for (path, body) in snapshot.resources().map(|(path, found)| (path, &found.body)) {
        let Some(body) = Some(body).filter(of_tpm) else { continue };
        let names = ["TPM", "MeasurementSet", "Measurements"];
        for measured in elements(json::at(body, &names)).iter().take(64) {
            let Some(bank) = text(measured, &["MeasurementHashAlgorithm"]).map(shown) else {
                continue;
            };
            if banks.iter().all(|known| known.value != bank) {
                banks.push(Fact::new(bank, path, names.join("/")));
            }
        }
    }
    banks
}

/// The action of this name. What it takes stands beside it or in a resource of its own.
pub(super) fn action(
    snapshot: &Snapshot,
    body: &Value,
    name: &str,
    parameter: &str,
) -> Option<Action> {
    let action = json::at(body, &["Actions", name])?;
    let target = link(action.get("target")?)?.ok()?;
    let beside = elements(action.get(format!("{parameter}@Redfish.AllowableValues").as_str()));
    let info = action.get("@Redfish.ActionInfo").and_then(link).and_then(Result::ok);
    let parameters = info.and_then(|info| snapshot.body(&info)?.get("Parameters"));
    let own = |entry: &&Value| text(entry, &["Name"]) == Some(parameter);
    let apart = elements(parameters).iter().find(own);
    let apart = elements(apart.and_then(|entry| entry.get("AllowableValues")));
    let all = if beside.is_empty() { apart } else { beside };
    let allowed = all.iter().filter_map(Value::as_str).take(ALLOWED_MAX).map(shown).collect();
    Some(Action { target, allowed })
}

/// The members of a collection, all its pages.
pub(super) fn members(snapshot: &Snapshot, collection: &ResourcePath) -> Vec<ResourcePath> {
    let mut page = Some(collection.clone());
    let mut seen = BTreeSet::new();
    let mut members = Vec::new();
    while let Some(path) = page.take().filter(|path| seen.insert(path.clone())) {
        let Some(body) = snapshot.body(&path) else { break };
        members
            .extend(elements(body.get("Members")).iter().filter_map(|member| link(member)?.ok()));
        page = link_at(body, &["Members@odata.nextLink"]);
    }
    // A BMC that lists one twice has one.
    let mut seen = BTreeSet::new();
    members.retain(|path| seen.insert(path.clone()));
    members
}

/// What could not be read and says something of settings or keys: not jobs, certificates of parts.
fn unread(snapshot: &Snapshot) -> Vec<(ResourcePath, Unread)> {
    const UNREAD_MAX: usize = 64;
    let all = snapshot.unread().take(UNREAD_MAX);
    all.map(|(path, why)| (path.clone(), why.clone())).collect()
}
