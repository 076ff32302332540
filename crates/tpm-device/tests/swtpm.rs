//! Against a real swtpm: what leaves the machine is what a TPM understands.

use testkit::swtpm::{Ca, Swtpm};
use tpm_device::{Address, Tpm, TpmError};
use tpm_wire::command::{
    CreatePrimary, GetRandom, PcrExtend, StartPolicySession, Startup, StartupType,
};
use tpm_wire::template::SRK_P256;
use tpm_wire::{
    Digest, Handle, PcrSelection, PcrSet, ResponseCode, TpmAlgId, TpmEccCurve, TpmtPublic,
};

fn open(swtpm: &Swtpm) -> Tpm {
    Tpm::open(&swtpm.address().parse::<Address>().unwrap()).unwrap()
}

#[test]
fn capabilities_nv_and_persistent_keys_are_read() {
    let ca = Ca::new().unwrap();
    let swtpm =
        Swtpm::builder().banks("sha256,sha384").ek_cert(&ca).name("host-1").start().unwrap();
    let mut tpm = open(&swtpm);

    let banks = tpm.pcr_banks().unwrap();
    assert_eq!(banks.bank(TpmAlgId::SHA256), Some(PcrSet::ALL));
    assert_eq!(banks.bank(TpmAlgId::SHA384), Some(PcrSet::ALL));
    assert_eq!(banks.bank(TpmAlgId::SHA1), Some(PcrSet::EMPTY), "there and switched off");

    let curves = tpm.curves().unwrap();
    assert!(curves.contains(&TpmEccCurve::P256) && curves.contains(&TpmEccCurve::P384));
    let manufacturer = tpm.property(tpm_device::pt::MANUFACTURER).unwrap();
    assert_eq!(manufacturer, Some(u32::from_be_bytes(*b"IBM\0")));
    assert_eq!(tpm.property(0x1ff).unwrap(), None);

    let nv = tpm.handles(Handle::NV_FIRST).unwrap();
    assert_eq!(nv, [0x01c0_0002, 0x01c0_0016, 0x01c0_8000].map(Handle));
    let persistent = tpm.handles(Handle::PERSISTENT_FIRST).unwrap();
    assert_eq!(persistent, [0x8101_0001, 0x8101_0016].map(Handle));

    let certificate = tpm.read_nv(Handle(0x01c0_0002)).unwrap().unwrap();
    assert_eq!(certificate[..2], [0x30, 0x82], "a DER sequence");
    assert_eq!(
        usize::from(certificate[2]) << 8 | usize::from(certificate[3]),
        certificate.len() - 4
    );
    assert_eq!(tpm.read_nv(Handle(0x01c0_000a)).unwrap(), None);

    let ek = tpm.read_public(Handle(0x8101_0016)).unwrap().unwrap();
    let ek = TpmtPublic::parse(&ek.public).unwrap();
    assert_eq!(ek.area.key.kind(), TpmAlgId::ECC);
    assert!(tpm.read_public(Handle(0x8101_0002)).unwrap().is_none());
}

#[test]
fn all_pcrs_of_all_banks_come_from_one_moment() {
    let swtpm = Swtpm::builder().banks("sha1,sha256,sha384").start().unwrap();
    let mut tpm = open(&swtpm);
    let digests = [(TpmAlgId::SHA256, Digest::filled(1, 32).unwrap())];
    tpm.run(&PcrExtend { index: 7, digests: &digests }).unwrap();

    let algs = [TpmAlgId::SHA384, TpmAlgId::SHA256, TpmAlgId::SHA1];
    let selection = PcrSelection::of_banks(algs, PcrSet::ALL).unwrap();
    let (banks, counter) = tpm.read_pcrs(&selection).unwrap();
    assert_eq!(banks.iter().map(|bank| bank.alg()).collect::<Vec<_>>(), algs);
    assert!(banks.iter().all(|bank| bank.present() == PcrSet::ALL));
    let pcr_7 = banks[1].get(7).unwrap();
    // SHA-256 of 32 zeros and 32 ones.
    assert!(!pcr_7.is_zero() && banks[0].get(7).unwrap().is_zero());

    assert_eq!(tpm.pcr_update_counter().unwrap(), counter);
    tpm.run(&PcrExtend { index: 8, digests: &digests }).unwrap();
    assert_ne!(tpm.pcr_update_counter().unwrap(), counter);
}

#[test]
fn a_bank_that_is_switched_off_is_left_out() {
    let swtpm = Swtpm::builder().banks("sha1").start().unwrap();
    let mut tpm = open(&swtpm);
    let algs = [TpmAlgId::SHA256, TpmAlgId::SHA1];
    let selection = PcrSelection::of_banks(algs, PcrSet::FIRMWARE).unwrap();
    let (banks, _) = tpm.read_pcrs(&selection).unwrap();
    assert_eq!(banks.iter().map(|bank| bank.alg()).collect::<Vec<_>>(), [TpmAlgId::SHA1]);
    assert_eq!(banks[0].present(), PcrSet::FIRMWARE);
}

