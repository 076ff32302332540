//! Client certificates: a host that is accepted gets one for a key in its TPM.

use api::client_certificate::{
    CertificateChallenge, CertificateRequest, IssuedCertificate, possession_message,
};
use store::{By, Conflict, Host, NewClientCertificate, Serial, StoreError};
use verify::{
    CertifiedKey, Name, Nonce, NonceError, PossessedKey, RawCertification, verify_certify,
    verify_possession,
};

use super::{
    App, AppError, RefusalKind, attest::require_admitted, client_authority::Issuing,
    secret::random, standing,
};
use crate::client_authority::{BACKDATED_S, Validity};

/// The least seconds that a certificate is good for: with less it has ended before it is used.
const LIFE_S_MIN: i64 = 10;

impl App {
    /// A challenge for a host that may get a certificate.
    pub async fn certificate_challenge(
        &self,
        host: Host,
    ) -> Result<CertificateChallenge, AppError> {
        let issuing = self.issuing()?;
        let now_ms = self.store.now_ms().await?;
        self.accepted_until_ms(&host, now_ms)?;
        let now = u64::try_from(now_ms).unwrap_or(0);
        let id = host.id.as_str().as_bytes();
        let nonce = issuing.nonce_key.challenge(id, now, random::<8>()?);
        let good_for_ms = self.rules().config.challenge_good_for_s * 1000;
        Ok(CertificateChallenge { nonce: nonce.as_bytes().into(), good_for_ms })
    }

    /// A certificate for a key in the TPM of `host`. In this order: it is accepted, the challenge (ours, for
    /// this host, young), its identity key, what that says of the key, that the key answers, that the host runs
    /// the boot that was judged; then it is recorded, if the challenge is newer than those before and nothing
    /// changed meanwhile, and only then given away.
    pub async fn issue_certificate(
        &self,
        host: Host,
        request: CertificateRequest,
    ) -> Result<IssuedCertificate, AppError> {
        let issued = self.certificate_for(host, request).await;
        self.metrics.client_certificate(issued.is_ok());
        issued
    }

    async fn certificate_for(
        &self,
        host: Host,
        request: CertificateRequest,
    ) -> Result<IssuedCertificate, AppError> {
        let issuing = self.issuing()?;
        let now_ms = self.store.now_ms().await?;
        let until_ms = self.accepted_until_ms(&host, now_ms)?;
        let nonce = Nonce::new(&request.nonce).ok_or_else(|| {
            challenge_refused(RefusalKind::Invalid, "nonce-invalid", "there is no challenge in it")
        })?;
        let challenge_at_ms = self.check_certificate_challenge(issuing, &host, &nonce, now_ms)?;
        let identity = self.identity(&host, now_ms).await?;
        let identity = identity
            .ok_or_else(|| StoreError::from(Conflict::NoIdentity { host: host.id.clone() }))?;
        let key = proved(&identity.bound, &request, &nonce)?;
        require_judged_boot(&host, key.certified())?;

        let known = self.client_authorities(issuing).await?;
        let issuer = known.issuing_at(now_ms)?;
        let authority = &issuer.authority;
        let life_ms = i64::try_from(self.rules().config.client_certificate_s * 1000);
        let wanted_ms = now_ms.saturating_add(life_ms.unwrap_or(i64::MAX));
        // Whole seconds, as a certificate has them: the row is not to end before the certificate does.
        let not_after_ms =
            wanted_ms.min(until_ms).div_euclid(1000).min(authority.not_after_s()) * 1000;
        let serial = new_serial()?;
        let new = NewClientCertificate {
            serial,
            host: host.id.clone(),
            identity_version: host.identity_version,
            authority: issuing.name.clone(),
            authority_number: issuer.number,
            key_name: key.certified().name().as_bytes().to_vec(),
            challenge_at_ms,
            not_after_ms,
        };
        let by = By::new(format!("host:{}", host.id), now_ms);
        self.store.add_client_certificate(new, by).await?;
        let backdated_ms = i64::try_from(BACKDATED_S * 1000).unwrap_or(0);
        let validity = Validity { from_ms: now_ms - backdated_ms, to_ms: not_after_ms };
        let certificate_pem = authority
            .issue(&key, host.id.as_str(), &serial, validity)
            .map_err(|err| AppError::Bug(err.into()))?;
        let good_for_s = u64::try_from((not_after_ms - now_ms) / 1000).unwrap_or(0);
        let serial = hex::encode(serial);
        tracing::info!(host = %host.id, name = host.name, serial, good_for_s, "client certificate issued");
        Ok(IssuedCertificate {
            certificate_pem,
            spiffe_id: authority.spiffe_id(host.id.as_str()),
            serial,
            not_after_ms,
            good_for_s,
            renew_after_s: good_for_s * 2 / 3,
        })
    }

