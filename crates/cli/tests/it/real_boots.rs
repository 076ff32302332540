//! Evidence of machines that really booted, with Secure Boot firmware and TPM registers: the
//! judgement offline is what the server said. `testdata/boots/README.md` says how it was made.

use std::{
    fs,
    path::{Path, PathBuf},
};

use appraise::Policy;
use cli::{
    evidence_dir::{self, EvidenceFolder},
    judge_with,
};
use references::{Applied, Baseline, Scope, State};
use tpm_wire::{Digest, TpmAlgId};
use verify::RootStore;

use crate::recorded::NOW;

struct Boot {
    name: String,
    path: PathBuf,
    folder: EvidenceFolder,
    roots: RootStore,
    reference: Option<Baseline>,
}

impl Boot {
    fn read(path: &Path) -> Self {
        let root = fs::read_to_string(path.join("root.pem")).unwrap();
        let reference = fs::read(path.join("reference.json")).ok();
        Self {
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            path: path.to_owned(),
            folder: evidence_dir::read(path).unwrap(),
            roots: RootStore::from_pem(&root).unwrap(),
            reference: reference.map(|bytes| report::reference::read(&bytes).unwrap()),
        }
    }

    /// The verdict, then severities and codes.
    fn judged(&self, folder: &EvidenceFolder) -> Vec<String> {
        let applied = self.reference.as_ref().map(|baseline| Applied {
            name: "learnt",
            scope: Scope::Host,
            state: State::Active,
            accepted_by: "lab",
            accepted_at: Some(NOW),
            until: None,
            baseline,
        });
        let judged = judge_with(&Policy::default(), applied.as_slice(), folder, &self.roots, NOW);
        let findings = judged.findings.iter();
        let mut lines: Vec<_> =
            findings.map(|finding| format!("{} {}", finding.severity, finding.code)).collect();
        lines.sort();
        lines.insert(0, judged.verdict);
        lines
    }

    fn expected(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path.join("expect.txt")).unwrap();
        // When a key was bound the inventory knows, and no evidence.
        text.lines().filter(|line| *line != "info ak-renewed").map(str::to_owned).collect()
    }

    /// What the firmware measured, in the bank that all of them have.
    fn measured(&self) -> Vec<Option<Digest>> {
        let bank = self.folder.pcrs.iter().find(|bank| bank.alg() == TpmAlgId::SHA256);
        (0..10).map(|pcr| bank.and_then(|bank| bank.get(pcr)).copied()).collect()
    }
}

fn boots() -> Vec<Boot> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/boots");
    let paths = fs::read_dir(all).unwrap().map(|entry| entry.unwrap().path());
    let boots: Vec<_> = paths.filter(|path| path.is_dir()).map(|path| Boot::read(&path)).collect();
    assert!(boots.len() >= 15, "only {} boots are recorded", boots.len());
    boots
}

#[test]
fn a_recorded_boot_is_judged_offline_as_the_server_judged_it() {
    let boots = boots();
    for boot in &boots {
        assert_eq!(boot.judged(&boot.folder), boot.expected(), "{}", boot.name);
    }
    let accepted = boots.iter().filter(|boot| boot.expected()[0] == "accepted").count();
    assert!(accepted >= 4 && boots.len() - accepted >= 8, "{accepted} accepted");
}

#[test]
fn evidence_of_one_boot_does_not_pass_with_a_part_of_another() {
    let mut boots = boots();
    boots.retain(|boot| boot.expected()[0] == "accepted");
    for boot in &boots {
        for other in &boots {
            let mut with_log = evidence_dir::read(&boot.path).unwrap();
            // The same programs give the same values, whatever TPM they are measured into.
            if boot.measured() != other.measured() {
                with_log.event_log = other.folder.event_log.clone();
                let judged = boot.judged(&with_log);
                assert_ne!(judged[0], "accepted", "{} with the log of {}", boot.name, other.name);
            }
            if boot.name != other.name {
                let mut with_quote = evidence_dir::read(&boot.path).unwrap();
                with_quote.quote = other.folder.quote.clone();
                let judged = boot.judged(&with_quote);
                assert_ne!(judged[0], "accepted", "{} with the quote of {}", boot.name, other.name);
            }
        }
    }
}
