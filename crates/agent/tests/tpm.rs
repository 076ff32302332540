//! The TPM's part against a real swtpm, with tpm2-tools as referees.

mod tools;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agent::tpm::{Address, AttestationKey, Endorsement, Tpm, active_banks};
use testkit::swtpm::{Ca, Swtpm};
use tools::{Workdir, spki_pem, two_b};
use tpm_device::{DeviceError, Transport};
use tpm_wire::command::{EvictControl, PcrExtend};
use tpm_wire::template::{
    AK_P256, AK_RSA2048, EK_H1, EK_H2, EK_H3, EK_H4, EK_H6, EK_L1, EK_L2, EkTemplate, SRK_P256,
};
use tpm_wire::{
    Attested, Digest, Handle, PcrBank, PcrSelection, PcrSet, TpmAlgId, TpmsAttest, TpmtPublic,
    TpmtSignature,
};

fn address(swtpm: &Swtpm) -> Address {
    swtpm.address().parse().unwrap()
}

fn open(swtpm: &Swtpm) -> Tpm {
    Tpm::open(&address(swtpm)).unwrap()
}

/// A credential by tpm2-tools for `template`'s key is opened, and one for another key is not.
fn activates(template: &EkTemplate) {
    let swtpm = Swtpm::builder().start().unwrap();
    let mut tpm = open(&swtpm);
    let ek = Endorsement::from_template(&mut tpm, template).unwrap();
    let ak = AttestationKey::create(&mut tpm).unwrap();
    let other = AttestationKey::create(&mut tpm).unwrap();
    let dir = Workdir::new();
    let (id_object, encrypted) = dir.make_credential(ek.public(), ak.name(), b"a secret of ours");
    let secret = ek.activate(&mut tpm, &ak, &id_object, &encrypted).unwrap();
    assert_eq!(*secret, b"a secret of ours");
    let refused = ek.activate(&mut tpm, &other, &id_object, &encrypted).unwrap_err();
    assert!(refused.refused().is_some(), "{refused}");
    let mut damaged = id_object.clone();
    damaged[5] ^= 1;
    assert!(ek.activate(&mut tpm, &ak, &damaged, &encrypted).unwrap_err().refused().is_some());
    // Nothing but the two attestation keys is loaded, also after refusals.
    assert_eq!(tpm.handles(Handle::TRANSIENT_FIRST).unwrap().len(), 2);
    assert_eq!(tpm.handles(Handle::LOADED_SESSION_FIRST).unwrap(), []);
    assert_eq!(*ek.activate(&mut tpm, &ak, &id_object, &encrypted).unwrap(), *secret);
}

#[test]
fn ek_l1_rsa_2048_activates() {
    activates(&EK_L1);
}

#[test]
fn ek_l2_p256_activates() {
    activates(&EK_L2);
}

#[test]
fn ek_h1_rsa_2048_activates() {
    activates(&EK_H1);
}

#[test]
fn ek_h2_p256_activates() {
    activates(&EK_H2);
}

#[test]
fn ek_h3_p384_activates() {
    activates(&EK_H3);
}

#[test]
fn ek_h4_p521_activates() {
    activates(&EK_H4);
}

#[test]
fn ek_h6_rsa_3072_activates() {
    activates(&EK_H6);
}

#[test]
fn the_key_with_a_certificate_is_found_where_it_is_or_made() {
    let ca = Ca::new().unwrap();
    let swtpm = Swtpm::builder().ek_cert(&ca).start().unwrap();
    let mut tpm = open(&swtpm);
    let kept = Endorsement::find_or_create(&mut tpm).unwrap();
    assert_eq!(kept.persistent(), Some(Handle(0x8101_0016)));
    assert!(kept.certificate().is_some() && kept.chain().is_empty());

    // The same key comes out of the template when the persistent copy is gone.
    let persistent = Handle(0x8101_0016);
    tpm.run(&EvictControl { object: persistent, persistent }).unwrap();
    let made = Endorsement::find_or_create(&mut tpm).unwrap();
    assert_eq!(made.persistent(), None);
    assert_eq!(made.public(), kept.public());
    assert_eq!(made.certificate(), kept.certificate());

    // And both open what was made for it.
    let ak = AttestationKey::create(&mut tpm).unwrap();
    let (id_object, encrypted) =
        Workdir::new().make_credential(kept.public(), ak.name(), b"for both");
    assert_eq!(*made.activate(&mut tpm, &ak, &id_object, &encrypted).unwrap(), b"for both");
    assert!(kept.activate(&mut tpm, &ak, &id_object, &encrypted).is_err(), "it is gone");
}

