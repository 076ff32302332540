//! tpm2-tools as referees, and what it takes to hand them our bytes.

use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;
use tpm_wire::{PublicKey, TpmEccCurve, TpmtPublic};

/// A folder in which the tools run.
pub(crate) struct Workdir(TempDir);

impl Workdir {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    fn output(&self, tool: &str, args: &[&str]) -> Output {
        let run = Command::new(tool).args(args).current_dir(self.0.path()).output();
        run.unwrap_or_else(|error| {
            panic!("{tool} cannot be run ({error}): apt-get install tpm2-tools")
        })
    }

    /// Runs a tool that has to work.
    pub(crate) fn run(&self, tool: &str, args: &[&str]) {
        let done = self.output(tool, args);
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{tool} {args:?}: {said}");
    }

    /// Whether tpm2_checkquote accepts.
    pub(crate) fn check_quote(
        &self,
        pem: &str,
        attest: &[u8],
        signature: &[u8],
        nonce: &[u8],
    ) -> bool {
        self.write("ak.pem", pem.as_bytes());
        self.write("attest", attest);
        self.write("signature", signature);
        let nonce = hex::encode(nonce);
        let args =
            ["-u", "ak.pem", "-m", "attest", "-s", "signature", "-q", &nonce, "-g", "sha256"];
        self.output("tpm2_checkquote", &args).status.success()
    }

    /// A credential for `ek` and the key of this name: the contents of TPM2B_ID_OBJECT and of
    /// TPM2B_ENCRYPTED_SECRET.
    pub(crate) fn make_credential(
        &self,
        ek: &[u8],
        name: &[u8],
        secret: &[u8],
    ) -> (Vec<u8>, Vec<u8>) {
        self.write("ek.pub", &two_b(ek));
        self.write("secret", secret);
        let name = hex::encode(name);
        let args = ["-T", "none", "-u", "ek.pub", "-s", "secret", "-n", &name, "-o", "credential"];
        self.run("tpm2_makecredential", &args);
        let file = self.read("credential");
        // The tool's own header: magic and version.
        assert_eq!(file[..8], [0xba, 0xdc, 0xc0, 0xde, 0, 0, 0, 1]);
        let mut from = tpm_wire::Reader::new(&file[8..]);
        let id_object = from.sized("TPM2B_ID_OBJECT", 1024).unwrap().to_vec();
        let encrypted = from.sized("TPM2B_ENCRYPTED_SECRET", 1024).unwrap().to_vec();
        from.finish("credential").unwrap();
        (id_object, encrypted)
    }
}

/// With a TPM2B's size in front.
pub(crate) fn two_b(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
}

fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let len = u16::try_from(body.len()).unwrap();
    let mut out = vec![tag];
    match len {
        0..128 => out.push(len.to_be_bytes()[1]),
        128..256 => out.extend([0x81, len.to_be_bytes()[1]]),
        _ => out.extend([&[0x82][..], &len.to_be_bytes()].concat()),
    }
    out.extend(body);
    out
}

/// A TPMT_PUBLIC as SubjectPublicKeyInfo in PEM. [RFC 5280 §4.1.2.7]
pub(crate) fn spki_pem(public: &[u8]) -> String {
    let spki = match TpmtPublic::parse(public).unwrap().area.key {
        PublicKey::Rsa { modulus, exponent: 0, .. } => {
            let algorithm = [&RSA_ENCRYPTION[..], &[5, 0]].concat();
            let modulus = der(2, &[&[0], modulus]);
            let key = der(0x30, &[&modulus, &[2, 3, 1, 0, 1]]);
            der(0x30, &[&der(0x30, &[&algorithm]), &der(3, &[&[0], &key])])
        }
        PublicKey::Ecc { curve: TpmEccCurve::P256, x, y, .. } => {
            let algorithm = [&EC_PUBLIC_KEY[..], &PRIME_256_V1].concat();
            let [x, y] = [x, y].map(|part| [&vec![0; 32 - part.len()], part].concat());
            der(0x30, &[&der(0x30, &[&algorithm]), &der(3, &[&[0, 4], &x, &y])])
        }
        other => panic!("no attestation key of ours: {other:?}"),
    };
    format!("-----BEGIN PUBLIC KEY-----\n{}-----END PUBLIC KEY-----\n", base64(&spki))
}

/// In lines of 64 characters, as PEM wants it.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for line in bytes.chunks(48) {
        for group in line.chunks(3) {
            let bits = group.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
            let bits = bits << (8 * (3 - group.len()));
            for n in 0..4 {
                let digit = DIGITS[bits >> (18 - 6 * n) & 63];
                text.push(if n <= group.len() { char::from(digit) } else { '=' });
            }
        }
        text.push('\n');
    }
    text
}

const RSA_ENCRYPTION: [u8; 11] = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC_PUBLIC_KEY: [u8; 9] = [6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const PRIME_256_V1: [u8; 10] = [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
