use serde_json::{Value, json};

use super::*;
use crate::registry::Registry;
use crate::{ResourcePath, Scalar};

fn bios(values: Value, attributes: Option<Value>) -> Bios {
    let path = ResourcePath::parse("/redfish/v1/Systems/1/Bios").unwrap();
    let values = values.as_object().unwrap().iter();
    Bios {
        values: values.map(|(name, value)| (name.clone(), Scalar::of(value).unwrap())).collect(),
        n_left_out: 0,
        settings: None,
        registry_name: None,
        registry: attributes.map(|attributes| {
            let body = json!({"RegistryEntries": {"Attributes": attributes}});
            (path.clone(), Registry::read(&body))
        }),
        refused: Vec::new(),
        path,
    }
}

fn one(bios: &Bios) -> Setting {
    let mut all = settings(bios);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[test]
fn suffixes_that_change_with_each_release_do_not_count_and_others_do() {
    let found = |name: &str| {
        settings(&bios(json!({name: "Enabled"}), None)).first().map(|setting| setting.intent)
    };
    assert_eq!(found("SHA256PCRBank_0065"), Some(Intent::Sha256Bank));
    assert_eq!(found("SHA256PCRBank"), Some(Intent::Sha256Bank));
    assert_eq!(found("SHA256PCRBank_Policy"), None);
    assert_eq!(found("TPM"), Some(Intent::TpmVisible));
    assert_eq!(found("TPMSecurityPolicy_0108"), None, "a policy of disks' passwords");
    assert_eq!(found("TPMX"), None);
}

#[test]
fn a_value_goes_back_in_the_words_that_the_host_uses() {
    let values = json!([{"ValueName": "0", "ValueDisplayName": "Disabled"},
        {"ValueName": "2", "ValueDisplayName": "Enabled"}]);
    let entry = json!([{"AttributeName": "SHA256PCRBank_0065", "Value": values}]);
    let by_display = one(&bios(json!({"SHA256PCRBank_0065": "Disabled"}), Some(entry.clone())));
    assert_eq!(by_display.reading, Reading::Off);
    assert_eq!(by_display.value_for(Reading::On), Some(&Scalar::from("Enabled")));
    let by_name = one(&bios(json!({"SHA256PCRBank_0065": "0"}), Some(entry)));
    assert_eq!(by_name.reading, Reading::Off);
    assert_eq!(by_name.value_for(Reading::On), Some(&Scalar::from("2")));
    let truth = one(&bios(json!({"SHA256PCRBank": false}), None));
    assert_eq!(truth.reading, Reading::Off);
    assert_eq!(truth.value_for(Reading::On), Some(&Scalar::Bool(true)));
    let odd = one(&bios(json!({"SHA256PCRBank": "Auto"}), None));
    assert_eq!(odd.reading, Reading::Unknown);
}

#[test]
fn only_values_that_the_registry_lists_are_ever_sent() {
    let values = json!([{"ValueName": "Sha1"}, {"ValueName": "Sha256"}]);
    let entry = json!([{"AttributeName": "TpmActivePcrs", "Value": values}]);
    let setting = one(&bios(json!({"TpmActivePcrs": "Sha1"}), Some(entry)));
    assert_eq!(setting.value_for(Reading::On), Some(&Scalar::from("Sha256")));
    let none = json!([{"AttributeName": "TpmActivePcrs", "Value": [{"ValueName": "Sha1"}]}]);
    let setting = one(&bios(json!({"TpmActivePcrs": "Sha1"}), Some(none)));
    assert_eq!(setting.value_for(Reading::On), None);
}

#[test]
fn an_unknown_vendor_is_read_by_what_people_read() {
    let on_off = json!([{"ValueName": "x0", "ValueDisplayName": "Disabled"},
        {"ValueName": "x1", "ValueDisplayName": "Enabled"}]);
    let entry = |display: &str, help: &str| {
        Some(json!([{"AttributeName": "Q1", "Type": "Enumeration", "DisplayName": display,
            "HelpText": help, "Value": on_off}]))
    };
    for (display, intent) in [
        ("  Intel(R) TXT", Intent::Txt),
        ("Security Device Support", Intent::TpmVisible),
        ("SHA256 PCR Bank", Intent::Sha256Bank),
        ("Secure Boot", Intent::SecureBoot),
    ] {
        let setting = one(&bios(json!({"Q1": "x0"}), entry(display, "")));
        assert_eq!((setting.intent, setting.basis), (intent, Basis::DisplayName), "{display}");
        assert_eq!(setting.reading, Reading::Off);
        assert_eq!(setting.value_for(Reading::On), Some(&Scalar::from("x1")));
    }
    // A module for old systems is the other way round.
    let csm = one(&bios(json!({"Q1": "x0"}), entry("CSM Support", "")));
    assert_eq!((csm.intent, csm.reading), (Intent::UefiBoot, Reading::On));
    for display in ["TPM Firmware", "Clear TPM", "TPM Operation", "Secure Boot Mode", "SHA384"] {
        assert!(settings(&bios(json!({"Q1": "x0"}), entry(display, ""))).is_empty(), "{display}");
    }
    let help = "Storage devices will be installed with password";
    assert!(settings(&bios(json!({"Q1": "x0"}), entry("TPM Security", help))).is_empty());
}

#[test]
fn banks_are_read_out_of_each_makers_word() {
    let banks = |text| Banks::of(text).map(|b| (b.sha1, b.sha256, b.sha384));
    assert_eq!(banks("SHA1"), Some((true, false, false)));
    assert_eq!(banks("Sha1Sha256"), Some((true, true, false)));
    assert_eq!(banks("Sha256Sha384"), Some((false, true, true)));
    assert_eq!(banks("SHA-1 and SHA-256"), Some((true, true, false)));
    assert_eq!(banks("NotSpecified"), None);
    assert_eq!(banks(""), None);
}

#[test]
fn rows_say_different_things_by_different_words_and_none_is_left_alone_too() {
    for (n, row) in ROWS.iter().enumerate() {
        assert!(row.on.iter().all(|word| !row.off.contains(word)), "row {n}");
        assert!(!row.on.is_empty() && !row.off.is_empty() && !row.seen_in.is_empty(), "row {n}");
    }
    for name in ["Tpm2Operation", "PendingOperation_0069", "SecureBootMode", "PlatformCertificate"]
    {
        assert!(LEFT_ALONE.iter().any(|left| left.is_of(name)), "{name}");
        assert!(ROWS.iter().all(|row| !row.is_of(name)), "{name}");
    }
}
