//! Enrolment: a host joins, and the keys of its TPM are bound to each other and stored.
//!
//! join or enrol -> EK chain, EK and AK checked -> credential for this EK and this AK ->
//! activate: the TPM opened it -> the identity is stored. Nothing of a TPM is stored before that.

use std::{net::IpAddr, sync::Arc, time::Instant};

use api::{
    Bytes,
    agent::{
        ActivateReply, ActivateRequest, Credential, EnrolReply, EnrolRequest, HOST_TOKEN_PREFIX,
        HostSays, JoinRequest, TpmKeys, host_token_message,
    },
};
use aws_lc_rs::hmac;
use findings::{Code, Finding};
use serde::{Deserialize, Serialize};
use store::{
    ApprovalRule, By, Completion, Conflict, EnrolledKeys, Host, HostId, Identity, JoinTokenId,
    NewHost, Origin, PendingEnrolment, PendingId, Sha256, StoreError, TpmPresence,
};
use uuid::Uuid;
use verify::{
    ActivationProof, CredentialSecret, SECRET_LEN, bind, check_ak, check_ek, make_credential,
};
use zeroize::Zeroizing;

use super::{
    App, AppError, RefusalKind,
    replace::TpmStanding,
    secret::{random, sha256, token_sha256},
    standing,
    tpm_keys::CheckedKeys,
};
use crate::metrics::TokenKind;

/// Seconds that a TPM has to open its credential. Slow chips take some, after making an RSA key.
const ACTIVATION_S_MAX: u64 = 300;

/// What is kept of the keys between credential and activation.
#[derive(Serialize, Deserialize)]
struct Documents {
    host_id: String,
    tpm: TpmKeys,
    proof: Bytes,
    judgement: Judgement,
}

impl Documents {
    fn new(host_id: String, tpm: TpmKeys) -> Self {
        Self { host_id, tpm, proof: Bytes::default(), judgement: Judgement::default() }
    }
}

/// What is kept of the enrolment beside the keys.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Judgement {
    /// Why the same TPM has another attestation key than before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) renewed_because: Option<String>,
}

/// Why `keys` are new ones of the TPM that is enrolled; `None` where they are not.
fn renewal(host: &Host, keys: &CheckedKeys) -> Option<String> {
    let identity = host.identity.as_ref()?;
    let is_renewed = identity.ek_spki_sha256 == keys.ek.spki_sha256()
        && identity.ak_name != keys.ak.name().as_bytes();
    let because = match (host.rotation_wanted, host.reenrol_wanted) {
        (true, _) => "a person asked for a new key",
        (false, true) => "a person reconnected the host",
        (false, false) => "the TPM was cleared, or the agent lost its key",
    };
    is_renewed.then(|| because.to_owned())
}

impl App {
    /// A host joins with a join token, from `address`.
    pub async fn join(
        self: &Arc<Self>,
        address: IpAddr,
        request: JoinRequest,
    ) -> Result<EnrolReply, AppError> {
        // Before anything that costs: a flood must not be dearer to us than to who makes it.
        if !self.join_rate.take(address, Instant::now()) {
            return Err(too_many_joins());
        }
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
        let sha256 = token_sha256(&request.token);
        self.guess_rate.admit(&sha256, address, Instant::now())?;
        let token = self.store.join_token_by_sha256(sha256).await?;
        self.was_shown(TokenKind::Join, sha256, token.as_ref(), address);
        let token = token.ok_or_else(|| token_refused(store::JoinTokenFault::Unknown))?;
        if let Some(fault) = token.fault(by.at_ms) {
            return Err(token_refused(fault));
        }
        let name = request.host.name;
        let Some(tpm) = request.tpm else {
            let findings = vec![Finding::new(Code::NoTpm)];
            let host = keyless(name, token.id, TpmPresence::Absent, api_token_sha256);
            return self.join_without_key(host, findings, by).await;
        };
        let keys = CheckedKeys::check(&tpm)?;
        if let Some(known) = self.known_as(&name, &keys).await? {
            match self.standing_of(&known, &keys, by.at_ms) {
                TpmStanding::Another => return self.quarantine(&known, &keys, &tpm, by).await,
                // One TPM is one host, which the activation says.
                TpmStanding::Enrolled if !known.reenrol_wanted => {}
                TpmStanding::Keyless => {}
                TpmStanding::Enrolled | TpmStanding::Approved => {
                    let origin = Origin::Known { host: known.id.clone(), join_token: token.id };
                    return self.enrol_known(origin, known, tpm, keys, by).await;
                }
            }
        }
        match self.keys_problem(&keys, &tpm, by.at_ms).await? {
            None => {
                let host_id = Uuid::new_v4().to_string();
                let documents = Documents::new(host_id, tpm);
                self.begin(Origin::JoinToken(token.id), name, documents, &keys, by).await
            }
            Some(finding) => {
                let host = keyless(name, token.id, TpmPresence::Present, api_token_sha256);
                self.join_without_key(host, vec![finding], by).await
            }
        }
    }

