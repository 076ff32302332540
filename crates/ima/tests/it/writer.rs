//! Writes measurement lists as the kernel does, and extends what it would.

use event_log::hash;
use tpm_wire::{Digest, TpmAlgId};

/// One entry to write.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) pcr: u32,
    pub(crate) template: &'static str,
    /// Bytes of each field, in the template's order; of `ima` the digest and the name.
    pub(crate) fields: Vec<Vec<u8>>,
    pub(crate) is_violation: bool,
}

/// `sha256:` NUL digest.
pub(crate) fn d_ng(name: &str, digest: &[u8]) -> Vec<u8> {
    [name.as_bytes(), b":\0", digest].concat()
}

/// A path and its NUL.
pub(crate) fn n_ng(path: &str) -> Vec<u8> {
    [path.as_bytes(), b"\0"].concat()
}

pub(crate) fn ng(path: &str, digest: &[u8]) -> Entry {
    let fields = vec![d_ng("sha256", digest), n_ng(path)];
    Entry { pcr: 10, template: "ima-ng", fields, is_violation: false }
}

pub(crate) fn signed(path: &str, digest: &[u8], signature: &[u8]) -> Entry {
    let fields = vec![d_ng("sha256", digest), n_ng(path), signature.to_vec()];
    Entry { pcr: 10, template: "ima-sig", fields, is_violation: false }
}

pub(crate) fn violation(path: &str) -> Entry {
    let fields = vec![d_ng("sha256", &[0; 32]), n_ng(path)];
    Entry { pcr: 10, template: "ima-ng", fields, is_violation: true }
}

impl Entry {
    pub(crate) fn data(&self) -> Vec<u8> {
        if self.template == "ima" {
            return self.fields.concat();
        }
        let sized = |field: &Vec<u8>| {
            [&u32::try_from(field.len()).unwrap().to_le_bytes(), field.as_slice()].concat()
        };
        self.fields.iter().flat_map(sized).collect()
    }

    /// What the bank is extended with by a kernel of today.
    pub(crate) fn digest(&self, alg: TpmAlgId) -> Digest {
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

pub(crate) fn binary(entries: &[Entry]) -> Vec<u8> {
    entries.iter().flat_map(Entry::binary).collect()
}

pub(crate) fn ascii(entries: &[Entry]) -> Vec<u8> {
    entries.iter().map(Entry::ascii).collect::<String>().into_bytes()
}

/// The PCR after `digests`.
pub(crate) fn extended(alg: TpmAlgId, digests: impl IntoIterator<Item = Digest>) -> Digest {
    let zero = Digest::filled(0, alg.digest_len().unwrap()).unwrap();
    digests
        .into_iter()
        .fold(zero, |old, digest| hash(alg, &[old.as_bytes(), digest.as_bytes()]).unwrap())
}

pub(crate) fn pcr_of(alg: TpmAlgId, entries: &[Entry]) -> Digest {
    extended(alg, entries.iter().map(|entry| entry.digest(alg)))
}
