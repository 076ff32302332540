//! What ends client certificates before their time, and who hears of it.

use std::sync::Arc;

use api::client_certificate::{
    ClientCertificate, ClientCertificatePage, ClientCertificateQuery, Revocation, Revoked,
};
use store::{
    By, CertificateCursor, Connection, HISTORY_PAGE_MAX, Host, HostId, RevokedFor, RevokedKeys,
};

use super::{
    App, AppError, HostScope,
    paging::{cut, one_more},
    standing,
    words::check_lasting,
};
use crate::client_authority::Validity;

/// Certificates on a page, where the client does not say.
const PAGE_LEN: u32 = 100;

/// The list of revoked certificates as it was signed last.
pub(super) struct CachedList {
    n_changes: i64,
    /// From then on another one is signed, though nothing changed.
    old_at_ms: i64,
    der: Arc<[u8]>,
}

impl CachedList {
    /// Whether it is as good as a new one at `now_ms`, when there were so many changes.
    const fn is_fresh(&self, n_changes: i64, now_ms: i64) -> bool {
        self.n_changes == n_changes && now_ms < self.old_at_ms
    }
}

impl App {
    /// Revokes what `host` may not have any more: all where no verdict accepts it or a person took it out, and
    /// what is for keys in another TPM. Called by who looks at hosts after each change; a certificate that was
    /// issued meanwhile makes its host due for another look.
    pub(super) async fn end_client_certificates(
        &self,
        host: &Host,
        now_ms: i64,
    ) -> Result<(), AppError> {
        if !self.store.has_client_certificate(&host.id, now_ms).await? {
            return Ok(());
        }
        let (verdict, _) = standing::standing(host, &self.rules().config, now_ms);
        let (which, why) = match &host.identity {
            _ if host.connection == Connection::Disconnected => {
                (RevokedKeys::All, RevokedFor::Disconnected)
            }
            Some(identity) if verdict == "accepted" => {
                (RevokedKeys::NotIn(identity.ek_spki_sha256), RevokedFor::TpmReplaced)
            }
            _ => (RevokedKeys::All, RevokedFor::NotAccepted),
        };
        let by = By::new("server", now_ms);
        let n = self.store.revoke_client_certificates(&host.id, which, why, "", by).await?;
        self.metrics.client_certificates_revoked(n);
        if n > 0 {
            let why = why.as_str();
            tracing::warn!(host = %host.id, name = host.name, n, why, "client certificates revoked");
        }
        Ok(())
    }

    /// Certificates of all hosts, newest first.
    pub async fn client_certificates(
        &self,
        query: ClientCertificateQuery,
        within: &HostScope,
    ) -> Result<ClientCertificatePage, AppError> {
        within.require_fleet()?;
        self.certificates_page(None, query).await
    }

    /// Those of one host, newest first.
    pub async fn client_certificates_of(
        &self,
        host: &str,
        query: ClientCertificateQuery,
    ) -> Result<ClientCertificatePage, AppError> {
        let host = self.find(&HostId::from(host)).await?;
        self.certificates_page(Some(host.id), query).await
    }

    async fn certificates_page(
        &self,
        host: Option<HostId>,
        query: ClientCertificateQuery,
    ) -> Result<ClientCertificatePage, AppError> {
        let after = query.cursor.as_deref().map(cursor).transpose()?;
        let limit = query.limit.unwrap_or(PAGE_LEN).clamp(1, HISTORY_PAGE_MAX);
        let now_ms = self.store.now_ms().await?;
        let found = self.store.client_certificates(host, after, one_more(limit)).await?;
        let (found, follows) = cut(found, limit, HISTORY_PAGE_MAX);
        let next_cursor = found
            .last()
            .filter(|_| follows)
            .map(|last| format!("{}-{}", last.issued_at_ms, hex::encode(last.serial)));
        let certificates = found.into_iter().map(|certificate| view(certificate, now_ms)).collect();
        Ok(ClientCertificatePage { certificates, next_cursor })
    }

