//! The inventory: hosts as people see and steer them.

use api::{
    admin::{AttestRequested, HostDetail, PastAppraisal},
    appraisal::Appraisal,
};
use findings::Code;
use store::{Approval, By, Connection, Host, HostId, Identity, Reenrolment, TpmPresence};
use tokio::time::{Duration, Instant};

use super::{App, AppError, RefusalKind, replace, schedule::Timing, standing};

/// Judgements of a host that are shown.
pub(super) const HISTORY_LEN: u32 = 50;

impl App {
    /// All about one host; with `appraised_after_ms`, once evidence asked for at or after that
    /// time was judged, or after [`api::POLL_S_MAX`].
    pub async fn host(
        &self,
        id: &str,
        appraised_after_ms: Option<i64>,
    ) -> Result<HostDetail, AppError> {
        let id = HostId::from(id);
        let deadline = Instant::now() + Duration::from_secs(api::POLL_S_MAX);
        let mut waiter = self.hub.waiter(&id);
        let mut host = self.find(&id).await?;
        if let Some(after_ms) = appraised_after_ms {
            while host.last_nonce_at_ms.is_none_or(|nonce_ms| nonce_ms < after_ms)
                && Instant::now() < deadline
                && !self.hub.is_ending()
            {
                waiter.changed_or(deadline).await;
                host = self.find(&id).await?;
            }
        }
        let appraisal = self.last_appraisal(&host).await?;
        let past = match host.last_judged_by_past() {
            Some(version) => self.store.past_identity(&id, version).await?,
            None => None,
        };
        let newest = self.store.client_certificates(Some(id), None, 1).await?;
        let now_ms = self.store.now_ms().await?;
        let rules = self.rules();
        let timing = Timing::of(&host.labels, &rules.config);
        let ends_ms = host.last.as_ref().map(|last| last.at_ms.saturating_add(timing.good_for_ms));
        Ok(HostDetail {
            host: standing::view(&host, &self.rules().config, now_ms),
            joined_at_ms: host.created_at_ms,
            identity: host.identity.as_deref().map(identity_view),
            evidence_identity: past.as_ref().map(identity_view),
            candidate: host.candidate_at(now_ms).map(replace::view),
            rotation_wanted: host.rotation_wanted,
            appraisal,
            next_due_s: timing.due_at_ms(&host).map(|due_ms| (due_ms - now_ms).max(0) / 1000),
            verdict_good_until_ms: ends_ms,
            client_certificate_until_ms: (newest.first())
                .filter(|certificate| certificate.counts_at(now_ms))
                .map(|certificate| certificate.not_after_ms),
            schedule: Some(timing.view()),
            peers: self.peers_of(&host.id).await?,
        })
    }

    /// The name of a host, where it is there.
    pub async fn host_name(&self, id: &str) -> Result<Option<String>, AppError> {
        Ok(self.store.host(&HostId::from(id)).await?.map(|host| host.name))
    }

    /// Asks for evidence now.
    pub async fn request_attestation(&self, id: &str, by: By) -> Result<AttestRequested, AppError> {
        let id = HostId::from(id);
        let host = self.find(&id).await?;
        if host.connection == Connection::Disconnected {
            return Err(
                store::StoreError::from(store::Conflict::HostDisconnected { host: id }).into()
            );
        }
        // Evidence that cannot come is not waited for.
        if host.tpm == TpmPresence::Absent {
            let entry = Code::NoTpm.entry();
            let kind = RefusalKind::Conflict;
            return Err(AppError::refused(kind, entry.name, entry.title, entry.next_step));
        }
        let requested_at_ms = by.at_ms;
        self.store.request_attestation(&id, by).await?;
        self.hub.wake(&id);
        Ok(AttestRequested { requested_at_ms })
    }

    /// Takes a host out of attestation until it is reconnected.
    pub async fn disconnect(&self, id: &str, by: By) -> Result<(), AppError> {
        let id = HostId::from(id);
        self.store.disconnect_host(&id, by).await?;
        self.identities.forget(&id);
        self.memos.forget(&id);
        tracing::info!(host = %id, "host disconnected");
        self.hub.wake(&id);
        Ok(())
    }

    /// Takes a host back: its TPM is enrolled anew, and its keys are stored.
    pub async fn reconnect(&self, id: &str, by: By) -> Result<(), AppError> {
        let id = HostId::from(id);
        self.store.reconnect_host(&id, Reenrolment::Wanted, by).await?;
        self.identities.forget(&id);
        self.memos.forget(&id);
        tracing::info!(host = %id, "host reconnected; its TPM's keys will be enrolled");
        self.hub.wake(&id);
        Ok(())
    }

    /// Asks the host's agent for a new attestation key at its next contact. The present one counts
    /// until the new one is bound.
    pub async fn rotate_key(&self, id: &str, by: By) -> Result<(), AppError> {
        let id = HostId::from(id);
        self.store.want_rotation(&id, by).await?;
        tracing::info!(host = %id, "a new attestation key is wanted");
        self.hub.wake(&id);
        Ok(())
    }

    /// A person vouches for a host.
    pub async fn approve(&self, id: &str, by: By) -> Result<(), AppError> {
        let id = HostId::from(id);
        self.store.set_approval(&id, Approval::Approved, by).await?;
        self.hub.wake(&id);
        Ok(())
    }

    /// Removes a host and all that is known of it, but for the audit log.
    pub async fn remove_host(&self, id: &str, by: By) -> Result<(), AppError> {
        let id = HostId::from(id);
        self.store.remove_host(&id, by).await?;
        self.identities.forget(&id);
        self.memos.forget(&id);
        tracing::info!(host = %id, "host removed");
        self.hub.wake(&id);
        Ok(())
    }

    /// The last judgements of a host, newest first.
    pub async fn appraisals(&self, id: &str) -> Result<Vec<PastAppraisal>, AppError> {
        let id = HostId::from(id);
        self.find(&id).await?;
        let rows = self.store.appraisals(&id, HISTORY_LEN).await?;
        let documents = self.documents(&rows).await?;
        let past = rows.iter().zip(documents).map(|(row, appraisal)| PastAppraisal {
            id: row.id.0,
            at_ms: row.at_ms,
            appraisal,
        });
        Ok(past.collect())
    }

    /// The last judgement of a host in full.
    pub(super) async fn last_appraisal(&self, host: &Host) -> Result<Option<Appraisal>, AppError> {
        let Some(last) = &host.last else { return Ok(None) };
        let Some(row) = self.store.appraisal(last.id).await? else { return Ok(None) };
        Ok(self.documents(&[row]).await?.pop())
    }

    pub(super) async fn find(&self, id: &HostId) -> Result<Host, AppError> {
        self.store.host(id).await?.ok_or_else(|| AppError::no_host(id.as_str()))
    }
}

fn identity_view(identity: &Identity) -> api::admin::Identity {
    api::admin::Identity {
        ek_spki_sha256: hex::encode(identity.ek_spki_sha256),
        ak_name: hex::encode(&identity.ak_name),
        enrolled_at_ms: identity.enrolled_at_ms,
        ek_certificate: identity.ek_cert_der.clone().map(Into::into),
        ek_chain: identity.ek_chain_der.iter().cloned().map(Into::into).collect(),
    }
}
