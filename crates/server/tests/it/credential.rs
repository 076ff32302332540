//! Credentials of the server's making, opened by a real TPM with each kind of endorsement key.

use agent::tpm::{Address, AttestationKey, Endorsement, Tpm};
use testkit::swtpm::Swtpm;
use tpm_wire::template::EK_TEMPLATES;
use verify::{ActivationProof, CredentialSecret, bind, check_ak, check_ek, make_credential};

#[test]
fn each_kind_of_endorsement_key_opens_its_credential() {
    let swtpm = Swtpm::builder().start().unwrap();
    let address: Address = swtpm.address().parse().unwrap();
    let mut opened = 0;
    for template in EK_TEMPLATES {
        let mut tpm = Tpm::open(&address).unwrap();
        let key = AttestationKey::create(&mut tpm).unwrap();
        let Ok(endorsement) = Endorsement::from_template(&mut tpm, &template) else {
            // This TPM has not the curve or size; the count below says how many it has.
            continue;
        };
        let ek = check_ek(endorsement.public()).unwrap();
        let ak = check_ak(key.public()).unwrap();
        assert_eq!(ak.name().as_bytes(), key.name(), "the name is the TPM's");
        let secret = CredentialSecret::new([0x5a; 32]);
        let proof = ActivationProof::new(&secret, &ek, ak.name());
        let credential = make_credential(&ek, ak.name(), &secret).unwrap();
        let activated = endorsement
            .activate(&mut tpm, &key, &credential.id_object, &credential.encrypted_secret)
            .unwrap();
        assert!(bind(&ek, ak, &proof, &activated).is_ok());

        // For another attestation key the TPM refuses.
        let other = AttestationKey::create(&mut tpm).unwrap();
        let refused = endorsement.activate(
            &mut tpm,
            &other,
            &credential.id_object,
            &credential.encrypted_secret,
        );
        assert!(refused.is_err());
        opened += 1;
    }
    assert!(opened >= 4, "RSA-2048, P-256, P-384 and RSA-3072 at least, not {opened}");
}
