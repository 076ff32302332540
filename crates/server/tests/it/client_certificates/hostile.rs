//! Hosts that want a certificate for what is no key of theirs in their TPM.

use agent::{
    certificate::certified,
    session::Session,
    state::WrappedKey,
    tpm::{AttestationKey, Tpm, certify},
};
use api::client_certificate::{
    CertificateChallenge, CertificateRequest, IssuedCertificate, possession_message,
};
use client::ClientError;
use testkit::{boot::boot, log::BootLog};
use tpm_wire::{ObjectAttributes, PublicArea, PublicKey, Scheme, TpmAlgId, template::SIGNING_P256};

use super::{Guest, ON};
use crate::bench::{Server, code};

impl Guest {
    async fn challenge(&self, server: &Server) -> Vec<u8> {
        let client = self.host.client(server);
        let challenge: CertificateChallenge =
            client.post("/v1/agent/certificate-challenge", &()).await.unwrap();
        challenge.nonce.0
    }

    /// What its TPM says of a key, for `nonce`.
    async fn request(&self, nonce: Vec<u8>) -> CertificateRequest {
        let ak = self.host.file.load().unwrap().ak.unwrap();
        certified(&self.host.session, &ak, None, nonce).await.unwrap().0
    }

    async fn send(
        &self,
        server: &Server,
        request: &CertificateRequest,
    ) -> Result<IssuedCertificate, ClientError> {
        self.host.client(server).post("/v1/agent/certificate", request).await
    }

    /// The same of a key by `template`, by the same TPM and the enrolled attestation key.
    async fn request_for(
        &self,
        nonce: Vec<u8>,
        template: PublicArea<'static>,
    ) -> CertificateRequest {
        let WrappedKey { public, private } = self.host.file.load().unwrap().ak.unwrap();
        let address = self.host.tpm.as_ref().unwrap().address().parse().unwrap();
        let nonce_bytes = nonce.clone();
        let work = move |_: &mut Session| {
            let mut tpm = Tpm::open(&address).unwrap();
            let ak = AttestationKey::load(&mut tpm, &public, &private).unwrap().unwrap();
            let message = |public: &[u8]| possession_message(&nonce_bytes, public);
            certify(&mut tpm, &ak, None, &template, &nonce_bytes, message).unwrap()
        };
        let key = self.host.session.run(work).await.unwrap();
        CertificateRequest {
            nonce: nonce.into(),
            public: key.public.into(),
            attest: key.attest.into(),
            signature: key.signature.into(),
            ak_parent: None,
            possession: key.possession.into(),
        }
    }
}

