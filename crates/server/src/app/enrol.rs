//! Enrolment: a host joins, and the keys of its TPM are bound to each other and stored.
//!
//! join or enrol -> EK chain, EK and AK checked -> credential for this EK and this AK ->
//! activate: the TPM opened it -> the identity is stored. Nothing of a TPM is stored before that.

use std::sync::Arc;

use api::{
    Bytes,
    agent::{
        ActivateReply, ActivateRequest, Credential, EnrolReply, EnrolRequest, HOST_TOKEN_PREFIX,
        HostSays, JoinRequest, TpmKeys, host_token_message,
    },
};
use appraise::KeyRole;
use aws_lc_rs::hmac;
use findings::{Code, Finding, Severity};
use serde::{Deserialize, Serialize};
use store::{
    ApprovalRule, By, Completion, Conflict, Host, HostId, Identity, JoinTokenId, NewHost, Origin,
    PendingEnrolment, PendingId, StoreError, TpmPresence,
};
use uuid::Uuid;
use verify::{
    ActivationProof, AkPublic, CredentialSecret, EkPublic, SECRET_LEN, UnixTime, bind, check_ak,
    check_ek, make_credential, verify_ek_certificate,
};
use zeroize::Zeroizing;

use super::{
    App, AppError, RefusalKind,
    secret::{random, sha256, token_sha256},
    standing,
};

/// Seconds that a TPM has to open its credential. Slow chips take some, after making an RSA key.
const ACTIVATION_S_MAX: u64 = 300;

/// Bytes of a public area: an RSA-4096 key has below 600.
const PUBLIC_BYTES_MAX: usize = 2048;

/// What is kept of the keys between credential and activation.
#[derive(Serialize, Deserialize)]
struct Documents {
    host_id: String,
    tpm: TpmKeys,
    proof: Bytes,
}

/// Keys that hold every check that is possible before activation.
struct CheckedKeys {
    ek: EkPublic,
    ak: AkPublic,
}

/// Why keys are not enrolled.
enum KeysRefused {
    /// The agent sent what no agent of ours sends.
    Request(AppError),
    /// The TPM or its certificate is not one that we trust; a person reads this in the inventory.
    Findings(Vec<Finding>),
}

impl From<AppError> for KeysRefused {
    fn from(err: AppError) -> Self {
        Self::Request(err)
    }
}

impl App {
    /// A host joins with a join token.
    pub async fn join(self: &Arc<Self>, request: JoinRequest) -> Result<EnrolReply, AppError> {
        let by = By::new("join", self.store.now_ms().await?);
        check_host_says(&request.host)?;
        let api_token_sha256: store::Sha256 = (*request.token_sha256).try_into().map_err(|_| {
            let title = "token_sha256 is not 32 bytes";
            AppError::refused(RefusalKind::Invalid, "body-invalid", title, "update the agent")
        })?;
        // The answer to this very request was lost on its way; it is the same host.
        if let Some(known) = self.store.host_by_api_token(api_token_sha256).await? {
            let host_id = known.id.to_string();
            return Ok(EnrolReply::Joined {
                host_id,
                findings: standing::enrolment_problem(&known),
            });
        }
        let token = self
            .store
            .join_token_by_sha256(token_sha256(&request.token))
            .await?
            .ok_or_else(|| token_refused(store::JoinTokenFault::Unknown))?;
        if let Some(fault) = token.fault(by.at_ms) {
            return Err(token_refused(fault));
        }
        let name = request.host.name;
        let Some(tpm) = request.tpm else {
            let findings = vec![Finding::new(Code::NoTpm)];
            let host = keyless(name, token.id, TpmPresence::Absent, api_token_sha256);
            return self.join_without_key(host, findings, by).await;
        };
        match self.check_keys(&tpm, by.at_ms).await {
            Ok(keys) => {
                let host_id = Uuid::new_v4().to_string();
                self.begin(Origin::JoinToken(token.id), name, host_id, tpm, &keys, by).await
            }
            Err(KeysRefused::Findings(findings)) => {
                let host = keyless(name, token.id, TpmPresence::Present, api_token_sha256);
                self.join_without_key(host, findings, by).await
            }
            Err(KeysRefused::Request(err)) => Err(err),
        }
    }

