//! What a BMC sends: resources, its registry and what follows from both.

use firmware::plan::{Goal, Installed, PLAN_SCHEMA, Plan, plan};
use firmware::registry::{Registry, Values};
use firmware::{Answer, Profile, RESOURCES_MAX, Scalar, Unread, Walk, assess, read};
use secure_boot_facts::Date;
use serde_json::{Value, json};

use crate::show;

const TODAY: Date = Date { year: 2026, month: 11, day: 28 };

/// A registry: values settle, and what is told to be locked is told the same when asked again.
pub(crate) fn registry(bytes: &[u8]) {
    let Ok(body) = serde_json::from_slice::<Value>(bytes) else { return };
    let registry = Registry::read(&body);
    let mut values = Values::new();
    for attribute in registry.attributes() {
        let first = attribute.values.first().map(|value| Scalar::Text(value.name.clone()));
        let value = attribute.default.clone().or(first).unwrap_or(Scalar::Bool(false));
        values.insert(attribute.name.clone(), value);
    }
    let names: Vec<_> = values.keys().cloned().collect();
    registry.settle(&mut values);
    assert!(values.keys().eq(names.iter()), "a forced value is of a setting that is there");
    for name in &names {
        let locks = registry.locks(name, &values);
        assert_eq!(locks, registry.locks(name, &values));
        show(&locks);
        show(&registry.forced(name, &values));
        show(&registry.may_be_locked(name, &values));
    }
}

/// The answers of a BMC, one a line, given to whatever is asked for in turn: the walk ends, and what it
/// gathered is judged and planned for without a panic. A plan names nothing that the host does not have,
/// is the same each time, and survives being written down.
pub(crate) fn walk(bytes: &[u8]) {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let mut n_asked = 0usize;
    let snapshot = Walk::new().run(|ask| {
        n_asked = n_asked.saturating_add(1);
        show(&ask.to_uri());
        match lines.next() {
            Some(bytes) => Answer::Body { bytes, etag: None },
            None => Answer::Unread(Unread::NotFound),
        }
    });
    // Twice for collections that would not come with their members.
    assert!(n_asked <= RESOURCES_MAX.saturating_mul(2), "a walk ends");
    for system in read(&snapshot) {
        for profile in Profile::ALL {
            for installed in [Installed::Unknown, Installed::ForUefi] {
                let goal = Goal { profile, installed };
                show(&assess(&system, goal, TODAY));
                let made = plan(&system, goal);
                assert_eq!(made, plan(&system, goal));
                assert_eq!((made.schema, made.steps.len()), (PLAN_SCHEMA, made.reboots));
                let text = serde_json::to_string(&made).expect("a plan is JSON");
                let read: Plan = serde_json::from_str(&text).expect("a plan is read again");
                assert_eq!(read, made);
                let clears = ["clear", "tpm clear", "deleteallkeys", "deletepk"];
                for change in made.steps.iter().flat_map(|step| &step.changes) {
                    let to = change.to.to_string().to_ascii_lowercase();
                    assert!(!clears.contains(&to.as_str()), "no plan clears a TPM or keys");
                }
            }
        }
    }
}

