//! The core of a judgement: identity, quote, replay, event data.

use std::borrow::Cow;

use event_log::{ComparedLog, LaterLog, read_and_compare};
use tpm_wire::{PcrBank, TpmAlgId};
use verify::{
    BindError, BoundAk, CheckedSignature, Name, Nonce, QuoteProblem, RawQuote, UntrustedAttest,
    check_ak, verify_quote, verify_quote_again,
};

use crate::Policy;
use crate::claims::{IdentityStatus, QuoteStatus};
use crate::evidence::{Challenge, Evidence, Known, QuoteEvidence};
use crate::policy::LogRules;

/// What the core of a judgement gives: everything that is arithmetic, before anything of it is
/// read as a boot. Only [`examine_core`] makes one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Core<'a> {
    /// Whose evidence it is.
    pub identity: IdentityStatus,
    /// The quote.
    pub quote: QuoteStatus,
    /// The log beside what was quoted.
    pub log: CoreLog<'a>,
}

/// The event log, compared with the quoted values, or where no quote is verified with the values
/// that the host says.
#[derive(Clone, Debug)]
pub enum CoreLog<'a> {
    /// The host has none.
    Absent,
    /// It has no byte.
    Empty,
    /// It was read, to its end or to a problem.
    Compared(Box<ComparedInBanks<'a>>),
}

/// A log and the banks that it was compared in.
#[derive(Clone, Debug)]
pub struct ComparedInBanks<'a> {
    /// The banks.
    pub banks: Vec<TpmAlgId>,
    /// What came out.
    pub compared: ComparedLog<'a>,
}

/// From the bytes of `evidence` to: whose key it is; the quote's form, signature, magic, type,
/// challenge, selection and PCR digest; the log's framing, its replay in each quoted bank, and the
/// data of each event. No check that fails stops another. What [`examine`](crate::examine) begins
/// with.
pub fn examine_core<'a>(
    evidence: &Evidence<'a>,
    known: &Known<'_>,
    challenge: &Challenge<'_>,
    policy: &Policy,
) -> Core<'a> {
    core_and_key(evidence, known, challenge, policy).0
}

/// The same, and the key that it judged by, where one is known.
pub(crate) fn core_and_key<'a, 'k>(
    evidence: &Evidence<'a>,
    known: &Known<'k>,
    challenge: &Challenge<'_>,
    policy: &Policy,
) -> (Core<'a>, Option<Key<'k>>) {
    let (identity, bound) = identity(known, evidence.ak_public);
    let quote = quote(evidence, bound.as_deref(), challenge, policy, None);
    let log = match evidence.event_log {
        None => CoreLog::Absent,
        Some([]) => CoreLog::Empty,
        Some(bytes) => {
            let said;
            let values = match &quote {
                QuoteStatus::Verified(quote) => quote.values(),
                unverified => {
                    said = as_selected(evidence.pcrs, unverified);
                    &said
                }
            };
            let rules = policy.log_rules();
            CoreLog::Compared(Box::new(compared(bytes, values, evidence.later, rules)))
        }
    };
    (Core { identity, quote, log }, bound)
}

fn compared<'a>(
    bytes: &'a [u8],
    values: &[PcrBank],
    later: Option<&LaterLog>,
    rules: LogRules<'_>,
) -> ComparedInBanks<'a> {
    let judged = judged_banks(values);
    let later = later.map_or(&[][..], |log| &log.events);
    ComparedInBanks {
        banks: judged.iter().map(PcrBank::alg).collect(),
        compared: read_and_compare(bytes, &judged, &rules.replay(), later),
    }
}

/// SHA-1 beside a better bank proves nothing more, so it is not replayed then.
fn judged_banks(values: &[PcrBank]) -> Cow<'_, [PcrBank]> {
    let is_strong = |bank: &&PcrBank| bank.alg().is_strong_hash();
    match values.iter().filter(is_strong).count() {
        n if n == 0 || n == values.len() => values.into(),
        _ => values.iter().filter(is_strong).cloned().collect(),
    }
}

/// A key that is borrowed from the caller's cache or made for this evidence.
pub(crate) enum Key<'a> {
    Kept(&'a BoundAk),
    Made(Box<BoundAk>),
}

impl std::ops::Deref for Key<'_> {
    type Target = BoundAk;

    fn deref(&self) -> &BoundAk {
        match self {
            Self::Kept(key) => key,
            Self::Made(key) => key,
        }
    }
}