    /// A host of the inventory gives the keys of its TPM, after a person reconnected it.
    pub async fn enrol(
        self: &Arc<Self>,
        host: Host,
        request: EnrolRequest,
    ) -> Result<EnrolReply, AppError> {
        let by = By::new(format!("host:{}", host.id), self.store.now_ms().await?);
        if !host.reenrol_wanted {
            return Err(StoreError::from(Conflict::ReenrolmentNotWanted { host: host.id }).into());
        }
        let mut refused = match self.check_keys(&request.tpm, by.at_ms).await {
            Err(KeysRefused::Request(err)) => return Err(err),
            Err(KeysRefused::Findings(findings)) => findings,
            Ok(keys) => {
                let known = host.identity.as_ref().map(|identity| identity.ek_spki_sha256);
                if known.is_none_or(|known| known == keys.ek.spki_sha256()) {
                    let (id, origin) = (host.id.to_string(), Origin::Host(host.id));
                    return self.begin(origin, host.name, id, request.tpm, &keys, by).await;
                }
                Vec::new()
            }
        };
        if refused.is_empty() {
            refused.push(Finding::new(Code::EkChanged));
        }
        let findings: Vec<_> = refused.iter().map(api::finding::Finding::from).collect();
        tracing::warn!(host = %host.id, reason = refused[0].cause(), "keys not enrolled");
        self.store.note_enrolment_problem(&host.id, to_json(&findings)?).await?;
        self.hub.wake(&host.id);
        Ok(EnrolReply::Joined { host_id: host.id.to_string(), findings })
    }

    /// The TPM opened its credential: now the keys are bound, and the identity is stored.
    pub async fn activate(&self, request: ActivateRequest) -> Result<ActivateReply, AppError> {
        let now_ms = self.store.now_ms().await?;
        let id = PendingId::from(request.enrolment_id.as_str());
        let pending = self
            .store
            .pending_enrolment(&id, now_ms)
            .await?
            .ok_or(StoreError::NotFound(store::Kind::PendingEnrolment))?;
        let documents: Documents = serde_json::from_str(&pending.documents_json)
            .map_err(|err| AppError::Bug(err.into()))?;
        let bug = |err: Box<dyn std::error::Error + Send + Sync>| AppError::Bug(err);
        let ek = check_ek(&documents.tpm.ek_public).map_err(|err| bug(err.into()))?;
        let ak = check_ak(&documents.tpm.ak_public).map_err(|err| bug(err.into()))?;
        let proof: [u8; 32] = (*documents.proof)
            .try_into()
            .map_err(|_| AppError::Bug("a stored proof has the wrong length".into()))?;
        let bound = bind(&ek, ak, &ActivationProof(proof), &request.secret)
            .map_err(|_| AppError::from(StoreError::from(Conflict::ProofWrong)))?;

        let completion = Completion {
            pending: id,
            proof_sha256: sha256(&request.secret),
            new_host: HostId::from(documents.host_id),
            api_token_sha256: token_sha256(&host_token(&request.secret, &request.enrolment_id)),
            identity: Identity {
                ek_public: ek.raw().to_vec(),
                ek_cert_der: documents.tpm.ek_certificate.map(|bytes| bytes.0),
                ek_chain_der: documents.tpm.ek_chain.into_iter().map(|bytes| bytes.0).collect(),
                ek_spki_sha256: *bound.ek_spki_sha256(),
                ak_public: bound.ak().raw().to_vec(),
                ak_name: bound.ak().name().as_bytes().to_vec(),
                judgement_json: "{}".to_owned(),
                enrolled_at_ms: now_ms,
            },
            approval: ApprovalRule::NotRequired,
        };
        let by = match &pending.origin {
            Origin::JoinToken(_) => By::new("join", now_ms),
            Origin::Host(host) => By::new(format!("host:{host}"), now_ms),
        };
        let enrolled = self.store.complete_enrolment(completion, by).await?;
        self.identities.forget(&enrolled.host);
        self.memos.forget(&enrolled.host);
        tracing::info!(
            host = %enrolled.host,
            name = pending.host_name,
            ak_name = %bound.ak().name(),
            "identity key stored: attestation key bound to the endorsement key of its TPM"
        );
        self.hub.wake(&enrolled.host);
        Ok(ActivateReply { host_id: enrolled.host.to_string() })
    }