    /// A host of the inventory gives the keys of its TPM: after a person reconnected it, or because
    /// its attestation key is another one. Another TPM than the enrolled one becomes a candidate.
    pub async fn enrol(
        &self,
        address: IpAddr,
        host: Host,
        request: EnrolRequest,
    ) -> Result<EnrolReply, AppError> {
        if !self.activation_rate.take(address, Instant::now()) {
            return Err(too_many_joins());
        }
        let by = By::new(format!("host:{}", host.id), self.store.now_ms().await?);
        let keys = CheckedKeys::check(&request.tpm)?;
        match self.standing_of(&host, &keys, by.at_ms) {
            TpmStanding::Another => self.quarantine(&host, &keys, &request.tpm, by).await,
            TpmStanding::Keyless if !host.reenrol_wanted => {
                Err(StoreError::from(Conflict::ReenrolmentNotWanted { host: host.id }).into())
            }
            TpmStanding::Keyless | TpmStanding::Enrolled | TpmStanding::Approved => {
                let origin = Origin::Host(host.id.clone());
                self.enrol_known(origin, host, request.tpm, keys, by).await
            }
        }
    }

    /// Begins to enrol keys of a known host that may enrol them; the store has the last word.
    async fn enrol_known(
        &self,
        origin: Origin,
        host: Host,
        tpm: TpmKeys,
        keys: CheckedKeys,
        by: By,
    ) -> Result<EnrolReply, AppError> {
        if let Some(identity) = &host.identity
            && identity.ak_name == keys.ak.name().as_bytes()
            && identity.ek_spki_sha256 == keys.ek.spki_sha256()
            && !host.reenrol_wanted
        {
            return Err(StoreError::from(Conflict::ReenrolmentNotWanted { host: host.id }).into());
        }
        if let Some(finding) = self.keys_problem(&keys, &tpm, by.at_ms).await? {
            tracing::warn!(host = %host.id, reason = finding.cause(), "keys not enrolled");
            let findings = vec![api::finding::Finding::from(&finding)];
            self.store.note_enrolment_problem(&host.id, to_json(&findings)?).await?;
            self.hub.wake(&host.id);
            return Ok(EnrolReply::Joined { host_id: host.id.to_string(), findings });
        }
        let mut documents = Documents::new(host.id.to_string(), tpm);
        documents.judgement.renewed_because = renewal(&host, &keys);
        self.begin(origin, host.name, documents, &keys, by).await
    }

