//! Events that hide others: renamed with another text, or never measured and put in front.

use crate::common::{claims_of, claims_with};
use boot_claims::{Belief, BootClaims, DatabaseName, LookAlikeKind, State};
use efi::{CertType, Guid, VariableData};
use event_log::{EventType, Rules, parse};
use testkit::log::{
    BootLog, BuiltLog, Entry, certificates, signature_data, signature_list, variable,
};
use tpm_wire::TpmAlgId;

const MOK_STATE: &[u8] = &[1];

/// A boot in which shim verifies nothing, and firmware may be debugged.
fn insecure() -> (BootLog, Vec<Entry>) {
    let log = BootLog::sound().dbx_hashes(1);
    let mut entries = log.entries();
    let debug = Entry::of_data(7, EventType::EFI_ACTION, b"UEFI Debug Mode");
    entries.insert(0, debug);
    let state = variable(Guid::SHIM_LOCK, "MokSBState", MOK_STATE);
    entries.push(Entry::of_data(7, EventType::EFI_VARIABLE_AUTHORITY, &state));
    (log, entries)
}

fn kinds(claims: &BootClaims<'_>) -> Vec<LookAlikeKind> {
    claims.lookalikes.iter().map(|lookalike| lookalike.kind).collect()
}

/// The record of an event that has no digest.
fn unmeasured(pcr_index: u32, event_type: EventType, data: &[u8]) -> Vec<u8> {
    let len = u32::try_from(data.len()).unwrap();
    let head = [pcr_index, event_type.0, 0, len].map(u32::to_le_bytes);
    [head.as_flattened(), data].concat()
}

/// The log with `records` right behind its Spec ID event: no digest says that this is not so.
fn with_records(built: &BuiltLog, records: &[Vec<u8>]) -> Vec<u8> {
    let first = parse(&built.bytes).log.events()[1].offset;
    let (head, events) = built.bytes.split_at(first);
    [head, &records.concat(), events].concat()
}

#[test]
fn what_pcr_7_does_not_show_is_told() {
    let (log, entries) = insecure();
    claims_of(&log.build_from(&entries), |claims| {
        assert_eq!((claims.warnings.len(), claims.shim.validation_off.is_some()), (1, true));
        assert_eq!(kinds(claims), []);
    });
    // Under a type whose data need not be measured, with another text, nothing is left of them.
    for at in [0, entries.len() - 1] {
        for (event_type, data) in [
            (EventType(0x40e), b"harmless".to_vec()),
            (EventType::EFI_PLATFORM_FIRMWARE_BLOB, vec![0; 16]),
            (EventType::EFI_BOOT_SERVICES_APPLICATION, Vec::new()),
            // A tag, or a name, that nothing vouches for, before what was measured.
            (EventType::EVENT_TAG, tagged(&entries[at].measured)),
            (EventType::EFI_VARIABLE_BOOT, boot_variable(&entries[at].measured)),
        ] {
            let mut renamed = entries.clone();
            (renamed[at].event_type, renamed[at].data) = (event_type, data);
            claims_of(&log.build_from(&renamed), |claims| {
                assert_eq!(kinds(claims), [LookAlikeKind::Hidden], "{at} {event_type}");
            });
        }
    }
    // What the standard has in PCR 7 beyond variables is shown, and no variable.
    let mut shown = log.entries();
    shown.push(Entry::of_data(7, EventType::EFI_ACTION, b"a text of the maker"));
    shown.push(Entry::of(7, EventType::EFI_ACTION, b"a text with NUL", b"a text with NUL\0"));
    shown.push(Entry::of_data(7, EventType(0x40e), b"an event of the maker"));
    claims_of(&log.build_from(&shown), |claims| assert_eq!(kinds(claims), []));
}

fn tagged(data: &[u8]) -> Vec<u8> {
    let len = u32::try_from(data.len()).unwrap().to_le_bytes();
    [&7u32.to_le_bytes()[..], &len, data].concat()
}

fn boot_variable(value: &[u8]) -> Vec<u8> {
    variable(Guid::GLOBAL_VARIABLE, "Boot0000", value)
}

#[test]
fn a_database_is_no_authority_and_an_authority_no_database() {
    let log = BootLog::sound().dbx_hashes(1).option_rom();
    let entries = log.entries();
    let n_told = |entries: &[Entry]| claims_of(&log.build_from(entries), kinds);
    assert_eq!(n_told(&entries), []);
    for (at, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.pcr_index == 7) {
        let mut renamed = entries.clone();
        let authority = EventType::EFI_VARIABLE_AUTHORITY;
        let expected = if entry.event_type == EventType::EFI_VARIABLE_DRIVER_CONFIG {
            renamed[at].event_type = authority;
            LookAlikeKind::ConfigAsAuthority
        } else if entry.event_type == authority {
            renamed[at].event_type = EventType::EFI_VARIABLE_DRIVER_CONFIG;
            match VariableData::parse(&entry.data).unwrap().name.to_string().as_str() {
                "db" => LookAlikeKind::AuthorityAsConfig,
                _ => LookAlikeKind::ConfigAfterSeparator,
            }
        } else {
            continue;
        };
        assert_eq!(n_told(&renamed), [expected], "{entry:?}");
    }
}

