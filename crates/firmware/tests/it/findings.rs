//! What is found: the recorded trees' own findings, and a case and a near miss of each rule.

use firmware::assess::{CODES, Outcome, Severity};
use firmware::plan::{By, Goal, Installed};
use firmware::{Profile, assess};
use secure_boot_facts::{Architecture, published};
use serde_json::{Value, json};

use crate::host::{Host, TODAY, codes};

const ON_OFF: &[&str] = &["Enabled", "Disabled"];

#[test]
fn the_recorded_poweredge_has_old_keys_an_old_dbx_and_secure_boot_off() {
    let Some(host) = Host::recorded("dell") else { return };
    let found = host.assess(Profile::Linux);
    assert_eq!(
        codes(&found),
        ["secure-boot-off", "ca-2011-only", "dbx-outdated", "certificate-expired"]
    );
    let detail = |code: &str| {
        let all = found.findings.iter().filter(|finding| finding.code.as_str() == code);
        all.map(|finding| finding.detail.clone()).collect::<Vec<_>>().join("; ")
    };
    assert!(detail("dbx-outdated").contains("78 digests, level 2018-04-01"));
    assert!(detail("dbx-outdated").contains("416 of 443 x64 images are missing"));
    assert!(detail("ca-2011-only").contains("KEK has 1 authorities of 2011"));
    assert!(detail("ca-2011-only").contains("db has 2 authorities of 2011"));
    assert!(detail("certificate-expired").contains("2019-12-31"));
    assert_eq!(found.menders(), [By::Plan]);
    assert_eq!(found.plan.reboots, 1);
    assert!(found.findings.iter().all(|finding| finding.source.is_some()));
}

#[test]
fn the_founding_story_is_in_one_dell() {
    let Some(host) = Host::recorded("dell") else { return };
    let host = host
        .with_settings(
            "/redfish/v1/Systems/System.Embedded.1/Bios",
            &[
                ("Tpm2Algorithm", "SHA1"),
                ("BootMode", "Bios"),
                ("IntelTxt", "On"),
                ("TpmInfo", "Type: 2.0  NTC"),
            ],
        )
        .with("/redfish/v1/Systems/System.Embedded.1", |system| {
            system["TrustedModules"][0]["FirmwareVersion"] = json!("1.3.2.8");
        });
    let found = host.assess(Profile::Esxi67);
    let all = codes(&found);
    for code in [
        "legacy-boot",
        "sha256-bank-inactive",
        "txt-enabled",
        "secure-boot-off",
        "tpm-firmware-advisory",
    ] {
        assert!(all.contains(&code), "{code} of {all:?}");
    }
    assert_eq!(all[0], "legacy-boot", "what is mended first");
    assert_eq!(found.outcome, Outcome::NotReady);
    assert!(found.menders().contains(&By::Reinstall));
    // For ESXi 7 TXT costs something, for Linux nothing.
    let severity = |profile| {
        let found = host.assess(profile);
        let txt = found.findings.into_iter().find(|finding| finding.code.as_str() == "txt-enabled");
        txt.map(|finding| finding.severity)
    };
    assert_eq!(severity(Profile::Esxi67), Some(Severity::Fail));
    assert_eq!(severity(Profile::Esxi7), Some(Severity::Warn));
    assert_eq!(severity(Profile::Linux), None);
    assert_eq!(severity(Profile::Esx9), None);
    // Nobody asks for it on ESXi 7, so that no plan has it.
    let by = |profile| {
        let found = host.assess(profile);
        found.findings.iter().find(|finding| finding.code.as_str() == "txt-enabled").unwrap().by
    };
    assert_eq!((by(Profile::Esxi67), by(Profile::Esxi7)), (By::Plan, By::Person));
}

#[test]
fn a_single_file_of_settings_is_read_and_no_plan_is_guessed() {
    let Some(host) = Host::recorded("dell_bios_tpm_off_sha1.json") else { return };
    let found = host.assess(Profile::Linux);
    let all = codes(&found);
    for code in ["tpm-hidden", "sha256-bank-inactive", "secure-boot-off", "registry-missing"] {
        assert!(all.contains(&code), "{code} of {all:?}");
    }
    assert_eq!(found.plan.reboots, 0);
}