    /// Until when the verdict counts that accepts `host` now. Maintenance changes nothing of it, as of
    /// attested results: who works on a host has not made it another one.
    fn accepted_until_ms(&self, host: &Host, now_ms: i64) -> Result<i64, AppError> {
        require_admitted(host)?;
        let config = &self.rules().config;
        let (verdict, _) = standing::standing(host, config, now_ms);
        let until_ms = (host.last.as_ref())
            .map(|last| last.at_ms.saturating_add(standing::good_for_ms(host, config)))
            .filter(|until_ms| verdict == "accepted" && until_ms - now_ms > LIFE_S_MIN * 1000);
        until_ms.ok_or_else(|| Conflict::HostNotAccepted { host: host.id.clone() }.into())
    }

    /// The time in a challenge that is ours, for this host, and young.
    fn check_certificate_challenge(
        &self,
        issuing: &Issuing,
        host: &Host,
        nonce: &Nonce,
        now_ms: i64,
    ) -> Result<i64, AppError> {
        let good_for_ms = self.rules().config.challenge_good_for_s * 1000;
        let now = u64::try_from(now_ms).unwrap_or(0);
        let id = host.id.as_str().as_bytes();
        let issued = issuing.nonce_key.check(id, nonce, now, good_for_ms).map_err(|err| {
            let (kind, code) = match err {
                NonceError::Stale { .. } => (RefusalKind::Conflict, "nonce-stale"),
                _ => (RefusalKind::Forbidden, "nonce-foreign"),
            };
            challenge_refused(kind, code, err.to_string())
        })?;
        Ok(i64::try_from(issued.0).unwrap_or(i64::MAX))
    }
}

fn challenge_refused(kind: RefusalKind, code: &'static str, title: impl Into<String>) -> AppError {
    AppError::refused(kind, code, title, "ask for a new challenge and answer that one")
}

fn key_refused(why: String) -> AppError {
    let hint = "the agent makes such a key by itself: update it, or remove client-key.json from its \
                state folder";
    AppError::refused(RefusalKind::Forbidden, "client-key-refused", why, hint)
}

/// The key of `request`, where its TPM and the key itself say all that is wanted.
fn proved(
    ak: &verify::BoundAk,
    request: &CertificateRequest,
    nonce: &Nonce,
) -> Result<PossessedKey, AppError> {
    let ak_parent = request.ak_parent.as_ref().map(|name| name.0.as_slice());
    if ak_parent.is_some_and(|name| name.len() > Name::LEN_MAX) {
        return Err(key_refused("the name of the AK's parent is longer than a name".to_owned()));
    }
    let certification = RawCertification {
        public: &request.public,
        attest: &request.attest,
        signature: &request.signature,
        ak_parent,
    };
    let key = verify_certify(ak, certification, nonce).map_err(|problems| {
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        key_refused(problems.join("; "))
    })?;
    let message = possession_message(nonce.as_bytes(), &request.public);
    verify_possession(key, &message, &request.possession)
        .map_err(|_| key_refused("the key did not sign the challenge".to_owned()))
}

/// A verdict is of one boot: what runs after another one nobody judged yet.
fn require_judged_boot(host: &Host, key: &CertifiedKey) -> Result<(), AppError> {
    let clock = key.clock_info();
    let same = host.last_quote_clock.is_some_and(|judged| {
        judged.reset_count == clock.reset_count && judged.firmware_version == key.firmware_version()
    });
    if same {
        return Ok(());
    }
    Err(AppError::refused(
        RefusalKind::Conflict,
        "host-rebooted",
        "the host booted since it was judged",
        "it is judged within moments: ask again then",
    ))
}

/// 16 random bytes that are a positive number of 16 bytes. [RFC5280 §4.1.2.2]
fn new_serial() -> Result<Serial, AppError> {
    let mut serial = random::<16>()?;
    serial[0] = serial[0] & 0x7f | 0x40;
    Ok(serial)
}
