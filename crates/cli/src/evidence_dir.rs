//! Folders of evidence: one attestation of one host, as files.
//!
//! `quote.msg` (TPMS_ATTEST) and `quote.sig` (TPMT_SIGNATURE), `pcrs.json` (bank -> index -> hex),
//! `nonce` (hex), `ak.tpm2b` (TPM2B_PUBLIC), `eventlog.bin`, `userspace.log`, `ima.bin`, `ek.crt`,
//! `acpi-TPM2.bin`, `machine.json`, `enrolled.json` (what the verifier stored). A file that is absent is an absent part of the
//! evidence, not an error. Certificates in `ek-chain.pem` and in `ca/` here or beside the folder
//! serve as intermediates, which trusts nothing.

use std::{
    fs,
    io::{self, Read as _},
    path::Path,
};

use anyhow::{Context as _, anyhow};
use api::{
    admin::Identity,
    agent::{Evidence, TpmProperties},
    machine::Machine,
    pcrs::Pcrs,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use tpm_wire::{PcrBank, TpmAlgId};
use verify::{Name, RootStore};

use crate::error::CliError;

/// An event log: what the server takes.
pub(crate) const LOG_BYTES_MAX: u64 = event_log::LOG_BYTES_MAX as u64 + 1;
/// A log of the running system: what can be read at all.
const LATER_BYTES_MAX: u64 = userspace_log::LOG_BYTES_MAX as u64 + 1;
/// A measurement list of IMA: what can be read at all.
const IMA_BYTES_MAX: u64 = ima::LIST_BYTES_MAX as u64 + 1;
/// Each other file: the largest, `pcrs.json` with eight banks, has 20 KiB.
const FILE_BYTES_MAX: u64 = 256 * 1024;
/// Files of one folder of certificates.
const CA_FILES_MAX: usize = 64;

/// A folder of evidence. Untrusted, but for `enrolled`, which is the verifier's own.
#[derive(Clone, Debug, Default)]
pub struct EvidenceFolder {
    /// TPMS_ATTEST and TPMT_SIGNATURE.
    pub quote: Option<(Vec<u8>, Vec<u8>)>,
    /// PCR values, as the host said them.
    pub pcrs: Vec<PcrBank>,
    /// The challenge.
    pub nonce: Option<Vec<u8>>,
    /// The attestation key that came with the evidence, a TPMT_PUBLIC.
    pub ak_public: Option<Vec<u8>>,
    /// The event log.
    pub event_log: Option<Vec<u8>>,
    /// The running system's log of its own measurements.
    pub userspace_log: Option<Vec<u8>>,
    /// The measurement list of IMA.
    pub ima_list: Option<Vec<u8>>,
    /// The endorsement certificate.
    pub ek_certificate: Option<Vec<u8>>,
    /// Certificates between it and a root.
    pub untrusted_intermediates: Vec<Vec<u8>>,
    /// The ACPI table TPM2.
    pub acpi_tpm2: Option<Vec<u8>>,
    /// Active PCR banks, as the host said.
    pub active_banks: Option<Vec<TpmAlgId>>,
    /// What the TPM answered instead of a quote.
    pub tpm_error: Option<String>,
    /// What machine the host said it is.
    pub machine: Option<Machine>,
    /// What the TPM says of itself.
    pub tpm: Option<TpmProperties>,
    /// What the verifier stored at enrolment.
    pub enrolled: Option<Enrolled>,
}

/// What the verifier stored at enrolment.
#[derive(Clone, Copy, Debug)]
pub struct Enrolled {
    /// The attestation key's name.
    pub ak_name: Name,
    /// SHA-256 of the endorsement key's SubjectPublicKeyInfo.
    pub ek_spki_sha256: [u8; 32],
}

#[derive(Serialize, Deserialize)]
struct EnrolledFile {
    ak_name: String,
    ek_spki_sha256: String,
}

/// Reads `file`, or an error that names it; never more than `bytes_max`.
pub(crate) fn read_limited(file: &Path, bytes_max: u64) -> Result<Vec<u8>, CliError> {
    optional(file, bytes_max)?.ok_or_else(|| anyhow!("{} is not there", file.display()).into())
}

fn optional(file: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>, CliError> {
    let named = || format!("{} cannot be read", file.display());
    let opened = match fs::File::open(file) {
        Ok(opened) => opened,
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(err) => return Err(anyhow::Error::from(err).context(named()).into()),
    };
    let len = opened.metadata().map_or(0, |metadata| metadata.len()).min(bytes_max);
    let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or(0) + 1);
    opened.take(bytes_max + 1).read_to_end(&mut bytes).with_context(named)?;
    if bytes.len() as u64 > bytes_max {
        return Err(anyhow!("{} is over {bytes_max} bytes", file.display()).into());
    }
    Ok(Some(bytes))
}

/// Reads the folder at `path`. An error where a file that the verifier itself wrote is damaged, or
/// a file cannot be read; a damaged file of the host is evidence, and is judged.
pub fn read(path: &Path) -> Result<EvidenceFolder, CliError> {
    if !path.is_dir() {
        return Err(CliError::with_hint(
            anyhow!("{} is not a folder", path.display()),
            "`bootproof host evidence HOST --out FOLDER` makes one",
        ));
    }
    let file = |name: &str| optional(&path.join(name), FILE_BYTES_MAX);
    let quote = match (file("quote.msg")?, file("quote.sig")?) {
        (None, None) => None,
        // Half a quote is one that cannot be verified.
        (attest, signature) => Some((attest.unwrap_or_default(), signature.unwrap_or_default())),
    };
    Ok(EvidenceFolder {
        quote,
        pcrs: pcrs(&path.join("pcrs.json"))?,
        nonce: read_nonce(&path.join("nonce"))?,
        ak_public: file("ak.tpm2b")?.map(|bytes| without_size(&bytes).to_vec()),
        event_log: optional(&path.join("eventlog.bin"), LOG_BYTES_MAX)?,
        userspace_log: optional(&path.join("userspace.log"), LATER_BYTES_MAX)?,
        ima_list: optional(&path.join("ima.bin"), IMA_BYTES_MAX)?,
        ek_certificate: file("ek.crt")?,
        untrusted_intermediates: intermediates(path)?,
        acpi_tpm2: file("acpi-TPM2.bin")?,
        active_banks: active_banks(&path.join("active-banks.json"))?,
        tpm_error: file("tpm-error.txt")?.map(|text| String::from_utf8_lossy(&text).into_owned()),
        machine: machine(&path.join("machine.json"))?,
        tpm: tpm(&path.join("tpm.json"))?,
        enrolled: enrolled(&path.join("enrolled.json"))?,
    })
}

/// The files of which each attestation has one at least.
const FILES: &[&str] = &[
    "quote.msg",
    "quote.sig",
    "pcrs.json",
    "nonce",
    "ak.tpm2b",
    "eventlog.bin",
    "ek.crt",
    "tpm-error.txt",
    "enrolled.json",
];

/// Whether there is nothing in the folder that was evidence: most likely it is another one that is meant.
pub(crate) fn is_of_something_else(path: &Path) -> bool {
    !FILES.iter().any(|name| path.join(name).exists())
}

/// A challenge in hex; an empty file, or none, is no challenge.
pub(crate) fn read_nonce(file: &Path) -> Result<Option<Vec<u8>>, CliError> {
    let Some(bytes) = optional(file, FILE_BYTES_MAX)? else { return Ok(None) };
    let nonce = hex::decode(bytes.trim_ascii())
        .with_context(|| format!("{} is not a challenge in hex", file.display()))?;
    Ok((!nonce.is_empty()).then_some(nonce))
}

fn pcrs(file: &Path) -> Result<Vec<PcrBank>, CliError> {
    let Some(bytes) = optional(file, FILE_BYTES_MAX)? else { return Ok(Vec::new()) };
    let named = || format!("{} does not hold PCR values", file.display());
    let pcrs: Pcrs = serde_json::from_slice(&bytes).with_context(named)?;
    Ok(pcrs.to_banks().with_context(named)?)
}

fn active_banks(file: &Path) -> Result<Option<Vec<TpmAlgId>>, CliError> {
    let Some(bytes) = optional(file, FILE_BYTES_MAX)? else { return Ok(None) };
    let named = || format!("{} is not a list of banks", file.display());
    let names: Vec<String> = serde_json::from_slice(&bytes).with_context(named)?;
    let banks: Option<Vec<_>> = names.iter().map(|name| TpmAlgId::from_hash_name(name)).collect();
    Ok(banks.with_context(named).map(Some)?)
}

fn machine(file: &Path) -> Result<Option<Machine>, CliError> {
    let Some(bytes) = optional(file, FILE_BYTES_MAX)? else { return Ok(None) };
    let named = || format!("{} does not say a machine", file.display());
    let machine: Machine = serde_json::from_slice(&bytes).with_context(named)?;
    Ok(Some(machine).filter(Machine::is_bounded).with_context(named).map(Some)?)
}

fn tpm(file: &Path) -> Result<Option<TpmProperties>, CliError> {
    let Some(bytes) = optional(file, FILE_BYTES_MAX)? else { return Ok(None) };
    let named = || format!("{} does not hold what a TPM says of itself", file.display());
    Ok(Some(serde_json::from_slice(&bytes).with_context(named)?))
}

fn enrolled(file: &Path) -> Result<Option<Enrolled>, CliError> {
    let Some(bytes) = optional(file, FILE_BYTES_MAX)? else { return Ok(None) };
    let named = || format!("{} is not an enrolment", file.display());
    let stored: EnrolledFile = serde_json::from_slice(&bytes).with_context(named)?;
    let name = hex::decode(&stored.ak_name).ok().and_then(|name| Name::from_bytes(&name));
    let spki = hex::decode(&stored.ek_spki_sha256).ok().and_then(|spki| spki.try_into().ok());
    let (ak_name, ek_spki_sha256) = name.zip(spki).with_context(named)?;
    Ok(Some(Enrolled { ak_name, ek_spki_sha256 }))
}

/// The content of a TPM2B_PUBLIC; bytes whose size does not fit stay as they are, and are refused
/// when they are read.
fn without_size(bytes: &[u8]) -> &[u8] {
    match bytes.split_first_chunk::<2>() {
        Some((size, rest)) if usize::from(u16::from_be_bytes(*size)) == rest.len() => rest,
        _ => bytes,
    }
}

fn intermediates(path: &Path) -> Result<Vec<Vec<u8>>, CliError> {
    let mut files = vec![path.join("ek-chain.pem")];
    // The folder may be named by a relative path of one part, whose parent is the empty path.
    let beside = path.join("..").join("ca");
    for folder in [path.join("ca"), beside] {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        let found = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut found: Vec<_> =
            found.filter(|file| file.extension().is_some_and(|e| e == "pem")).collect();
        found.sort();
        found.truncate(CA_FILES_MAX);
        files.extend(found);
    }
    let mut certificates = Vec::new();
    for file in files {
        let Some(bytes) = optional(&file, FILE_BYTES_MAX)? else { continue };
        // One that cannot be read helps no chain, and harms none.
        let read = String::from_utf8(bytes).ok().and_then(|pem| RootStore::from_pem(&pem).ok());
        certificates.extend(read.iter().flat_map(RootStore::iter).map(|root| root.der().to_vec()));
    }
    certificates.truncate(verify::INTERMEDIATES_MAX);
    Ok(certificates)
}

/// Writes `evidence` as a folder, with what the server stored of the host's `identity`.
pub(crate) fn write(
    path: &Path,
    evidence: &Evidence,
    identity: Option<&Identity>,
) -> Result<(), CliError> {
    fs::create_dir_all(path).with_context(|| format!("{} cannot be made", path.display()))?;
    let put = |name: &str, bytes: &[u8]| {
        let file = path.join(name);
        fs::write(&file, bytes).with_context(|| format!("{} cannot be written", file.display()))
    };
    put("nonce", hex::encode(&*evidence.nonce).as_bytes())?;
    put("pcrs.json", &serde_json::to_vec_pretty(&evidence.pcrs).context("pcrs.json")?)?;
    if let Some(quote) = &evidence.quote {
        put("quote.msg", &quote.attest)?;
        put("quote.sig", &quote.signature)?;
    }
    if let Some(public) = &evidence.ak_public {
        let size = u16::try_from(public.len()).context("the attestation key is too long")?;
        put("ak.tpm2b", &[&size.to_be_bytes(), &**public].concat())?;
    }
    let parts = [
        ("eventlog.bin", &evidence.event_log),
        ("userspace.log", &evidence.userspace_log),
        ("ima.bin", &evidence.ima_list),
        ("acpi-TPM2.bin", &evidence.acpi_tpm2),
    ];
    for (name, bytes) in parts {
        if let Some(bytes) = bytes {
            put(name, bytes)?;
        }
    }
    if !evidence.active_banks.is_empty() {
        let banks = serde_json::to_vec(&evidence.active_banks).context("active-banks.json")?;
        put("active-banks.json", &banks)?;
    }
    if let Some(machine) = &evidence.machine {
        put("machine.json", &serde_json::to_vec_pretty(machine).context("machine.json")?)?;
    }
    if let Some(tpm) = &evidence.tpm {
        put("tpm.json", &serde_json::to_vec_pretty(tpm).context("tpm.json")?)?;
    }
    if let Some(error) = &evidence.tpm_error {
        put("tpm-error.txt", error.as_bytes())?;
    }
    if let Some(identity) = identity {
        let enrolled = EnrolledFile {
            ak_name: identity.ak_name.clone(),
            ek_spki_sha256: identity.ek_spki_sha256.clone(),
        };
        put("enrolled.json", &serde_json::to_vec_pretty(&enrolled).context("enrolled.json")?)?;
        if let Some(certificate) = &identity.ek_certificate {
            put("ek.crt", certificate)?;
        }
        if !identity.ek_chain.is_empty() {
            let chain: String = identity.ek_chain.iter().map(|der| pem(der)).collect();
            put("ek-chain.pem", chain.as_bytes())?;
        }
    }
    Ok(())
}

/// A certificate as PEM, lines of 64. [RFC7468 §2]
pub(crate) fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_survives_as_pem() {
        let folder = tempfile::tempdir().unwrap();
        let made = testkit::log::certificates();
        let der = &made.pk;
        std::fs::write(folder.path().join("ek-chain.pem"), pem(der)).unwrap();
        assert_eq!(intermediates(folder.path()).unwrap(), std::slice::from_ref(der));
    }
}
