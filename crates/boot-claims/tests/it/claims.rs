//! What a boot of a server tells, and how far it is believed.

use crate::common::{claims_of, claims_with, command_lines, path_of, path_with};
use boot_claims::{Belief, DatabaseName, Doubt, ImageKind, Misplaced, Phase, State};
use efi::{CertType, Guid};
use event_log::{EventType, Rules, hash};
use testkit::log::{BootLog, Entry, certificates, signature_list, variable};
use tpm_wire::{Digest, TpmAlgId};

#[test]
fn a_sound_boot_is_told_in_full() {
    let built = BootLog::sound().dbx_hashes(211).build();
    claims_of(&built, |claims| {
        assert_eq!((&claims.contradicted[..], &claims.lookalikes[..]), (&[][..], &[][..]));
        let db = claims.database(DatabaseName::Db).unwrap();
        assert_eq!(db.n_entries, [(CertType::X509, 2), (CertType::SHA256, 1)]);
        assert_eq!((db.len(), db.belief, db.malformed), (3, Belief::Verified, None));
        assert_eq!(Digest::new(&db.sha256()), hash(TpmAlgId::SHA256, &[db.value]));
        assert_eq!(claims.database(DatabaseName::Dbx).unwrap().len(), 211);
        assert_eq!(claims.database(DatabaseName::Pk).unwrap().len(), 1);
        assert_eq!(claims.database(DatabaseName::Dbt), None);

        let paths: Vec<_> = claims
            .boot_applications()
            .map(|image| image.untrusted_path.unwrap().to_string())
            .collect();
        assert!(paths[0].ends_with("/\\EFI\\debian\\shimx64.efi"), "{paths:?}");
        assert_eq!(paths[1..], ["\\EFI\\debian\\grubx64.efi", ""]);
        let shim = claims.boot_applications().next().unwrap();
        let digest = hash(TpmAlgId::SHA256, &[b"shim 16.1"]).unwrap();
        assert_eq!(shim.digest, Some((TpmAlgId::SHA256, digest)));
        assert_eq!(shim.untrusted_len, Some(0xe_0000));
    });
    path_of(&built, |path| {
        let [(_, text, belief)] = &command_lines(path)[..] else { panic!("{path:?}") };
        assert_eq!(text, "/vmlinuz-6.1.0-56-amd64 root=/dev/mapper/vg-root ro quiet");
        assert_eq!(*belief, Belief::Verified);
    });
}

#[test]
fn authorities_tell_who_allowed_what_and_when() {
    claims_of(&BootLog::sound().build(), |claims| {
        let names: Vec<_> = claims.authorities.iter().map(|a| a.variable.to_string()).collect();
        assert_eq!(names, ["db", "SbatLevel", "MokListRT"]);
        let [db, sbat, vendor] = claims.authorities[..] else { panic!() };
        assert_eq!(db.data, certificates().db_third_party);
        assert!(db.owner.is_some());
        assert_eq!((sbat.owner, sbat.guid), (None, Guid::SHIM_LOCK));
        assert!(sbat.data.starts_with(b"sbat,1,"));
        assert_eq!(vendor.owner, Some(Guid::SHIM_LOCK));
        assert!(claims.authorities.iter().all(|a| a.phase == Phase::AfterSeparator));
        assert!(claims.authorities.iter().all(|a| a.belief == Belief::Verified));
    });
    claims_of(&BootLog::sound().option_rom().build(), |claims| {
        assert_eq!(claims.authorities[0].phase, Phase::BeforeSeparator);
        assert_eq!(claims.authorities[1].phase, Phase::AfterSeparator);
        let driver = claims.images.iter().find(|i| i.untrusted_kind == ImageKind::BootDriver);
        assert_eq!(driver.unwrap().pcr_index, 2);
    });
    claims_of(&BootLog::sound().mok_kernel().build(), |claims| {
        assert_eq!(claims.authorities.last().unwrap().data, certificates().mok);
    });
}

