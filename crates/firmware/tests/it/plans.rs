//! Plans: what unlocks comes first, what cannot be done is explained.

use firmware::plan::{By, Goal, Installed, PLAN_SCHEMA, Plan, Revert};
use firmware::vendor::Intent;
use firmware::{Profile, Scalar};
use serde_json::json;

use crate::host::{Host, goal, steps};

const DELL_BIOS: &str = "/redfish/v1/Systems/System.Embedded.1/Bios";
const HPE_BIOS: &str = "/redfish/v1/Systems/1/Bios";

#[test]
fn dell_with_the_tpm_off_takes_two_restarts_for_the_bank() {
    let Some(host) = Host::recorded("dell") else { return };
    let host = host.with_settings(DELL_BIOS, &[("TpmSecurity", "Off"), ("Tpm2Algorithm", "SHA1")]);
    let plan = host.plan(goal(Profile::Esxi7));
    assert_eq!(
        steps(&plan),
        [vec!["TpmSecurity=On", "SecureBoot=Enabled"], vec!["Tpm2Algorithm=SHA256"]],
        "the algorithm is read-only while the TPM is off"
    );
    assert_eq!(plan.reboots, 2);
    assert!(plan.is_complete());
    let change = &plan.steps[1].changes[0];
    assert_eq!(change.from, Some("SHA1".into()));
    assert_eq!(change.revert, Revert::To { value: "SHA1".into() });
}

#[test]
fn the_founding_story_on_dell_is_explained_and_nothing_is_made_unbootable() {
    let Some(host) = Host::recorded("dell") else { return };
    let host = host.with_settings(
        DELL_BIOS,
        &[("Tpm2Algorithm", "SHA1"), ("BootMode", "Bios"), ("IntelTxt", "On")],
    );
    let plan = host.plan(goal(Profile::Esxi67));
    assert_eq!(steps(&plan), [["Tpm2Algorithm=SHA256", "IntelTxt=Off"]].map(Vec::from));
    let blocked: Vec<_> = plan.blocked.iter().map(|b| (b.intent, b.by)).collect();
    assert_eq!(blocked, [(Intent::UefiBoot, By::Reinstall), (Intent::SecureBoot, By::Person)]);

    let goal = Goal { profile: Profile::Esxi67, installed: Installed::ForUefi };
    let plan = host.plan(goal);
    assert_eq!(
        steps(&plan),
        [vec!["BootMode=Uefi", "Tpm2Algorithm=SHA256", "IntelTxt=Off"], vec!["SecureBoot=Enabled"]]
    );
    assert!(plan.is_complete());
}

#[test]
fn legacy_video_is_turned_off_before_secure_boot() {
    let Some(host) = Host::recorded("dell") else { return };
    let host = host.with_settings(DELL_BIOS, &[("ForceInt10", "Enabled")]);
    let plan = host.plan(goal(Profile::Linux));
    assert_eq!(steps(&plan), [["ForceInt10=Disabled"], ["SecureBoot=Enabled"]].map(Vec::from));
}

#[test]
fn txt_that_is_wanted_comes_after_the_bank_that_it_needs() {
    let Some(host) = Host::recorded("dell") else { return };
    let host = host.with_settings(DELL_BIOS, &[("Tpm2Algorithm", "SHA1")]);
    let plan = host.plan(goal(Profile::Esx9));
    assert_eq!(
        steps(&plan),
        [vec!["Tpm2Algorithm=SHA256", "SecureBoot=Enabled"], vec!["IntelTxt=On"]]
    );
    let off = host.with_settings(DELL_BIOS, &[("ProcVirtualization", "Disabled")]);
    let plan = off.plan(goal(Profile::Esx9));
    let blocked = plan.blocked.iter().find(|blocked| blocked.intent == Intent::Txt).unwrap();
    assert!(
        blocked.because.contains("read-only while ProcVirtualization is Disabled"),
        "{blocked:?}"
    );
    assert!(blocked.next_step.contains("ProcVirtualization to Enabled"), "{blocked:?}");
}

