//! BMCs that lie: what they cost, and that nothing of it passes.

use std::time::{Duration, Instant};

use firmware::assess::Outcome;
use firmware::plan::{Goal, Installed, plan};
use firmware::{Profile, assess};
use serde_json::{Value, json};

use crate::host::{Host, TODAY, goal, path};

/// As many settings and dependencies as are kept, each of which hangs on many others.
#[test]
fn a_registry_that_is_made_to_be_slow_is_judged_in_seconds() {
    let names: Vec<_> = (0..8000).map(|n| format!("TXTSupport_{n:04X}")).collect();
    let on_off: &[&str] = &["Enabled", "Disabled"];
    let settings: Vec<(&str, &str, &[&str])> =
        names.iter().map(|name| (name.as_str(), "Enabled", on_off)).collect();
    let dependency = |n: usize| {
        let from: Vec<_> = (0..8)
            .map(|k| {
                json!({"MapFromAttribute": names[(n + k) % names.len()], "MapFromCondition": "EQU",
                "MapFromProperty": "CurrentValue", "MapFromValue": "Other", "MapTerms": "OR"})
            })
            .collect();
        let property = if n.is_multiple_of(2) { "CurrentValue" } else { "GrayOut" };
        json!({"Dependency": {"MapFrom": from, "MapToAttribute": names[n], "MapToProperty": property,
            "MapToValue": if n.is_multiple_of(2) { json!("Disabled") } else { json!(true) }}})
    };
    let host = Host::made(&settings, (0..8000).map(dependency).collect::<Vec<_>>().into());
    let system = host.system();
    let started = Instant::now();
    let found = assess(&system, goal(Profile::Esxi67), TODAY);
    let took = started.elapsed();
    assert_eq!(found.outcome, Outcome::NotReady);
    assert!(took < Duration::from_secs(20), "{took:?}");
}

#[test]
fn whatever_a_property_is_made_of_nothing_passes_that_did_not() {
    let odd: &[Value] = &[
        json!(null),
        json!(0),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("Enabled\u{0}"),
        json!([]),
        json!({}),
        json!([[{}]]),
        json!("x".repeat(100_000)),
        json!({"@odata.id": "/x"}),
    ];
    let sound = || {
        Host::made(&[("TPM", "Enabled", &["Enabled", "Disabled"])], json!([]))
            .with("/redfish/v1/Systems/1", |system| {
                system.as_object_mut().unwrap().remove("TrustedModules");
            })
            .with("/redfish/v1/Systems/1/SecureBoot", |secure_boot| {
                secure_boot["SecureBootEnable"] = json!(true);
                secure_boot["SecureBootCurrentBoot"] = json!("Enabled");
            })
    };
    assert_eq!(sound().assess(Profile::Linux).outcome, Outcome::Unsure, "no TPM is listed");
    for value in odd {
        for (at, pointer) in [
            ("/redfish/v1/Systems/1", "TrustedModules"),
            ("/redfish/v1/Systems/1", "SecureBoot"),
            ("/redfish/v1/Systems/1", "Boot"),
            ("/redfish/v1/Systems/1", "Id"),
            ("/redfish/v1/Systems/1", "Oem"),
            ("/redfish/v1/Systems/1/SecureBoot", "SecureBootCurrentBoot"),
            ("/redfish/v1/Systems/1/SecureBoot", "SecureBootDatabases"),
            ("/redfish/v1/Systems/1/Bios", "Attributes"),
            ("/redfish/v1/Systems/1/Bios", "AttributeRegistry"),
            ("/redfish/v1/Systems/1/Bios", "@Redfish.Settings"),
            ("/redfish/v1/Registries/BiosAttributeRegistry", "RegistryEntries"),
        ] {
            let host = sound().with(at, |body| body[pointer] = value.clone());
            for system in firmware::read(&host.snapshot()) {
                let case = format!("{at} {pointer} {:.40}", value.to_string());
                let found = assess(&system, goal(Profile::Linux), TODAY);
                assert!(matches!(found.outcome, Outcome::Unsure | Outcome::NotReady), "{case}");
                let permitted = Goal { profile: Profile::Esx9, installed: Installed::ForUefi };
                assert_eq!(plan(&system, permitted).steps.len(), 0, "{case}: nothing to change");
            }
        }
    }
}

#[test]
fn a_bmc_that_could_not_be_read_in_part_is_not_ready() {
    let host = Host::made(&[("TPM", "Enabled", &["Enabled", "Disabled"])], json!([]));
    let without = host.without("/redfish/v1/Systems/1/SecureBoot");
    let system = without.system();
    assert!(system.unread.iter().any(|(at, _)| *at == path("/redfish/v1/Systems/1/SecureBoot")));
    let found = assess(&system, goal(Profile::Linux), TODAY);
    assert_eq!(found.outcome, Outcome::Unsure);
}
