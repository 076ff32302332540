//! Another TPM in the place of a host's: kept as a candidate until a person decides.
//!
//! A membership (the API token, or a name with a join token) can be copied, a TPM cannot. So a machine
//! that shows a host's membership with another TPM gets nothing of that host: it is a candidate, and
//! only a person puts it in the enrolled TPM's place.

use api::{
    admin::{ReplaceRequest, Replaced},
    agent::{EnrolReply, TpmKeys},
};
use findings::{Argument, Code, Finding};
use store::{By, Candidate, Conflict, Host, HostId, NewCandidate, Noted, Replacement, StoreError};

use super::{
    App, AppError, RefusalKind,
    enrol::to_json,
    tpm_keys::CheckedKeys,
    words::{REASON_CHARS_MAX, is_line},
};

/// Milliseconds for which a candidate waits after it was shown last: over a long weekend.
const CANDIDATE_MS_MAX: i64 = 7 * 24 * 3_600_000;

/// Milliseconds after which one that is not shown any more makes room for another: an agent that
/// waits shows itself twice as often.
const STALE_MS: i64 = 600_000;

/// Milliseconds after which an agent that waits shows its TPM again.
pub(super) const SHOW_AGAIN_MS: i64 = STALE_MS / 2;

/// Milliseconds for which a person's word holds: the machine may be in the workshop.
const REPLACEMENT_MS_MAX: i64 = 7 * 24 * 3_600_000;

/// Whose TPM keys are, to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TpmStanding {
    /// The one that is enrolled.
    Enrolled,
    /// Another one, which a person put in its place.
    Approved,
    /// Another one.
    Another,
    /// None is enrolled.
    Keyless,
}

impl App {
    /// Whose TPM `keys` are, to `host`.
    pub(super) fn standing_of(&self, host: &Host, keys: &CheckedKeys, now_ms: i64) -> TpmStanding {
        let ek_sha256 = keys.ek.spki_sha256();
        match &host.identity {
            None => TpmStanding::Keyless,
            Some(identity) if identity.ek_spki_sha256 == ek_sha256 => TpmStanding::Enrolled,
            Some(_) if host.may_be_replaced_by(&ek_sha256, now_ms) => TpmStanding::Approved,
            Some(_) => TpmStanding::Another,
        }
    }

    /// The host that a machine which joins as `name` with `keys` is, or says it is: of several of that
    /// name the one with this TPM. `None` where it is a new one.
    pub(super) async fn known_as(
        &self,
        name: &str,
        keys: &CheckedKeys,
    ) -> Result<Option<Host>, AppError> {
        let ek_sha256 = keys.ek.spki_sha256();
        let mut hosts = self.store.hosts_by_name(name).await?;
        hosts.retain(|host| host.identity.is_some());
        let same = |host: &Host| {
            host.identity.as_ref().is_some_and(|known| known.ek_spki_sha256 == ek_sha256)
        };
        match hosts.iter().position(same) {
            Some(index) => Ok(Some(hosts.swap_remove(index))),
            None if hosts.len() == 1 => Ok(hosts.pop()),
            // Names that several hosts have say nothing of which of them it is.
            None => Ok(None),
        }
    }

    /// Keeps the TPM of `keys` as a candidate for `host`, and has the enrolled one asked: where that
    /// still answers, its verdict stands.
    pub(super) async fn quarantine(
        &self,
        host: &Host,
        keys: &CheckedKeys,
        tpm: &TpmKeys,
        by: By,
    ) -> Result<EnrolReply, AppError> {
        let now_ms = by.at_ms;
        let certificate = self.keys_finding(keys, tpm, now_ms).await?;
        let certificate = certificate.as_ref().map(api::finding::Finding::from);
        let candidate = NewCandidate {
            host: host.id.clone(),
            ek_spki_sha256: keys.ek.spki_sha256(),
            judgement_json: to_json(&certificate)?,
            expires_at_ms: now_ms.saturating_add(CANDIDATE_MS_MAX),
            stale_before_ms: now_ms.saturating_sub(STALE_MS),
        };
        let noted = self.store.note_candidate(candidate, by).await?;
        let mut finding = ek_changed(host, keys.ek.spki_sha256());
        match noted {
            Noted::New => {
                let ek_sha256 = keys.ek_sha256();
                tracing::warn!(host = %host.id, name = host.name, ek_sha256, "another TPM was shown");
                match self.store.request_attestation(&host.id, By::new("server", now_ms)).await {
                    // Nobody answers for a host that a person disconnected.
                    Ok(()) | Err(StoreError::Conflict(Conflict::HostDisconnected { .. })) => {}
                    Err(err) => return Err(err.into()),
                }
                self.hub.wake(&host.id);
            }
            Noted::Known => {}
            Noted::Other => {
                finding = finding.because("a third TPM was shown before and is waiting already");
            }
        }
        Ok(EnrolReply::Quarantined {
            host_id: host.id.to_string(),
            ek_sha256: keys.ek_sha256(),
            findings: vec![api::finding::Finding::from(&finding)],
        })
    }

