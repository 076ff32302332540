//! Findings about keys, lists and authorities of Secure Boot: each has a case that raises it, and the
//! sound boot, in which each of them just is not, raises none.

use std::sync::Arc;

use appraise::Policy;
use boot_claims::BootClaims;
use efi::{CertType, Guid};
use event_log::{EventType, Rules, compare, hash, parse_last, replay};
use findings::Code;
use secure_boot_facts::Revocations;
use testkit::log::{
    BootLog, BuiltLog, Entry, certificates, revoking, signature_data, signature_list, variable,
};
use tpm_wire::TpmAlgId;

use crate::finding_cases::{Bench, boot_pcrs};
use crate::recorded::{NOW, boots, cases, roots};

/// The findings of this file.
pub(crate) const CODES: [Code; 19] = [
    Code::SetupMode,
    Code::AuditMode,
    Code::SecureBootOrder,
    Code::PlatformKey,
    Code::TestPlatformKey,
    Code::Ca2011Only,
    Code::WeakCertificate,
    Code::DbxBelowMinimum,
    Code::DbxOutdated,
    Code::ImageRevoked,
    Code::AuthorityUnknown,
    Code::AuthorityNotAllowed,
    Code::MokInsecure,
    Code::MokEnrolled,
    Code::SbatBelowMinimum,
    Code::SbatOutdated,
    Code::DebugMode,
    Code::DmaProtectionDisabled,
    Code::SecurityLevelDowngraded,
];

const OWNER: Guid = Guid::new(1, 2, 3, 4, 5);

fn config(name: &str, guid: Guid, value: &[u8]) -> Entry {
    Entry::of_data(7, EventType::EFI_VARIABLE_DRIVER_CONFIG, &variable(guid, name, value))
}

fn x509(der: &[u8]) -> Vec<u8> {
    signature_list(CertType::X509, OWNER, &[der.to_vec()])
}

/// The sound boot with `entry` at place `at`, and `skipped` of its own left out there.
fn with_entry(at: usize, skipped: usize, entry: Entry) -> BuiltLog {
    let sound = BootLog::sound();
    let mut entries = sound.entries();
    entries.splice(at..at + skipped, [entry]);
    sound.build_from(&entries)
}

/// The place of the first variable of this name in PCR 7.
fn place_of(name: &str) -> usize {
    let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let is_it = |entry: &Entry| {
        entry.pcr_index == 7
            && entry.data.get(16..18) == Some(&[u8::try_from(name.len()).unwrap(), 0])
            && entry.data.get(32..32 + units.len()) == Some(&units)
    };
    BootLog::sound().entries().iter().position(is_it).unwrap()
}

fn authority(name: &str, guid: Guid, value: &[u8]) -> Entry {
    Entry::of_data(7, EventType::EFI_VARIABLE_AUTHORITY, &variable(guid, name, value))
}

/// A certificate of an RSA key of 1024 bits, as far as anybody reads it.
fn weak_certificate() -> Vec<u8> {
    let der = |tag: u8, content: &[u8]| {
        let len = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82], &len[..], content].concat()
    };
    let rsa = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1];
    let scheme = |last| der(0x30, &der(6, &[&rsa[..], &[last]].concat()));
    let name = |text: &[u8]| {
        der(0x30, &der(0x31, &der(0x30, &[der(6, &[0x55, 4, 3]), der(12, text)].concat())))
    };
    let key = der(0x30, &[der(2, &[0x7f; 128]), der(2, &[1, 0, 1])].concat());
    let spki = [scheme(1), der(3, &[&[0], &key[..]].concat())].concat();
    let tbs = [
        der(2, &[1]),
        scheme(11),
        name(b"A Root"),
        der(0x30, &[der(0x17, b"200101000000Z"), der(0x17, b"300101000000Z")].concat()),
        name(b"A Signer"),
        der(0x30, &spki),
    ];
    der(0x30, &der(0x30, &tbs.concat()))
}

