//! Measurement lists of IMA, written as the kernel does, and what it would extend.

use event_log::hash;
use tpm_wire::{Digest, TpmAlgId, command::PcrExtend};

use crate::{
    log::BuiltLog,
    swtpm::{Swtpm, SwtpmError},
};

/// One entry.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The PCR.
    pub pcr: u32,
    /// The template's name.
    pub template: &'static str,
    /// Bytes of each field, in the template's order; of `ima` the digest and the name.
    pub fields: Vec<Vec<u8>>,
    /// Whether the kernel notes a violation.
    pub is_violation: bool,
}

/// `sha256:` NUL digest.
pub fn d_ng(name: &str, digest: &[u8]) -> Vec<u8> {
    [name.as_bytes(), b":\0", digest].concat()
}

/// A path and its NUL.
pub fn n_ng(path: &str) -> Vec<u8> {
    [path.as_bytes(), b"\0"].concat()
}

/// A file in the template `ima-ng`.
pub fn ng(path: &str, digest: &[u8]) -> Entry {
    let fields = vec![d_ng("sha256", digest), n_ng(path)];
    Entry { pcr: 10, template: "ima-ng", fields, is_violation: false }
}

/// A file with the contents of `security.ima`, in the template `ima-sig`.
pub fn signed(path: &str, digest: &[u8], signature: &[u8]) -> Entry {
    let fields = vec![d_ng("sha256", digest), n_ng(path), signature.to_vec()];
    Entry { pcr: 10, template: "ima-sig", fields, is_violation: false }
}

/// A file that was written to while it was measured.
pub fn violation(path: &str) -> Entry {
    let fields = vec![d_ng("sha256", &[0; 32]), n_ng(path)];
    Entry { pcr: 10, template: "ima-ng", fields, is_violation: true }
}

impl Entry {
    /// The template data.
    pub fn data(&self) -> Vec<u8> {
        if self.template == "ima" {
            return self.fields.concat();
        }
        let sized = |field: &Vec<u8>| {
            [&u32::try_from(field.len()).unwrap().to_le_bytes(), field.as_slice()].concat()
        };
        self.fields.iter().flat_map(sized).collect()
    }

    /// What the bank is extended with by a kernel of today.
    pub fn digest(&self, alg: TpmAlgId) -> Digest {
        let len = alg.digest_len().unwrap();
        if self.is_violation {
            return Digest::filled(0xff, len).unwrap();
        }
        let mut data = self.data();
        if self.template == "ima" {
            data.resize(20 + 256, 0);
        }
        hash(alg, &[&data]).unwrap()
    }

    fn logged(&self) -> Vec<u8> {
        match self.is_violation {
            true => vec![0; 20],
            false => self.digest(TpmAlgId::SHA1).as_bytes().to_vec(),
        }
    }

    fn binary(&self) -> Vec<u8> {
        let u32 = |n: usize| u32::try_from(n).unwrap().to_le_bytes();
        let name = self.template.as_bytes();
        let mut out =
            [&self.pcr.to_le_bytes(), self.logged().as_slice(), &u32(name.len()), name].concat();
        let data = self.data();
        if self.template == "ima" {
            let (digest, name) = data.split_at(20);
            out.extend([digest, &u32(name.len()), name].concat());
        } else {
            out.extend([&u32(data.len()), data.as_slice()].concat());
        }
        out
    }

    fn ascii(&self) -> String {
        let mut words =
            vec![self.pcr.to_string(), hex::encode(self.logged()), self.template.to_owned()];
        for (n, field) in self.fields.iter().enumerate() {
            words.push(match (self.template, n) {
                ("ima", 0) | (_, 2) => hex::encode(field),
                (_, 0) => {
                    let end = field.iter().position(|byte| *byte == 0).unwrap();
                    let name = std::str::from_utf8(&field[..end]).unwrap();
                    format!("{name}{}", hex::encode(&field[end + 1..]))
                }
                _ => String::from_utf8(field.clone()).unwrap().trim_end_matches('\0').to_owned(),
            });
        }
        words.join(" ") + "\n"
    }
}

/// `binary_runtime_measurements`.
pub fn binary(entries: &[Entry]) -> Vec<u8> {
    entries.iter().flat_map(Entry::binary).collect()
}

/// `ascii_runtime_measurements`.
pub fn ascii(entries: &[Entry]) -> Vec<u8> {
    entries.iter().map(Entry::ascii).collect::<String>().into_bytes()
}

/// The value of a PCR that was extended with `digests`.
pub fn extended(alg: TpmAlgId, digests: impl IntoIterator<Item = Digest>) -> Digest {
    let zero = Digest::filled(0, alg.digest_len().unwrap()).unwrap();
    digests
        .into_iter()
        .fold(zero, |old, digest| hash(alg, &[old.as_bytes(), digest.as_bytes()]).unwrap())
}

/// The value of the PCR after `entries`, as a kernel of today extends it.
pub fn pcr_of(alg: TpmAlgId, entries: &[Entry]) -> Digest {
    extended(alg, entries.iter().map(|entry| entry.digest(alg)))
}

/// The first entry of a kernel that `log` booted: the SHA-256 over PCRs 0 to 9.
pub fn boot_aggregate(log: &BuiltLog) -> Entry {
    let alg = TpmAlgId::SHA256;
    let value = |pcr: u32| {
        let extends = log.extends.iter().filter(|extend| extend.pcr_index == pcr);
        let digests = extends.flat_map(|extend| &extend.digests);
        extended(alg, digests.filter(|(bank, _)| *bank == alg).map(|(_, digest)| *digest))
    };
    let values: Vec<_> = (0..=9).map(value).collect();
    let values: Vec<&[u8]> = values.iter().map(Digest::as_bytes).collect();
    ng("boot_aggregate", hash(alg, &values).unwrap().as_bytes())
}

/// Extends PCR 10 of `tpm`, whose only bank is that of SHA-256, as a kernel does.
pub fn measure(tpm: &Swtpm, entries: &[Entry]) -> Result<(), SwtpmError> {
    let mut client = tpm.client()?;
    for entry in entries {
        let digests = [(TpmAlgId::SHA256, entry.digest(TpmAlgId::SHA256))];
        client.run(&PcrExtend { index: 10, digests: &digests })?;
    }
    Ok(())
}