    /// A person puts the candidate in the place of the enrolled TPM. It enrols at its agent's next
    /// contact.
    pub async fn replace(
        &self,
        id: &str,
        request: ReplaceRequest,
        by: By,
    ) -> Result<Replaced, AppError> {
        let invalid = |code, title: &str, hint: &str| {
            AppError::refused(RefusalKind::Invalid, code, title, hint)
        };
        let mut ek_spki_sha256 = [0; 32];
        hex::decode_to_slice(request.ek_sha256.as_bytes(), &mut ek_spki_sha256).map_err(|_| {
            let hint = "`bootproof host show HOST` shows it: 64 hexadecimal digits";
            invalid("ek-sha256-invalid", "ek_sha256 is no SHA-256", hint)
        })?;
        if !is_line(&request.reason, REASON_CHARS_MAX) {
            let title =
                format!("the reason must have 1 to {REASON_CHARS_MAX} characters, on one line");
            return Err(invalid("reason-invalid", &title, "a ticket's number and a sentence"));
        }
        let host = self.find(&HostId::from(id)).await?;
        let expires_at_ms = by.at_ms.saturating_add(REPLACEMENT_MS_MAX);
        let actor = by.actor.clone();
        let replacement = Replacement {
            host: host.id.clone(),
            ek_spki_sha256,
            reason: request.reason,
            expires_at_ms,
        };
        let before = self.store.approve_replacement(replacement, by).await?;
        let ek_sha256 = hex::encode(ek_spki_sha256);
        tracing::info!(host = %host.id, name = host.name, by = actor, ek_sha256, "TPM replaced");
        self.hub.wake(&host.id);
        Ok(Replaced {
            host_id: host.id.to_string(),
            ek_sha256_before: before.map(hex::encode),
            ek_sha256,
            expires_at_ms,
        })
    }
}

/// The finding of a host that shows another TPM than the enrolled one.
pub(super) fn ek_changed(host: &Host, shown: store::Sha256) -> Finding {
    let finding = Finding::new(Code::EkChanged);
    let finding = match &host.identity {
        Some(identity) => {
            finding.with("enrolled", Argument::Text(hex::encode(identity.ek_spki_sha256)))
        }
        None => finding,
    };
    finding.with("ek_sha256", Argument::Text(hex::encode(shown)))
}

/// The candidate as clients see it.
pub(super) fn view(candidate: &Candidate) -> api::admin::Candidate {
    api::admin::Candidate {
        ek_sha256: hex::encode(candidate.ek_spki_sha256),
        certificate: serde_json::from_str(&candidate.judgement_json).unwrap_or_else(|_| {
            // A row that cannot be read is no certificate that holds.
            Some(api::finding::Finding::from(&Finding::new(Code::EkCertMalformed)))
        }),
        first_seen_ms: candidate.first_at_ms,
        last_seen_ms: candidate.seen_at_ms,
        expires_at_ms: candidate.expires_at_ms,
        approved: candidate.approved_at_ms.is_some(),
        refused: candidate.refused_at_ms.is_some(),
    }
}

/// When an agent whose TPM is not the host's has to show it again; `None`: now.
pub(super) fn shows_again_at(host: &Host, ek_sha256: &str, now_ms: i64) -> Option<i64> {
    let candidate = host.candidate_at(now_ms)?;
    let is_it = hex::encode(candidate.ek_spki_sha256) == ek_sha256;
    let at_ms = match (is_it, candidate.approved_at_ms) {
        // It may enrol.
        (true, Some(_)) => return None,
        (true, None) => candidate.seen_at_ms.saturating_add(SHOW_AGAIN_MS),
        (false, Some(_)) => candidate.expires_at_ms,
        (false, None) => candidate.seen_at_ms.saturating_add(STALE_MS).saturating_add(1),
    };
    (now_ms < at_ms).then_some(at_ms)
}