#[test]
fn hpe_says_what_greys_a_setting_out() {
    let Some(host) = Host::recorded("hpe") else { return };
    let hidden =
        host.with_settings(HPE_BIOS, &[("TpmVisibility", "Hidden"), ("TpmActivePcrs", "Sha1")]);
    let plan = hidden.plan(goal(Profile::Linux));
    let blocked = plan.blocked.iter().find(|blocked| blocked.intent == Intent::TpmVisible).unwrap();
    assert!(blocked.because.contains("greyed out while PlatformCertificate is not Disabled"));
    assert_eq!(blocked.next_step, "Set PlatformCertificate to Disabled first, then plan again.");

    let free = hidden.with_settings(HPE_BIOS, &[("PlatformCertificate", "Disabled")]);
    let plan = free.plan(goal(Profile::Linux));
    assert!(plan.is_complete(), "{:?}", plan.blocked);
    let all: Vec<_> = steps(&plan).concat();
    assert!(all.contains(&"TpmVisibility=Visible".to_owned()), "{all:?}");
    assert!(all.contains(&"TpmActivePcrs=Sha1Sha256".to_owned()), "keeps what was on: {all:?}");
}

#[test]
fn hpe_is_switched_to_fifo_for_esxi_and_left_alone_for_linux() {
    let Some(host) = Host::recorded("hpe") else { return };
    let host = host.with_settings(HPE_BIOS, &[("Tpm20SoftwareInterfaceStatus", "Crb")]);
    let plan = host.plan(goal(Profile::Esxi8));
    assert!(steps(&plan)[0].contains(&"Tpm20SoftwareInterfaceOperation=Fifo".to_owned()));
    let change = &plan.steps[0].changes[0];
    assert_eq!((&change.from, &change.revert), (&None, &Revert::To { value: "Crb".into() }));
    assert_eq!(steps(&host.plan(goal(Profile::Linux))), [["SecureBootEnable=true"]].map(Vec::from));
}

#[test]
fn a_switch_to_tpm_2_cannot_be_taken_back() {
    let Some(host) = Host::recorded("hpe") else { return };
    let host = host.with_settings(HPE_BIOS, &[("TpmType", "Tpm12")]);
    let plan = host.plan(goal(Profile::Linux));
    let change =
        plan.steps[0].changes.iter().find(|change| change.intent == Intent::Tpm20).unwrap();
    assert_eq!(change.to, Scalar::from("Tpm20"));
    assert!(
        matches!(&change.revert, Revert::Never { because } if because.contains("clears the TPM"))
    );
}

#[test]
fn values_of_supermicro_go_back_as_its_bios_shows_them() {
    let Some(host) = Host::recorded("supermicro") else { return };
    let host = host.with_settings(
        "/redfish/v1/Systems/1/Bios",
        &[
            ("TXTSupport_0062", "Enabled"),
            ("SHA256PCRBank_0065", "Disabled"),
            ("CSMSupport_0121", "Disabled"),
        ],
    );
    let plan = host.plan(goal(Profile::Esxi67));
    assert_eq!(
        steps(&plan),
        [["SHA256PCRBank_0065=Enabled", "TXTSupport_0062=Disabled"]].map(Vec::from)
    );
    let kept: Vec<_> = plan.left_alone.iter().map(|kept| kept.what.as_str()).collect();
    for name in [
        "PendingOperation_0069",
        "TPMSecurityPolicy_0108",
        "SecureBoot.ResetKeys",
        "SupermicroBIOS_BasedTPMProvisionSupport_0061",
    ] {
        assert!(kept.contains(&name), "{name} of {kept:?}");
    }
}

#[test]
fn lenovo_asserts_physical_presence_before() {
    let on_off: &[&str] = &["Enabled", "Disabled"];
    let host = Host::made(
        &[
            ("Processors_TrustedExecutionTechnology", "Enabled", on_off),
            ("TrustedComputingGroup_DeviceOperation", "None", &["None", "Clear"]),
            ("SecureBootConfiguration_SecureBootSetting", "Disabled", on_off),
        ],
        json!([]),
    )
    .with("/redfish/v1/Systems/1", |system| {
        system["Oem"] = json!({"Lenovo": {"TPMSettings": {"AssertRPP": false}}});
    });
    let plan = host.plan(goal(Profile::Esxi67));
    assert_eq!(
        steps(&plan),
        [["Processors_TrustedExecutionTechnology=Disabled", "SecureBootEnable=true"]]
            .map(Vec::from)
    );
    let presence = plan.steps[0].presence.as_ref().unwrap();
    assert_eq!(presence.property, "Oem/Lenovo/TPMSettings/AssertRPP");
}

