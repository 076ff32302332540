//! Each finding has a case that raises it; the sound evidence that each case changes raises none,
//! and so is the case that just does not.

use agent::session::{Attested, Session, TpmChoice};
use cli::evidence_dir::{Enrolled, EvidenceFolder};
use event_log::EventType;
use findings::{CATALOGUE, Code};
use testkit::{
    boot::boot,
    log::{BootLog, BuiltLog},
    machine::dynamic_launch,
    swtpm::{Ca, Swtpm},
};
use tpm_wire::{Digest, PcrBank, PcrSet, TpmAlgId, command::PcrExtend};
use verify::{RootStore, UnixTime, check_ak, check_ek};

use crate::recorded::NOW;

const NONCE: [u8; 20] = [0x4e; 20];

/// Findings that come from the inventory, not from evidence: tests of the server raise them.
const OF_THE_INVENTORY: [Code; 7] = [
    Code::EkChanged,
    Code::StateCopied,
    Code::AkRenewed,
    Code::NoTpm,
    Code::AwaitingApproval,
    Code::NeverAppraised,
    Code::VerdictExpired,
];

/// Need the quote before: the server has it, and tests of `appraise`.
const OF_TWO_QUOTES: [Code; 2] = [Code::ClockWentBack, Code::TpmFirmwareChanged];

/// Raised only where a policy asks for something: tests of policies raise them.
const OF_A_POLICY: [Code; 1] = [Code::TpmFirmwareBelowMinimum];

/// A software TPM with the authority of its certificate.
pub(crate) struct Bench {
    ca: Ca,
    pub(crate) tpm: Swtpm,
    session: Session,
}

impl Bench {
    pub(crate) fn new(banks: &str) -> Self {
        let ca = Ca::new().unwrap();
        let tpm = Swtpm::builder().banks(banks).ek_cert(&ca).start().unwrap();
        let session = Session::new(TpmChoice::At(tpm.address().parse().unwrap()));
        Self { ca, tpm, session }
    }

    pub(crate) fn roots(&self) -> RootStore {
        let mut roots = RootStore::from_pem(&self.ca.root_pem().unwrap()).unwrap();
        roots.extend(RootStore::from_pem(&self.ca.issuer_pem().unwrap()).unwrap());
        roots
    }

    /// A boot of `log`, quoted over `pcrs`, as a server that enrolled the host would judge it.
    pub(crate) fn evidence(&mut self, log: &BuiltLog, pcrs: PcrSet) -> EvidenceFolder {
        self.tpm.restart().unwrap();
        boot(&self.tpm, log).unwrap();
        self.quote(log, pcrs)
    }

    pub(crate) fn quote(&mut self, log: &BuiltLog, pcrs: PcrSet) -> EvidenceFolder {
        let (keys, _, ak) = self.session.keys(None).unwrap();
        let Attested { quote, pcrs, active_banks, tpm, .. } =
            self.session.attest(Some(&ak), &NONCE, pcrs).unwrap();
        let ek = check_ek(&keys.ek_public).unwrap();
        EvidenceFolder {
            quote: Some((quote.attest.0, quote.signature.0)),
            pcrs: pcrs.to_banks().unwrap(),
            nonce: Some(NONCE.to_vec()),
            enrolled: Some(Enrolled {
                ak_name: *check_ak(&ak.public).unwrap().name(),
                ek_spki_sha256: ek.spki_sha256(),
            }),
            ak_public: Some(ak.public.0),
            event_log: Some(log.bytes.clone()),
            ek_certificate: keys.ek_certificate.map(|bytes| bytes.0),
            acpi_tpm2: Some(acpi_tpm2(6)),
            active_banks: Some(active_banks),
            tpm: Some(tpm),
            ..EvidenceFolder::default()
        }
    }
}

fn acpi_tpm2(start_method: u8) -> Vec<u8> {
    let mut table = vec![0; 76];
    table[..4].copy_from_slice(b"TPM2");
    table[48] = start_method;
    table
}

pub(crate) fn boot_pcrs() -> PcrSet {
    PcrSet::FIRMWARE.with(8).with(9).with(14)
}

pub(crate) fn codes(folder: &EvidenceFolder, roots: &RootStore, now: UnixTime) -> Vec<String> {
    crate::unchanged::check_same(folder, roots, now);
    let appraisal = cli::judge(folder, roots, now);
    let fails = appraisal.findings.iter().any(|finding| finding.severity == "fail");
    assert_eq!(fails, appraisal.verdict == "not accepted", "{appraisal:?}");
    appraisal.findings.into_iter().map(|finding| finding.code).collect()
}

