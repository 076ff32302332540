//! The log of measurements that the running system makes, as systemd keeps it in
//! `/run/log/systemd/tpm2-measure.log`: a sequence of JSON texts, each behind the byte 1Eh
//! [RFC7464], each nearly an object of the TCG's Canonical Event Log [CEL-1.0 §5.2]. It continues
//! the firmware's log in PCR 11, 12, 13 and 15, and in late releases closes others with a separator.
//!
//! Trust: none in what is read here, until the digests of a PCR lead from what the firmware's log
//! gives to the quoted value ([`event_log::leads_on`]).

pub use event_log::LaterLog;
use event_log::{LaterEvent, LaterProblem};
use serde::Deserialize;
use tpm_wire::{Digest, TpmAlgId};

/// Bytes of a log: a system makes about 20 measurements at its start, of 400 bytes each, and one for
/// each volume, image or login later.
pub const LOG_BYTES_MAX: usize = 1024 * 1024;

/// Records of a log: what the bytes can hold of the shortest, rounded up.
pub const EVENTS_MAX: usize = 8192;

/// The byte before each record.
const RECORD_SEPARATOR: u8 = 0x1e;

/// What is read of a record; whatever else it has is passed over.
#[derive(Deserialize)]
struct Record {
    /// Absent where the measurement went into an NV index instead.
    pcr: Option<u32>,
    #[serde(default)]
    digests: Vec<RecordDigest>,
    #[serde(default)]
    content: Content,
}

#[derive(Deserialize)]
struct RecordDigest {
    #[serde(rename = "hashAlg")]
    hash_alg: String,
    digest: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Content {
    string: Option<String>,
}

/// Reads a log. Total: reading stops at the first record that is none, and the events before it
/// are there. Measurements into NV indices are counted, and belong to no PCR.
pub fn parse(bytes: &[u8]) -> LaterLog {
    let mut log = LaterLog::default();
    if bytes.len() > LOG_BYTES_MAX {
        log.problem = Some(LaterProblem::Size { have: bytes.len(), max: LOG_BYTES_MAX });
        return log;
    }
    let mut offset = 0;
    for record in bytes.split(|byte| *byte == RECORD_SEPARATOR) {
        let at = offset;
        offset += record.len() + 1;
        if record.trim_ascii().is_empty() {
            continue;
        }
        if log.events.len() >= EVENTS_MAX {
            log.problem = Some(LaterProblem::Size { have: log.events.len() + 1, max: EVENTS_MAX });
            return log;
        }
        match read(record) {
            Some(Some(event)) => log.events.push(event),
            Some(None) => log.n_other += 1,
            None => {
                log.problem = Some(LaterProblem::Record { offset: at });
                return log;
            }
        }
    }
    log
}

/// The event of a record; `Some(None)` where it is of no PCR, `None` where it is no record.
fn read(record: &[u8]) -> Option<Option<LaterEvent>> {
    // The reader would take a list for an object without names.
    if record.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    let record: Record = serde_json::from_slice(record).ok()?;
    let Some(pcr_index) = record.pcr else { return Some(None) };
    if pcr_index > 23 {
        return None;
    }
    let mut digests: Vec<(TpmAlgId, Digest)> = Vec::new();
    for digest in record.digests {
        // Of a hash that we do not know nothing can be said, and nothing has to be.
        let Some(alg) = TpmAlgId::from_hash_name(&digest.hash_alg) else { continue };
        let bytes = hex::decode(&digest.digest).ok()?;
        let fits = alg.digest_len() == Some(bytes.len());
        if !fits || digests.iter().any(|(known, _)| *known == alg) {
            return None;
        }
        digests.push((alg, Digest::new(&bytes)?));
    }
    let untrusted_text = record.content.string.map(String::into_bytes);
    Some(Some(LaterEvent { pcr_index, digests, untrusted_text }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use event_log::hash;

    fn record(pcr: &str, text: &str) -> String {
        let digest = hash(TpmAlgId::SHA256, &[text.as_bytes()]).unwrap();
        format!(
            "\u{1e}{{{pcr}\"digests\":[{{\"hashAlg\":\"sha256\",\"digest\":\"{digest}\"}},\
             {{\"hashAlg\":\"md5\",\"digest\":\"zz\"}}],\"content_type\":\"systemd\",\
             \"content\":{{\"string\":\"{text}\",\"bootId\":\"x\",\"eventType\":\"phase\"}}}}\n"
        )
    }

    #[test]
    fn records_are_read_in_order() {
        let text = record("\"pcr\":11,", "enter-initrd") + &record("\"pcr\":15,", "machine-id:x");
        let log = parse(text.as_bytes());
        assert_eq!((log.problem, log.n_other), (None, 0));
        let read = log.events.iter().map(|event| (event.pcr_index, event.digests.len()));
        assert_eq!(read.collect::<Vec<_>>(), [(11, 1), (15, 1)]);
        assert_eq!(log.events[0].untrusted_text.as_deref(), Some(&b"enter-initrd"[..]));
        // Releases before 259 have no type of content, and some records no text.
        let bare = "\u{1e}{\"pcr\":11,\"digests\":[]}";
        assert_eq!(parse(bare.as_bytes()).events[0].untrusted_text, None);
    }

    #[test]
    fn measurements_into_nv_indices_are_counted() {
        let text = record("\"nvIndex\":30474241,", "x") + &record("\"pcr\":11,", "y");
        let log = parse(text.as_bytes());
        assert_eq!((log.events.len(), log.n_other, log.problem), (1, 1, None));
    }

    #[test]
    fn a_record_that_is_none_ends_the_log_at_its_byte() {
        let first = record("\"pcr\":11,", "enter-initrd");
        for broken in [
            "\u{1e}{",
            "\u{1e}[1]",
            "\u{1e}{\"pcr\":24}",
            "\u{1e}{\"pcr\":-1}",
            "\u{1e}{\"pcr\":11,\"digests\":[{\"hashAlg\":\"sha256\",\"digest\":\"00\"}]}",
            "\u{1e}{\"pcr\":11,\"digests\":[{\"hashAlg\":\"sha256\",\"digest\":\"xy\"}]}",
        ] {
            let log = parse(format!("{first}{broken}").as_bytes());
            assert_eq!(log.events.len(), 1, "{broken}");
            let at = LaterProblem::Record { offset: first.len() + 1 };
            assert_eq!(log.problem, Some(at), "{broken}");
        }
        let twice = first.replace("md5\",\"digest\":\"zz", "sha256\",\"digest\":\"00");
        assert!(parse(twice.as_bytes()).problem.is_some());
        let whole = first.repeat(3);
        for end in 0..whole.len() {
            let log = parse(&whole.as_bytes()[..end]);
            assert!(log.events.len() <= 3);
        }
        let long = parse(&vec![RECORD_SEPARATOR; LOG_BYTES_MAX + 1]);
        assert!(matches!(long.problem, Some(LaterProblem::Size { .. })));
        let many = "\u{1e}{\"pcr\":1}".repeat(EVENTS_MAX + 1);
        let many = parse(many.as_bytes());
        assert_eq!(many.events.len(), EVENTS_MAX);
        assert!(many.problem.is_some());
    }
}