#[test]
fn each_finding_of_secure_boot_has_a_case_and_one_that_just_does_not() {
    let mut bench = Bench::new("sha256");
    let roots = bench.roots();
    let mut raised: Vec<Code> = Vec::new();
    let mut judge = |log: &BuiltLog, policy: &Policy| -> Vec<String> {
        let folder = bench.evidence(log, boot_pcrs());
        let appraisal = cli::judge_under(policy, &folder, &roots, NOW);
        assert_eq!(appraisal.facts.secure_boot, Some(true));
        // The TPM of these tests is a program, which is told.
        let codes = appraisal.findings.into_iter().map(|finding| finding.code);
        codes.filter(|code| code != "tpm-virtual").collect()
    };
    let default = Policy::default();
    let sound = BootLog::sound().build();
    assert_eq!(judge(&sound, &default), Vec::<String>::new());
    // Just not: what is named exactly is allowed, and what is required exactly is there.
    let c = certificates();
    let mut strict = Policy::default();
    let print = |der: &[u8]| -> [u8; 32] {
        hash(TpmAlgId::SHA256, &[der]).unwrap().as_bytes().try_into().unwrap()
    };
    let allowed = vec![print(&c.db_third_party), print(&c.distribution)];
    strict.secure_boot.allowed_authorities = Some(allowed.clone());
    strict.secure_boot.minimum_dbx = Some(default.secure_boot.revocations.date());
    strict.secure_boot.minimum_sbat = Some("2025051000".to_owned());
    assert_eq!(judge(&sound, &strict), Vec::<String>::new());

    let mut raises = |code: Code, log: &BuiltLog, policy: &Policy| {
        let found = judge(log, policy);
        assert!(found.iter().any(|found| found == code.as_str()), "{}: {found:?}", code.as_str());
        raised.push(code);
    };
    let global = Guid::GLOBAL_VARIABLE;
    let pk = place_of("PK");
    raises(Code::SetupMode, &with_entry(pk, 0, config("SetupMode", global, &[1])), &default);
    raises(Code::AuditMode, &with_entry(pk, 0, config("AuditMode", global, &[1])), &default);
    let test_pk = config("PK", global, &x509(&c.test_pk));
    raises(Code::TestPlatformKey, &with_entry(pk, 1, test_pk), &default);
    let two = config("PK", global, &[x509(&c.pk), x509(&c.kek)].concat());
    raises(Code::PlatformKey, &with_entry(pk, 1, two), &default);
    let damaged = config("PK", global, &x509(b"no certificate at all"));
    raises(Code::PlatformKey, &with_entry(pk, 1, damaged), &default);
    let mut entries = BootLog::sound().entries();
    entries.swap(pk, pk + 1);
    raises(Code::SecureBootOrder, &BootLog::sound().build_from(&entries), &default);
    let weak = config("KEK", global, &[x509(&c.kek), x509(&weak_certificate())].concat());
    raises(Code::WeakCertificate, &with_entry(place_of("KEK"), 1, weak), &default);

    raises(Code::DbxOutdated, &BootLog::sound().dbx_hashes(211).build(), &default);
    raises(Code::DbxBelowMinimum, &BootLog::sound().dbx_hashes(211).build(), &strict);
    // The operator's list revokes what booted.
    let listed = revoking(&["GRUB 2.12"]);
    let mut newer = Policy::default();
    newer.secure_boot.revocations = Arc::new(Revocations::with_update(&listed).unwrap());
    raises(Code::ImageRevoked, &sound, &newer);
    let listed = x509(&c.db_third_party);
    newer.secure_boot.revocations = Arc::new(Revocations::with_update(&listed).unwrap());
    raises(Code::ImageRevoked, &sound, &newer);

    let foreign = signature_data(OWNER, &c.mok);
    let unknown = authority("db", Guid::IMAGE_SECURITY_DATABASE, &foreign);
    let behind = place_of("SbatLevel");
    raises(Code::AuthorityUnknown, &with_entry(behind, 0, unknown), &default);
    raises(Code::AuthorityNotAllowed, &BootLog::sound().mok_kernel().build(), &strict);
    raises(Code::MokEnrolled, &BootLog::sound().mok_kernel().build(), &default);
    let off = authority("MokSBState", Guid::SHIM_LOCK, &[1]);
    raises(Code::MokInsecure, &with_entry(behind, 0, off), &default);
    let old = authority("SbatLevel", Guid::SHIM_LOCK, b"sbat,1,2024010900\nshim,4\n");
    raises(Code::SbatOutdated, &with_entry(behind, 1, old.clone()), &default);
    // Today's stamp, and a component that it lets through in an older generation.
    let hollow = b"sbat,1,2025051000\nshim,4\ngrub,4\ngrub.proxmox,2\n";
    let hollow = authority("SbatLevel", Guid::SHIM_LOCK, hollow);
    raises(Code::SbatOutdated, &with_entry(behind, 1, hollow), &default);
    raises(Code::SbatBelowMinimum, &with_entry(behind, 1, old), &strict);
    for (code, text) in [
        (Code::DebugMode, "UEFI Debug Mode"),
        (Code::DmaProtectionDisabled, "DMA Protection Disabled"),
        (Code::SecurityLevelDowngraded, "Security Level is Downgraded to 0"),
    ] {
        let action = Entry::of_data(7, EventType::EFI_ACTION, text.as_bytes());
        raises(code, &with_entry(pk, 0, action), &default);
    }
    // Certificates of the makers are not ours to copy: recorded boots have them, and `appraise`
    // tests the rule over its table.
    raised.push(Code::Ca2011Only);
    for code in CODES {
        assert!(raised.contains(&code), "{} has no case", code.as_str());
    }
}