#[test]
fn the_recorded_supermicro_has_csm_and_no_keys_and_lists_no_tpm() {
    let Some(host) = Host::recorded("supermicro") else { return };
    let found = host.assess(Profile::Linux);
    assert_eq!(
        codes(&found),
        [
            "legacy-boot",
            "setup-mode",
            "secure-boot-off",
            "tpm-not-listed",
            "secure-boot-keys-unknown"
        ]
    );
    assert!(found.seen.iter().any(|seen| seen.value == "SHA256PCRBank_0065 = Enabled"));
}

#[test]
fn the_recorded_gb200_has_a_test_key_at_its_factory() {
    let Some(host) = Host::recorded("nvidia_gb200") else { return };
    let all = codes(&host.assess(Profile::Linux));
    for code in ["setup-mode", "test-factory-key"] {
        assert!(all.contains(&code), "{code} of {all:?}");
    }
    let off = host.with_settings("/redfish/v1/Systems/System_0/Bios", &[("TPM", "Disabled")]);
    let found = off.assess(Profile::Linux);
    assert_eq!(codes(&found)[0], "tpm-hidden");
    assert_eq!(found.findings[0].by, By::Plan);
}

#[test]
fn the_recorded_proliant_has_fifo_both_banks_and_mended_tpm_firmware() {
    let Some(host) = Host::recorded("hpe") else { return };
    let found = host.assess(Profile::Esxi67);
    assert_eq!(codes(&found), ["secure-boot-off", "secure-boot-keys-unknown"]);
    let seen: Vec<_> = found.seen.iter().map(|seen| seen.value.as_str()).collect();
    for value in [
        "TpmActivePcrs = Sha1Sha256",
        "Tpm20SoftwareInterfaceStatus = Fifo",
        "TPM 2.0, STMicroelectronics firmware 73.64, Enabled",
    ] {
        assert!(seen.contains(&value), "{value} of {seen:?}");
    }
    let old = host.with("/redfish/v1/Systems/1", |system| {
        system["TrustedModules"][0]["FirmwareVersion"] = json!("73.4");
    });
    assert!(codes(&old.assess(Profile::Linux)).contains(&"tpm-firmware-advisory"));
}

/// A host that has nothing to mend, for one change at a time.
fn sound() -> Host {
    let settings: &[(&str, &str, &[&str])] =
        &[("TPM", "Enabled", ON_OFF), ("SHA256PCRBank", "Enabled", ON_OFF)];
    with_keys(Host::made(settings, json!([]))).with(
        "/redfish/v1/Systems/1/SecureBoot",
        |secure_boot| {
            secure_boot["SecureBootEnable"] = json!(true);
            secure_boot["SecureBootCurrentBoot"] = json!("Enabled");
        },
    )
}

/// With the keys of 2023 and the newest list of revoked images.
fn with_keys(host: Host) -> Host {
    let certificates = |id: &str, names: &[&str]| {
        let all = names.iter().enumerate();
        let all: Vec<_> = all
            .map(|(n, name)| json!({"@odata.id": format!("/k/{id}/{n}"), "Subject": {"CommonName": name}}))
            .collect();
        json!({"Members": all})
    };
    let digests: Vec<_> = published(Architecture::X64)
        .enumerate()
        .map(|(n, image)| json!({"@odata.id": format!("/k/dbx/{n}"), "SignatureType": "EFI_CERT_SHA256_GUID",
            "SignatureString": image.sha256.iter().map(|byte| format!("{byte:02X}")).collect::<String>()}))
        .collect();
    let link = |at: String| json!({"@odata.id": at});
    let mut host = host
        .with("/redfish/v1/Systems/1/SecureBoot", |secure_boot| {
            secure_boot["SecureBootDatabases"] = json!({"@odata.id": "/k"});
        })
        .with("/k", |body| {
            let all = ["PK", "KEK", "db", "dbx"].map(|id| link(format!("/k/{id}")));
            *body = json!({"Members": all});
        })
        .with("/k/dbx/s", |body| *body = json!({"Members": digests}))
        .with("/k/dbx", |body| {
            *body = json!({"DatabaseId": "dbx", "Signatures": link("/k/dbx/s".into())})
        });
    for (id, names) in [
        ("PK", &["Maker's Key"][..]),
        ("KEK", &["Microsoft Corporation KEK 2K CA 2023"]),
        (
            "db",
            &[
                "Microsoft UEFI CA 2023",
                "Windows UEFI CA 2023",
                "Microsoft Option ROM UEFI CA 2023",
            ],
        ),
    ] {
        host = host
            .with(&format!("/k/{id}"), |body| {
                *body = json!({"DatabaseId": id, "Certificates": link(format!("/k/{id}/c"))});
            })
            .with(&format!("/k/{id}/c"), |body| *body = certificates(id, names));
    }
    host
}