/// [PFP-1.06 §3.3.4.8] Firmware that asks devices who they are measures whom it trusts for that.
#[test]
fn keys_of_devices_are_no_keys_of_secure_boot() {
    const DEVICES: Guid = Guid::new(0xb9c2_b4f4, 0xbf5f, 0x462d, 0x8adf, 0xc5c7_0ac3_5dad);
    let log = BootLog::sound().dbx_hashes(1);
    let root = &certificates().kek;
    let list = signature_list(CertType::X509, Guid::MICROSOFT, std::slice::from_ref(root));
    let with = |guid, name: &str| {
        let mut entries = log.entries();
        let policy = variable(guid, name, &list);
        entries.insert(6, Entry::of_data(7, EventType::EFI_SPDM_DEVICE_POLICY, &policy));
        let used = variable(guid, name, &signature_data(Guid::MICROSOFT, root));
        entries.insert(7, Entry::of_data(7, EventType::EFI_SPDM_DEVICE_AUTHORITY, &used));
        claims_of(&log.build_from(&entries), |claims| {
            assert_eq!(claims.secure_boot.state, State::On);
            kinds(claims)
        })
    };
    assert_eq!(with(DEVICES, "devdb"), []);
    let told = with(Guid::IMAGE_SECURITY_DATABASE, "db");
    assert_eq!(told, [LookAlikeKind::Variable; 2]);
}

#[test]
fn what_was_never_measured_stands_in_front_of_nothing() {
    let (log, entries) = insecure();
    let built = log.build_from(&entries);
    let config = EventType::EFI_VARIABLE_DRIVER_CONFIG;
    let [global, database] = [Guid::GLOBAL_VARIABLE, Guid::IMAGE_SECURITY_DATABASE];
    let state = variable(Guid::SHIM_LOCK, "MokSBState", MOK_STATE);
    let mut records = vec![
        unmeasured(7, config, &variable(global, "SecureBoot", &[0])),
        unmeasured(7, EventType::EFI_VARIABLE_AUTHORITY, &state),
        unmeasured(14, EventType::IPL, b"MokListX\0"),
    ];
    for name in ["PK", "KEK"] {
        records.push(unmeasured(7, config, &variable(global, name, &[])));
    }
    for name in ["db", "dbx"] {
        records.push(unmeasured(7, config, &variable(database, name, &[])));
    }
    let bytes = with_records(&built, &records);
    claims_with(&bytes, &built.pcrs, Rules::default(), |claims| {
        assert_eq!(claims.secure_boot.state, State::On);
        for name in [DatabaseName::Pk, DatabaseName::Kek, DatabaseName::Db, DatabaseName::Dbx] {
            let database = claims.database(name).unwrap();
            assert_eq!((database.belief, database.is_empty()), (Belief::Verified, false), "{name}");
            assert!(database.repeated.is_empty(), "{name}");
        }
        assert_eq!(claims.shim.validation_off.unwrap().belief, Belief::Verified);
        assert_eq!(claims.shim.mok_list_x, None);
    });
    // Of a PCR that does not replay nothing is known, and all of it is shown.
    let others = BootLog::sound().secure_boot_off().build().pcrs;
    claims_with(&bytes, &others, Rules::default(), |claims| {
        let database = claims.database(DatabaseName::Pk).unwrap();
        assert!(matches!(database.belief, Belief::Unverifiable(_)) && database.is_empty());
    });
}

/// An event that one of two banks has was measured there.
#[test]
fn what_one_of_two_banks_has_stands_where_it_stands() {
    let log = BootLog::sound().banks(&[TpmAlgId::SHA256, TpmAlgId::SHA384]);
    let built = log.build();
    let bytes = with_records(&built, &[unmeasured(7, EventType::EFI_ACTION, b"UEFI Debug Mode")]);
    claims_with(&bytes, &built.pcrs, Rules::default(), |claims| {
        assert_eq!((claims.secure_boot.state, claims.warnings.len()), (State::On, 0));
        assert_eq!(kinds(claims), []);
    });
}

/// Each list that shim names may be hashed for each MokList: a log of somebody has thousands of both.
#[test]
fn lists_of_shim_are_looked_at_a_few_times() {
    let log = BootLog::sound().dbx_hashes(1);
    let certificate = [&[0x30, 0x82][..], &[7; 4096]].concat();
    let named =
        variable(Guid::SHIM_LOCK, "MokListRT", &signature_data(Guid::SHIM_LOCK, &certificate));
    let mut entries = log.entries();
    for _ in 0..400 {
        entries.push(Entry::of_data(7, EventType::EFI_VARIABLE_AUTHORITY, &named));
        entries.push(Entry::of(14, EventType::IPL, b"another list", b"MokList\0"));
    }
    claims_of(&log.build_from(&entries), |claims| {
        let own = claims.authorities.iter().find(|authority| authority.owner.is_some()).unwrap();
        assert_eq!(own.belief, Belief::Verified);
        // The first is shim's own certificate alone, the next says something else.
        assert_eq!(claims.shim.in_mok_list.len(), 1);
        let first = entries.iter().position(|entry| entry.measured == b"another list").unwrap();
        assert_eq!(claims.shim.mok_list, Some(u32::try_from(first).unwrap() + 1));
    });
}