/// What the firmware did not measure, measured again, or a log calls something else.
#[test]
fn what_is_missing_repeated_or_renamed_is_told() {
    let mut bench = Bench::new("sha256");
    let roots = bench.roots();
    let mut told = |change: &dyn Fn(&mut Vec<Entry>), policy: &Policy| -> (String, Vec<String>) {
        let mut entries = BootLog::sound().entries();
        change(&mut entries);
        let folder = bench.evidence(&BootLog::sound().build_from(&entries), boot_pcrs());
        let appraisal = cli::judge_under(policy, &folder, &roots, NOW);
        let codes = appraisal.findings.into_iter().map(|finding| finding.code);
        (appraisal.verdict, codes.filter(|code| code != "tpm-virtual").collect())
    };
    let default = Policy::default();
    let mut strict = Policy::default();
    strict.secure_boot.minimum_dbx = Some(default.secure_boot.revocations.date());
    let accepted = |codes: &[&str]| {
        ("accepted".to_owned(), codes.iter().map(|code| (*code).to_owned()).collect::<Vec<_>>())
    };
    let refused = |codes: &[&str]| ("not accepted".to_owned(), accepted(codes).1);

    assert_eq!(told(&|_| {}, &strict), accepted(&[]));
    let [pk, dbx] = ["PK", "dbx"].map(place_of);
    let without = |at: usize| move |entries: &mut Vec<Entry>| drop(entries.remove(at));
    assert_eq!(told(&without(pk), &default), accepted(&["secure-boot-order"]));
    assert_eq!(told(&without(dbx), &default), accepted(&["secure-boot-order"]));
    let both = refused(&["secure-boot-order", "dbx-below-minimum"]);
    assert_eq!(told(&without(dbx), &strict), both);
    let twice = |entries: &mut Vec<Entry>| entries.insert(dbx, entries[dbx].clone());
    assert_eq!(told(&twice, &strict), accepted(&["secure-boot-order"]));

    // No digest covers the type of a revoked loader, nor the text beside it.
    let mut newer = Policy::default();
    let listed = revoking(&["GRUB 2.12"]);
    newer.secure_boot.revocations = Arc::new(Revocations::with_update(&listed).unwrap());
    let renamed = |entries: &mut Vec<Entry>| {
        let grub = entries.iter_mut().find(|entry| entry.measured == b"GRUB 2.12").unwrap();
        (grub.event_type, grub.data) = (EventType::COMPACT_HASH, b"harmless".to_vec());
    };
    assert_eq!(told(&renamed, &default), accepted(&[]));
    assert!(told(&renamed, &newer).1.contains(&"image-revoked".to_owned()));
    // A certificate in a form that is not DER, under a policy that names who may allow something.
    let c = certificates();
    let print = |der: &[u8]| -> [u8; 32] {
        hash(TpmAlgId::SHA256, &[der]).unwrap().as_bytes().try_into().unwrap()
    };
    strict.secure_boot.allowed_authorities =
        Some(vec![print(&c.db_third_party), print(&c.distribution)]);
    assert_eq!(told(&|_| {}, &strict), accepted(&[]));
    let odd = [&[0x30, 0x80][..], &c.mok[4..], &[0, 0]].concat();
    for value in [odd.clone(), signature_data(OWNER, &odd)] {
        let named = authority("MokList", Guid::SHIM_LOCK, &value);
        let with = |entries: &mut Vec<Entry>| entries.push(named.clone());
        assert_eq!(told(&with, &strict), refused(&["authority-not-allowed"]));
    }
    // Nor those of what shim says of itself.
    let behind = place_of("SbatLevel");
    let off = authority("MokSBState", Guid::SHIM_LOCK, &[1]);
    let insecure = |entries: &mut Vec<Entry>| entries.insert(behind, off.clone());
    assert_eq!(told(&insecure, &default), refused(&["mok-insecure"]));
    let hidden = |entries: &mut Vec<Entry>| {
        insecure(entries);
        let hidden = &mut entries[behind];
        (hidden.event_type, hidden.data) = (EventType::COMPACT_HASH, b"harmless".to_vec());
    };
    assert_eq!(told(&hidden, &default), refused(&["event-type"]));
}