#[test]
fn keys_and_lists_that_are_not_shown_or_not_whole_are_no_pass() {
    let with = |host: Host| codes(&host.assess(Profile::Linux));
    assert_eq!(with(sound()), Vec::<&str>::new());
    for id in ["PK", "KEK", "db", "dbx"] {
        let at = format!("/k/{id}");
        assert_eq!(with(sound().without(&at)), ["secure-boot-keys-unknown"], "{id}");
    }
    let part = |host: Host| host.with("/k/dbx/s", |body| body["Members@odata.count"] = json!(9999));
    assert_eq!(
        with(part(sound())),
        ["secure-boot-keys-unknown"],
        "fewer than the BMC says there are"
    );
    let old = sound().with("/k/dbx/s", |body| {
        body["Members"].as_array_mut().unwrap().truncate(3);
    });
    assert_eq!(with(old), ["dbx-outdated"]);
    let no_option_roms = sound().with("/k/db/c", |body| {
        body["Members"].as_array_mut().unwrap().pop();
    });
    assert_eq!(with(no_option_roms), ["ca-2011-only"]);
    let test_key = sound().with("/k/PK/c", |body| {
        body["Members"][0]["Subject"]["CommonName"] = json!("DO NOT TRUST - AMI Test PK");
    });
    assert_eq!(with(test_key), ["test-platform-key"]);
}

#[test]
fn nothing_passes_on_nothing() {
    assert_eq!(sound().assess(Profile::Linux).outcome, Outcome::Ready);
    let bare = Host::made(&[], json!([])).without("/redfish/v1/Systems/1/SecureBoot").with(
        "/redfish/v1/Systems/1",
        |system| {
            system.as_object_mut().unwrap().remove("TrustedModules");
        },
    );
    let found = bare.assess(Profile::Esxi8);
    assert_eq!(found.outcome, Outcome::Unsure);
    for code in
        ["tpm-not-listed", "sha256-bank-unknown", "interface-unknown", "secure-boot-unknown"]
    {
        assert!(codes(&found).contains(&code), "{code}");
    }
}

#[test]
fn each_state_of_a_module_is_told_from_its_neighbour() {
    let with = |module: Value| {
        let host =
            sound().with("/redfish/v1/Systems/1", |system| system["TrustedModules"] = module);
        codes(&host.assess(Profile::Linux))
    };
    let module =
        |kind: &str, state: &str| json!([{"InterfaceType": kind, "Status": {"State": state}}]);
    assert!(with(module("TPM2_0", "Enabled")).iter().all(|code| !code.starts_with("tpm")));
    assert!(with(module("TPM2_0", "Disabled")).contains(&"tpm-disabled"));
    assert!(with(module("TPM1_2", "Enabled")).contains(&"tpm-1-2"));
    assert!(with(module("TCM1_0", "Enabled")).contains(&"tpm-kind-unknown"));
    assert!(with(json!([{"Status": {"State": "Enabled"}}])).contains(&"tpm-kind-unknown"));
    assert!(with(module("TPM2_0", "Absent")).contains(&"no-tpm"));
    assert!(with(json!([])).contains(&"no-tpm"));
    assert!(!with(json!(null)).contains(&"no-tpm"), "not said is not absent");
    let ill =
        json!([{"InterfaceType": "TPM2_0", "Status": {"State": "Enabled", "Health": "Critical"}}]);
    assert!(with(ill).contains(&"tpm-health"));
}

