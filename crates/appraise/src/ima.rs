//! The measurement list of IMA -> claims and findings. Only where the policy asks for it: without,
//! its PCR is one that goes on in another log, and nothing is believed of it.

use event_log::Rules;
use findings::{Argument, Code, Finding, Severity};
use ima::{
    AllowList, BootAggregate, Convention, Mismatch, ObjectionKind, Problem, Replayed,
    SignatureFault, boot_aggregate, judge, parse, replay,
};
use tpm_wire::{PcrBank, TpmAlgId};
use verify::FileSigners;

use crate::claims::QuoteStatus;

/// The PCR that kernels measure into, where nobody configured another.
pub const IMA_PCR: u32 = 10;

/// Objections that are told one by one; a count tells of the rest. Nobody reads more, and a list
/// that nothing allows has an objection for each of 100,000 files.
const OBJECTIONS_MAX: usize = 24;

/// Bytes of a path that are told.
const PATH_BYTES_MAX: usize = 256;

/// How the measurement list of IMA is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImaRules {
    /// What its findings do.
    pub mode: ImaMode,
    /// The PCR of the list.
    pub pcr_index: u32,
    /// Digests that files may have.
    pub allowed: AllowList,
    /// Who may sign files.
    pub signers: FileSigners,
}

/// What the findings of IMA do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImaMode {
    /// They warn: for the time in which an allow list is made.
    Observe,
    /// They are as severe as in the catalogue.
    Enforce,
}

impl ImaMode {
    /// Each.
    pub const ALL: [Self; 2] = [Self::Observe, Self::Enforce];

    /// The word in a policy.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Enforce => "enforce",
        }
    }
}

impl ImaRules {
    /// Whether `pcr_index` may be the PCR of the list: one that goes on after the boot.
    pub fn may_be_in(pcr_index: u32) -> bool {
        Rules::default().continued.contains(pcr_index) && pcr_index < 16
    }
}

/// What the list of IMA proves.
#[derive(Clone, Debug)]
pub enum ImaStatus {
    /// The policy does not ask for it.
    NotAsked,
    /// It is asked for, and none came.
    Absent,
    /// One came, and no verified quote covers its PCR in a bank of SHA-256 or better.
    NotQuoted {
        /// The PCR.
        pcr_index: u32,
    },
    /// It was read, to its end or to a problem.
    Read(Box<ReadIma>),
}

/// A list that was read and compared with the quoted values.
#[derive(Clone, Debug)]
pub struct ReadIma {
    /// The PCR.
    pub pcr_index: u32,
    /// Bytes.
    pub n_bytes: usize,
    /// Entries up to the first problem.
    pub n_entries: usize,
    /// Why reading stopped before the end.
    pub problem: Option<Problem>,
    /// Of each quoted strong bank what the list leads to.
    pub banks: Vec<(TpmAlgId, Result<Convention, Box<Mismatch>>)>,
    /// What the entries that every quoted bank covers say; `None` where one covers none.
    pub covered: Option<CoveredIma>,
}

/// What the covered entries say.
#[derive(Clone, Debug)]
pub struct CoveredIma {
    /// How many there are.
    pub n_entries: usize,
    /// How many came between the quote and the reading of the list.
    pub n_later: usize,
    /// Whether the list is of the quoted boot.
    pub aggregate: BootAggregate,
    /// What nothing allows, in order, the first of them.
    pub objections: Vec<ImaObjection>,
    /// How many more there are.
    pub n_more: usize,
}

/// An entry that nothing allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImaObjection {
    /// Number of the entry, from 0.
    pub entry: u32,
    /// Where it begins.
    pub offset: usize,
    /// The path, as it was measured. Whoever can make files chooses it.
    pub path: String,
    /// What is wrong.
    pub kind: ObjectionKind,
}

/// Reads `list`, replays it in each bank of `quote` that counts, and judges what all of them cover.
pub(crate) fn examine_ima(
    rules: Option<&ImaRules>,
    list: Option<&[u8]>,
    quote: &QuoteStatus,
) -> ImaStatus {
    let Some(rules) = rules else { return ImaStatus::NotAsked };
    let Some(bytes) = list.filter(|bytes| !bytes.is_empty()) else { return ImaStatus::Absent };
    let pcr_index = rules.pcr_index;
    let banks = quote.verified().map_or(&[][..], |quote| quote.values());
    let quoted: Vec<_> = (banks.iter().filter(|bank| bank.alg().is_strong_hash()))
        .filter_map(|bank| Some((bank.alg(), bank.get(pcr_index)?)))
        .collect();
    if quoted.is_empty() {
        return ImaStatus::NotQuoted { pcr_index };
    }
    let (list, problem) = parse(bytes);
    let replays: Vec<_> =
        quoted.iter().map(|(alg, value)| (*alg, replay(&list, pcr_index, *alg, value))).collect();
    let all: Option<Vec<_>> = replays.iter().map(|(_, replay)| replay.as_ref().ok()).collect();
    // One quote is one moment: what a bank does not cover, the others do not either.
    let least = all.and_then(|all| all.into_iter().min_by_key(|replayed| replayed.n_covered()));
    ImaStatus::Read(Box::new(ReadIma {
        pcr_index,
        n_bytes: bytes.len(),
        n_entries: list.entries.len(),
        problem,
        covered: least.map(|replayed| covered(replayed, rules, banks)),
        banks: replays
            .into_iter()
            .map(|(alg, replay)| (alg, replay.map(|replayed| replayed.convention())))
            .collect(),
    }))
}