    /// The TPM opened its credential: now the keys are bound, and the identity is stored.
    pub async fn activate(
        &self,
        address: IpAddr,
        request: ActivateRequest,
    ) -> Result<ActivateReply, AppError> {
        if !self.activation_rate.take(address, Instant::now()) {
            return Err(too_many_joins());
        }
        let now_ms = self.store.now_ms().await?;
        let id = PendingId::from(request.enrolment_id.as_str());
        let pending = self
            .store
            .pending_enrolment(&id, now_ms)
            .await?
            .ok_or(StoreError::NotFound(store::Kind::PendingEnrolment))?;
        self.take_turn_of_ek(pending.keys.ek_spki_sha256)?;
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

        let api_token_sha256 = token_sha256(&host_token(&request.secret, &request.enrolment_id));
        let completion = Completion {
            pending: id,
            proof_sha256: sha256(&request.secret),
            new_host: HostId::from(documents.host_id),
            api_token_sha256,
            identity: Identity {
                ek_public: ek.raw().to_vec(),
                ek_cert_der: documents.tpm.ek_certificate.map(|bytes| bytes.0),
                ek_chain_der: documents.tpm.ek_chain.into_iter().map(|bytes| bytes.0).collect(),
                ek_spki_sha256: *bound.ek_spki_sha256(),
                ak_public: bound.ak().raw().to_vec(),
                ak_name: bound.ak().name().as_bytes().to_vec(),
                judgement_json: to_json(&documents.judgement)?,
                enrolled_at_ms: now_ms,
            },
            approval: ApprovalRule::NotRequired,
        };
        let by = match &pending.origin {
            Origin::JoinToken(_) | Origin::Known { .. } => By::new("join", now_ms),
            Origin::Host(host) => By::new(format!("host:{host}"), now_ms),
        };
        let enrolled = self.store.complete_enrolment(completion, by).await?;
        self.guess_rate.was_right(api_token_sha256);
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

    /// Refuses a TPM that begins or ends enrolments without an end.
    fn take_turn_of_ek(&self, ek_spki_sha256: Sha256) -> Result<(), AppError> {
        if self.ek_rate.take(ek_spki_sha256, Instant::now()) {
            return Ok(());
        }
        Err(AppError::refused(
            RefusalKind::TooMany,
            "too-many-enrolments",
            "this TPM is enrolled again and again",
            "see in the agent's log why it begins anew; a few seconds later it may",
        ))
    }

    async fn join_without_key(
        &self,
        host: NewHost,
        findings: Vec<Finding>,
        by: By,
    ) -> Result<EnrolReply, AppError> {
        let (id, tpm, token) = (host.id.clone(), host.tpm, host.api_token_sha256);
        let reason = findings.first().map(Finding::cause).unwrap_or_default();
        tracing::info!(host = %id, name = host.name, reason, "host joined without an identity key");
        let findings: Vec<_> = findings.iter().map(api::finding::Finding::from).collect();
        self.store.create_host(host, by).await?;
        self.guess_rate.was_right(token);
        if tpm == TpmPresence::Present {
            self.store.note_enrolment_problem(&id, to_json(&findings)?).await?;
        }
        Ok(EnrolReply::Joined { host_id: id.to_string(), findings })
    }

    async fn begin(
        &self,
        origin: Origin,
        host_name: String,
        documents: Documents,
        keys: &CheckedKeys,
        by: By,
    ) -> Result<EnrolReply, AppError> {
        self.take_turn_of_ek(keys.ek.spki_sha256())?;
        let secret = CredentialSecret::new(random::<SECRET_LEN>()?);
        let credential = make_credential(&keys.ek, keys.ak.name(), &secret).map_err(|err| {
            let hint = "the endorsement key is not one that a credential can be made for";
            AppError::refused(RefusalKind::Invalid, "tpm-keys-invalid", err.to_string(), hint)
        })?;
        let proof = ActivationProof::new(&secret, &keys.ek, keys.ak.name());
        let documents = Documents { proof: proof.0.to_vec().into(), ..documents };
        let host_id = documents.host_id.clone();
        let enrolment_id = Uuid::new_v4().to_string();
        let lasts_ms = i64::try_from(ACTIVATION_S_MAX).unwrap_or(0).saturating_mul(1000);
        let pending = PendingEnrolment {
            id: enrolment_id.as_str().into(),
            origin,
            keys: EnrolledKeys {
                ek_spki_sha256: keys.ek.spki_sha256(),
                ak_name: keys.ak.name().as_bytes().to_vec(),
            },
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

fn too_many_joins() -> AppError {
    AppError::refused(
        RefusalKind::TooMany,
        "too-many-joins",
        "too many machines of this address join at once",
        "join again in a few seconds",
    )
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

pub(super) fn to_json<T: Serialize>(value: &T) -> Result<String, AppError> {
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