/// The answers of a small host, in the order in which a walk asks for them: legacy boot, the TPM off,
/// settings that lock each other, a database of digests.
pub(crate) fn walk_seeds() -> Vec<Vec<u8>> {
    let link = |at: &str| json!({"@odata.id": at});
    let host = |values: Value, mode: &str| {
        let bodies = [
            (
                "/redfish/v1",
                json!({"Systems": link("/s"), "Registries": link("/r"), "JobService": link("/j")}),
            ),
            ("/s", json!({"Members": [link("/s/1")]})),
            (
                "/s/1",
                json!({"Id": "1", "Bios": link("/s/1/b"), "SecureBoot": link("/s/1/k"),
                "TrustedModules": [{"InterfaceType": "TPM2_0", "FirmwareVersion": "7.2.2.0",
                    "Status": {"State": "Enabled"}}]}),
            ),
            (
                "/s/1/b",
                json!({"AttributeRegistry": "BiosAttributeRegistry.v1", "Attributes": values,
                "@Redfish.Settings": {"SettingsObject": link("/s/1/b/p")}}),
            ),
            ("/s/1/b/p", json!({"Attributes": {"TpmSecurity": "On"}})),
            (
                "/s/1/k",
                json!({"SecureBootEnable": false, "SecureBootCurrentBoot": "Disabled",
                "SecureBootMode": mode, "SecureBootDatabases": link("/d")}),
            ),
            ("/d", json!({"Members": [link("/d/x")]})),
            ("/d/x", json!({"DatabaseId": "dbx", "Signatures": link("/d/x/s")})),
            (
                "/d/x/s",
                json!({"Members": [{"@odata.id": "/d/x/s/1", "SignatureType": "SHA256",
                "SignatureString": "80B4D96931BF0D02FD91A61E19D14F1DA452E66DB2408CA8604D411F92659F0A"}]}),
            ),
            ("/r", json!({"Members": [link("/r/BiosAttributeRegistry")]})),
            ("/r/BiosAttributeRegistry", made_registry()),
            ("/j", json!({"Jobs": link("/j/a")})),
            (
                "/j/a",
                json!({"Members": [{"@odata.id": "/j/a/1", "JobState": "Scheduled",
                "JobType": "BIOSConfiguration"}]}),
            ),
        ];
        let mut lines = Vec::new();
        let mut walk = Walk::new();
        while let Some(ask) = walk.next() {
            let found = bodies.iter().find(|(at, _)| *at == ask.path.as_str());
            let line = found.map_or_else(String::new, |(_, body)| body.to_string());
            walk.answer(&ask.path, Answer::Body { bytes: line.as_bytes(), etag: None });
            lines.push(line);
        }
        lines.join("\n").into_bytes()
    };
    let off = json!({"TpmSecurity": "Off", "Tpm2Algorithm": "SHA1", "BootMode": "Bios", "IntelTxt": "On"});
    let on = json!({"TpmSecurity": "On", "Tpm2Algorithm": "SHA256", "BootMode": "Uefi", "IntelTxt": "Off"});
    vec![host(off.clone(), "UserMode"), host(on, "SetupMode"), host(off, "DeployedMode")]
}

/// A registry with each way of joining conditions, and one whose properties hang on each other in a
/// circle.
pub(crate) fn registry_seeds() -> Vec<Vec<u8>> {
    let map = |from: &str, to: &str| {
        json!({"Type": "Map", "Dependency": {"MapFrom": [{"MapFromAttribute": from,
            "MapFromProperty": "ReadOnly", "MapFromCondition": "EQU", "MapFromValue": true}],
            "MapToAttribute": to, "MapToProperty": "ReadOnly", "MapToValue": true}})
    };
    let circle = json!({"RegistryEntries": {
        "Attributes": [{"AttributeName": "A", "DefaultValue": 1}, {"AttributeName": "B", "ReadOnly": true}],
        "Dependencies": [map("A", "B"), map("B", "A")]}});
    [made_registry(), circle].map(|registry| registry.to_string().into_bytes()).into()
}

fn made_registry() -> Value {
    let entry = |name: &str, values: &[&str]| {
        let values: Vec<_> = values.iter().map(|value| json!({"ValueName": value})).collect();
        json!({"AttributeName": name, "Type": "Enumeration", "Value": values, "DefaultValue": null})
    };
    let from = |name: &str, condition: &str, value: Value, term: Value| {
        json!({"MapFromAttribute": name, "MapFromProperty": "CurrentValue",
            "MapFromCondition": condition, "MapFromValue": value, "MapTerms": term})
    };
    let map = |all: Value, to: &str, property: &str, value: Value| {
        json!({"Type": "Map", "DependencyFor": to, "Dependency": {"MapFrom": all,
            "MapToAttribute": to, "MapToProperty": property, "MapToValue": value}})
    };
    json!({"RegistryEntries": {
        "Attributes": [entry("TpmSecurity", &["Off", "On"]), entry("Tpm2Algorithm", &["SHA1", "SHA256"]),
            entry("BootMode", &["Bios", "Uefi"]), entry("IntelTxt", &["Off", "On"])],
        "Dependencies": [
            map(json!([from("TpmSecurity", "EQU", json!("Off"), json!(null))]), "Tpm2Algorithm",
                "ReadOnly", json!(true)),
            map(json!([from("IntelTxt", "NEQ", json!("Off"), json!(null)),
                from("TpmSecurity", "EQU", json!("On"), json!("AND"))]), "Tpm2Algorithm",
                "CurrentValue", json!("SHA256")),
            map(json!([from("BootMode", "GEQ", json!(3), json!(null)),
                from("BootMode", "LSS", json!("x"), json!("OR"))]), "IntelTxt", "GrayOut", json!(true))]}})
}