#[test]
fn firmware_of_an_unknown_maker_may_have_a_fault_and_the_mended_may_not() {
    let with = |version: &str| {
        let host = sound().with("/redfish/v1/Systems/1", |system| {
            system["TrustedModules"][0]["FirmwareVersion"] = json!(version);
            system["TrustedModules"][0]["FirmwareVersion2"] = json!("64.11776");
        });
        codes(&host.assess(Profile::Linux)).contains(&"tpm-firmware-advisory-possible")
    };
    assert!(with("15.21"));
    assert!(!with("15.23"));
    assert!(!with("what?"));
}

#[test]
fn the_three_facts_of_secure_boot_are_kept_apart() {
    let with = |enable: Value, current: Value, mode: Value| {
        let host = sound().with("/redfish/v1/Systems/1/SecureBoot", |secure_boot| {
            secure_boot["SecureBootEnable"] = enable;
            secure_boot["SecureBootCurrentBoot"] = current;
            secure_boot["SecureBootMode"] = mode;
        });
        let mut codes = codes(&host.assess(Profile::Linux));
        codes.retain(|code| !code.contains("keys"));
        codes
    };
    let (on, off) = (json!("Enabled"), json!("Disabled"));
    let user = json!("UserMode");
    assert_eq!(with(json!(true), on.clone(), user.clone()), Vec::<&str>::new());
    assert_eq!(with(json!(true), on.clone(), json!("DeployedMode")), Vec::<&str>::new());
    assert_eq!(with(json!(true), off.clone(), user.clone()), ["secure-boot-pending"]);
    assert_eq!(with(json!(false), on.clone(), user.clone()), ["secure-boot-off"]);
    assert_eq!(with(json!(false), off.clone(), user.clone()), ["secure-boot-off"]);
    assert_eq!(with(json!(true), on.clone(), json!("SetupMode")), ["setup-mode"]);
    assert_eq!(with(json!(true), on.clone(), json!("AuditMode")), ["audit-mode"]);
    assert_eq!(with(json!(true), on, json!("NewMode")), ["secure-boot-unknown"]);
    assert_eq!(with(json!(true), json!(null), user.clone()), ["secure-boot-unknown"]);
    assert_eq!(with(json!("yes"), json!(true), user), ["secure-boot-unknown"], "of wrong types");
}

#[test]
fn settings_that_wait_and_jobs_that_do_not_end_are_told() {
    let pending =
        sound().with_settings("/redfish/v1/Systems/1/Bios/Settings", &[("TPM", "Disabled")]);
    let found = pending.assess(Profile::Linux);
    assert_eq!(codes(&found), ["settings-pending"]);
    assert_eq!(found.plan.waits_for.len(), 1);
    let same = sound().with_settings("/redfish/v1/Systems/1/Bios/Settings", &[("TPM", "Enabled")]);
    assert!(!codes(&same.assess(Profile::Linux)).contains(&"settings-pending"));

    let with_job = |state: &str, message: &str, kind: &str| {
        let job = json!({"Id": "J1", "JobState": state, "MessageId": message, "JobType": kind});
        let host = sound()
            .with("/redfish/v1", |root| root["JobService"] = json!({"@odata.id": "/js"}))
            .with("/js", |body| *body = json!({"Jobs": {"@odata.id": "/js/jobs"}}))
            .with("/js/jobs", |body| *body = json!({"Members": [{"@odata.id": "/js/jobs/J1"}]}))
            .with("/js/jobs/J1", |body| *body = job);
        let mut codes = codes(&host.assess(Profile::Linux));
        codes.retain(|code| code.contains("job"));
        codes
    };
    assert_eq!(with_job("Scheduled", "JCP001", "BIOSConfiguration"), ["settings-job-pending"]);
    assert_eq!(with_job("Scheduled", "PR30", "BIOSConfiguration"), ["settings-job-stuck"]);
    assert_eq!(with_job("Completed", "PR19", "BIOSConfiguration"), Vec::<&str>::new());
    assert_eq!(with_job("Running", "RED001", "FirmwareUpdate"), Vec::<&str>::new());
}