    /// A person revokes all of a host's, and with them their keys: the agent makes another one. A host that is
    /// to get none any more is disconnected.
    pub async fn revoke_client_certificates(
        &self,
        host: &str,
        reason: &str,
        by: By,
    ) -> Result<Revoked, AppError> {
        check_lasting("revocation-invalid", reason, None, by.at_ms)?;
        let host = self.find(&HostId::from(host)).await?;
        let why = RevokedFor::Person;
        let store = &self.store;
        let n =
            store.revoke_client_certificates(&host.id, RevokedKeys::All, why, reason, by).await?;
        self.metrics.client_certificates_revoked(n);
        Ok(Revoked { n })
    }

    /// The list of revoked certificates of an authority, of the one that issues where none is named, DER: signed anew
    /// where something changed since, and when half of its time is over. Each list names all that are revoked,
    /// whoever issued them: serial numbers are random, and none is of two authorities.
    pub async fn client_crl(&self, authority: Option<i64>) -> Result<Arc<[u8]>, AppError> {
        let issuing = self.issuing()?;
        let good_for_ms = i64::try_from(self.rules().config.client_crl_s * 1000).unwrap_or(0);
        let now_ms = self.store.now_ms().await?;
        let known = self.client_authorities(issuing).await?;
        let signer = match authority {
            None => known.issuing_at(now_ms)?,
            Some(number) => known.numbered(number)?,
        };
        // Held while one is signed: many who ask at once get the same.
        let mut cached = issuing.lists.lock().await;
        let n_changes = self.store.client_revocations().await?;
        if let Some(list) = cached.get(&signer.number)
            && list.is_fresh(n_changes, now_ms)
        {
            return Ok(Arc::clone(&list.der));
        }
        let list = self.store.next_revoked_certificates(now_ms).await?;
        let validity = Validity { from_ms: now_ms, to_ms: now_ms.saturating_add(good_for_ms) };
        let der = signer.authority.crl(&list, validity);
        let der: Arc<[u8]> = der.map_err(|err| AppError::Bug(err.into()))?.into();
        let old_at_ms = now_ms.saturating_add(good_for_ms / 2);
        let made = CachedList { n_changes: list.n_changes, old_at_ms, der: Arc::clone(&der) };
        // Those of retired ones are asked for no more.
        cached.retain(|number, _| known.numbered(*number).is_ok());
        cached.insert(signer.number, made);
        self.metrics.client_crl_signed(now_ms.div_euclid(1000));
        Ok(der)
    }
}

fn cursor(text: &str) -> Result<CertificateCursor, AppError> {
    let parse = || {
        let (at_ms, serial) = text.split_once('-')?;
        let serial = hex::decode(serial).ok()?.try_into().ok()?;
        Some(CertificateCursor { issued_at_ms: at_ms.parse().ok()?, serial })
    };
    parse().ok_or_else(super::cursor::invalid)
}

fn view(certificate: store::ClientCertificate, now_ms: i64) -> ClientCertificate {
    ClientCertificate {
        serial: hex::encode(certificate.serial),
        host: certificate.host.to_string(),
        counts: certificate.counts_at(now_ms),
        authority: certificate.authority_number,
        host_name: certificate.host_name,
        key_name: hex::encode(&certificate.key_name),
        issued_at_ms: certificate.issued_at_ms,
        not_after_ms: certificate.not_after_ms,
        revoked: certificate.revoked.map(|revoked| Revocation {
            at_ms: revoked.at_ms,
            why: revoked.why.as_str().to_owned(),
            reason: revoked.reason,
            by: revoked.by,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_signed_anew_after_a_change_and_when_half_its_time_is_over() {
        let list = CachedList { n_changes: 3, old_at_ms: 1_000, der: Arc::from([]) };
        assert!(list.is_fresh(3, 999));
        assert!(!list.is_fresh(3, 1_000), "old");
        assert!(!list.is_fresh(4, 999), "something was revoked");
        assert!(!list.is_fresh(2, 999), "a backup was restored");
    }

    #[test]
    fn a_cursor_is_read_back_or_refused() {
        let of = |text: &str| cursor(text).ok();
        let serial = [0x41; 16];
        let text = format!("17-{}", hex::encode(serial));
        assert_eq!(of(&text), Some(CertificateCursor { issued_at_ms: 17, serial }));
        for wrong in ["", "17", "17-", "-41", "x-41", &text[..text.len() - 2]] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
