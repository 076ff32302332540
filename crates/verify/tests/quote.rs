//! Quotes: each problem by itself, all of them together, and nothing else.

mod common;

use common::tpm::{AkKind, Attest, SoftAk, bank};
use tpm_wire::{Digest, PcrBank, PcrSelection, PcrSet, TPM_GENERATED, TpmAlgId};
use verify::{
    BankRule, Nonce, QuoteCheck, QuoteProblem, RawQuote, SelectionProblem, SelectionRule,
    SignatureProblem, verify_quote, verify_quote_again,
};

const NONCE: &[u8] = &[0xa5; 32];
const SHA1: TpmAlgId = TpmAlgId::SHA1;
const SHA256: TpmAlgId = TpmAlgId::SHA256;
const SHA384: TpmAlgId = TpmAlgId::SHA384;
const FIRMWARE: SelectionRule =
    SelectionRule::AtLeast { pcrs: PcrSet::FIRMWARE, banks: BankRule::Strong };

/// A host with one AK, and its sound quote.
struct Host {
    ak: SoftAk,
    banks: Vec<PcrBank>,
    selection: PcrSelection,
}

impl Host {
    fn new(kind: AkKind, selection: PcrSelection) -> Self {
        let banks = vec![bank(SHA1), bank(SHA256), bank(SHA384)];
        Self { ak: SoftAk::new(kind), banks, selection }
    }

    fn firmware() -> Self {
        Self::new(AkKind::EcdsaP256, PcrSelection::one(SHA256, PcrSet::FIRMWARE))
    }

    fn attest(&self) -> Attest {
        Attest::new(NONCE, self.selection, &self.banks, self.ak.hash())
    }

    fn check(&self, attest: &[u8], signature: &[u8], rule: &SelectionRule) -> QuoteCheck {
        let nonce = Nonce::new(NONCE).unwrap();
        let quote = RawQuote { attest, signature };
        verify_quote(&self.ak.bound(), quote, &self.banks, &nonce, rule)
    }

    /// The problems of an attest that the AK really signs.
    fn signed(&self, change: impl FnOnce(&mut Attest), rule: &SelectionRule) -> Vec<QuoteProblem> {
        let mut attest = self.attest();
        change(&mut attest);
        let attest = attest.bytes();
        let check = self.check(&attest, &self.ak.sign(&attest), rule);
        assert_eq!(check.verified().is_some(), check.problems.is_empty());
        check.problems
    }
}

#[test]
fn each_kind_of_ak_proves_its_pcrs() {
    let selection = PcrSelection::one(SHA256, PcrSet::FIRMWARE.with(14));
    for kind in [
        AkKind::EcdsaP256,
        AkKind::EcdsaP384,
        AkKind::RsaSsa,
        AkKind::RsaPss,
        AkKind::RsaPssLongestSalt,
    ] {
        let host = Host::new(kind, selection);
        // Leading zeros of r and s come in one of 128 signatures.
        for _ in 0..if kind == AkKind::EcdsaP256 { 600 } else { 1 } {
            let attest = host.attest().bytes();
            let check = host.check(&attest, &host.ak.sign(&attest), &FIRMWARE);
            assert_eq!(check.problems, [], "{kind:?}");
            let verified = check.verified().unwrap();
            assert_eq!(verified.selection(), &selection);
            assert_eq!(verified.values().len(), 1, "what is not quoted is not proved");
            let quoted = verified.bank(SHA256).unwrap();
            assert_eq!(quoted.present(), PcrSet::FIRMWARE.with(14));
            assert_eq!(quoted.get(14), Digest::filled(14, 32).as_ref());
            assert_eq!(verified.clock_info().reset_count, 7);
        }
    }
}

#[test]
fn the_digest_is_over_all_banks_with_the_hash_of_the_scheme() {
    for kind in [AkKind::EcdsaP256, AkKind::EcdsaP384] {
        let banks = [SHA384, SHA1, SHA256];
        let selection = PcrSelection::of_banks(banks, PcrSet::FIRMWARE).unwrap();
        let host = Host::new(kind, selection);
        assert_eq!(host.signed(|_| (), &SelectionRule::Exactly(selection)), []);
    }
}

