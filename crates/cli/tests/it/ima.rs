//! The measurement list of IMA: each finding of it has a case that raises it and one that just does
//! not, on quotes of a software TPM.

use std::collections::HashMap;

use api::appraisal::Appraisal;
use cli::{evidence_dir::EvidenceFolder, judge_under};
use event_log::hash;
use findings::Code;
use testkit::{
    ima::{Entry, ascii, binary, ng, violation},
    log::{BootLog, BuiltLog},
};
use tpm_wire::{Digest, PcrBank, TpmAlgId, command::PcrExtend};
use verify::RootStore;

use crate::{
    finding_cases::{Bench, boot_pcrs},
    recorded::NOW,
};

/// The findings whose cases are here.
pub(crate) const CODES: [Code; 7] = [
    Code::ImaAbsent,
    Code::ImaList,
    Code::ImaReplay,
    Code::ImaBootAggregate,
    Code::ImaFile,
    Code::ImaViolation,
    Code::ImaWeak,
];

const ENFORCE: &str = "[ima]\nmode = 'enforce'\nallow_list = 'allow.txt'";
const SHELL: [u8; 32] = [0x51; 32];

fn judged(policy: &str, folder: &EvidenceFolder, roots: &RootStore) -> Appraisal {
    let allowed = format!("{}  /bin/sh\n", hex::encode(SHELL));
    let files = HashMap::from([("allow.txt".to_owned(), allowed.into_bytes())]);
    judge_under(&policy::read_with(policy, &files).unwrap(), folder, roots, NOW)
}

/// The hash over PCRs 0 to 9 as they were quoted.
fn aggregate(folder: &EvidenceFolder) -> Entry {
    let bank = folder.pcrs.iter().find(|bank| bank.alg() == TpmAlgId::SHA256).unwrap();
    let value = |index| PcrBank::get(bank, index).unwrap().as_bytes();
    let values: Vec<&[u8]> = (0..=9).map(value).collect();
    ng("boot_aggregate", hash(TpmAlgId::SHA256, &values).unwrap().as_bytes())
}

/// Extends PCR 10 as a kernel would, `padded` as one without SHA-256.
fn extend(bench: &Bench, entries: &[Entry], padded: bool) {
    let mut client = bench.tpm.client().unwrap();
    for entry in entries {
        let digest = match padded {
            false => entry.digest(TpmAlgId::SHA256),
            true => {
                let sha1 = entry.digest(TpmAlgId::SHA1);
                Digest::new(&[sha1.as_bytes(), &[0; 12]].concat()).unwrap()
            }
        };
        let digests = [(TpmAlgId::SHA256, digest)];
        client.run(&PcrExtend { index: 10, digests: &digests }).unwrap();
    }
}

struct Host {
    bench: Bench,
    log: BuiltLog,
    roots: RootStore,
}

impl Host {
    /// A boot whose kernel measured the boot aggregate and then `entries`.
    fn booted(&mut self, entries: &[Entry], padded: bool) -> (EvidenceFolder, Vec<Entry>) {
        let boot = self.bench.evidence(&self.log, boot_pcrs());
        let all = [&[aggregate(&boot)], entries].concat();
        extend(&self.bench, &all, padded);
        let mut folder = self.bench.quote(&self.log, boot_pcrs().with(10));
        folder.ima_list = Some(binary(&all));
        (folder, all)
    }
}

/// The codes of the findings that are neither the note that PCR 10 goes on in another log nor the one
/// that the TPM is a program.
fn codes(appraisal: &Appraisal) -> Vec<&str> {
    let codes = appraisal.findings.iter().map(|finding| finding.code.as_str());
    let noted = [Code::LogContinued.as_str(), Code::TpmVirtual.as_str()];
    codes.filter(|code| !noted.contains(code)).collect()
}

