//! Evidence to judge: boots of ours, quoted by a software TPM, and recorded ones.

use std::{collections::BTreeMap, fmt, path::Path};

use agent::tpm::{AttestationKey, Endorsement, Tpm};
use event_log::EventType;
use testkit::{
    boot::boot,
    log::{BootLog, BuiltLog, Entry},
    swtpm::{Ca, Swtpm},
};
use tpm_wire::template::{AK_P256, AK_RSA2048};
use tpm_wire::{Digest, PcrBank, PcrSelection, PcrSet, TpmAlgId, TpmtPublic};
use verify::{
    BoundAk, EkCertError, EnrolledKey, Nonce, RootStore, UnixTime, VerifiedEk, check_ak,
    verify_ek_certificate,
};

/// A date within the time of validity of what is made here.
pub(crate) const NOW: UnixTime = UnixTime(1_800_000_000);

/// What a quote was signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// RSASSA with SHA-256.
    Rsa2048,
    /// ECDSA with SHA-256.
    P256,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa2048 => "rsa-2048",
            Self::P256 => "p-256",
        })
    }
}

/// Evidence of one boot, and what a server knows of the host.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) key: Key,
    pub(crate) is_ours: bool,
    pub(crate) log: Vec<u8>,
    pub(crate) attest: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    pub(crate) pcrs: Vec<PcrBank>,
    pub(crate) nonce: Nonce,
    pub(crate) bound: BoundAk,
    pub(crate) ek: Result<VerifiedEk, EkCertError>,
}

/// Each case with each key.
pub(crate) fn all() -> Vec<Case> {
    let ca = Ca::new().unwrap();
    let sound = BootLog::sound();
    let server = BootLog::sound().option_rom().mok_kernel().dbx_hashes(430);
    let both = server.clone().banks(&[TpmAlgId::SHA1, TpmAlgId::SHA256]);
    let logs = [
        ("a boot of ours", sound.build()),
        ("a server of ours", server.build_from(&with_grub_lines(&server, 119))),
        ("a long menu of ours, two banks", both.build_from(&with_grub_lines(&both, 199))),
    ];
    let ours = logs.iter().flat_map(|(name, log)| quoted(&ca, name, log));
    let mut cases: Vec<_> = ours.collect();
    let Some(corpus) = std::env::var_os("BOOTPROOF_CORPUS") else {
        println!("recorded logs are left out: BOOTPROOF_CORPUS is not set\n");
        return cases;
    };
    let ek = cases[0].ek.clone();
    for name in ["klsb99", "ubuntu117", "gdc159", "qemu48"] {
        let folder = Path::new(&corpus).join("bench").join(name);
        cases.extend([Key::Rsa2048, Key::P256].map(|key| recorded(&folder, name, key, ek.clone())));
    }
    cases
}

/// The events of `log` and more lines of GRUB's before its last, `n` in all.
pub(crate) fn with_grub_lines(log: &BootLog, n: usize) -> Vec<Entry> {
    let mut entries = log.entries();
    let at = entries.iter().rposition(|entry| entry.pcr_index == 8).unwrap();
    for i in entries.len()..n {
        let text = format!("menuentry Debian GNU/Linux, with Linux 6.1.0-{i}-amd64 --class debian");
        let data = format!("grub_cmd: {text}\0");
        let entry = Entry::of(8, EventType::IPL, text.as_bytes(), data.as_bytes());
        entries.insert(at, entry);
    }
    entries
}

/// Boots a software TPM with `log`, and quotes it with a key of each kind.
fn quoted(ca: &Ca, name: &str, log: &BuiltLog) -> [Case; 2] {
    let swtpm = Swtpm::builder().ek_cert(ca).banks("sha1,sha256").start().unwrap();
    if log.pcrs.len() == 2 {
        boot(&swtpm, log).unwrap();
    } else {
        let zero = Digest::filled(0, 20).unwrap();
        let mut log = log.clone();
        log.extends.iter_mut().for_each(|extend| extend.digests.push((TpmAlgId::SHA1, zero)));
        boot(&swtpm, &log).unwrap();
    }
    let mut tpm = Tpm::open(&swtpm.address().parse().unwrap()).unwrap();
    let endorsement = Endorsement::find_or_create(&mut tpm).unwrap();
    let roots = RootStore::from_pem(&ca.root_pem().unwrap()).unwrap();
    let issuer = RootStore::from_pem(&ca.issuer_pem().unwrap()).unwrap();
    let intermediates: Vec<_> = issuer.iter().map(|certificate| certificate.der()).collect();
    let certificate = endorsement.certificate().unwrap();
    let ek = verify_ek_certificate(certificate, &intermediates, &roots, NOW).unwrap();
    let selection = PcrSelection::one(TpmAlgId::SHA256, (0..=14).collect());
    [(Key::Rsa2048, &AK_RSA2048), (Key::P256, &AK_P256)].map(|(key, template)| {
        let nonce = Nonce::new(&[0x42; 32]).unwrap();
        let ak = AttestationKey::from_template(&mut tpm, template).unwrap();
        let quoted = ak.quote_with_pcrs(&mut tpm, nonce.as_bytes(), &selection).unwrap();
        Case {
            name: name.to_owned(),
            key,
            is_ours: true,
            log: log.bytes.clone(),
            attest: quoted.attest,
            signature: quoted.signature,
            pcrs: quoted.banks,
            nonce,
            bound: bound(ak.public(), &ek),
            ek: Ok(ek.clone()),
        }
    })
}

fn bound(public: &[u8], ek: &VerifiedEk) -> BoundAk {
    let ak_name = *check_ak(public).unwrap().name();
    let enrolled = EnrolledKey { ak_name, ek_spki_sha256: ek.spki_sha256() };
    BoundAk::from_enrolled(&enrolled, public).unwrap()
}

/// Evidence from a folder; the endorsement certificate is another TPM's, which costs the same.
fn recorded(folder: &Path, name: &str, key: Key, ek: Result<VerifiedEk, EkCertError>) -> Case {
    let read = |file: &str| std::fs::read(folder.join(file)).unwrap();
    let kind = match key {
        Key::Rsa2048 => "rsa",
        Key::P256 => "ecc",
    };
    let json: BTreeMap<u32, String> = serde_json::from_slice(&read("pcrs.json")).unwrap();
    let mut values = PcrBank::new(TpmAlgId::SHA256);
    let wanted: PcrSet = (0..=14).collect();
    for (index, text) in json.into_iter().filter(|(index, _)| wanted.contains(*index)) {
        assert!(values.set(index, Digest::new(&hex::decode(text).unwrap()).unwrap()));
    }
    let nonce = read("nonce.txt");
    let nonce = nonce.trim_ascii();
    let nonce = hex::decode(nonce).unwrap_or_else(|_| nonce.to_vec());
    let public = read(&format!("ak_{kind}.tpm2b"));
    let public = TpmtPublic::parse_2b(&public).unwrap().raw;
    Case {
        name: format!("recorded {name}"),
        key,
        is_ours: false,
        log: read("eventlog.bin"),
        attest: read(&format!("quote_{kind}.msg")),
        signature: read(&format!("quote_{kind}.sig")),
        pcrs: vec![values],
        nonce: Nonce::new(&nonce).unwrap(),
        bound: bound(public, ek.as_ref().unwrap()),
        ek,
    }
}