#[test]
fn each_problem_is_told_by_itself() {
    let host = Host::firmware();
    assert_eq!(host.signed(|_| (), &FIRMWARE), []);
    let magic = host.signed(|attest| attest.magic = TPM_GENERATED ^ 1, &FIRMWARE);
    assert_eq!(magic, [QuoteProblem::Magic { have: 0xff54_4346 }]);
    // A key that is certified is no quote either: see the tests of that.
    let creation = host.signed(|attest| attest.kind = 0x801a, &FIRMWARE);
    assert_eq!(creation, [QuoteProblem::Type { have: 0x801a }]);
    let digest = host.signed(|attest| attest.pcr_digest[31] ^= 1, &FIRMWARE);
    assert_eq!(digest, [QuoteProblem::PcrDigest]);
    let digest = host.signed(|attest| attest.pcr_digest.truncate(31), &FIRMWARE);
    assert_eq!(digest, [QuoteProblem::PcrDigest]);
}

#[test]
fn a_signature_that_was_checked_stands_for_its_own_bytes_and_key_alone() {
    let host = Host::firmware();
    let attest = host.attest().bytes();
    let signature = host.ak.sign(&attest);
    let first = host.check(&attest, &signature, &FIRMWARE);
    let checked = *first.verified().unwrap().signature();
    let again = |ak: &SoftAk, attest: &[u8], signature: &[u8], nonce: &[u8], rule| {
        let nonce = Nonce::new(nonce).unwrap();
        let quote = RawQuote { attest, signature };
        verify_quote_again(&ak.bound(), quote, &host.banks, &nonce, rule, &checked)
    };
    let same = again(&host.ak, &attest, &signature, NONCE, &FIRMWARE);
    assert_eq!((same.problems.as_slice(), same.verified()), (&[][..], first.verified()));

    // Everything else is checked as ever.
    let other = again(&host.ak, &attest, &signature, &[1; 32], &FIRMWARE);
    assert_eq!(
        (other.problems.as_slice(), other.verified()),
        (&[QuoteProblem::NonceMismatch][..], None)
    );
    let both = SelectionRule::AtLeast { pcrs: PcrSet::FIRMWARE.with(23), banks: BankRule::Strong };
    let other = again(&host.ak, &attest, &signature, NONCE, &both);
    assert!(matches!(other.problems[..], [QuoteProblem::Selection(_)]), "{:?}", other.problems);

    // Each other byte, and each other key, needs its own.
    let is_refused = |check: &QuoteCheck| {
        check.verified().is_none()
            && check.problems.iter().any(|p| matches!(p, QuoteProblem::Signature(_)))
    };
    for n in 0..attest.len() {
        let mut other = attest.clone();
        other[n] ^= 1;
        assert!(is_refused(&again(&host.ak, &other, &signature, NONCE, &FIRMWARE)), "byte {n}");
    }
    for n in 0..signature.len() {
        let mut other = signature.clone();
        other[n] ^= 1;
        assert!(is_refused(&again(&host.ak, &attest, &other, NONCE, &FIRMWARE)), "byte {n}");
    }
    let moved =
        (attest[..attest.len() - 1].to_vec(), [&attest[attest.len() - 1..], &signature].concat());
    assert!(is_refused(&again(&host.ak, &moved.0, &moved.1, NONCE, &FIRMWARE)));
    let other_host = Host::firmware();
    assert!(is_refused(&again(&other_host.ak, &attest, &signature, NONCE, &FIRMWARE)));
}

#[test]
fn a_nonce_is_exact() {
    let host = Host::firmware();
    let mut longer = NONCE.to_vec();
    longer.push(0);
    let mut other = NONCE.to_vec();
    other[31] ^= 1;
    for nonce in [&NONCE[..31], &longer, &other, &[]] {
        let problems = host.signed(|attest| attest.nonce = nonce.to_vec(), &FIRMWARE);
        assert_eq!(problems, [QuoteProblem::NonceMismatch]);
    }
    assert_eq!(Nonce::new(&[]), None, "an empty challenge is none");
    assert!(Nonce::new(&[1; 66]).is_some());
    assert_eq!(Nonce::new(&[1; 67]), None);
}