#[test]
fn a_clear_that_waits_is_told_and_its_absence_is_not() {
    let with = |name: &str, value: &str| {
        let host = sound().with_settings("/redfish/v1/Systems/1/Bios/Settings", &[(name, value)]);
        codes(&host.assess(Profile::Linux)).contains(&"tpm-clear-pending")
    };
    assert!(with("Tpm2Operation", "Clear"));
    assert!(with("PendingOperation_0069", "TPM Clear"));
    assert!(with("Tpm2Hierarchy", "Clear"));
    assert!(!with("Tpm2Operation", "NoAction"));
    assert!(!with("ScreenMode", "Clear"));
}

#[test]
fn a_bmc_that_locks_nearly_everything_is_told_from_one_that_locks_some() {
    let with = |n_locked: usize| {
        let names: Vec<_> = (0..40).map(|n| format!("S{n}")).collect();
        let settings: Vec<(&str, &str, &[&str])> =
            names.iter().map(|name| (name.as_str(), "Enabled", ON_OFF)).collect();
        let host = Host::made(&settings, json!([])).with(
            "/redfish/v1/Registries/BiosAttributeRegistry",
            |registry| {
                for n in 0..n_locked {
                    registry["RegistryEntries"]["Attributes"][n]["ReadOnly"] = json!(true);
                }
            },
        );
        codes(&host.assess(Profile::Linux)).contains(&"settings-locked")
    };
    assert!(with(30));
    assert!(!with(20));
}

#[test]
fn a_system_that_was_installed_for_uefi_needs_no_reinstall() {
    let legacy = Host::made(&[("BootMode", "LegacyBios", &["Uefi", "LegacyBios"])], json!([]));
    let by = |installed| {
        let goal = Goal { profile: Profile::Linux, installed };
        let found = assess(&legacy.system(), goal, TODAY);
        found.findings.iter().find(|f| f.code.as_str() == "legacy-boot").unwrap().by
    };
    assert_eq!(by(Installed::Unknown), By::Reinstall);
    assert_eq!(by(Installed::ForUefi), By::Plan);
}

#[test]
fn each_row_has_its_name_its_cause_and_its_next_step() {
    for (n, entry) in CODES.iter().enumerate() {
        let is_kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(entry.name.chars().all(is_kebab), "{}", entry.name);
        assert!(CODES[..n].iter().all(|other| other.name != entry.name), "{}", entry.name);
        assert!(!entry.title.ends_with('.') && entry.cause.ends_with(['.', '`']), "{}", entry.name);
        assert!(entry.next_step.ends_with('.'), "{}", entry.name);
    }
}

#[test]
fn a_tpm_is_found_among_trusted_components_and_other_parts_are_none() {
    let with = |name: &str, kind: &str| {
        sound()
            .with("/redfish/v1/Systems/1", |system| {
                system.as_object_mut().unwrap().remove("TrustedModules");
                system["Links"] = json!({"Chassis": [{"@odata.id": "/c"}]});
            })
            .with("/c", |body| *body = json!({"TrustedComponents": {"@odata.id": "/c/t"}}))
            .with("/c/t", |body| *body = json!({"Members": [{"@odata.id": "/c/t/1"}]}))
            .with("/c/t/1", |body| {
                *body = json!({"Id": name, "Name": kind, "FirmwareVersion": "7.2.2.0",
                    "Status": {"State": "Enabled"}});
            })
            .assess(Profile::Linux)
    };
    assert_eq!(with("TPM", "TPM 2.0 module").outcome, Outcome::Ready);
    assert!(codes(&with("TPM", "module")).contains(&"tpm-kind-unknown"));
    assert!(codes(&with("HGX_ERoT", "root of trust")).contains(&"tpm-not-listed"));
}