    async fn join_without_key(
        &self,
        host: NewHost,
        findings: Vec<Finding>,
        by: By,
    ) -> Result<EnrolReply, AppError> {
        let (id, tpm) = (host.id.clone(), host.tpm);
        let reason = findings.first().map(Finding::cause).unwrap_or_default();
        tracing::info!(host = %id, name = host.name, reason, "host joined without an identity key");
        let findings: Vec<_> = findings.iter().map(api::finding::Finding::from).collect();
        self.store.create_host(host, by).await?;
        if tpm == TpmPresence::Present {
            self.store.note_enrolment_problem(&id, to_json(&findings)?).await?;
        }
        Ok(EnrolReply::Joined { host_id: id.to_string(), findings })
    }

    /// Checks the shape of both keys, then the chain of the EK certificate, then that it is the
    /// certificate of this EK. What is wrong with the certificate is for the policy to judge.
    async fn check_keys(&self, tpm: &TpmKeys, now_ms: i64) -> Result<CheckedKeys, KeysRefused> {
        let unfit = |title: String| {
            let hint = "update the agent; the TPM must make keys by the TCG templates";
            AppError::refused(RefusalKind::Invalid, "tpm-keys-invalid", title, hint)
        };
        for (name, bytes) in [("ek_public", &tpm.ek_public), ("ak_public", &tpm.ak_public)] {
            if bytes.len() > PUBLIC_BYTES_MAX {
                return Err(unfit(format!("{name} has over {PUBLIC_BYTES_MAX} bytes")).into());
            }
        }
        let chained = |err: &dyn std::error::Error| match err.source() {
            Some(source) => format!("{err}: {source}"),
            None => err.to_string(),
        };
        let ek = check_ek(&tpm.ek_public).map_err(|err| unfit(chained(&err)))?;
        let ak = check_ak(&tpm.ak_public).map_err(|err| unfit(chained(&err)))?;
        let (_, roots) = self.anchors().await?;
        let now = UnixTime(now_ms.div_euclid(1000));
        let found = match &tpm.ek_certificate {
            None => Some(Finding::new(Code::EkCertAbsent)),
            Some(certificate) => {
                let chain: Vec<&[u8]> = tpm.ek_chain.iter().map(|bytes| &**bytes).collect();
                let judged = verify_ek_certificate(certificate, &chain, &roots, now);
                let judged = appraise::with_key_checked(judged, |found| found.check_key(&ek));
                judged.err().map(|err| appraise::ek_certificate_finding(&err))
            }
        };
        let weak = [(KeyRole::Endorsement, ek.key()), (KeyRole::Attestation, ak.key())];
        let weak = weak.into_iter().find(|(_, key)| appraise::is_weak_key(key));
        if let Some(mut finding) =
            found.or_else(|| weak.map(|(role, _)| appraise::weak_key_finding(role)))
        {
            // What the policy waives must not keep a host out: each verdict shows it.
            self.policy.judge(&mut finding, now);
            if matches!(finding.severity(), Severity::Fail | Severity::Hold) {
                return Err(KeysRefused::Findings(vec![finding]));
            }
            tracing::warn!(reason = finding.cause(), "keys enrolled by leave of the policy");
        }
        Ok(CheckedKeys { ek, ak })
    }