#[test]
fn each_finding_of_ima_has_a_case_and_one_that_just_does_not() {
    let bench = Bench::new("sha256");
    let roots = bench.roots();
    let log = BootLog::sound().banks(&[TpmAlgId::SHA256]).build();
    let mut host = Host { bench, log, roots };
    let shell = ng("/bin/sh", &SHELL);
    let (sound, all) = host.booted(std::slice::from_ref(&shell), false);
    let roots = host.roots.clone();

    let mut raised = Vec::new();
    let mut raises = |code: Code, folder: &EvidenceFolder| {
        let appraisal = judged(ENFORCE, folder, &roots);
        assert_eq!(codes(&appraisal), [code.as_str()], "{appraisal:?}");
        let fails = code.entry().severity == findings::Severity::Fail;
        assert_eq!(appraisal.verdict == "not accepted", fails);
        // Observed, nothing of IMA fails; and without a mode nothing of it is looked at.
        let observed = judged(&ENFORCE.replace("enforce", "observe"), folder, &roots);
        assert_eq!((codes(&observed), &*observed.verdict), (vec![code.as_str()], "accepted"));
        assert_eq!(codes(&judged("", folder, &roots)), [] as [&str; 0]);
        raised.push(code);
    };
    let accepted = |folder: &EvidenceFolder| {
        let appraisal = judged(ENFORCE, folder, &roots);
        assert_eq!(codes(&appraisal), [] as [&str; 0], "{appraisal:?}");
        assert_eq!(appraisal.verdict, "accepted");
    };
    let with = |list: Vec<u8>| EvidenceFolder { ima_list: Some(list), ..sound.clone() };

    accepted(&sound);
    accepted(&with(ascii(&all)));
    // What was measured after the quote is the next quote's.
    accepted(&with(binary(&[&all[..], &[ng("/tmp/later", &[1; 32])]].concat())));
    raises(Code::ImaAbsent, &EvidenceFolder { ima_list: None, ..sound.clone() });
    raises(Code::ImaAbsent, &with(Vec::new()));
    raises(Code::ImaList, &with([&binary(&all)[..], &[0]].concat()));
    raises(Code::ImaReplay, &with(binary(&all[..1])));
    raises(Code::ImaReplay, &with(binary(&[all[0].clone(), ng("/bin/sh", &[2; 32])])));

    let (other, _) = host.booted(&[ng("/bin/sh", &[2; 32])], false);
    raises(Code::ImaFile, &other);
    let (other, _) = host.booted(&[ng("/tmp/sh", &SHELL)], false);
    raises(Code::ImaFile, &other);
    let (odd, _) = host.booted(&[violation("/bin/sh")], false);
    raises(Code::ImaViolation, &odd);
    let (weak, _) = host.booted(std::slice::from_ref(&shell), true);
    raises(Code::ImaWeak, &weak);

    // A list of another boot, which the TPM was extended with all the same.
    let _ = host.bench.evidence(&host.log, boot_pcrs());
    let foreign = [ng("boot_aggregate", &[3; 32]), shell];
    extend(&host.bench, &foreign, false);
    let mut folder = host.bench.quote(&host.log, boot_pcrs().with(10));
    folder.ima_list = Some(binary(&foreign));
    raises(Code::ImaBootAggregate, &folder);

    assert!(CODES.iter().all(|code| raised.contains(code)), "{raised:?}");
}

#[test]
fn a_list_without_a_quoted_pcr_proves_nothing() {
    let bench = Bench::new("sha256");
    let roots = bench.roots();
    let log = BootLog::sound().banks(&[TpmAlgId::SHA256]).build();
    let mut host = Host { bench, log, roots };
    let (_, all) = host.booted(&[ng("/bin/sh", &SHELL)], false);
    let mut unquoted = host.bench.quote(&host.log, boot_pcrs());
    unquoted.ima_list = Some(binary(&all));
    let appraisal = judged(ENFORCE, &unquoted, &host.roots);
    assert_eq!((codes(&appraisal), &*appraisal.verdict), (vec!["ima-replay"], "not accepted"));
}

#[test]
fn a_thousand_objections_are_24_and_a_count() {
    let bench = Bench::new("sha256");
    let roots = bench.roots();
    let log = BootLog::sound().banks(&[TpmAlgId::SHA256]).build();
    let mut host = Host { bench, log, roots };
    let many: Vec<_> = (0..40).map(|n| ng(&format!("/opt/{n}"), &SHELL)).collect();
    let (folder, _) = host.booted(&many, false);
    let appraisal = judged(ENFORCE, &folder, &host.roots);
    let files: Vec<_> =
        appraisal.findings.iter().filter(|finding| finding.code == "ima-file").collect();
    assert_eq!(files.len(), 25);
    assert!(files[24].cause.contains("more 16"), "{}", files[24].cause);
    assert!(files[0].cause.contains("/opt/0"), "{}", files[0].cause);
}