#[test]
fn a_persistent_key_opens_a_credential() {
    let ca = Ca::new().unwrap();
    let swtpm = Swtpm::builder().ek_cert(&ca).start().unwrap();
    let mut tpm = open(&swtpm);
    let ek = Endorsement::find_or_create(&mut tpm).unwrap();
    assert!(ek.persistent().is_some());
    let ak = AttestationKey::create(&mut tpm).unwrap();
    let (id_object, encrypted) = Workdir::new().make_credential(ek.public(), ak.name(), b"kept");
    assert_eq!(*ek.activate(&mut tpm, &ak, &id_object, &encrypted).unwrap(), b"kept");
}

#[test]
fn templates_give_the_keys_that_certificates_name() {
    let ca = Ca::new().unwrap();
    for (bits, template) in [(2048, &EK_L1), (3072, &EK_H6)] {
        let swtpm = Swtpm::builder().ek_cert(&ca).rsa_ek_bits(bits).start().unwrap();
        let mut tpm = open(&swtpm);
        let ek = Endorsement::from_template(&mut tpm, template).unwrap();
        let public = TpmtPublic::parse(ek.public()).unwrap();
        let tpm_wire::PublicKey::Rsa { modulus, key_bits, .. } = public.area.key else {
            panic!("an RSA key");
        };
        assert_eq!(key_bits, bits);
        let certificate = ek.certificate().expect("a certificate in NV");
        assert!(certificate.windows(modulus.len()).any(|window| window == modulus), "{bits}");
    }
}

#[test]
fn without_any_certificate_there_is_still_a_key() {
    let swtpm = Swtpm::builder().start().unwrap();
    let mut tpm = open(&swtpm);
    let ek = Endorsement::find_or_create(&mut tpm).unwrap();
    assert!(ek.certificate().is_none() && ek.chain().is_empty());
    let area = TpmtPublic::parse(ek.public()).unwrap().area;
    assert_eq!(area.auth_policy, EK_L2.area.auth_policy);
    assert_eq!(area.key.kind(), TpmAlgId::ECC);
}

#[test]
fn the_attestation_key_lives_through_a_reboot_and_in_its_tpm_only() {
    let mut swtpm = Swtpm::builder().start().unwrap();
    let mut tpm = open(&swtpm);
    let ak = AttestationKey::create(&mut tpm).unwrap();
    let (public, private, name) = (ak.public().to_vec(), ak.private().to_vec(), ak.name().to_vec());
    let area = TpmtPublic::parse(&public).unwrap().area;
    assert_eq!(area.attributes, AK_P256.attributes);
    assert_eq!(area.key.scheme(), AK_P256.key.scheme());
    drop(tpm);

    swtpm.restart().unwrap();
    let mut tpm = open(&swtpm);
    let again = AttestationKey::load(&mut tpm, &public, &private).unwrap().expect("it is its own");
    assert_eq!(again.name(), name);
    assert_eq!(tpm.handles(Handle::TRANSIENT_FIRST).unwrap().len(), 1);

    // A root key that is made persistent afterwards does not hide the key.
    let template = SRK_P256.to_bytes().unwrap();
    let hierarchy = Handle::OWNER;
    tpm.scope(|tpm| {
        let create = tpm_wire::command::CreatePrimary { hierarchy, template: &template };
        let object = tpm.run(&create)?.handle;
        tpm.run(&EvictControl { object, persistent: Handle::PERSISTENT_SRK })
    })
    .unwrap();
    assert!(AttestationKey::load(&mut tpm, &public, &private).unwrap().is_some());
    drop(tpm);

    let foreign = Swtpm::builder().start().unwrap();
    let mut tpm = open(&foreign);
    assert!(AttestationKey::load(&mut tpm, &public, &private).unwrap().is_none());
    assert_eq!(tpm.handles(Handle::TRANSIENT_FIRST).unwrap(), []);
}

