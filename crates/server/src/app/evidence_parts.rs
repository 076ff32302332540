//! Evidence as the store keeps it: what is new in each, what a host says again and again, and its logs, each by
//! its content. Equal parts are stored once, those of equal hosts too; each part more is some rows of indexes.

use api::{
    Bytes,
    agent::{Evidence, Quote, TpmProperties},
    machine::Machine,
    pcrs::Pcrs,
};
use serde::{Deserialize, Serialize};
use store::{ANSWER_PART, EvidencePart, KeptPart};

use super::AppError;

/// The part that is the event log.
pub(super) const LOG_PART: &str = "event-log";

/// The part that is the measurement list of IMA.
pub(super) const IMA_PART: &str = "ima-list";

/// The part that is the log of the running system.
const USERSPACE_PART: &str = "userspace-log";

/// The part that is mostly the same from one boot to the next.
const STATE_PART: &str = "state";

/// What answers one challenge.
#[derive(Serialize, Deserialize)]
struct Answer {
    nonce: Bytes,
    quote: Option<Quote>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tpm_error: Option<String>,
}

/// What a host says of its TPM and of itself.
#[derive(Serialize, Deserialize)]
struct State {
    pcrs: Pcrs,
    active_banks: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ak_public: Option<Bytes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acpi_tpm2: Option<Bytes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    machine: Option<Machine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tpm: Option<TpmProperties>,
}

fn json(err: serde_json::Error) -> AppError {
    AppError::Bug(err.into())
}

/// As JSON, of mostly at most `n_bytes`: room for that many is made at once.
fn written(part: &impl Serialize, n_bytes: usize) -> Result<Vec<u8>, AppError> {
    let mut bytes = Vec::with_capacity(n_bytes);
    serde_json::to_writer(&mut bytes, part).map_err(json)?;
    Ok(bytes)
}

/// Evidence for the store.
pub(super) struct Parts {
    /// What is new each time.
    pub(super) answer: Vec<u8>,
    /// What is the same from one challenge to the next, mostly.
    pub(super) others: Vec<EvidencePart>,
}

/// The parts of evidence. `log_sha256` is the digest of its log, which was made for the judgement.
pub(super) fn parts(evidence: Evidence, log_sha256: Option<[u8; 32]>) -> Result<Parts, AppError> {
    let Evidence {
        nonce,
        quote,
        pcrs,
        event_log,
        // In the store already.
        event_log_sha256: _,
        userspace_log,
        ima_list,
        ak_public,
        active_banks,
        acpi_tpm2,
        tpm_error,
        machine,
        tpm,
    } = evidence;
    let answer = written(&Answer { nonce, quote, tpm_error }, 1 << 10)?;
    let state = State { pcrs, active_banks, ak_public, acpi_tpm2, machine, tpm };
    let state = written(&state, 4 << 10)?;
    let parts = [
        (STATE_PART, Some(state)),
        (LOG_PART, event_log.map(|bytes| bytes.0)),
        (USERSPACE_PART, userspace_log.map(|bytes| bytes.0)),
        (IMA_PART, ima_list.map(|bytes| bytes.0)),
    ];
    let parts = parts.into_iter().filter_map(|(name, bytes)| Some((name, bytes?)));
    let hashed = parts.map(|(name, bytes)| match log_sha256 {
        Some(sha256) if name == LOG_PART => EvidencePart { name: name.to_owned(), sha256, bytes },
        _ => EvidencePart::hash(name, bytes),
    });
    Ok(Parts { answer, others: hashed.collect() })
}

/// An event log that lies in the store.
pub(super) fn log_part(sha256: [u8; 32]) -> KeptPart {
    KeptPart { name: LOG_PART.to_owned(), sha256 }
}