#[test]
fn what_firmware_forces_is_told_and_what_it_undoes_is_no_change() {
    let on_off: &[&str] = &["Enabled", "Disabled"];
    let when = |of: &str, is: &str, to: (&str, &str, serde_json::Value)| {
        json!({"Type": "Map", "DependencyFor": to.0, "Dependency": {
            "MapFrom": [{"MapFromAttribute": of, "MapFromProperty": "CurrentValue",
                "MapFromCondition": "EQU", "MapFromValue": is}],
            "MapToAttribute": to.0, "MapToProperty": to.1, "MapToValue": to.2}})
    };
    let settings: &[(&str, &str, &[&str])] =
        &[("TPM", "Disabled", on_off), ("Other", "Disabled", on_off), ("Lock", "Enabled", on_off)];
    let follows = json!([when("TPM", "Enabled", ("Other", "CurrentValue", json!("Enabled")))]);
    let plan = Host::made(settings, follows).plan(goal(Profile::Linux));
    assert_eq!(plan.steps[0].follows[0].attribute, "Other");

    let undone = json!([when("Lock", "Enabled", ("TPM", "CurrentValue", json!("Disabled")))]);
    let plan = Host::made(settings, undone).plan(goal(Profile::Linux));
    assert_eq!(steps(&plan), [["SecureBootEnable=true"]].map(Vec::from));
    assert_eq!(plan.blocked[0].because, "firmware sets TPM to Disabled while Lock is Enabled");

    // One that hangs on itself would never come to an end.
    let circle = json!([when("TPM", "Disabled", ("TPM", "ReadOnly", json!(true)))]);
    let plan = Host::made(settings, circle).plan(goal(Profile::Linux));
    assert!(plan.blocked[0].because.contains("read-only while TPM is Disabled"));
}

#[test]
fn secure_boot_that_waits_for_a_restart_takes_one_and_no_change() {
    let host = Host::made(&[], json!([])).with("/redfish/v1/Systems/1/SecureBoot", |secure_boot| {
        secure_boot["SecureBootEnable"] = json!(true);
    });
    let plan = host.plan(goal(Profile::Linux));
    assert_eq!((plan.reboots, steps(&plan)), (1, vec![Vec::<String>::new()]));
    assert_eq!(plan.effects[0].pcrs, [7]);
}

#[test]
fn without_a_registry_no_attribute_is_changed() {
    let host = Host::made(&[("TPM", "Disabled", &["Enabled", "Disabled"])], json!([]))
        .without("/redfish/v1/Registries/BiosAttributeRegistry");
    let plan = host.plan(goal(Profile::Linux));
    assert_eq!(steps(&plan), [["SecureBootEnable=true"]].map(Vec::from), "that one is standard");
    assert!(plan.blocked[0].because.contains("no registry"));
    assert_eq!(plan.blocked[0].would.as_deref(), Some("set TPM to Enabled"));
}