#[test]
fn slots_are_free_again_whatever_happens() {
    let swtpm = Swtpm::builder().start().unwrap();
    let mut tpm = open(&swtpm);
    let template = SRK_P256.to_bytes().unwrap();
    let srk = CreatePrimary { hierarchy: Handle::OWNER, template: &template };
    for _ in 0..4 {
        let result: Result<(), TpmError> = tpm.scope(|tpm| {
            tpm.run(&srk)?;
            tpm.run(&StartPolicySession { auth_hash: TpmAlgId::SHA256 })?;
            tpm.run(&Startup(StartupType::Clear))
        });
        assert_eq!(result.unwrap_err().refused(), Some(ResponseCode::INITIALIZE));
    }
    assert_eq!(tpm.handles(Handle::TRANSIENT_FIRST).unwrap(), []);
    assert_eq!(tpm.handles(Handle::LOADED_SESSION_FIRST).unwrap(), []);
}

#[test]
fn what_an_earlier_program_left_is_no_obstacle() {
    let swtpm = Swtpm::builder().tcp().start().unwrap();
    let template = SRK_P256.to_bytes().unwrap();
    let srk = CreatePrimary { hierarchy: Handle::OWNER, template: &template };
    let mut other = swtpm.client().unwrap();
    for _ in 0..3 {
        other.run(&srk).unwrap();
        other.run(&StartPolicySession { auth_hash: TpmAlgId::SHA256 }).unwrap();
    }
    assert!(other.run(&srk).unwrap_err().to_string().contains("TPM_RC_OBJECT_MEMORY"));
    drop(other);
    let mut tpm = open(&swtpm);
    assert_eq!(tpm.handles(Handle::TRANSIENT_FIRST).unwrap(), []);
    tpm.scope(|tpm| tpm.run(&srk)).unwrap();
}

#[test]
fn a_tpm_that_went_away_breaks_the_connection_and_no_more() {
    let mut swtpm = Swtpm::builder().start().unwrap();
    let mut tpm = open(&swtpm);
    assert_eq!(tpm.run(&GetRandom { n_bytes: 16 }).unwrap().len(), 16);
    swtpm.stop();
    assert!(matches!(tpm.run(&GetRandom { n_bytes: 16 }), Err(TpmError::Device { .. })));
    assert!(tpm.is_broken());
    let gone = Tpm::open(&swtpm.address().parse().unwrap()).unwrap_err();
    assert!(gone.hint().unwrap().contains("start swtpm"));
    swtpm.start().unwrap();
    assert_eq!(open(&swtpm).run(&GetRandom { n_bytes: 16 }).unwrap().len(), 16);
}

#[test]
fn a_reboot_counts_and_clears_the_pcrs() {
    let mut swtpm = Swtpm::builder().start().unwrap();
    let selection = PcrSelection::one(TpmAlgId::SHA256, PcrSet::FIRMWARE);
    let digests = [(TpmAlgId::SHA256, Digest::filled(1, 32).unwrap())];
    let mut tpm = open(&swtpm);
    tpm.run(&PcrExtend { index: 0, digests: &digests }).unwrap();
    assert!(!tpm.read_pcrs(&selection).unwrap().0[0].get(0).unwrap().is_zero());
    drop(tpm);
    swtpm.restart().unwrap();
    assert!(open(&swtpm).read_pcrs(&selection).unwrap().0[0].get(0).unwrap().is_zero());
}

#[test]
fn a_kept_folder_keeps_the_tpm_and_its_authority() {
    let folder = tempfile::tempdir().unwrap();
    let ca = Ca::in_folder(folder.path().join("ca")).unwrap();
    let build = || Swtpm::builder().ek_cert(&ca).folder(folder.path().join("tpm")).start().unwrap();
    let read = |swtpm: &Swtpm| open(swtpm).read_nv(Handle(0x01c0_0016)).unwrap().unwrap();
    let swtpm = build();
    let address = swtpm.address();
    let certificate = read(&swtpm);
    drop(swtpm);
    let swtpm = build();
    assert_eq!(swtpm.address(), address);
    assert_eq!(read(&swtpm), certificate);
    let again = Ca::in_folder(folder.path().join("ca")).unwrap();
    assert_eq!(again.root_pem().unwrap(), ca.root_pem().unwrap());
    assert_ne!(again.root_pem().unwrap(), again.issuer_pem().unwrap());
}

#[test]
fn a_folder_too_deep_for_a_socket_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let refused = Swtpm::builder().folder(folder.path().join("x".repeat(100))).start();
    assert!(refused.err().unwrap().to_string().contains("shorter folder"));
}
