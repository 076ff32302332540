//! The endorsement certificate -> findings.

use std::error::Error as _;

use findings::{Argument, Code, Finding};
use tpm_wire::Digest;
use verify::{EkCertError, OutOfDate, VerifiedEk};

use crate::EkStatus;

/// The finding of a certificate that is not accepted.
pub fn ek_certificate_finding(err: &EkCertError) -> Finding {
    let dated = |code, out: &OutOfDate| {
        let finding = Finding::new(code)
            .with("not_before", seconds(out.not_before.0))
            .with("not_after", seconds(out.not_after.0));
        match &out.intermediate {
            Some(subject) => finding.with("certificate", Argument::Text(subject.clone())),
            None => finding,
        }
    };
    let code = match err {
        EkCertError::Malformed(_) | EkCertError::TooManyIntermediates { .. } => {
            Code::EkCertMalformed
        }
        EkCertError::Key(_) | EkCertError::WrongUse(_) => Code::EkCertWrongUse,
        EkCertError::KeyMismatch => return Finding::new(Code::EkCertKeyMismatch),
        EkCertError::Expired(out) => return dated(Code::EkCertExpired, out),
        EkCertError::NotYetValid(out) => return dated(Code::EkCertNotYetValid, out),
        // What is not known to be another fault is a certificate that we do not trust.
        _ => Code::EkCertUntrusted,
    };
    Finding::new(code).because(match err.source() {
        Some(source) => source.to_string(),
        None => err.to_string(),
    })
}

/// The finding of an endorsement key without a certificate, with the digest by which a policy approves
/// that key.
pub fn absent_certificate_finding(ek_spki_sha256: Option<&[u8; 32]>) -> Finding {
    let finding = Finding::new(Code::EkCertAbsent);
    match ek_spki_sha256.and_then(|sha256| Digest::new(sha256)) {
        Some(digest) => finding.with("ek_sha256", Argument::Digest(digest)),
        None => finding,
    }
}

/// Seconds since 1970 as an argument; before 1970 as text, since arguments count from zero.
fn seconds(time: i64) -> Argument {
    match u64::try_from(time) {
        Ok(time) => Argument::Number(time),
        Err(_) => Argument::Text(time.to_string()),
    }
}

/// `judged`, where the certified key passes `check` too: also where only dates are wrong, since a
/// policy may permit those. Another key is the graver fault, so it is the one that is told.
pub fn with_key_checked(
    judged: Result<VerifiedEk, EkCertError>,
    check: impl FnOnce(&VerifiedEk) -> Result<(), EkCertError>,
) -> Result<VerifiedEk, EkCertError> {
    match &judged {
        Ok(verified) => check(verified)?,
        Err(EkCertError::Expired(out) | EkCertError::NotYetValid(out)) => {
            check(&out.as_ref().clone().permit())?;
        }
        Err(_) => {}
    }
    judged
}

pub(crate) fn findings(ek: &EkStatus) -> Option<Finding> {
    match ek {
        EkStatus::Absent { ek_spki_sha256 } => {
            Some(absent_certificate_finding(ek_spki_sha256.as_ref()))
        }
        EkStatus::Refused(err) => Some(ek_certificate_finding(err)),
        EkStatus::NotAsked | EkStatus::Verified(_) => None,
    }
}
