//! Trust anchors: the certificates in which endorsement chains must end.

use std::sync::{Arc, PoisonError, RwLock};

use api::admin::{TrustRequest, TrustedCertificate};
use store::{By, NewTrustRoot};
use verify::RootStore;

use super::{App, AppError, RefusalKind};

/// Characters of a source: a path or a line of text.
const SOURCE_CHARS_MAX: usize = 200;

/// The anchors as read last, with the store's generation of them.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    current: RwLock<Option<(i64, Arc<RootStore>)>>,
}

impl App {
    /// The anchors that count now, with their generation.
    pub(super) async fn anchors(&self) -> Result<(i64, Arc<RootStore>), AppError> {
        let generation = self.store.trust_generation().await?;
        {
            let current = self.anchors.current.read().unwrap_or_else(PoisonError::into_inner);
            if let Some((known, roots)) = &*current
                && *known == generation
            {
                return Ok((generation, Arc::clone(roots)));
            }
        }
        let stored = self.store.trust_roots().await?;
        let mut roots = RootStore::new();
        for root in &stored.roots {
            match RootStore::from_der(&root.der) {
                Ok(one) => roots.extend(one),
                // It could be read when it was imported; without it fewer hosts are accepted.
                Err(err) => {
                    tracing::error!(%err, sha256 = hex::encode(root.sha256), "anchor not used");
                }
            }
        }
        let read = (stored.generation, Arc::new(roots));
        *self.anchors.current.write().unwrap_or_else(PoisonError::into_inner) = Some(read.clone());
        Ok(read)
    }

    /// Adds certificates as trust anchors: roots of vendors, or intermediates to stop at.
    pub async fn import_trust(
        self: &Arc<Self>,
        request: TrustRequest,
        by: By,
    ) -> Result<Vec<TrustedCertificate>, AppError> {
        if request.source.chars().count() > SOURCE_CHARS_MAX {
            let title = format!("a source has {SOURCE_CHARS_MAX} characters at most");
            return Err(AppError::plain(RefusalKind::Invalid, "trust-invalid", title));
        }
        let roots = read_anchors(&request.certificates)?;
        for root in roots.iter() {
            let new = NewTrustRoot {
                der: root.der().to_vec(),
                name: root.subject().to_owned(),
                source: request.source.clone(),
            };
            self.store.add_trust_root(new, by.clone()).await?;
            tracing::info!(sha256 = %root.fingerprint(), subject = root.subject(), "anchor imported");
        }
        let imported: Vec<_> = roots.iter().map(|root| root.fingerprint().to_string()).collect();
        let mut listed = self.trusted().await?;
        listed.retain(|certificate| imported.contains(&certificate.sha256));
        Ok(listed)
    }

    /// All trust anchors.
    pub async fn trusted(&self) -> Result<Vec<TrustedCertificate>, AppError> {
        let stored = self.store.trust_roots().await?;
        Ok(stored
            .roots
            .into_iter()
            .map(|root| TrustedCertificate {
                sha256: hex::encode(root.sha256),
                subject: root.name,
                source: root.source,
                added_at_ms: root.added_at_ms,
            })
            .collect())
    }

    /// Takes a trust anchor away. Hosts whose chains end in it are not accepted from their next
    /// attestation on.
    pub async fn remove_trust(&self, sha256: &str, by: By) -> Result<(), AppError> {
        let sha256 = hex::decode(sha256).ok().and_then(|bytes| bytes.try_into().ok());
        let sha256 = sha256.ok_or_else(|| {
            let title = "a certificate is named by its SHA-256, 64 hexadecimal digits";
            AppError::plain(RefusalKind::Invalid, "fingerprint-invalid", title)
        })?;
        Ok(self.store.remove_trust_root(sha256, by).await?)
    }
}

fn read_anchors(bytes: &[u8]) -> Result<RootStore, AppError> {
    RootStore::from_file_bytes(bytes).map_err(|err| {
        AppError::refused(
            RefusalKind::Invalid,
            "certificate-invalid",
            format!("{err}: {}", err.source),
            "give a PEM file with CERTIFICATE blocks, or one certificate in DER",
        )
    })
}
