//! Recorded evidence: the folder that BOOTPROOF_CORPUS names.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use cli::evidence_dir::{self, EvidenceFolder};
use verify::{RootStore, UnixTime};

/// The time at which evidence is judged, 2100-01-01: certificates of TPMs that end in 9999 are valid
/// then, recorded ones and those that a test makes in whichever year it runs.
pub(crate) const NOW: UnixTime = UnixTime(4_102_444_800);

/// Recorded boots, where there are some.
pub(crate) fn boots() -> Option<PathBuf> {
    testkit::corpus::folder("boots")
}

/// The authority of the recorded TPMs.
pub(crate) fn roots(boots: &std::path::Path) -> RootStore {
    let pem = std::fs::read_to_string(boots.join("ca/root.pem")).unwrap();
    RootStore::from_pem(&pem).unwrap()
}

/// A recorded boot with what is expected of it.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) folder: EvidenceFolder,
    pub(crate) expect: serde_json::Value,
}

impl Case {
    pub(crate) fn expected_verdict(&self) -> &'static str {
        match self.expect["verdict"].as_str().unwrap() {
            "pass" => "accepted",
            "fail" => "not accepted",
            other => panic!("{}: verdict {other}", self.name),
        }
    }

    /// The codes that must be among the findings.
    pub(crate) fn expected_codes(&self) -> Vec<String> {
        let lists = ["reasons", "advisories"].map(|list| self.expect[list].as_array().unwrap());
        let names = lists.into_iter().flatten().map(|name| name.as_str().unwrap());
        names.map(|name| name.to_lowercase().replace('_', "-")).collect()
    }
}

/// All recorded boots, by name.
pub(crate) fn cases(boots: &std::path::Path) -> Vec<Case> {
    let mut cases: Vec<_> = std::fs::read_dir(boots)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("expect.json").exists())
        .map(|path| Case {
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            folder: evidence_dir::read(&path).unwrap(),
            expect: serde_json::from_slice(&std::fs::read(path.join("expect.json")).unwrap())
                .unwrap(),
        })
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

/// The sum of what `check` gives of each case, on as many threads as there are cores.
pub(crate) fn sum_over(cases: &[Case], check: impl Fn(&Case) -> usize + Sync) -> usize {
    let next = AtomicUsize::new(0);
    let sum = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, Into::into) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    sum.fetch_add(check(case), Ordering::Relaxed);
                }
            });
        }
    });
    sum.into_inner()
}