/// Problems of one kind that anybody can write into a log as often as it has room.
#[test]
fn a_flood_of_problems_is_counted() {
    let mut bench = Bench::new("sha256");
    let roots = bench.roots();
    let mut told = |code: &str, entry: Entry| {
        let mut entries = BootLog::sound().entries();
        entries.extend(vec![entry; 500]);
        let folder = bench.evidence(&BootLog::sound().build_from(&entries), boot_pcrs());
        let findings = cli::judge(&folder, &roots, NOW).findings;
        findings.into_iter().filter(|f| f.code == code).map(|f| f.cause).collect::<Vec<_>>()
    };
    for (code, entry) in [
        ("separator", Entry::of_data(5, EventType::SEPARATOR, &[0; 4])),
        ("log-replay", Entry::of(0, EventType::NO_ACTION, &[], b"StartupLocality\0\x03")),
    ] {
        let found = told(code, entry);
        assert_eq!(found.len(), 25, "{code}");
        assert!(found[24].ends_with("and 476 more"), "{found:?}");
    }
}

#[test]
fn findings_of_one_kind_beyond_a_page_are_counted() {
    let mut bench = Bench::new("sha256");
    let roots = bench.roots();
    let mut told = |n: usize| {
        let keys: Vec<u8> = (0..n).flat_map(|_| x509(&weak_certificate())).collect();
        let kek = config("KEK", Guid::GLOBAL_VARIABLE, &keys);
        let folder = bench.evidence(&with_entry(place_of("KEK"), 1, kek), boot_pcrs());
        let appraisal = cli::judge(&folder, &roots, NOW);
        let weak = appraisal.findings.into_iter().filter(|f| f.code == "weak-certificate");
        weak.map(|finding| finding.cause).collect::<Vec<_>>()
    };
    let all = told(8);
    assert!(all.len() == 8 && all.iter().all(|cause| cause.contains("A Signer")), "{all:?}");
    let counted = told(20);
    assert_eq!(counted.len(), 9);
    assert!(counted[8].ends_with("and 12 more"), "{counted:?}");
}

#[test]
fn recorded_boots_under_authorities_of_2011_say_so() {
    let Some(boots) = boots() else { return };
    let roots = roots(&boots);
    let found = |name: &str| {
        let cases = cases(&boots);
        let case = cases.iter().find(|case| case.name == name).unwrap();
        cli::judge(&case.folder, &roots, NOW)
    };
    let of_2011 = found("a-shim-tis-ms");
    let has = |appraisal: &api::appraisal::Appraisal, code: Code| {
        appraisal.findings.iter().any(|finding| finding.code == code.as_str())
    };
    assert!(has(&of_2011, Code::Ca2011Only));
    assert!(!has(&of_2011, Code::MokEnrolled), "shim's own certificate is none of the owner");
    assert!(has(&found("h-mok-kernel"), Code::MokEnrolled));
    let state = of_2011.facts.secure_boot_state.unwrap();
    let known: Vec<_> = state.keys.iter().filter_map(|key| key.known.as_deref()).collect();
    assert!(known.contains(&"Microsoft Corporation UEFI CA 2011"), "{known:?}");
    assert!(state.authorities.iter().any(|authority| authority.standing == "in db"));
    assert!(!has(&found("b-uki-tis-own"), Code::Ca2011Only), "keys of the owner");
}

/// Counts over all recorded logs: what is told of them has to stay what it is.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    logs: usize,
    test_keys: usize,
    unreadable_or_several_pks: usize,
    debug_mode: usize,
    dma_protection_disabled: usize,
    level_downgraded: usize,
    of_2023: usize,
    dbx: usize,
    dbx_of_a_release: usize,
    dbx_of_unknown_content: usize,
    authorities_in_db: usize,
    authorities_not_in_db: usize,
    authorities_of_shim: usize,
    authorities_in_mok_list: usize,
    late: usize,
    early: usize,
    mok_list_trusted: usize,
    out_of_order: usize,
}