fn with_attributes(attributes: u32) -> PublicArea<'static> {
    PublicArea { attributes: ObjectAttributes(attributes), ..SIGNING_P256 }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_is_answered_once_by_its_host() {
    let server = Server::start_with(ON).await;
    server.trust().await;
    let guest = Guest::accepted(&server, "web-1").await;
    let other = Guest::accepted(&server, "web-2").await;
    let request = guest.request(guest.challenge(&server).await).await;
    guest.send(&server, &request).await.unwrap();
    assert_eq!(code(guest.send(&server, &request).await), "nonce-used", "replayed");

    // Challenges of another host, of another purpose, of nobody.
    let request = guest.request(other.challenge(&server).await).await;
    assert_eq!(code(guest.send(&server, &request).await), "nonce-foreign");
    let (quote_nonce, _) = guest.host.challenge(&server).await.unwrap();
    let request = guest.request(quote_nonce).await;
    assert_eq!(code(guest.send(&server, &request).await), "nonce-foreign");
    let mut request = guest.request(guest.challenge(&server).await).await;
    request.nonce = Vec::new().into();
    assert_eq!(code(guest.send(&server, &request).await), "nonce-invalid");

    // What another challenge was answered with.
    let old = guest.request(guest.challenge(&server).await).await;
    let nonce = guest.challenge(&server).await;
    let replayed = CertificateRequest { nonce: nonce.into(), ..old };
    assert_eq!(code(guest.send(&server, &replayed).await), "client-key-refused");
    // And evidence that answers such a challenge is none.
    let nonce = guest.challenge(&server).await;
    let evidence = guest.host.evidence(&nonce, tpm_wire::PcrSet::FIRMWARE).await;
    assert_eq!(code(guest.host.send(&server, &evidence).await), "nonce-foreign");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tpms_key_and_another_key_are_refused() {
    let server = Server::start_with(ON).await;
    server.trust().await;
    let guest = Guest::accepted(&server, "web-1").await;
    let other = Guest::accepted(&server, "web-2").await;
    let refused = async |request: &CertificateRequest, says: &str| {
        let err = guest.send(&server, request).await.unwrap_err();
        assert_eq!(err.code(), Some("client-key-refused"), "{err}");
        assert!(err.to_string().contains(says), "{err}");
    };
    // The key of another host's TPM, certified by that one's attestation key.
    let request = other.request(guest.challenge(&server).await).await;
    refused(&request, "did not sign the certification").await;
    // Another key than the certified one.
    let nonce = guest.challenge(&server).await;
    let (one, two) = (guest.request(nonce.clone()).await, guest.request(nonce.clone()).await);
    let mixed = CertificateRequest { public: two.public.clone(), ..one.clone() };
    refused(&mixed, "another key").await;
    // A key that does not answer itself.
    let mixed = CertificateRequest { possession: two.possession.clone(), ..one.clone() };
    refused(&mixed, "did not sign the challenge").await;
    // A parent that is not the attestation key's.
    let mixed = CertificateRequest { ak_parent: Some(vec![0, 11, 1].into()), ..one.clone() };
    refused(&mixed, "another signer").await;
    let mixed = CertificateRequest { ak_parent: Some(vec![0; 67].into()), ..one.clone() };
    refused(&mixed, "longer than a name").await;
    // Rubbish in each place, and a quote in the place of a certification.
    let rubbish = || api::Bytes::from(vec![0xff; 40]);
    for mixed in [
        CertificateRequest { public: rubbish(), ..one.clone() },
        CertificateRequest { attest: rubbish(), ..one.clone() },
        CertificateRequest { signature: rubbish(), ..one.clone() },
        CertificateRequest { possession: rubbish(), ..one.clone() },
    ] {
        assert_eq!(code(guest.send(&server, &mixed).await), "client-key-refused");
    }
    let quote = guest.host.evidence(&nonce, tpm_wire::PcrSet::FIRMWARE).await.quote.unwrap();
    let mixed =
        CertificateRequest { attest: quote.attest, signature: quote.signature, ..one.clone() };
    refused(&mixed, "does not certify a key").await;
    // After all that the sound one is as good as it was.
    guest.send(&server, &one).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_other_kinds_in_the_same_tpm_are_refused() {
    let server = Server::start_with(ON).await;
    server.trust().await;
    let guest = Guest::accepted(&server, "web-1").await;
    let sound = SIGNING_P256.attributes.0;
    let movable = sound & !(ObjectAttributes::FIXED_TPM.0 | ObjectAttributes::FIXED_PARENT.0);
    let PublicKey::Ecc { symmetric, curve, kdf, x, y, .. } = SIGNING_P256.key else {
        panic!("on a curve")
    };
    let scheme = Scheme::new(TpmAlgId::ECDSA, TpmAlgId::SHA256);
    let with_scheme = PublicKey::Ecc { symmetric, scheme, curve, kdf, x, y };
    let refused = async |template: PublicArea<'static>, says: &str| {
        let request = guest.request_for(guest.challenge(&server).await, template).await;
        let err = guest.send(&server, &request).await.unwrap_err();
        assert_eq!(err.code(), Some("client-key-refused"), "{err}");
        assert!(err.to_string().contains(says), "{err}");
    };
    refused(with_attributes(movable), "fixedTPM|fixedParent").await;
    refused(with_attributes(sound | ObjectAttributes::DECRYPT.0), "not allowed decrypt").await;
    let nonce = guest.challenge(&server).await;
    let ours = PublicArea { key: with_scheme, ..SIGNING_P256 };
    let request = guest.request_for(nonce, ours).await;
    guest.send(&server, &request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_boot_that_nobody_judged_gets_none() {
    let server = Server::start_with(ON).await;
    server.trust().await;
    let mut guest = Guest::accepted(&server, "web-1").await;
    guest.fetch().await.unwrap();
    let tpm = guest.host.tpm.as_mut().unwrap();
    tpm.restart().unwrap();
    boot(tpm, &BootLog::sound().build()).unwrap();
    assert_eq!(guest.refused().await, "host-rebooted");
    assert!(!guest.certificate().exists());
    guest.host.attest(&server).await.unwrap();
    guest.fetch().await.unwrap();
}