#[test]
fn factory_keys_are_offered_only_where_they_are_shown_to_be_fit() {
    let setup = |id: &'static str| {
        move |database: &mut serde_json::Value| {
            *database =
                json!({"DatabaseId": id, "Certificates": {"@odata.id": format!("/c/{id}")}});
        }
    };
    let certificates = |names: &[&str], id: &'static str| {
        let members: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(n, name)| json!({"@odata.id": format!("/c/{id}/{n}"), "Subject": {"CommonName": name}}))
            .collect();
        move |body: &mut serde_json::Value| *body = json!({"Members": members})
    };
    let host = |pk: &str, kek: &[&str], db: &[&str]| {
        Host::made(&[], json!([]))
            .with("/redfish/v1/Systems/1/SecureBoot", |secure_boot| {
                secure_boot["SecureBootMode"] = json!("SetupMode");
                secure_boot["SecureBootDatabases"] = json!({"@odata.id": "/d"});
            })
            .with("/d", |body| {
                *body = json!({"Members": [{"@odata.id": "/d/PK"}, {"@odata.id": "/d/KEK"},
                    {"@odata.id": "/d/db"}]});
            })
            .with("/d/PK", setup("PKDefault"))
            .with("/d/KEK", setup("KEKDefault"))
            .with("/d/db", setup("dbDefault"))
            .with("/c/PKDefault", certificates(&[pk], "PKDefault"))
            .with("/c/KEKDefault", certificates(kek, "KEKDefault"))
            .with("/c/dbDefault", certificates(db, "dbDefault"))
    };
    let kek = ["Microsoft Corporation KEK CA 2011", "Microsoft Corporation KEK 2K CA 2023"];
    let db =
        ["Microsoft UEFI CA 2023", "Windows UEFI CA 2023", "Microsoft Option ROM UEFI CA 2023"];
    let next = |host: &Host| {
        let plan = host.plan(goal(Profile::Linux));
        assert_eq!(plan.reboots, 0, "a person enrols keys");
        plan.blocked[0].next_step.clone()
    };
    assert!(next(&host("Maker's Key", &kek, &db)).contains("SecureBoot.ResetKeys"));
    for unfit in [
        host("Maker's Key", &kek, &db[..2]),
        host("Maker's Key", &kek[..1], &db),
        host("DO NOT TRUST - AMI Test PK", &kek, &db),
        host("Maker's Key", &kek, &[]),
        host("Maker's Key", &kek, &db).without("/c/PKDefault"),
    ] {
        let next = next(&unfit);
        assert!(!next.contains("ResetKeys"), "{next}");
    }
}

#[test]
fn a_plan_is_the_same_each_time_and_survives_being_written_down() {
    let Some(host) = Host::recorded("dell") else { return };
    let host = host.with_settings(DELL_BIOS, &[("TpmSecurity", "Off"), ("IntelTxt", "On")]);
    let plan = host.plan(goal(Profile::Esxi67));
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(text, serde_json::to_string(&host.plan(goal(Profile::Esxi67))).unwrap());
    let read: Plan = serde_json::from_str(&text).unwrap();
    assert_eq!(read, plan);
    assert_eq!(read.schema, PLAN_SCHEMA);
}

#[test]
fn secure_boot_that_is_to_end_with_the_next_start_is_set_back() {
    let host = |enable: bool| {
        Host::made(&[], json!([])).with("/redfish/v1/Systems/1/SecureBoot", |secure_boot| {
            secure_boot["SecureBootEnable"] = json!(enable);
            secure_boot["SecureBootCurrentBoot"] = json!("Enabled");
        })
    };
    assert_eq!(
        steps(&host(false).plan(goal(Profile::Linux))),
        [["SecureBootEnable=true"]].map(Vec::from)
    );
    assert_eq!(host(true).plan(goal(Profile::Linux)).reboots, 0);
}

#[test]
fn what_a_plan_could_not_be_sure_of_is_noted() {
    let lock = |of: &str| {
        json!([{"Type": "Map", "Dependency": {"MapFrom": [{"MapFromAttribute": of,
            "MapFromProperty": "CurrentValue", "MapFromCondition": "EQU", "MapFromValue": "x"}],
            "MapToAttribute": "TPM", "MapToProperty": "GrayOut", "MapToValue": true}}])
    };
    let settings: &[(&str, &str, &[&str])] = &[("TPM", "Disabled", &["Enabled", "Disabled"])];
    let notes = |dependencies| Host::made(settings, dependencies).plan(goal(Profile::Linux)).notes;
    assert!(notes(lock("NotGiven"))[0].contains("TPM may be locked"));
    assert!(notes(lock("TPM")).is_empty());
    assert!(notes(json!([{}]))[0].contains("1 entries of the registry are not understood"));
}