#[test]
fn an_authority_without_an_owner_is_a_bare_certificate() {
    let log = BootLog::sound();
    let mut entries = log.entries();
    let der = &certificates().distribution;
    let data = variable(Guid::SHIM_LOCK, "Shim", der);
    // An old shim: one byte more in the log than was measured.
    let logged = [&data[..], &[0]].concat();
    entries.push(Entry::of(7, EventType::EFI_VARIABLE_AUTHORITY, &data, &logged));
    claims_of(&log.build_from(&entries), |claims| {
        let last = claims.authorities.last().unwrap();
        assert_eq!((last.owner, last.data, last.belief), (None, &der[..], Belief::Verified));
    });
}

#[test]
fn only_the_first_of_a_database_is_believed_and_only_before_the_separator() {
    let log = BootLog::sound();
    let mut entries = log.entries();
    let other = signature_list(CertType::SHA256, Guid::MICROSOFT, &[vec![7; 32]]);
    let data = variable(Guid::IMAGE_SECURITY_DATABASE, "db", &other);
    let second = Entry::of_data(7, EventType::EFI_VARIABLE_DRIVER_CONFIG, &data);
    let at = entries.iter().position(|e| e.event_type == EventType::SEPARATOR).unwrap();
    entries.insert(at, second.clone());
    claims_of(&log.build_from(&entries), |claims| {
        let db = claims.database(DatabaseName::Db).unwrap();
        assert_eq!((db.len(), db.repeated.len()), (3, 1));
    });
    let mut entries = log.entries();
    entries.push(second);
    claims_of(&log.build_from(&entries), |claims| {
        assert!(claims.database(DatabaseName::Db).unwrap().repeated.is_empty());
    });
    let log = log.without_separator(7);
    claims_of(&log.build(), |claims| assert_eq!(claims.databases, []));
}

#[test]
fn a_database_that_cannot_be_read_says_so() {
    let log = BootLog::sound();
    let mut entries = log.entries();
    let sound = signature_list(CertType::SHA256, Guid::MICROSOFT, &[vec![7; 32]]);
    let value = [&sound[..], b"rest"].concat();
    let data = variable(Guid::IMAGE_SECURITY_DATABASE, "dbt", &value);
    entries.insert(6, Entry::of_data(7, EventType::EFI_VARIABLE_DRIVER_CONFIG, &data));
    claims_of(&log.build_from(&entries), |claims| {
        let dbt = claims.database(DatabaseName::Dbt).unwrap();
        assert_eq!((dbt.len(), dbt.belief), (1, Belief::Verified));
        assert!(dbt.malformed.is_some());
    });
}

#[test]
fn what_does_not_replay_is_read_and_not_believed() {
    let built = BootLog::sound().build();
    let other = BootLog::sound().kernel("6.1.0-99-amd64").build();
    claims_with(&built.bytes, &other.pcrs, Rules::default(), |claims| {
        assert!(claims.boot_applications().all(|image| image.digest.is_none()));
        let db = claims.database(DatabaseName::Db).unwrap();
        assert_eq!(db.belief, Belief::Verified);
    });
    path_with(&built.bytes, &other.pcrs, |path| {
        assert_eq!(command_lines(path)[0].2, Belief::Unverifiable(Doubt::NotReplayed));
    });
}

#[test]
fn a_command_line_that_was_not_measured_is_contradicted() {
    let log = BootLog::sound();
    let mut entries = log.entries();
    let at = entries.iter().position(|e| e.data.starts_with(b"kernel_cmdline")).unwrap();
    entries[at].data = b"kernel_cmdline: /vmlinuz harmless\0".to_vec();
    let built = log.build_from(&entries);
    claims_of(&built, |claims| assert_eq!(claims.contradicted.len(), 1));
    path_of(&built, |path| assert_eq!(command_lines(path)[0].2, Belief::Contradicted));
}