fn covered(replayed: &Replayed<'_, '_>, rules: &ImaRules, quoted: &[PcrBank]) -> CoveredIma {
    let found = judge(replayed, &rules.allowed, &rules.signers);
    let objection = |objection: &ima::Objection<'_, '_>| ImaObjection {
        entry: objection.entry.number,
        offset: objection.entry.offset,
        path: objection.entry.measured().map_or_else(String::new, |measured| {
            let start = measured.name.get(..PATH_BYTES_MAX).unwrap_or(measured.name);
            String::from_utf8_lossy(start).into_owned()
        }),
        kind: objection.kind,
    };
    CoveredIma {
        n_entries: replayed.n_covered(),
        n_later: replayed.n_later(),
        aggregate: boot_aggregate(replayed, quoted),
        objections: found.iter().take(OBJECTIONS_MAX).map(objection).collect(),
        n_more: found.len().saturating_sub(OBJECTIONS_MAX),
    }
}

/// The findings of `status`, as `mode` lets them be.
pub(crate) fn findings(status: &ImaStatus, mode: Option<ImaMode>) -> Vec<Finding> {
    let mut findings = match status {
        ImaStatus::NotAsked => Vec::new(),
        ImaStatus::Absent => vec![Finding::new(Code::ImaAbsent)],
        ImaStatus::NotQuoted { pcr_index } => vec![
            Finding::new(Code::ImaReplay)
                .in_pcr(*pcr_index)
                .because("no verified quote covers it in a bank of SHA-256 or better"),
        ],
        ImaStatus::Read(read) => of_list(read),
    };
    if mode == Some(ImaMode::Observe) {
        for finding in findings.iter_mut().filter(|found| found.severity() == Severity::Fail) {
            *finding = finding
                .clone()
                .with_severity(Severity::Warn)
                .with("observed", Argument::Text("ima.mode".to_owned()));
        }
    }
    findings
}

fn of_list(read: &ReadIma) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(problem) = read.problem {
        findings.push(Finding::new(Code::ImaList).because(problem.to_string()));
    }
    for (alg, replay) in &read.banks {
        let of_bank = |code| {
            let bank = Argument::Bank(*alg);
            Finding::new(code).in_pcr(read.pcr_index).with("bank", bank)
        };
        match replay {
            Ok(Convention::BankDigest) => {}
            Ok(Convention::PaddedSha1) => findings.push(of_bank(Code::ImaWeak)),
            Err(mismatch) => {
                let finding =
                    of_bank(Code::ImaReplay).with("quoted", Argument::Digest(mismatch.quoted));
                findings.push(match mismatch.replayed {
                    Some(replayed) => finding.with("list", Argument::Digest(replayed)),
                    None => finding.because("its hash is none that we have"),
                });
            }
        }
    }
    let Some(covered) = &read.covered else { return findings };
    let aggregate = match covered.aggregate {
        BootAggregate::Matches { .. } => None,
        BootAggregate::Differs => Some(
            "it is not the hash over the quoted PCRs 0 to 7, or 0 to 9: the list is of another boot",
        ),
        BootAggregate::Zero => Some("it is zeros: IMA began before the kernel had the TPM"),
        BootAggregate::NotQuoted => Some("PCRs 0 to 7 are not quoted in the bank that it is of"),
        BootAggregate::Missing => Some("the first entry is something else, or nothing is covered"),
    };
    findings.extend(aggregate.map(|reason| Finding::new(Code::ImaBootAggregate).because(reason)));
    for objection in &covered.objections {
        let (code, reason) = objected(objection.kind);
        findings.push(
            Finding::new(code)
                .in_pcr(read.pcr_index)
                .at_offset(u64::try_from(objection.offset).unwrap_or(u64::MAX))
                .because(reason)
                .with("entry", Argument::Number(objection.entry.into()))
                .with("path", Argument::Text(objection.path.clone())),
        );
    }
    if covered.n_more > 0 {
        let more = Argument::count(covered.n_more);
        findings.push(Finding::new(Code::ImaFile).in_pcr(read.pcr_index).with("more", more));
    }
    findings
}

const fn objected(kind: ObjectionKind) -> (Code, &'static str) {
    match kind {
        ObjectionKind::Violation => {
            (Code::ImaViolation, "the file was open for writing while it was measured")
        }
        ObjectionKind::Unreadable => (Code::ImaFile, "its template cannot be read"),
        ObjectionKind::WeakDigest => (Code::ImaFile, "its digest is weaker than SHA-256"),
        ObjectionKind::Changed => (Code::ImaFile, "the allow list has other digests for this path"),
        ObjectionKind::NotListed => (Code::ImaFile, "the allow list does not have this path"),
        ObjectionKind::Signature(SignatureFault::Malformed) => {
            (Code::ImaFile, "it is not listed, and its signature cannot be read")
        }
        ObjectionKind::Signature(SignatureFault::Digest) => {
            (Code::ImaFile, "it is not listed, and its signature is over another kind of digest")
        }
        ObjectionKind::Signature(SignatureFault::UnknownKey) => (
            Code::ImaFile,
            "it is not listed, and none of the signers has the key of its signature",
        ),
        ObjectionKind::Signature(SignatureFault::Wrong) => {
            (Code::ImaFile, "it is not listed, and its signature does not hold")
        }
    }
}