#[test]
fn a_damaged_attestation_key_is_no_key() {
    let swtpm = Swtpm::builder().start().unwrap();
    let mut tpm = open(&swtpm);
    let ak = AttestationKey::create(&mut tpm).unwrap();
    let (public, private) = (ak.public().to_vec(), ak.private().to_vec());
    let mut damaged = private.clone();
    *damaged.last_mut().unwrap() ^= 1;
    for (public, private) in [
        (&public[..], &damaged[..]),
        (&public[..], &private[..private.len() - 1]),
        (&public[..], &[]),
        (&public[..20], &private[..]),
        (&[], &private[..]),
        (&public[..], &[0; 70_000]),
    ] {
        assert!(AttestationKey::load(&mut tpm, public, private).unwrap().is_none());
    }
    assert!(AttestationKey::load(&mut tpm, &public, &private).unwrap().is_some());
}

#[test]
fn tpm2_tools_check_our_quotes() {
    for template in [&AK_P256, &AK_RSA2048] {
        let swtpm = Swtpm::builder().banks("sha256,sha384").start().unwrap();
        let mut tpm = open(&swtpm);
        let digests = [
            (TpmAlgId::SHA256, Digest::filled(3, 32).unwrap()),
            (TpmAlgId::SHA384, Digest::filled(4, 48).unwrap()),
        ];
        tpm.run(&PcrExtend { index: 7, digests: &digests }).unwrap();
        let ak = AttestationKey::from_template(&mut tpm, template).unwrap();
        let algs = active_banks(&mut tpm).unwrap();
        assert_eq!(algs, [TpmAlgId::SHA256, TpmAlgId::SHA384]);
        let selection = PcrSelection::of_banks(algs, PcrSet::FIRMWARE.with(14)).unwrap();
        let quoted = ak.quote_with_pcrs(&mut tpm, b"a nonce of ours", &selection).unwrap();

        let attest = TpmsAttest::parse(&quoted.attest).unwrap();
        assert_eq!(attest.extra_data, b"a nonce of ours");
        let Attested::Quote { pcr_select, pcr_digest } = attest.attested else {
            panic!("a quote");
        };
        assert_eq!(pcr_select, selection);
        assert_eq!(pcr_digest, digest_of(&quoted.banks, &selection));
        assert_eq!(
            TpmtSignature::parse(&quoted.signature).unwrap().scheme(),
            template.key.scheme().alg
        );

        let dir = Workdir::new();
        let pem = spki_pem(ak.public());
        let nonce = b"a nonce of ours";
        assert!(dir.check_quote(&pem, &quoted.attest, &quoted.signature, nonce));
        assert!(!dir.check_quote(&pem, &quoted.attest, &quoted.signature, b"another nonce..."));
        let mut forged = quoted.attest.clone();
        *forged.last_mut().unwrap() ^= 1;
        assert!(!dir.check_quote(&pem, &forged, &quoted.signature, nonce));
    }
}

fn digest_of(banks: &[PcrBank], selection: &PcrSelection) -> Vec<u8> {
    let mut values = Vec::new();
    for (alg, index) in selection.iter() {
        let bank = banks.iter().find(|bank| bank.alg() == alg).unwrap();
        values.extend(bank.get(index).unwrap().as_bytes());
    }
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &values).as_ref().to_vec()
}

#[test]
fn tpm2_tools_name_our_attestation_key_as_we_do() {
    let swtpm = Swtpm::builder().tcp().start().unwrap();
    let tcti = swtpm.tcti().unwrap();
    let mut tpm = open(&swtpm);
    let persistent = Handle(0x8100_8001);
    let ak = AttestationKey::create(&mut tpm).unwrap();
    let object = tpm.handles(Handle::TRANSIENT_FIRST).unwrap()[0];
    tpm.run(&EvictControl { object, persistent }).unwrap();
    drop(tpm);

    let dir = Workdir::new();
    dir.run("tpm2_readpublic", &["-T", &tcti, "-c", "0x81008001", "-n", "name", "-o", "public"]);
    assert_eq!(dir.read("name"), ak.name());
    assert_eq!(dir.read("public"), two_b(ak.public()));

    dir.write("ak.pub", &two_b(ak.public()));
    let external = ["-T", &tcti, "-C", "n", "-u", "ak.pub", "-n", "name2", "-c", "ctx"];
    dir.run("tpm2_loadexternal", &external);
    assert_eq!(dir.read("name2"), ak.name());
}

