//! Attested results: what counts of a host, signed for relying parties.

use api::result::{AttestedResult, Dialect, RESULT_TYPE, ResultQuery};
use jsonwebtoken::jwk::JwkSet;
use report::ear;
use store::HostId;

use super::{App, AppError, RefusalKind, standing};

/// Seconds for which a result is good that accepts nothing: whoever asks again soon hears of a change.
const REFUSAL_S: i64 = 60;

/// Characters of a relying party's nonce. [RFC 9711 §4.1]
const NONCE_CHARS: std::ops::RangeInclusive<usize> = 8..=88;

impl App {
    /// The public keys under which this server signs.
    pub fn keys(&self) -> JwkSet {
        self.signer.keys()
    }

    /// What counts of a host now, for as long as it can count without new evidence.
    pub async fn result(&self, id: &str, query: ResultQuery) -> Result<AttestedResult, AppError> {
        let nonce = query.nonce.as_deref();
        let is_nonce = |nonce: &str| {
            NONCE_CHARS.contains(&nonce.len()) && nonce.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if nonce.is_some_and(|nonce| !is_nonce(nonce)) {
            let title = "a nonce has 8 to 88 characters, letters, digits and signs of ASCII";
            return Err(AppError::plain(RefusalKind::Invalid, "nonce-invalid", title));
        }
        let host = self.find(&HostId::from(id)).await?;
        let appraisal = self.last_appraisal(&host).await?;
        let now_ms = self.store.now_ms().await?;
        let (verdict, findings) = standing::standing(&host, &self.rules().config, now_ms);
        let issued_at = now_ms.div_euclid(1000);
        let ends_ms = host.last.as_ref().map(|last| {
            last.at_ms.saturating_add(standing::good_for_ms(&host, &self.rules().config))
        });
        let expires = match ends_ms {
            Some(ends_ms) if verdict == "accepted" => ends_ms.div_euclid(1000),
            _ => issued_at.saturating_add(REFUSAL_S),
        };
        let subject = ear::Subject {
            id,
            name: &host.name,
            verdict: &verdict,
            findings: &findings,
            appraisal: appraisal.as_ref(),
            build: env!("CARGO_PKG_VERSION"),
            issued_at,
            expires,
            nonce,
        };
        let dialect = match query.dialect {
            Dialect::Ietf => ear::Dialect::Ietf,
            Dialect::Veraison => ear::Dialect::Veraison,
        };
        let jwt = self.signer.sign(RESULT_TYPE, &ear::claims(&subject, dialect))?;
        Ok(AttestedResult { jwt, expires })
    }
}