#[test]
fn what_stands_out_of_the_firmwares_order_is_counted() {
    let log = BootLog::sound();
    let code = Entry::of(0, EventType::POST_CODE, b"code", b"late");
    let misplaced = |entries: &[Entry]| {
        claims_of(&log.build_from(entries), |claims| (claims.late, claims.early))
    };
    assert_eq!(misplaced(&log.entries()), (None, None));
    let mut entries = log.entries();
    entries.extend([code.clone(), code]);
    let first = u32::try_from(entries.len()).unwrap() - 1;
    assert_eq!(misplaced(&entries).0, Some(Misplaced { first, pcr_index: 0, n: 2 }));
    // Four zero bytes in front of the firmware's code have the digest of a separator.
    let mut entries = log.entries();
    entries.insert(0, Entry::of(0, EventType::S_CRTM_CONTENTS, &[0; 4], b"nothing there"));
    assert_eq!(misplaced(&entries).0, None);
    let mut entries = log.entries();
    entries.insert(0, Entry::of_data(12, EventType::IPL, b"early"));
    assert_eq!(misplaced(&entries).1, Some(Misplaced { first: 1, pcr_index: 12, n: 1 }));
    // Without a separator nothing is before or behind one.
    let mut bare = entries.clone();
    bare.retain(|entry| entry.event_type != EventType::SEPARATOR);
    assert_eq!(misplaced(&bare), (None, None));
    // What no PCR proves is no finding.
    let built = log.build_from(&entries);
    claims_with(&built.bytes, &log.build().pcrs, Rules::default(), |claims| {
        assert_eq!(claims.early, None);
    });
}

#[test]
fn a_log_without_exit_boot_services_is_sound() {
    let log = BootLog::sound();
    let mut entries = log.entries();
    let is_exit = |entry: &Entry| entry.data.starts_with(b"Exit Boot Services");
    let n = entries.len();
    entries.retain(|entry| !is_exit(entry));
    assert!(entries.len() < n);
    claims_of(&log.build_from(&entries), |claims| {
        assert_eq!(claims.secure_boot.state, State::On);
        assert_eq!((&claims.contradicted[..], &claims.lookalikes[..]), (&[][..], &[][..]));
        assert_eq!(
            (&claims.separator_problems[..], claims.late, claims.early),
            (&[][..], None, None)
        );
    });
}

#[test]
fn lists_of_shim_are_read_in_a_bank_that_was_quoted() {
    // Keys of the owner, and SHA-1 digests that say that there are none, in a bank that nobody quoted.
    let built = BootLog::sound().banks(&[TpmAlgId::SHA1, TpmAlgId::SHA256]).mok_kernel().build();
    let list = event_log::parse(&built.bytes).log;
    let is_list = |event: &&event_log::Event<'_>| {
        event.pcr_index == 14 && event.untrusted_data == b"MokList\0"
    };
    let sha1 = list.events().iter().find(is_list).unwrap().digests.of(TpmAlgId::SHA1).unwrap();
    let at = built.bytes.windows(20).position(|bytes| bytes == sha1).unwrap();
    let mut feigned = built.bytes.clone();
    feigned[at..at + 20].copy_from_slice(hash(TpmAlgId::SHA1, &[]).unwrap().as_bytes());

    let quoted: Vec<_> =
        built.pcrs.iter().filter(|bank| bank.alg() == TpmAlgId::SHA256).cloned().collect();
    let has_keys = |bytes: &[u8]| {
        claims_with(bytes, &quoted, Rules::default(), |claims| claims.shim.mok_list.is_some())
    };
    assert!(has_keys(&built.bytes));
    assert!(has_keys(&feigned));
    // A list that was measured as empty, in the bank that counts.
    let mut entries = BootLog::sound().entries();
    for entry in entries.iter_mut().filter(|entry| entry.data == b"MokList\0") {
        entry.measured.clear();
    }
    claims_of(&BootLog::sound().build_from(&entries), |claims| {
        assert_eq!(claims.shim.mok_list, None);
    });
}
