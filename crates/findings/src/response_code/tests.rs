use super::*;

fn shown(code: u32) -> (String, String) {
    let explanation = explain(ResponseCode(code));
    (explanation.to_string(), explanation.origin.to_string())
}

#[test]
fn codes_of_every_layer_have_a_name_and_an_origin() {
    for (code, name, origin) in [
        (0x18b, "0x18b TPM_RC_HANDLE (handle 1): ", "TPM 2.0"),
        (0x98e, "0x98e TPM_RC_AUTH_FAIL (session 1): ", "TPM 2.0"),
        (0x1d5, "0x1d5 TPM_RC_SIZE (parameter 1): ", "TPM 2.0"),
        (0x921, "0x921 TPM_RC_LOCKOUT: ", "TPM 2.0"),
        (0x01e, "0x1e TPM_RC_BAD_TAG: ", "TPM 2.0"),
        (0x001, "0x1 TPM_AUTHFAIL: ", "TPM 1.2"),
        (0x803, "0x803 TPM_DEFEND_LOCK_RUNNING: ", "TPM 1.2"),
        (0x500, "0x500: the TPM's maker", "the TPM's vendor"),
        (0xb0922, "0xb0922 TPM_RC_RETRY: ", "TPM 2.0, through the resource manager"),
        (0x70001, "0x70001 TSS2_BASE_RC_GENERAL_FAILURE: ", "TPM software stack: ESAPI"),
        (0x80010, "0x80010 TSS2_BASE_RC_BAD_SIZE: ", "TPM software stack: SYS"),
        (0xa000a, "0xa000a TSS2_BASE_RC_IO_ERROR: ", "TPM software stack: TCTI"),
        (0x8028_018b, "0x8028018b TPM_RC_HANDLE (handle 1): ", "the TPM, through Windows"),
        (0x8028_0006, "0x80280006 TPM_DEACTIVATED: ", "the TPM, through Windows"),
        (0x8028_400f, "0x8028400f TBS_E_TPM_NOT_FOUND: ", "Windows' TPM services"),
        (0xdead_beef, "0xdeadbeef: no specification", "unknown"),
    ] {
        let (text, made_by) = shown(code);
        assert!(text.starts_with(name), "{text}");
        assert_eq!(made_by, origin, "{code:#x}");
    }
}

#[test]
fn an_absent_nv_index_is_harmless_and_points_to_the_certificate() {
    let absent = explain(ResponseCode(0x18b));
    assert_eq!(absent.weight, Weight::Harmless);
    assert_eq!(absent.finding, Some(Code::EkCertAbsent));
    assert!(absent.cause.contains("NV index is not defined"));
    // The same error of a parameter or a session is a fault.
    for code in [0x1cb, 0x98b, 0x8b] {
        assert_eq!(explain(ResponseCode(code)).weight, Weight::Fault, "{code:#x}");
    }
}

#[test]
fn every_16_bit_code_and_every_layer_is_explained() {
    for code in (0..0x1_0000).chain((0..0x100).flat_map(|layer| [layer << 16, (layer << 16) | 1])) {
        let explanation = explain(ResponseCode(code));
        assert!(!explanation.meaning.is_empty(), "{code:#x}");
        let is_known = !matches!(explanation.origin, Origin::Vendor | Origin::Unknown);
        assert!(is_known || explanation.name.is_none(), "{code:#x}");
    }
    for advice in Advice::ALL {
        let row = advice.row();
        for text in [row.cause, row.next_step] {
            assert!(text.len() > 10 && text.ends_with('.'), "{advice:?}: {text}");
        }
    }
}

#[test]
fn codes_that_say_wait_are_those_that_ask_for_the_command_again() {
    for code in (0..0x1000).map(ResponseCode).filter(|code| code.is_retry()) {
        assert_eq!(explain(code).weight, Weight::Passing, "{code}");
    }
}

#[test]
fn names_lead_to_numbers() {
    for (name, code) in [
        ("TPM_RC_HANDLE", 0x8b),
        ("handle", 0x8b),
        ("TPM2_RC_LOCKOUT", 0x921),
        ("TPM_E_DEACTIVATED", 6),
        ("TPM_NOSRK", 0x12),
    ] {
        assert_eq!(by_name(name), Some(ResponseCode(code)), "{name}");
    }
    assert_eq!(by_name("TPM_RC_NONSENSE"), None);
    assert_eq!(by_name(""), None);
}

#[test]
fn the_tables_ascend() {
    for table in [tpm12::TPM_1_2, tss::TSS] {
        assert!(table.is_sorted_by(|a, b| a.0 < b.0));
    }
}

#[test]
fn codes_that_people_meet_have_a_name_a_cause_and_a_next_step() {
    for code in OFTEN_MET {
        let explanation = explain(*code);
        assert!(explanation.name.is_some(), "{:#x}", code.0);
        for text in [explanation.cause, explanation.next_step] {
            assert!(text.len() > 12 && text.ends_with('.'), "{:#x}: {text}", code.0);
        }
        assert!(!explanation.cause.contains("no response code"), "{:#x}", code.0);
        assert_eq!(OFTEN_MET.iter().filter(|other| *other == code).count(), 1, "{:#x}", code.0);
    }
}