#[test]
#[expect(clippy::print_stderr, reason = "the counts are the result")]
fn keys_and_lists_of_recorded_machines_are_recognised() {
    let Some(root) = testkit::corpus::root() else { return };
    let mut counts = Counts::default();
    let mut releases = std::collections::BTreeMap::<String, usize>::new();
    let mut folders = vec![root.join("machines"), root.join("keylime/eventlogs")];
    while let Some(folder) = folders.pop() {
        let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(Result::unwrap).collect();
        entries.sort_by_key(std::fs::DirEntry::path);
        for entry in entries {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if entry.metadata().unwrap().len() < 4 * 1024 * 1024 {
                let bytes = std::fs::read(entry.path()).unwrap();
                count(&bytes, &mut counts, &mut releases);
            }
        }
    }
    eprintln!("{counts:#?}\n{releases:#?}");
    assert!(counts.logs >= 97, "{counts:?}");
    // None of these machines has a test key or ran in debug mode: built boots test both.
    assert_eq!((counts.test_keys, counts.debug_mode), (0, 0), "{counts:?}");
    assert!(counts.of_2023 >= 1 && counts.unreadable_or_several_pks >= 1, "{counts:?}");
    assert!(counts.dma_protection_disabled >= 7 && counts.level_downgraded >= 6, "{counts:?}");
    // Real firmware names what its db has, in the order of the standard: neither finding is noise.
    assert_eq!((counts.authorities_not_in_db, counts.out_of_order), (0, 0), "{counts:?}");
    assert_eq!((counts.late, counts.early), (0, 0), "{counts:?}");
    assert!(counts.authorities_in_mok_list >= 1, "{counts:?}");
    assert!(counts.dbx_of_a_release >= 20 && counts.dbx_of_unknown_content >= 1, "{counts:?}");
    assert!(counts.authorities_in_db >= 20, "{counts:?}");
    for release in ["2018-04-01", "2018-06-01", "2020-07-01", "2022-08-01", "2023-05-01"] {
        assert!(releases.contains_key(release), "{release} in {releases:?}");
    }
}

/// Judged as if the PCRs were what the log replays to.
fn count(
    bytes: &[u8],
    counts: &mut Counts,
    releases: &mut std::collections::BTreeMap<String, usize>,
) {
    use boot_claims::{DatabaseName, Standing, WarningKind};
    // One file has the logs of five boots.
    let log = parse_last(bytes).0.log;
    if log.events().len() < 5 {
        return;
    }
    let replay = replay(&log, log.algorithms());
    let quoted: Vec<_> = replay.banks().cloned().collect();
    let comparison = compare(&log, &replay, &quoted, &Rules::default());
    let boot = BootClaims::read(&comparison.replayed);
    counts.logs += 1;
    if let Some(pk) = boot.database(DatabaseName::Pk) {
        counts.test_keys +=
            usize::from(pk.certificates().any(|der| secure_boot_facts::test_key(der).is_some()));
        let is_odd = pk.malformed.is_some()
            || pk.len() > 1
            || pk.certificates().any(|der| efi::Certificate::parse(der).is_none());
        counts.unreadable_or_several_pks += usize::from(is_odd);
    }
    let n = |kind| usize::from(boot.warnings.iter().any(|warning| warning.kind == kind));
    counts.debug_mode += n(WarningKind::DebugMode);
    counts.dma_protection_disabled += n(WarningKind::DmaProtectionDisabled);
    counts.level_downgraded += n(WarningKind::SecurityLevelDowngraded);
    let mut known = [DatabaseName::Kek, DatabaseName::Db].into_iter().flat_map(|name| {
        boot.database(name).into_iter().flat_map(|database| {
            database.certificates().filter_map(secure_boot_facts::known_authority)
        })
    });
    counts.of_2023 += usize::from(known.any(|known| known.era == secure_boot_facts::Era::Of2023));
    if let Some(dbx) = boot.database(DatabaseName::Dbx).filter(|dbx| !dbx.is_empty()) {
        counts.dbx += 1;
        match Revocations::default().state_of(dbx.value).release {
            Some(release) => {
                counts.dbx_of_a_release += 1;
                *releases.entry(release.to_string()).or_default() += 1;
            }
            None => counts.dbx_of_unknown_content += 1,
        }
    }
    for authority in &boot.authorities {
        match authority.standing {
            Standing::InDatabase => counts.authorities_in_db += 1,
            Standing::NotInDatabase => counts.authorities_not_in_db += 1,
            Standing::OfShim => counts.authorities_of_shim += 1,
            Standing::InMokList => counts.authorities_in_mok_list += 1,
            Standing::Unknown => {}
        }
    }
    counts.out_of_order += usize::from(boot.out_of_order().is_some());
    counts.late += usize::from(boot.late.is_some());
    counts.early += usize::from(boot.early.is_some());
    counts.mok_list_trusted += usize::from(boot.shim.mok_list_trusted.is_some());
}