pub(crate) fn identity<'a>(
    known: &Known<'a>,
    presented: Option<&[u8]>,
) -> (IdentityStatus, Option<Key<'a>>) {
    let presented_name = || presented.and_then(|public| check_ak(public).ok()).map(|ak| *ak.name());
    match known {
        Known::Nothing => (IdentityStatus::NoIdentityKey, None),
        Known::Key(bound) => {
            let ak_name = *bound.ak().name();
            // Byte equality settles the normal case without parsing the key again.
            let same = presented.is_none_or(|public| public == bound.ak().raw());
            let presented: Option<Name> =
                if same { None } else { presented_name().filter(|name| *name != ak_name) };
            let status = if same || presented.is_none() {
                IdentityStatus::Bound { ak_name, presented: None }
            } else {
                IdentityStatus::AkNotEnrolled { enrolled: ak_name, presented }
            };
            (status, Some(Key::Kept(bound)))
        }
        Known::Names(enrolled) => {
            let ak_name = enrolled.ak_name;
            let not_enrolled =
                |presented| IdentityStatus::AkNotEnrolled { enrolled: ak_name, presented };
            let Some(public) = presented else { return (not_enrolled(None), None) };
            match BoundAk::from_enrolled(enrolled, public) {
                Ok(bound) => {
                    let status = IdentityStatus::Bound { ak_name, presented: None };
                    (status, Some(Key::Made(Box::new(bound))))
                }
                Err(BindError::NotEnrolled { have, .. }) => (not_enrolled(Some(have)), None),
                Err(BindError::Ak(err)) => (IdentityStatus::AkUnfit(err), None),
                Err(_) => (not_enrolled(None), None),
            }
        }
    }
}

pub(crate) fn quote(
    evidence: &Evidence<'_>,
    bound: Option<&BoundAk>,
    challenge: &Challenge<'_>,
    policy: &Policy,
    checked: Option<&CheckedSignature>,
) -> QuoteStatus {
    let Some(QuoteEvidence { attest, signature }) = evidence.quote else {
        return QuoteStatus::Absent { untrusted_error: evidence.tpm_error.map(str::to_owned) };
    };
    let Some(bound) = bound else {
        return QuoteStatus::NoKey { untrusted_attest: UntrustedAttest::parse(attest) };
    };
    let rule = policy.selection_rule();
    let check = |nonce: &Nonce| {
        let (raw, values) = (RawQuote { attest, signature }, evidence.pcrs);
        match checked {
            Some(checked) => verify_quote_again(bound, raw, values, nonce, &rule, checked),
            None => verify_quote(bound, raw, values, nonce, &rule),
        }
    };
    let (mut problems, untrusted_attest) = match challenge {
        Challenge::Nonce(nonce) => {
            let mut check = check(nonce);
            let refused = (std::mem::take(&mut check.problems), check.untrusted_attest);
            match check.into_verified() {
                Some(verified) => return QuoteStatus::Verified(verified),
                None => refused,
            }
        }
        Challenge::Absent => match Nonce::new(&[0]) {
            // Any nonce serves to collect the other problems; that none was asked for is one.
            Some(nonce) => {
                let check = check(&nonce);
                (check.problems, check.untrusted_attest)
            }
            None => (Vec::new(), None),
        },
    };
    if matches!(challenge, Challenge::Absent) && !problems.contains(&QuoteProblem::NonceMismatch) {
        problems.push(QuoteProblem::NonceMismatch);
    }
    QuoteStatus::Refused { untrusted_attest, problems }
}

/// The values that the host says of the PCRs that its unverified quote covers; all of them where
/// there is no quote. To compare the log with something, for findings that help.
fn as_selected(said: &[PcrBank], quote: &QuoteStatus) -> Vec<PcrBank> {
    let Some(selection) = quote.selection() else { return said.to_vec() };
    let mut selected = Vec::new();
    for (alg, pcrs) in selection.banks() {
        let Some(values) = said.iter().find(|bank| bank.alg() == *alg) else { continue };
        let mut bank = PcrBank::new(*alg);
        for (index, value) in values.iter().filter(|(index, _)| pcrs.contains(*index)) {
            // It came out of a bank of the same hash, so it fits.
            let _ = bank.set(index, *value);
        }
        selected.push(bank);
    }
    selected
}
