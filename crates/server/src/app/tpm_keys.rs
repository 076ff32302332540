//! The keys that a host shows for enrolment: their shape, and what their certificate proves.

use api::agent::TpmKeys;
use appraise::KeyRole;
use findings::{Finding, Severity};
use verify::{AkPublic, EkPublic, UnixTime, check_ak, check_ek, verify_ek_certificate};

use super::{App, AppError, RefusalKind};

/// Bytes of a public area: an RSA-4096 key has below 600.
const PUBLIC_BYTES_MAX: usize = 2048;

/// Keys of the right shape and attributes. Trust: nothing yet says that they are of a genuine TPM, or
/// that who sent them has it.
pub(super) struct CheckedKeys {
    pub(super) ek: EkPublic,
    pub(super) ak: AkPublic,
}

impl CheckedKeys {
    /// Checks the shape of both keys. What no agent of ours sends is refused.
    pub(super) fn check(tpm: &TpmKeys) -> Result<Self, AppError> {
        let unfit = |title: String| {
            let hint = "update the agent; the TPM must make keys by the TCG templates";
            AppError::refused(RefusalKind::Invalid, "tpm-keys-invalid", title, hint)
        };
        for (name, bytes) in [("ek_public", &tpm.ek_public), ("ak_public", &tpm.ak_public)] {
            if bytes.len() > PUBLIC_BYTES_MAX {
                return Err(unfit(format!("{name} has over {PUBLIC_BYTES_MAX} bytes")));
            }
        }
        let chained = |err: &dyn std::error::Error| match err.source() {
            Some(source) => format!("{err}: {source}"),
            None => err.to_string(),
        };
        let ek = check_ek(&tpm.ek_public).map_err(|err| unfit(chained(&err)))?;
        let ak = check_ak(&tpm.ak_public).map_err(|err| unfit(chained(&err)))?;
        Ok(Self { ek, ak })
    }

    /// The endorsement key's digest as people see it.
    pub(super) fn ek_sha256(&self) -> String {
        hex::encode(self.ek.spki_sha256())
    }
}

impl App {
    /// What is wrong with the certificate of `keys`, which `tpm` carries, or with the keys as numbers,
    /// as severe as the policy says: the chain, then that it is the certificate of this endorsement key.
    pub(super) async fn keys_finding(
        &self,
        keys: &CheckedKeys,
        tpm: &TpmKeys,
        now_ms: i64,
    ) -> Result<Option<Finding>, AppError> {
        let (_, roots) = self.anchors().await?;
        let now = UnixTime(now_ms.div_euclid(1000));
        let found = match &tpm.ek_certificate {
            None => Some(appraise::absent_certificate_finding(Some(&keys.ek.spki_sha256()))),
            Some(certificate) => {
                let chain: Vec<&[u8]> = tpm.ek_chain.iter().map(|bytes| &**bytes).collect();
                let judged = verify_ek_certificate(certificate, &chain, &roots, now);
                let judged = appraise::with_key_checked(judged, |found| found.check_key(&keys.ek));
                judged.err().map(|err| appraise::ek_certificate_finding(&err))
            }
        };
        let weak = [(KeyRole::Endorsement, keys.ek.key()), (KeyRole::Attestation, keys.ak.key())];
        let weak = weak.into_iter().find(|(_, key)| appraise::is_weak_key(key));
        let found = found.or_else(|| weak.map(|(role, _)| appraise::weak_key_finding(role)));
        Ok(found.map(|mut finding| {
            self.rules().policy.judge(&mut finding, now);
            finding
        }))
    }

    /// Why `keys` must not be enrolled. What the policy waives keeps no host out: each verdict shows it.
    pub(super) async fn keys_problem(
        &self,
        keys: &CheckedKeys,
        tpm: &TpmKeys,
        now_ms: i64,
    ) -> Result<Option<Finding>, AppError> {
        let Some(finding) = self.keys_finding(keys, tpm, now_ms).await? else { return Ok(None) };
        if matches!(finding.severity(), Severity::Fail | Severity::Hold) {
            return Ok(Some(finding));
        }
        tracing::warn!(reason = finding.cause(), "keys enrolled by leave of the policy");
        Ok(None)
    }
}