#[test]
fn a_selection_has_to_fulfil_its_rule() {
    use QuoteProblem::Selection;
    let problems = |selection, rule: &SelectionRule| {
        let host = Host::new(AkKind::EcdsaP256, selection);
        host.signed(|_| (), rule)
    };
    let one = PcrSelection::one;
    let missing = PcrSet::EMPTY.with(7);
    let without_7 = PcrSet::FIRMWARE.without(7);
    let lacking = SelectionProblem::PcrsMissing { bank: SHA256, missing };
    assert_eq!(problems(one(SHA256, without_7), &FIRMWARE), [Selection(lacking)]);
    assert_eq!(problems(one(SHA256, PcrSet::ALL), &FIRMWARE), []);
    let sha1 = problems(one(SHA1, PcrSet::ALL), &FIRMWARE);
    assert_eq!(sha1, [Selection(SelectionProblem::NoStrongBank)]);
    let permitted = SelectionRule::AtLeast { pcrs: PcrSet::FIRMWARE, banks: BankRule::PermitSha1 };
    assert_eq!(problems(one(SHA1, PcrSet::ALL), &permitted), []);

    let nothing = [SelectionProblem::Empty, SelectionProblem::NoStrongBank].map(Selection);
    assert_eq!(problems(PcrSelection::EMPTY, &FIRMWARE), nothing);
    assert_eq!(problems(one(SHA256, PcrSet::EMPTY), &FIRMWARE), nothing, "a zero bitmap");
    let mut mixed = one(SHA256, PcrSet::FIRMWARE);
    assert!(mixed.push(SHA384, PcrSet::EMPTY));
    let empty_bank = SelectionProblem::EmptyBank { bank: SHA384 };
    assert_eq!(problems(mixed, &FIRMWARE), [Selection(empty_bank)]);

    // Each half of what is asked for, in another bank, is not the whole.
    let mut halves = one(SHA256, [0, 1, 2, 3].into_iter().collect());
    assert!(halves.push(SHA384, [4, 5, 6, 7, 0].into_iter().collect()));
    let missing = [1, 2, 3].into_iter().collect();
    let lacking = SelectionProblem::PcrsMissing { bank: SHA384, missing };
    assert_eq!(problems(halves, &FIRMWARE), [Selection(lacking)]);

    let want = PcrSelection::of_banks([SHA256, SHA384], PcrSet::FIRMWARE).unwrap();
    let exactly = SelectionRule::Exactly(want);
    assert_eq!(problems(want, &exactly), []);
    let swapped = PcrSelection::of_banks([SHA384, SHA256], PcrSet::FIRMWARE).unwrap();
    let more = PcrSelection::of_banks([SHA256, SHA384], PcrSet::FIRMWARE.with(8)).unwrap();
    for have in [swapped, more, one(SHA256, PcrSet::FIRMWARE)] {
        let differs = SelectionProblem::Differs { want, have };
        assert_eq!(problems(have, &exactly), [Selection(differs)]);
    }
}

#[test]
fn values_are_those_that_were_quoted() {
    let mut host = Host::firmware();
    let attest = host.attest().bytes();
    let signature = host.ak.sign(&attest);
    assert!(host.banks[1].set(8, Digest::filled(0xee, 32).unwrap()));
    let check = host.check(&attest, &signature, &FIRMWARE);
    assert_eq!(check.problems, [], "PCR 8 is not quoted");
    assert_eq!(check.verified().unwrap().bank(SHA256).unwrap().get(8), None);
    assert_eq!(check.verified().unwrap().bank(SHA1), None);

    assert!(host.banks[1].set(7, Digest::filled(0xee, 32).unwrap()));
    assert_eq!(host.check(&attest, &signature, &FIRMWARE).problems, [QuoteProblem::PcrDigest]);
    let mut few = PcrBank::new(SHA256);
    assert!(few.set(0, Digest::filled(0, 32).unwrap()));
    host.banks[1] = few;
    let missing = PcrSet::FIRMWARE.without(0);
    let expected = [QuoteProblem::ValuesMissing { bank: SHA256, missing }];
    assert_eq!(host.check(&attest, &signature, &FIRMWARE).problems, expected);
    host.banks.clear();
    let missing = PcrSet::FIRMWARE;
    let expected = [QuoteProblem::ValuesMissing { bank: SHA256, missing }];
    assert_eq!(host.check(&attest, &signature, &FIRMWARE).problems, expected);
}