/// The evidence that was stored in `parts`.
pub(super) fn from_parts(parts: Vec<EvidencePart>) -> Result<Evidence, AppError> {
    let mut evidence = Evidence::default();
    let (mut attest, mut signature) = (None, None);
    for part in parts {
        let bytes = Bytes(part.bytes);
        match part.name.as_str() {
            ANSWER_PART => {
                let Answer { nonce, quote, tpm_error } =
                    serde_json::from_slice(&bytes).map_err(json)?;
                evidence = Evidence { nonce, quote, tpm_error, ..evidence };
            }
            STATE_PART => {
                let State { pcrs, active_banks, ak_public, acpi_tpm2, machine, tpm } =
                    serde_json::from_slice(&bytes).map_err(json)?;
                evidence =
                    Evidence { pcrs, active_banks, ak_public, acpi_tpm2, machine, tpm, ..evidence };
            }
            LOG_PART => evidence.event_log = Some(bytes),
            USERSPACE_PART => evidence.userspace_log = Some(bytes),
            IMA_PART => evidence.ima_list = Some(bytes),
            // One by one, as the first versions stored them.
            "nonce" => evidence.nonce = bytes,
            "attest" => attest = Some(bytes),
            "signature" => signature = Some(bytes),
            "pcrs" => evidence.pcrs = serde_json::from_slice(&bytes).map_err(json)?,
            "ak-public" => evidence.ak_public = Some(bytes),
            "active-banks" => {
                evidence.active_banks = serde_json::from_slice(&bytes).map_err(json)?;
            }
            "acpi-tpm2" => evidence.acpi_tpm2 = Some(bytes),
            "tpm" => evidence.tpm = serde_json::from_slice(&bytes).map_err(json)?,
            "tpm-error" => evidence.tpm_error = String::from_utf8(bytes.0).ok(),
            "machine" => {
                evidence.machine = Some(serde_json::from_slice(&bytes).map_err(json)?);
            }
            // Of the judgement, not of the host; and what a later version has.
            _ => {}
        }
    }
    if let Some((attest, signature)) = attest.zip(signature) {
        evidence.quote = Some(Quote { attest, signature });
    }
    Ok(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence() -> Evidence {
        let quote = Quote { attest: vec![1].into(), signature: vec![2].into() };
        Evidence {
            nonce: vec![3].into(),
            quote: Some(quote),
            event_log: Some(vec![4].into()),
            ima_list: Some(vec![7].into()),
            userspace_log: Some(vec![8].into()),
            ak_public: Some(vec![5].into()),
            active_banks: vec!["sha256".to_owned()],
            acpi_tpm2: Some(vec![6].into()),
            machine: Some(Machine { os_name: Some("os".to_owned()), ..Machine::default() }),
            tpm: Some(TpmProperties {
                manufacturer: 7,
                vendor_string: "SW".to_owned(),
                firmware_version: [8, 9],
                ak_parent: Some(vec![10].into()),
            }),
            ..Evidence::default()
        }
    }

    fn shown(evidence: &Evidence) -> String {
        serde_json::to_string(evidence).unwrap()
    }

    /// As the store gives them.
    fn stored(evidence: Evidence) -> Vec<EvidencePart> {
        let Parts { answer, others } = parts(evidence, None).unwrap();
        let mut all = vec![EvidencePart::hash(ANSWER_PART, answer)];
        all.extend(others);
        all
    }

    #[test]
    fn evidence_comes_out_as_it_went_in() {
        let evidence = evidence();
        assert_eq!(shown(&from_parts(stored(evidence.clone())).unwrap()), shown(&evidence));

        let none = Evidence { tpm_error: Some("0x101".to_owned()), ..Evidence::default() };
        assert_eq!(shown(&from_parts(stored(none.clone())).unwrap()), shown(&none));
    }

    #[test]
    fn another_answer_of_the_same_boot_changes_no_other_part() {
        let first = parts(evidence(), None).unwrap();
        let quote = Quote { attest: vec![11].into(), signature: vec![12].into() };
        let second = Evidence { nonce: vec![13].into(), quote: Some(quote), ..evidence() };
        let second = parts(second, None).unwrap();
        assert_ne!(first.answer, second.answer);
        assert_eq!(first.others, second.others);
    }

    #[test]
    fn what_the_first_versions_stored_is_read() {
        let evidence = evidence();
        let parts = [
            ("nonce", vec![3]),
            ("attest", vec![1]),
            ("signature", vec![2]),
            ("pcrs", serde_json::to_vec(&evidence.pcrs).unwrap()),
            (LOG_PART, vec![4]),
            (USERSPACE_PART, vec![8]),
            (IMA_PART, vec![7]),
            ("ak-public", vec![5]),
            ("active-banks", serde_json::to_vec(&evidence.active_banks).unwrap()),
            ("acpi-tpm2", vec![6]),
            ("machine", serde_json::to_vec(&evidence.machine).unwrap()),
            ("tpm", serde_json::to_vec(&evidence.tpm).unwrap()),
        ];
        let parts = parts.into_iter().map(|(name, bytes)| EvidencePart::hash(name, bytes));
        assert_eq!(shown(&from_parts(parts.collect()).unwrap()), shown(&evidence));
    }
}