#[test]
fn values_of_a_bank_that_are_shown_say_that_it_is_on() {
    let with = |algorithm: &str, profile| {
        let host = Host::made(&[], json!([]))
            .with("/redfish/v1", |root| root["ComponentIntegrity"] = json!({"@odata.id": "/i"}))
            .with("/i", |body| *body = json!({"Members": [{"@odata.id": "/i/TPM-0"}]}))
            .with("/i/TPM-0", |body| {
                *body = json!({"ComponentIntegrityType": "TPM", "TPM": {"MeasurementSet":
                    {"Measurements": [{"PCR": 0, "MeasurementHashAlgorithm": algorithm}]}}});
            });
        codes(&host.assess(profile)).contains(&"sha256-bank-unknown")
    };
    assert!(!with("TPM_ALG_SHA256", Profile::Esxi8));
    assert!(with("TPM_ALG_SHA1", Profile::Linux));
    assert!(with("TPM_ALG_SHA384", Profile::Esxi8));
    assert!(!with("TPM_ALG_SHA384", Profile::Linux));
}

/// The names of other makers' settings, each with what is wrong with it.
#[test]
fn makers_that_were_not_recorded_are_known_by_their_names() {
    type Settings<'s> = &'s [(&'s str, &'s str, &'s [&'s str])];
    let enable: &[&str] = &["Disable", "Enable"];
    let lenovo: Settings = &[
        ("TrustedComputingGroup_DeviceStatus", "TPM2.0 Device present.", &[]),
        ("TrustedComputingGroup_SHA_1PCRBank", "Disabled", ON_OFF),
        ("BootModes_SystemBootMode", "LegacyMode", &["UEFIMode", "LegacyMode"]),
        ("Processors_TrustedExecutionTechnology", "Enabled", ON_OFF),
    ];
    let dgx: Settings = &[
        ("TpmSupport", "Disable", enable),
        ("Sha256", "Disabled", ON_OFF),
        ("ProcessorSmxEnable", "Enable", enable),
        ("SecureBootSupport", "Disabled", ON_OFF),
    ];
    let cisco: Settings = &[
        ("TPMControl", "Disabled", ON_OFF),
        ("SHA256PCRBank", "Disabled", ON_OFF),
        ("TXTSupport", "Enabled", ON_OFF),
    ];
    let gen11: Settings = &[
        ("TpmState", "PresentDisabled", &[]),
        ("TpmVisibility", "Visible", &["Hidden", "Visible"]),
        ("TpmActivePcrs", "Sha1", &["Sha1", "Sha256", "Sha384", "Sha256Sha384", "Sha1Sha256"]),
        ("TPM2EndorsementDisable", "Disabled", ON_OFF),
        ("Tpm20SoftwareInterfaceStatus", "Crb", &["NoAction", "Fifo", "Crb"]),
    ];
    for (name, settings, expected) in [
        ("lenovo", lenovo, &["legacy-boot", "txt-enabled"][..]),
        ("dgx", dgx, &["tpm-hidden", "sha256-bank-inactive", "txt-enabled"]),
        ("cisco", cisco, &["tpm-hidden", "sha256-bank-inactive", "txt-enabled"]),
        (
            "gen11",
            gen11,
            &[
                "tpm-disabled",
                "sha256-bank-inactive",
                "tpm-hierarchy-disabled",
                "interface-not-fifo",
            ],
        ),
    ] {
        let found = Host::made(settings, json!([])).assess(Profile::Esxi67);
        let mut all = codes(&found);
        all.retain(|code| !code.starts_with("secure-boot"));
        let fails: Vec<_> =
            all.iter().filter(|code| **code != "interface-unknown").copied().collect();
        assert_eq!(fails, expected, "{name}");
    }
    // Lenovo has SHA-256 on always: it has a switch for SHA-1 only.
    let found = Host::made(lenovo, json!([])).assess(Profile::Linux);
    assert!(!codes(&found).contains(&"sha256-bank-unknown"));
}