/// Counts what goes over a transport.
struct Counting(Box<dyn Transport>, Arc<AtomicUsize>);

impl Transport for Counting {
    fn transmit(
        &mut self,
        command: &[u8],
        response: &mut Vec<u8>,
        time: Duration,
    ) -> Result<(), DeviceError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.transmit(command, response, time)
    }
}

#[test]
fn an_attestation_costs_four_commands() {
    let swtpm = Swtpm::builder().start().unwrap();
    let n_commands = Arc::new(AtomicUsize::new(0));
    let transport = tpm_device::open(&address(&swtpm)).unwrap();
    let mut tpm = Tpm::new(Box::new(Counting(transport, n_commands.clone())));
    let ak = AttestationKey::create(&mut tpm).unwrap();
    // What a log of shim, GRUB and a kernel names.
    let set = [8, 9, 11, 12, 14].into_iter().fold(PcrSet::FIRMWARE, PcrSet::with);
    let selection = PcrSelection::one(TpmAlgId::SHA256, set);
    n_commands.store(0, Ordering::Relaxed);
    let quoted = ak.quote_with_pcrs(&mut tpm, &[1; 32], &selection).unwrap();
    assert_eq!(quoted.banks[0].present(), set);
    assert_eq!(n_commands.load(Ordering::Relaxed), 4);
}

/// Extends a PCR behind the agent's back, after so many commands.
struct Meddling {
    transport: Box<dyn Transport>,
    after: usize,
}

impl Transport for Meddling {
    fn transmit(
        &mut self,
        command: &[u8],
        response: &mut Vec<u8>,
        time: Duration,
    ) -> Result<(), DeviceError> {
        self.transport.transmit(command, response, time)?;
        if self.after > 0 {
            self.after -= 1;
            if self.after == 0 {
                let digests = [(TpmAlgId::SHA256, Digest::filled(9, 32).unwrap())];
                let extend = PcrExtend { index: 10, digests: &digests };
                let extend = tpm_wire::command::encode(&extend).unwrap();
                self.transport.transmit(&extend, &mut Vec::new(), time)?;
            }
        }
        Ok(())
    }
}

#[test]
fn values_and_quote_agree_though_a_pcr_is_extended_meanwhile() {
    let selection = PcrSelection::one(TpmAlgId::SHA256, PcrSet::FIRMWARE.with(10));
    let mut swtpm = Swtpm::builder().start().unwrap();
    for after in 1..=5 {
        let mut tpm = open(&swtpm);
        let ak = AttestationKey::create(&mut tpm).unwrap();
        let (public, private) = (ak.public().to_vec(), ak.private().to_vec());
        drop(tpm);
        // Loading takes four commands and one flush, then come the reads and the quote.
        let transport = tpm_device::open(&address(&swtpm)).unwrap();
        let mut tpm = Tpm::new(Box::new(Meddling { transport, after: 5 + after }));
        let ak = AttestationKey::load(&mut tpm, &public, &private).unwrap().unwrap();
        let quoted = ak.quote_with_pcrs(&mut tpm, &[1; 32], &selection).unwrap();
        let attest = TpmsAttest::parse(&quoted.attest).unwrap();
        let Attested::Quote { pcr_digest, .. } = attest.attested else { panic!("a quote") };
        assert_eq!(pcr_digest, digest_of(&quoted.banks, &selection), "after {after}");
        drop(tpm);
        swtpm.restart().unwrap();
    }
}

/// Extends PCR 10 and logs it, after so many commands, as the kernel does when a program starts.
struct Running {
    transport: Box<dyn Transport>,
    after: usize,
    log: Arc<Mutex<Vec<Digest>>>,
}

impl Transport for Running {
    fn transmit(
        &mut self,
        command: &[u8],
        response: &mut Vec<u8>,
        time: Duration,
    ) -> Result<(), DeviceError> {
        self.transport.transmit(command, response, time)?;
        self.after = self.after.wrapping_sub(1);
        if self.after == 0 {
            extend(self.transport.as_mut(), &self.log, time)?;
        }
        Ok(())
    }
}

