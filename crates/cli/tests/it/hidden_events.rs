//! Boots that are refused, and logs that hide why: an event renamed and told with another text, or one
//! that was never measured in front of it. All of them replay; none may be accepted.

use std::sync::Arc;

use appraise::Policy;
use cli::evidence_dir::EvidenceFolder;
use efi::{CertType, Guid};
use event_log::EventType;
use secure_boot_facts::Revocations;
use testkit::log::{
    BootLog, Entry, certificates, revoking, signature_data, signature_list, variable,
};

use crate::finding_cases::{Bench, boot_pcrs};
use crate::recorded::NOW;

const OWNER: Guid = Guid::new(1, 2, 3, 4, 5);

const GLOBAL: Guid = Guid::GLOBAL_VARIABLE;

fn config(guid: Guid, name: &str, value: &[u8]) -> Entry {
    Entry::of_data(7, EventType::EFI_VARIABLE_DRIVER_CONFIG, &variable(guid, name, value))
}

fn authority(guid: Guid, name: &str, value: &[u8]) -> Entry {
    Entry::of_data(7, EventType::EFI_VARIABLE_AUTHORITY, &variable(guid, name, value))
}

/// What a boot that fails has more than a sound one: before the separator, or at the end.
fn failing() -> Vec<(&'static str, Entry)> {
    let c = certificates();
    let test_pk = signature_list(CertType::X509, OWNER, std::slice::from_ref(&c.test_pk));
    let foreign = signature_data(OWNER, &c.mok);
    vec![
        ("setup-mode", config(GLOBAL, "SetupMode", &[1])),
        ("audit-mode", config(GLOBAL, "AuditMode", &[1])),
        ("debug-mode", Entry::of_data(7, EventType::EFI_ACTION, b"UEFI Debug Mode")),
        ("test-platform-key", config(GLOBAL, "PK", &test_pk)),
        ("authority-unknown", authority(Guid::IMAGE_SECURITY_DATABASE, "db", &foreign)),
        ("mok-insecure", authority(Guid::SHIM_LOCK, "MokSBState", &[1])),
        ("authority-not-allowed", authority(Guid::SHIM_LOCK, "MokList", &foreign)),
        ("image-revoked", Entry::of(4, EventType::EFI_BOOT_SERVICES_APPLICATION, b"implant", b"")),
    ]
}

/// Texts that an event with this content may be told with.
fn texts(entry: &Entry) -> Vec<Vec<u8>> {
    let measured = &entry.measured;
    let len = u32::try_from(measured.len()).unwrap().to_le_bytes();
    vec![
        entry.data.clone(),
        b"harmless".to_vec(),
        Vec::new(),
        measured.clone(),
        [&entry.data[..], &[0]].concat(),
        [&[7, 0, 0, 0], &len[..], measured].concat(),
        variable(GLOBAL, "Boot0000", measured),
        variable(GLOBAL, "BootOrder", measured),
        variable(Guid::IMAGE_SECURITY_DATABASE, "db", &[]),
    ]
}

fn unmeasured(entry: &Entry, data: &[u8]) -> Vec<u8> {
    let len = u32::try_from(data.len()).unwrap();
    let head = [entry.pcr_index, entry.event_type.0, 0, len].map(u32::to_le_bytes);
    [head.as_flattened(), data].concat()
}

#[test]
#[expect(clippy::print_stderr, reason = "the number of judgements is part of the result")]
fn no_renamed_and_no_invented_event_hides_why_a_boot_is_refused() {
    let mut bench = Bench::new("sha256");
    let roots = bench.roots();
    let c = certificates();
    let print = |der: &[u8]| event_log::sha256(&[der]);
    let mut policy = Policy::default();
    policy.secure_boot.allowed_authorities = Some(vec![
        print(&c.db_third_party),
        print(&c.distribution),
        // Judged by the other rule.
        print(&c.mok),
    ]);
    let revocations = Revocations::with_update(&revoking(&["implant"])).unwrap();
    policy.secure_boot.revocations = Arc::new(revocations);
    let mut strict = policy.clone();
    strict.secure_boot.allowed_authorities.as_mut().unwrap().pop();

    let types = [
        EventType::UNUSED,
        EventType::ACTION,
        EventType::EVENT_TAG,
        EventType::S_CRTM_VERSION,
        EventType::COMPACT_HASH,
        EventType::IPL,
        EventType::EFI_VARIABLE_DRIVER_CONFIG,
        EventType::EFI_VARIABLE_BOOT,
        EventType::EFI_VARIABLE_BOOT2,
        EventType::EFI_BOOT_SERVICES_APPLICATION,
        EventType::EFI_ACTION,
        EventType::EFI_PLATFORM_FIRMWARE_BLOB2,
        EventType::EFI_VARIABLE_AUTHORITY,
        EventType::EFI_SPDM_DEVICE_POLICY,
        EventType(0x40e),
    ];
    let mut n = 0;
    for (code, entry) in failing() {
        let log = BootLog::sound().dbx_hashes(1);
        let mut entries = log.entries();
        let is_early = matches!(code, "setup-mode" | "audit-mode" | "debug-mode");
        let at = match code {
            "test-platform-key" => entries
                .iter()
                .position(|e| e.event_type == EventType::EFI_VARIABLE_DRIVER_CONFIG)
                .map(|at| at + 1)
                .unwrap(),
            _ if is_early => 0,
            _ => entries.len(),
        };
        match code {
            "test-platform-key" => entries[at] = entry,
            _ => entries.insert(at, entry),
        }
        let policy = if code == "authority-not-allowed" { &strict } else { &policy };
        let built = log.build_from(&entries);
        let folder = bench.evidence(&built, boot_pcrs());
        let mut judge = |bytes: Vec<u8>| {
            n += 1;
            let folder = EvidenceFolder { event_log: Some(bytes), ..folder.clone() };
            cli::judge_under(policy, &folder, &roots, NOW)
        };
        let judged = judge(built.bytes.clone());
        let found: Vec<_> = judged.findings.iter().map(|finding| finding.code.as_str()).collect();
        assert!(judged.verdict == "not accepted" && found.contains(&code), "{code}: {found:?}");
        let entry = &entries[at];
        for event_type in types.into_iter().chain([entry.event_type]) {
            for data in texts(entry) {
                let mut renamed = entries.clone();
                (renamed[at].event_type, renamed[at].data) = (event_type, data.clone());
                let judged = judge(log.build_from(&renamed).bytes);
                assert_eq!(judged.verdict, "not accepted", "{code} as {event_type}: {data:02x?}");
            }
        }
        let first = event_log::parse(&built.bytes).log.events()[1].offset;
        let (head, events) = built.bytes.split_at(first);
        for data in texts(entry) {
            let invented = unmeasured(entry, &data);
            let judged = judge([head, &invented, events].concat());
            assert_eq!(judged.verdict, "not accepted", "{code} behind {data:02x?}");
        }
    }
    eprintln!("{n} logs judged");
}