/// The log with the data of the first event of this type changed in its last byte but `back`.
pub(crate) fn with_changed_data(log: &BuiltLog, event_type: EventType, back: usize) -> Vec<u8> {
    let parsed = event_log::parse(&log.bytes);
    let mut events = parsed.log.events().iter();
    let event = events.find(|event| event.untrusted_event_type == event_type).unwrap();
    let data = event.untrusted_data.as_ptr() as usize - log.bytes.as_ptr() as usize;
    let mut bytes = log.bytes.clone();
    bytes[data + event.untrusted_data.len() - 1 - back] ^= 1;
    bytes
}

/// The log with the type of the first event of `from` in `pcr` changed.
fn with_changed_type(log: &BuiltLog, pcr: u32, from: EventType, to: EventType) -> Vec<u8> {
    let parsed = event_log::parse(&log.bytes);
    let mut events = parsed.log.events().iter();
    let fits = |event: &&event_log::Event<'_>| {
        event.pcr_index == pcr && event.untrusted_event_type == from
    };
    let at = events.find(fits).unwrap().offset + 4;
    let mut bytes = log.bytes.clone();
    bytes[at..at + 4].copy_from_slice(&to.0.to_le_bytes());
    bytes
}

#[test]
fn each_finding_has_a_case_that_raises_it_and_one_that_just_does_not() {
    let mut bench = Bench::new("sha1,sha256");
    let roots = bench.roots();
    let banks = [TpmAlgId::SHA1, TpmAlgId::SHA256];
    let sound = || BootLog::sound().banks(&banks);
    let log = sound().build();
    let base = bench.evidence(&log, boot_pcrs());
    // The TPM of a test is a program, and says so.
    assert_eq!(codes(&base, &roots, NOW), ["tpm-virtual"], "the sound evidence");

    let mut raised: Vec<Code> = Vec::new();
    let mut raises = |code: Code, folder: &EvidenceFolder, roots: &RootStore, now: UnixTime| {
        let found = codes(folder, roots, now);
        assert!(found.iter().any(|found| found == code.as_str()), "{}: {found:?}", code.as_str());
        raised.push(code);
    };
    let changed = |change: &dyn Fn(&mut EvidenceFolder)| {
        let mut folder = base.clone();
        change(&mut folder);
        folder
    };

    // Identity.
    let enrolled = base.enrolled.unwrap();
    raises(Code::NoIdentityKey, &changed(&|folder| folder.enrolled = None), &roots, NOW);
    let other = bench.quote(&log, boot_pcrs()).enrolled.unwrap();
    assert_ne!(other.ak_name, enrolled.ak_name);
    raises(Code::AkNotEnrolled, &changed(&|folder| folder.enrolled = Some(other)), &roots, NOW);
    let (keys, ..) = bench.session.keys(None).unwrap();
    let unfit = changed(&|folder| folder.ak_public = Some(keys.ek_public.0.clone()));
    raises(Code::AkUnfit, &unfit, &roots, NOW);
    raises(Code::EkCertAbsent, &changed(&|folder| folder.ek_certificate = None), &roots, NOW);
    let cut = changed(&|folder| folder.ek_certificate.as_mut().unwrap().truncate(100));
    raises(Code::EkCertMalformed, &cut, &roots, NOW);
    raises(Code::EkCertUntrusted, &base, &RootStore::new(), NOW);
    // The certificates of these TPMs end with the year 9999.
    raises(Code::EkCertExpired, &base, &roots, UnixTime(253_402_300_800));
    raises(Code::EkCertNotYetValid, &base, &roots, UnixTime(0));
    let issuer = RootStore::from_pem(&bench.ca.issuer_pem().unwrap()).unwrap();
    let issuer = issuer.iter().next().unwrap().der().to_vec();
    let ca = changed(&|folder| folder.ek_certificate = Some(issuer.clone()));
    raises(Code::EkCertWrongUse, &ca, &roots, NOW);
    let foreign = Enrolled { ek_spki_sha256: [0; 32], ..enrolled };
    let mismatch = changed(&|folder| folder.enrolled = Some(foreign));
    raises(Code::EkCertKeyMismatch, &mismatch, &roots, NOW);

    let pinned = RootStore::from_der(base.ek_certificate.as_ref().unwrap()).unwrap();
    raises(Code::EkCertPinned, &base, &pinned, NOW);

    // Quote.
    raises(Code::NoQuote, &changed(&|folder| folder.quote = None), &roots, NOW);
    let fault = changed(&|folder| {
        folder.quote = None;
        folder.tpm_error = Some("0x101".to_owned());
    });
    raises(Code::TpmFault, &fault, &roots, NOW);
    let attest = |change: &dyn Fn(&mut Vec<u8>)| {
        changed(&|folder| change(&mut folder.quote.as_mut().unwrap().0))
    };
    raises(Code::QuoteParse, &attest(&|attest| attest.truncate(30)), &roots, NOW);
    raises(Code::QuoteMagic, &attest(&|attest| attest[0] = 0), &roots, NOW);
    raises(Code::QuoteType, &attest(&|attest| attest[5] = 0x19), &roots, NOW);
    let signature = changed(&|folder| *folder.quote.as_mut().unwrap().1.last_mut().unwrap() ^= 1);
    raises(Code::QuoteSignature, &signature, &roots, NOW);
    raises(Code::NonceMismatch, &changed(&|folder| folder.nonce = Some(vec![1; 20])), &roots, NOW);
    raises(Code::NonceMismatch, &changed(&|folder| folder.nonce = None), &roots, NOW);
    let sha256 = |folder: &EvidenceFolder| {
        folder.pcrs.iter().find(|bank| bank.alg() == TpmAlgId::SHA256).unwrap().clone()
    };
    let mut values = sha256(&base);
    assert!(values.set(0, Digest::filled(7, 32).unwrap()));
    raises(Code::PcrDigest, &changed(&|folder| folder.pcrs = vec![values.clone()]), &roots, NOW);
    let mut values = PcrBank::new(TpmAlgId::SHA256);
    for (index, value) in sha256(&base).iter().filter(|(index, _)| *index != 3) {
        assert!(values.set(index, *value));
    }
    raises(Code::PcrValues, &changed(&|folder| folder.pcrs = vec![values.clone()]), &roots, NOW);
    let without_7 = bench.quote(&log, boot_pcrs().without(7));
    raises(Code::PcrSelection, &without_7, &roots, NOW);

    // Event log.
    raises(Code::NoEventLog, &changed(&|folder| folder.event_log = None), &roots, NOW);
    raises(Code::NoEventLog, &changed(&|folder| folder.event_log = Some(vec![])), &roots, NOW);
    let cut = changed(&|folder| {
        folder.event_log.as_mut().unwrap().pop();
    });
    raises(Code::LogParse, &cut, &roots, NOW);
    let other = sound().kernel_cmdline("init=/bin/sh").build();
    let foreign = changed(&|folder| folder.event_log = Some(other.bytes.clone()));
    raises(Code::LogReplay, &foreign, &roots, NOW);
    let other_firmware = sound().firmware("2.14.8").build();
    let explained = changed(&|folder| {
        folder.event_log = Some(other_firmware.bytes.clone());
        folder.machine = crate::quirks::machine("HPE", "ProLiant DL160 Gen10", "U31");
    });
    raises(Code::QuirkExplains, &explained, &roots, NOW);
    let text = with_changed_data(&log, EventType::EFI_VARIABLE_DRIVER_CONFIG, 0);
    let edited = changed(&|folder| folder.event_log = Some(text.clone()));
    raises(Code::EventData, &edited, &roots, NOW);
    raises(Code::SecureBootUnknown, &edited, &roots, NOW);
    let text = with_changed_data(&log, EventType::S_CRTM_VERSION, 2);
    let version = changed(&|folder| folder.event_log = Some(text.clone()));
    raises(Code::CrtmVersionData, &version, &roots, NOW);
    let config = EventType::EFI_VARIABLE_DRIVER_CONFIG;
    let retyped = with_changed_type(&log, 7, config, EventType::UNUSED);
    let retyped = changed(&|folder| folder.event_log = Some(retyped.clone()));
    raises(Code::EventType, &retyped, &roots, NOW);
    let padded = sound().padding(0xff, 64).build();
    let padded = changed(&|folder| folder.event_log = Some(padded.bytes.clone()));
    raises(Code::LogPadding, &padded, &roots, NOW);

    let earlier = [&other.bytes[..], &log.bytes].concat();
    let earlier = changed(&|folder| folder.event_log = Some(earlier.clone()));
    raises(Code::LogEarlierBoots, &earlier, &roots, NOW);
    let only_earlier = changed(&|folder| {
        folder.event_log = Some([&log.bytes[..], &other.bytes].concat());
    });
    raises(Code::LogReplay, &only_earlier, &roots, NOW);
    let later = |log: &[u8]| changed(&|folder| folder.userspace_log = Some(log.to_vec()));
    raises(Code::UserspaceLog, &later(b"\x1e{}\n\x1e{"), &roots, NOW);
    let whole = codes(&later(b"\x1e{}\n\x1e{}\n"), &roots, NOW);
    assert_eq!(whole, ["tpm-virtual"], "a whole log of the running system");
    // An area that the log fills, with an event missing; one byte less of it is left for no event.
    let area = |spare: usize, log: &[u8]| {
        let mut table = acpi_tpm2(6);
        let len = u32::try_from(log.len() + spare).unwrap();
        table[64..68].copy_from_slice(&len.to_le_bytes());
        Some(table)
    };
    let parsed = event_log::parse(&log.bytes);
    let end = parsed.log.events().last().unwrap().offset;
    let cut = &log.bytes[..end];
    let full = changed(&|folder| {
        folder.event_log = Some(cut.to_vec());
        folder.acpi_tpm2 = area(cut.len() / 16, cut);
    });
    raises(Code::LogFull, &full, &roots, NOW);
    let roomy = changed(&|folder| {
        folder.event_log = Some(cut.to_vec());
        folder.acpi_tpm2 = area(cut.len() / 14, cut);
    });
    assert!(!codes(&roomy, &roots, NOW).contains(&"log-full".to_owned()));
    let whole = changed(&|folder| folder.acpi_tpm2 = area(0, &log.bytes));
    assert_eq!(codes(&whole, &roots, NOW), ["tpm-virtual"], "a full log that replays");

    // The boot itself.
    let mut booted = |code: Code, log: &BuiltLog| {
        let folder = bench.evidence(log, boot_pcrs());
        raises(code, &folder, &roots, NOW);
    };
    booted(Code::SecureBootOff, &sound().secure_boot_off().build());
    booted(Code::SecureBootUnknown, &sound().no_secure_boot_variable().build());
    booted(Code::Separator, &sound().without_separator(7).build());
    booted(Code::Separator, &sound().error_separator(3).build());
    booted(Code::QuirkAccepted, &crate::quirks::slots(&sound()));
    bench.evidence(&log, boot_pcrs());
    let digests = banks.map(|alg| {
        let len = alg.digest_len().unwrap();
        (alg, Digest::filled(1, len).unwrap())
    });
    bench.tpm.client().unwrap().run(&PcrExtend { index: 10, digests: &digests }).unwrap();
    let continued = bench.quote(&log, boot_pcrs().with(10));
    raises(Code::LogContinued, &continued, &roots, NOW);

    // The TPM itself.
    raises(Code::TpmVirtual, &base, &roots, NOW);
    crate::tpm_cases::raise(&base, &mut raises);

    // The platform.
    let crb = changed(&|folder| folder.acpi_tpm2 = Some(acpi_tpm2(7)));
    raises(Code::InterfaceNotFifo, &crb, &roots, NOW);
    let launch_pcrs = (17..=22).fold(boot_pcrs(), PcrSet::with);
    bench.evidence(&log, boot_pcrs());
    let just_not = |folder: &EvidenceFolder| {
        let codes = codes(folder, &roots, NOW);
        assert!(!codes.iter().any(|code| code == Code::DynamicLaunch.as_str()), "{codes:?}");
    };
    just_not(&bench.quote(&log, launch_pcrs));
    dynamic_launch(bench.tpm.control().unwrap(), b"a kernel").unwrap();
    just_not(&bench.quote(&log, boot_pcrs()));
    raises(Code::DynamicLaunch, &bench.quote(&log, launch_pcrs), &roots, NOW);
    let mut weak = Bench::new("sha1");
    let weak_log = BootLog::sound().banks(&[TpmAlgId::SHA1]).build();
    let mut sha1 = weak.evidence(&weak_log, boot_pcrs());
    let weak_roots = weak.roots();
    raises(Code::Sha256BankInactive, &sha1, &weak_roots, NOW);
    // The same quote of a TPM that says it has the better bank: a downgrade.
    sha1.active_banks = Some(banks.to_vec());
    raises(Code::Sha256NotQuoted, &sha1, &weak_roots, NOW);

    let elsewhere = [
        &OF_THE_INVENTORY[..],
        &OF_TWO_QUOTES,
        &OF_A_POLICY,
        &crate::boot_path::CODES,
        &crate::ima::CODES,
        &crate::rules::CODES,
        &crate::references::CODES,
        &crate::secure_boot::CODES,
        &crate::quirks::CODES,
    ];
    for entry in CATALOGUE {
        let elsewhere = elsewhere.iter().any(|codes| codes.contains(&entry.code));
        assert_ne!(raised.contains(&entry.code), elsewhere, "{} has no case", entry.name);
    }
}