#[test]
fn a_signature_is_of_the_aks_own_kind() {
    let host = Host::new(AkKind::RsaSsa, PcrSelection::one(SHA256, PcrSet::FIRMWARE));
    let attest = host.attest().bytes();
    let good = host.ak.sign(&attest);
    let problem = |signature: &[u8]| {
        let check = host.check(&attest, signature, &FIRMWARE);
        assert!(check.verified().is_none());
        let [QuoteProblem::Signature(problem)] = check.problems[..] else {
            panic!("{:?}", check.problems);
        };
        problem
    };
    let patched = |at: usize, byte: u8| {
        let mut signature = good.clone();
        signature[at] = byte;
        signature
    };
    assert_eq!(problem(&patched(3, 0x04)), SignatureProblem::Sha1);
    let (want, have) = (SHA256, SHA384);
    assert_eq!(problem(&patched(3, 0x0c)), SignatureProblem::Hash { want, have });
    let (want, have) = (TpmAlgId::RSASSA, TpmAlgId::RSAPSS);
    assert_eq!(problem(&patched(1, 0x16)), SignatureProblem::Scheme { want, have });
    let have = TpmAlgId::NULL;
    assert_eq!(problem(&[0, 0x10]), SignatureProblem::Scheme { want, have });
    assert!(matches!(problem(&[]), SignatureProblem::Parse(_)));
    let other = SoftAk::new(AkKind::RsaSsa).sign(&attest);
    assert_eq!(problem(&other), SignatureProblem::Wrong);
    let zeros = [&[0, 0x14, 0, 0x0b, 1, 0], [0; 256].as_slice()].concat();
    assert_eq!(problem(&zeros), SignatureProblem::Wrong);

    let ecdsa = Host::firmware();
    let attest = ecdsa.attest().bytes();
    let zeros = [0, 0x18, 0, 0x0b, 0, 0, 0, 0];
    let check = ecdsa.check(&attest, &zeros, &FIRMWARE);
    assert_eq!(check.problems, [QuoteProblem::Signature(SignatureProblem::Wrong)], "r = s = 0");
}

#[test]
fn problems_do_not_hide_each_other() {
    let host = Host::firmware();
    let mut attest = host.attest();
    let signature = host.ak.sign(&attest.bytes());
    attest.magic ^= 1;
    attest.nonce[0] ^= 1;
    attest.pcr_digest[0] ^= 1;
    attest.selection = PcrSelection::one(SHA256, PcrSet::FIRMWARE.without(7));
    let check = host.check(&attest.bytes(), &signature, &FIRMWARE);
    let missing = PcrSet::EMPTY.with(7);
    let lacking = SelectionProblem::PcrsMissing { bank: SHA256, missing };
    let expected = [
        QuoteProblem::Signature(SignatureProblem::Wrong),
        QuoteProblem::Magic { have: 0xff54_4346 },
        QuoteProblem::NonceMismatch,
        QuoteProblem::Selection(lacking),
        QuoteProblem::PcrDigest,
    ];
    assert_eq!(check.problems, expected);
    assert_eq!(check.untrusted_attest.unwrap().clock_info.reset_count, 7, "shown all the same");

    let cut = &attest.bytes()[..40];
    let check = host.check(cut, &signature, &FIRMWARE);
    let [QuoteProblem::Parse(_), QuoteProblem::Signature(_)] = check.problems[..] else {
        panic!("{:?}", check.problems);
    };
}

#[test]
fn no_byte_of_a_quote_can_be_changed() {
    for kind in [AkKind::EcdsaP256, AkKind::RsaSsa, AkKind::RsaPss] {
        let host = Host::new(kind, PcrSelection::one(SHA256, PcrSet::FIRMWARE));
        let attest = host.attest().bytes();
        let signature = host.ak.sign(&attest);
        let refused = |attest: &[u8], signature: &[u8]| {
            let check = host.check(attest, signature, &FIRMWARE);
            check.verified().is_none() && !check.problems.is_empty()
        };
        for at in 0..attest.len() {
            assert!(refused(&attest[..at], &signature), "{kind:?}: attest cut at {at}");
            for flip in [1, 0x80, 0xff] {
                let mut changed = attest.clone();
                changed[at] ^= flip;
                assert!(refused(&changed, &signature), "{kind:?}: attest, byte {at}");
            }
        }
        for at in 0..signature.len() {
            assert!(refused(&attest, &signature[..at]), "{kind:?}: signature cut at {at}");
            for flip in [1, 0x80, 0xff] {
                let mut changed = signature.clone();
                changed[at] ^= flip;
                assert!(refused(&attest, &changed), "{kind:?}: signature, byte {at}");
            }
        }
        let longer = [attest.as_slice(), &[0]].concat();
        assert!(refused(&longer, &signature));
        let longer = [signature.as_slice(), &[0]].concat();
        assert!(refused(&attest, &longer));
    }
}
