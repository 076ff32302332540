//! The fields of a template. [LINUX-IMA templates]

use tpm_wire::TpmAlgId;

/// The digest of a file, as it was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileDigest<'a> {
    /// Its hash; `None` where the name is of none that we know.
    pub alg: Option<TpmAlgId>,
    /// The digest.
    pub bytes: &'a [u8],
    /// Whether it is the root of a Merkle tree of fs-verity instead of a hash over the file.
    pub is_verity: bool,
}

/// What an entry measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured<'a> {
    /// The digest of the file, or of the buffer.
    pub digest: Option<FileDigest<'a>>,
    /// The path of the file, or the name of the buffer; without its NUL. The kernel writes `_` for
    /// a space, and anybody may name a file so.
    pub name: &'a [u8],
    /// The signature that the file came with (`security.ima`).
    pub signature: Option<&'a [u8]>,
    /// The buffer, where one was measured instead of a file (a kernel command line, a key).
    pub buffer: Option<&'a [u8]>,
}

/// The fields of a template by its name; `None` where they are not known.
pub(crate) fn fields_of(template: &str) -> Option<&str> {
    Some(match template {
        "ima" => "d|n",
        "ima-ng" => "d-ng|n-ng",
        "ima-ngv2" => "d-ngv2|n-ng",
        "ima-sig" => "d-ng|n-ng|sig",
        "ima-sigv2" => "d-ngv2|n-ng|sig",
        "ima-buf" => "d-ng|n-ng|buf",
        "ima-modsig" => "d-ng|n-ng|sig|d-modsig|modsig",
        "evm-sig" => "d-ng|n-ng|evmsig|xattrnames|xattrlengths|xattrvalues|iuid|igid|imode",
        custom if custom.contains('|') || custom.contains("-ng") => custom,
        _ => return None,
    })
}

pub(crate) fn measured<'a>(template: &str, data: &'a [u8]) -> Option<Measured<'a>> {
    if template == "ima" {
        let (digest, name) = data.split_at_checked(20)?;
        let digest = FileDigest { alg: Some(TpmAlgId::SHA1), bytes: digest, is_verity: false };
        return Some(Measured { digest: Some(digest), name, ..Measured::default() });
    }
    let mut measured = Measured::default();
    let mut left = data;
    // No digest covers the name of a template. So each that is known begins with the digest and the name
    // of a file, and in none is another field one of these: a host must not choose which bytes are.
    for (at, field) in fields_of(template)?.split('|').enumerate() {
        let (len, rest) = left.split_first_chunk::<4>()?;
        let len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
        let (value, rest) = rest.split_at_checked(len)?;
        left = rest;
        match (at, field) {
            (0, "d") => {
                let alg = Some(TpmAlgId::SHA1);
                measured.digest = Some(FileDigest { alg, bytes: value, is_verity: false });
            }
            (0, "d-ng" | "d-ngv2") => measured.digest = Some(file_digest(value)?),
            (1, "n" | "n-ng") => measured.name = value.strip_suffix(&[0]).unwrap_or(value),
            (_, "d" | "d-ng" | "d-ngv2" | "n" | "n-ng") => return None,
            (_, "sig") if !value.is_empty() => measured.signature = Some(value),
            (_, "buf") => measured.buffer = Some(value),
            _ => {}
        }
    }
    // What is behind the fields is data that nobody can name.
    left.is_empty().then_some(measured)
}

impl Measured<'_> {
    /// Whether it is a buffer of the kernel, and no file: its digest is of the buffer, and its name none
    /// of a path. The name of the template alone says nothing, since no digest covers it.
    pub fn is_buffer(&self) -> bool {
        let (Some(buffer), Some(digest)) = (self.buffer, self.digest) else { return false };
        let is_of_buffer = digest
            .alg
            .and_then(|alg| event_log::hash(alg, &[buffer]))
            .is_some_and(|hash| hash.as_bytes() == digest.bytes);
        is_of_buffer && !digest.is_verity && !self.name.starts_with(b"/")
    }
}

/// `sha256:` NUL digest; in the second version `ima:sha256:` or `verity:sha256:` in front.
fn file_digest(value: &[u8]) -> Option<FileDigest<'_>> {
    let end = value.iter().position(|byte| *byte == 0)?;
    let (name, bytes) = (value.get(..end)?, value.get(end + 1..)?);
    let name = std::str::from_utf8(name).ok()?.strip_suffix(':')?;
    let (is_verity, name) = match name.split_once(':') {
        Some(("verity", name)) => (true, name),
        Some(("ima", name)) => (false, name),
        Some(_) => return None,
        None => (false, name),
    };
    let alg = TpmAlgId::from_hash_name(name);
    if alg.and_then(TpmAlgId::digest_len).is_some_and(|len| len != bytes.len()) {
        return None;
    }
    Some(FileDigest { alg, bytes, is_verity })
}