fn extend(
    transport: &mut dyn Transport,
    log: &Mutex<Vec<Digest>>,
    time: Duration,
) -> Result<(), DeviceError> {
    let mut log = log.lock().unwrap();
    let fill = u8::try_from(log.len()).unwrap();
    let digest = Digest::filled(fill, 32).unwrap();
    let digests = [(TpmAlgId::SHA256, digest)];
    let extend = tpm_wire::command::encode(&PcrExtend { index: 10, digests: &digests }).unwrap();
    transport.transmit(&extend, &mut Vec::new(), time)?;
    log.push(digest);
    Ok(())
}

/// What PCR 10 has after the events of `log`.
fn replayed(log: &[Digest]) -> Digest {
    log.iter().fold(Digest::filled(0, 32).unwrap(), |value, digest| {
        let mut bytes = value.as_bytes().to_vec();
        bytes.extend(digest.as_bytes());
        Digest::new(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes).as_ref()).unwrap()
    })
}

#[test]
fn the_log_and_the_quote_are_of_one_moment_though_a_program_starts_meanwhile() {
    let selection = PcrSelection::one(TpmAlgId::SHA256, PcrSet::EMPTY.with(10));
    let mut swtpm = Swtpm::builder().start().unwrap();
    let mut n_taken_again = 0;
    // Values, quote, counter: and what comes after them is of no concern.
    for after in 1..=4 {
        let log = Arc::new(Mutex::new(Vec::new()));
        let (public, private) = {
            let mut tpm = open(&swtpm);
            let ak = AttestationKey::create(&mut tpm).unwrap();
            (ak.public().to_vec(), ak.private().to_vec())
        };
        // Loading takes four commands and one flush.
        let transport = tpm_device::open(&address(&swtpm)).unwrap();
        let running = Running { transport, after: 5 + after, log: log.clone() };
        let mut tpm = Tpm::new(Box::new(running));
        let ak = AttestationKey::load(&mut tpm, &public, &private).unwrap().unwrap();
        let n_reads = AtomicUsize::new(0);
        let (quoted, read) = ak
            .quote_with_logs(&mut tpm, &[1; 32], &selection, || {
                n_reads.fetch_add(1, Ordering::Relaxed);
                log.lock().unwrap().clone()
            })
            .unwrap();
        assert_eq!(quoted.banks[0].get(10), Some(&replayed(&read)), "after {after}");
        n_taken_again += n_reads.load(Ordering::Relaxed) - 1;
        drop(tpm);
        swtpm.restart().unwrap();
    }
    assert!(n_taken_again > 0, "no program started in between");
}

#[test]
fn on_a_host_without_rest_the_log_has_what_the_quote_covers_and_more() {
    let selection = PcrSelection::one(TpmAlgId::SHA256, PcrSet::EMPTY.with(10));
    let swtpm = Swtpm::builder().start().unwrap();
    let log = Mutex::new(Vec::new());
    let transport = Shared(Arc::new(Mutex::new(tpm_device::open(&address(&swtpm)).unwrap())));
    let mut behind = transport.clone();
    let mut tpm = Tpm::new(Box::new(transport));
    let ak = AttestationKey::create(&mut tpm).unwrap();
    let behind = Mutex::new(&mut behind);
    let n_reads = AtomicUsize::new(0);
    let (quoted, read) = ak
        .quote_with_logs(&mut tpm, &[1; 32], &selection, || {
            // A program starts each time the log is read.
            n_reads.fetch_add(1, Ordering::Relaxed);
            extend(*behind.lock().unwrap(), &log, Duration::from_secs(5)).unwrap();
            log.lock().unwrap().clone()
        })
        .unwrap();
    let value = *quoted.banks[0].get(10).unwrap();
    let covered = (0..=read.len()).find(|n| replayed(&read[..*n]) == value);
    assert_eq!(covered, Some(read.len() - 1));
    assert_eq!(n_reads.load(Ordering::Relaxed), 5, "it does not go on for ever");
}

/// One connection that two use in turns.
#[derive(Clone)]
struct Shared(Arc<Mutex<Box<dyn Transport>>>);

impl Transport for Shared {
    fn transmit(
        &mut self,
        command: &[u8],
        response: &mut Vec<u8>,
        time: Duration,
    ) -> Result<(), DeviceError> {
        self.0.lock().unwrap().transmit(command, response, time)
    }
}
