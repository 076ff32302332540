//! The least that a judgement can cost.

use std::hint::black_box;

use aws_lc_rs::signature::{self, ParsedPublicKey};
use event_log::{Convention, DataCheck, check_data, parse};
use sha2::{Digest as _, Sha256};
use tpm_wire::{TpmAlgId, TpmtSignature};

use crate::evidence::{Case, Key};

/// What has to be computed, with all reading of formats done beforehand.
pub(crate) struct Floor<'a> {
    case: &'a Case,
    key: ParsedPublicKey,
    signature: Vec<u8>,
    /// A digest for each extend.
    digests: Vec<[u8; 32]>,
    /// All data that can be checked, one behind the other.
    checked: Vec<u8>,
    n_events: usize,
}

impl<'a> Floor<'a> {
    pub(crate) fn of(case: &'a Case) -> Self {
        let algorithm: &'static dyn signature::VerificationAlgorithm = match case.key {
            Key::Rsa2048 => &signature::RSA_PKCS1_2048_8192_SHA256,
            Key::P256 => &signature::ECDSA_P256_SHA256_FIXED,
        };
        let key = ParsedPublicKey::new(algorithm, case.bound.ak().key().spki_der()).unwrap();
        let signature = match TpmtSignature::parse(&case.signature).unwrap() {
            TpmtSignature::RsaSsa { signature, .. } => signature.to_vec(),
            TpmtSignature::Ecdsa { r, s, .. } => {
                [r, s].iter().flat_map(|n| [&[0; 32][n.len()..], n].concat()).collect()
            }
            other => panic!("{other:?}"),
        };
        let parsed = parse(&case.log);
        let extended = parsed.log.events().iter().filter(|event| event.is_extended());
        let digests = extended
            .clone()
            .map(|event| event.digests.of(TpmAlgId::SHA256).unwrap().try_into().unwrap());
        let checked = extended.clone().filter_map(|event| {
            let data = event.untrusted_data;
            match check_data(event, |alg| alg == TpmAlgId::SHA256) {
                DataCheck::Matches(Convention::VariableValue) => {
                    Some(efi::VariableData::parse(data).unwrap().value)
                }
                DataCheck::Matches(_) => Some(data),
                _ => None,
            }
        });
        Self {
            case,
            key,
            signature,
            digests: digests.collect(),
            checked: checked.flatten().copied().collect(),
            n_events: parsed.log.events().len(),
        }
    }

    pub(crate) fn n_events(&self) -> usize {
        self.n_events
    }

    pub(crate) fn n_checked(&self) -> usize {
        self.checked.len()
    }

    fn signature(&self) {
        black_box(self.key.verify_sig(black_box(&self.case.attest), &self.signature)).unwrap();
    }

    /// Signature, extends, one hash of what can be checked.
    pub(crate) fn run(&self) {
        self.signature();
        let mut pcr = [0; 32];
        for digest in black_box(&self.digests) {
            let hasher = Sha256::new().chain_update(pcr).chain_update(digest);
            pcr = hasher.finalize().into();
        }
        black_box(pcr);
        black_box(Sha256::digest(black_box(&self.checked)));
    }

    /// Signature, and one hash of the log to see that it is the one of last time.
    pub(crate) fn unchanged(&self) {
        self.signature();
        black_box(Sha256::digest(black_box(&self.case.log)));
    }
}
