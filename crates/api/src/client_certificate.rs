//! Client certificates for keys in TPMs of hosts.

use serde::{Deserialize, Serialize};

use crate::Bytes;

/// `POST /v1/agent/certificate-challenge`: what the TPM has to certify a key for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CertificateChallenge {
    /// The qualifying data of TPM2_Certify.
    pub nonce: Bytes,
    /// Milliseconds for which it is good.
    pub good_for_ms: u64,
}

/// `POST /v1/agent/certificate`: a host asks for a certificate of a key in its TPM. Structures of the TPM come
/// as it gave them, without a size in front.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CertificateRequest {
    /// The challenge.
    pub nonce: Bytes,
    /// The key, a TPMT_PUBLIC.
    pub public: Bytes,
    /// TPMS_ATTEST of TPM2_Certify.
    pub attest: Bytes,
    /// TPMT_SIGNATURE over it, by the attestation key.
    pub signature: Bytes,
    /// The qualified name of the attestation key's parent, where the TPM says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ak_parent: Option<Bytes>,
    /// TPMT_SIGNATURE by the key over [`possession_message`], ECDSA with SHA-256.
    pub possession: Bytes,
}

/// What a host signs with the key that it wants a certificate for.
///
/// A request for a certificate in PKCS #10 would prove the same; its names would have to be thrown away, and
/// it would have to be read first.
pub fn possession_message(nonce: &[u8], public: &[u8]) -> Vec<u8> {
    let len = u64::try_from(nonce.len()).unwrap_or(u64::MAX).to_be_bytes();
    [b"bootproof client certificate 1\0", &len[..], nonce, public].concat()
}

/// The answer to [`CertificateRequest`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IssuedCertificate {
    /// The certificate, PEM. Its issuer is what `GET /v1/client-ca` gives; there is none between.
    pub certificate_pem: String,
    /// Its name, `spiffe://TRUST-DOMAIN/host/ID`.
    pub spiffe_id: String,
    /// Its serial number, in hex.
    pub serial: String,
    /// When it ends, milliseconds since 1970.
    pub not_after_ms: i64,
    /// Seconds for which it is good.
    pub good_for_s: u64,
    /// Seconds after which to ask for the next one.
    pub renew_after_s: u64,
}

/// A certificate that was issued to a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClientCertificate {
    /// Its serial number, in hex.
    pub serial: String,
    /// The host's identifier; the host may be gone.
    pub host: String,
    /// The host's name when it was issued.
    pub host_name: String,
    /// The number of the authority that issued it.
    pub authority: i64,
    /// The name of the key in the TPM, in hex.
    pub key_name: String,
    /// When it was issued, milliseconds since 1970.
    pub issued_at_ms: i64,
    /// When it ends.
    pub not_after_ms: i64,
    /// Whether it counts now: it has not ended and is not revoked.
    pub counts: bool,
    /// That it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revocation>,
}

/// That a certificate counts no more before its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Revocation {
    /// Since when, milliseconds since 1970.
    pub at_ms: i64,
    /// Why: `not-accepted`, `host-disconnected`, `host-removed`, `tpm-replaced` or `by-person`.
    pub why: String,
    /// In a person's words; empty where there are none.
    pub reason: String,
    /// By whom.
    pub by: String,
}

/// The query of `GET /v1/client-certificates`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ClientCertificateQuery {
    /// Goes on after what `next_cursor` said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// How many at most; 100 where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Certificates, newest first. What has ended is kept for two hours.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClientCertificatePage {
    /// The certificates.
    pub certificates: Vec<ClientCertificate>,
    /// Where the next page begins; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// `POST /v1/hosts/{id}/client-certificates/revoke`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RevokeRequest {
    /// Why: one line.
    #[cfg_attr(feature = "schema", schemars(length(max = 500)))]
    pub reason: String,
}

/// An authority of client certificates, as `GET /v1/client-authorities` has them: in the order in which they begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClientAuthority {
    /// Its number: each that follows another has the next one.
    pub number: i64,
    /// `announced`: it will issue; `issuing`; or `former`: certificates that it issued are still good.
    pub state: String,
    /// From when on it issues, milliseconds since 1970.
    pub begins_at_ms: i64,
    /// When its certificate ends, milliseconds since 1970.
    pub not_after_ms: i64,
    /// SHA-256 of its certificate, in hex.
    pub sha256: String,
    /// Its certificate.
    pub certificate_pem: String,
}

/// `POST /v1/client-authorities/rotate`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RotateClientAuthority {
    /// Why: one line.
    #[cfg_attr(feature = "schema", schemars(length(max = 500)))]
    pub reason: String,
    /// Seconds from now until it issues: relying parties get to know it meanwhile. Without it twice the time for
    /// which a list of revoked certificates is good; 0: at once. A year at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced_for_s: Option<u64>,
}

/// The query of `GET /v1/crl`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ClientCrlQuery {
    /// The number of an authority ([`ClientAuthority::number`]); absent: the one that issues.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<i64>,
}

/// How many certificates were revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Revoked {
    /// How many: 0 where none counted.
    pub n: u32,
}