    async fn begin(
        &self,
        origin: Origin,
        host_name: String,
        host_id: String,
        tpm: TpmKeys,
        keys: &CheckedKeys,
        by: By,
    ) -> Result<EnrolReply, AppError> {
        let secret = CredentialSecret::new(random::<SECRET_LEN>()?);
        let credential = make_credential(&keys.ek, keys.ak.name(), &secret).map_err(|err| {
            let hint = "the endorsement key is not one that a credential can be made for";
            AppError::refused(RefusalKind::Invalid, "tpm-keys-invalid", err.to_string(), hint)
        })?;
        let proof = ActivationProof::new(&secret, &keys.ek, keys.ak.name());
        let documents = Documents { host_id: host_id.clone(), tpm, proof: proof.0.to_vec().into() };
        let enrolment_id = Uuid::new_v4().to_string();
        let lasts_ms = i64::try_from(ACTIVATION_S_MAX).unwrap_or(0).saturating_mul(1000);
        let pending = PendingEnrolment {
            id: enrolment_id.as_str().into(),
            origin,
            host_name,
            documents_json: to_json(&documents)?,
            proof_sha256: sha256(secret.expose()),
            expires_at_ms: by.at_ms.saturating_add(lasts_ms),
        };
        self.store.begin_enrolment(pending, by).await?;
        Ok(EnrolReply::Activate {
            enrolment_id,
            host_id,
            credential: Credential {
                id_object: credential.id_object.into(),
                encrypted_secret: credential.encrypted_secret.into(),
            },
            expires_in_s: ACTIVATION_S_MAX,
        })
    }
}

fn keyless(
    name: String,
    join_token: JoinTokenId,
    tpm: TpmPresence,
    api_token_sha256: store::Sha256,
) -> NewHost {
    let id = HostId::from(Uuid::new_v4().to_string());
    NewHost { id, name, api_token_sha256, tpm, join_token }
}

fn token_refused(fault: store::JoinTokenFault) -> AppError {
    StoreError::from(Conflict::JoinToken(fault)).into()
}

/// The token that both sides derive from the credential's secret.
fn host_token(secret: &[u8], enrolment_id: &str) -> Zeroizing<String> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let mac = hmac::sign(&key, &host_token_message(enrolment_id));
    Zeroizing::new(format!("{HOST_TOKEN_PREFIX}{}", hex::encode(mac)))
}

/// Refuses names that would spoil a table or a log: a name has the characters of a DNS name, 253
/// of them at most. [RFC1035 §2.3.4]
fn check_host_says(host: &HostSays) -> Result<(), AppError> {
    let invalid = |title: &str| {
        let hint = "a name has letters, digits, `-`, `_` and `.`, 1 to 253 of them";
        Err(AppError::refused(RefusalKind::Invalid, "host-name-invalid", title, hint))
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if host.name.is_empty() || host.name.len() > 253 || !host.name.chars().all(fits) {
        return invalid("the host's name is not a host name");
    }
    if host.agent_version.len() > 64 || host.kernel.len() > 256 {
        return invalid("the host's version texts are too long");
    }
    Ok(())
}

fn to_json<T: Serialize>(value: &T) -> Result<String, AppError> {
    serde_json::to_string(value).map_err(|err| AppError::Bug(err.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> HostSays {
        HostSays { name: name.to_owned(), agent_version: "1".to_owned(), kernel: String::new() }
    }

    #[test]
    fn names_that_would_spoil_a_table_are_refused() {
        for good in ["a", "host-117.example.org", &"a".repeat(253)] {
            assert!(check_host_says(&named(good)).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a\n", "<b>", "ü", "\u{1b}[31m", &"a".repeat(254)] {
            assert!(check_host_says(&named(bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_token_depends_on_secret_and_enrolment() {
        let token = host_token(&[1; 32], "e");
        assert_eq!(*token, *host_token(&[1; 32], "e"));
        assert_ne!(*token, *host_token(&[2; 32], "e"));
        assert_ne!(*token, *host_token(&[1; 32], "f"));
        assert_eq!(token.len(), HOST_TOKEN_PREFIX.len() + 64);
    }
}
