//! Bytes → [`Log`].

use efi::Reader;
use tpm_wire::{PCR_COUNT, ParseError, ParseErrorKind, TpmAlgId};

use crate::event_type::EventType;
use crate::log::{Digests, Event, Format, Log, NO_PCR, Parsed};
use crate::problem::{Problem, ProblemKind};
use crate::spec_id::{SIGNATURE_AGILE, SpecId, is_spec_id_but_for_signature, pairs};

/// Bytes of one log. The largest known log of a real machine has under 200 KiB; firmware
/// log areas are 64 KiB to 1 MiB, and appended events go on top.
pub const LOG_BYTES_MAX: usize = 4 << 20;

/// Events of one log. Real ones have under 500; each costs us a record in memory.
pub const EVENTS_MAX: usize = 32_768;

/// Reads a log, crypto-agile or SHA-1.
///
/// Checks in order: length; the first record; whether it is a Spec ID event and if so its tables;
/// then of each record that its fields lie inside the log, its PCR index (0 to 23, or FFFFFFFFh in
/// EV_NO_ACTION), the count of digests, each digest's algorithm declared and not twice. What is
/// left behind the last record may be all 00 or all FF.
///
/// A log whose first event is not a Spec ID event is a SHA-1 log, and legal ([PFP-1.06 §10.2.1]);
/// but a first event that is a Spec ID event in all but its signature is a damaged one.
///
/// Reading stops at the first problem; the events before it are kept.
pub fn parse(bytes: &[u8]) -> Parsed<'_> {
    parse_padded(bytes, padding_run(bytes))
}

/// The same, where the last `run` of `bytes` are known to be 00 or FF: of several logs one behind
/// the other, each would count them anew.
pub(crate) fn parse_padded(bytes: &[u8], run: usize) -> Parsed<'_> {
    let mut log = Log { format: Format::Sha1, events: Vec::new(), padding: &[] };
    let problem = if bytes.len() > LOG_BYTES_MAX {
        let kind = ProblemKind::LogTooLong { len: bytes.len(), max: LOG_BYTES_MAX };
        Some(Problem { offset: LOG_BYTES_MAX, event: None, kind })
    } else {
        read(bytes, bytes.len().saturating_sub(run), &mut log).err()
    };
    let empty = Problem { offset: 0, event: None, kind: ProblemKind::Empty };
    let problem = problem.or_else(|| log.events.is_empty().then_some(empty));
    Parsed { log, problems: problem.into_iter().collect() }
}

fn read<'a>(bytes: &'a [u8], padding_at: usize, log: &mut Log<'a>) -> Result<(), Problem> {
    let mut reader = Reader::new(bytes);
    let mut number = 0;
    while !reader.is_empty() {
        if reader.offset() >= padding_at {
            log.padding = reader.rest();
            return Ok(());
        }
        if log.events.len() >= EVENTS_MAX {
            let kind = ProblemKind::TooManyEvents { max: EVENTS_MAX };
            return Err(Problem { offset: reader.offset(), event: None, kind });
        }
        if number > 0 && begins_a_log(&reader) {
            let kind = ProblemKind::AnotherLog;
            return Err(Problem { offset: reader.offset(), event: None, kind });
        }
        let event = match log.format {
            Format::CryptoAgile(spec_id) => read_agile(&mut reader, number, spec_id.table()),
            Format::Sha1 => read_sha1(&mut reader, number),
        };
        let event = event.map_err(|problem| Problem { event: Some(number), ..problem })?;
        if number == 0 {
            log.format = format_of(&event)?;
            // The usual record has about 100 bytes; a log that lies about that only reallocates.
            log.events.reserve(bytes.len().checked_div(128).unwrap_or(0).min(1024));
        }
        log.events.push(event);
        number = number.saturating_add(1);
    }
    Ok(())
}

/// Whether the next record is the header of a crypto-agile log: one of the old format, of type
/// EV_NO_ACTION and without a digest, whose data begins with the signature. In a crypto-agile log no
/// record can look so, since its count of digests would be 0 and its data of no byte.
fn begins_a_log(reader: &Reader<'_>) -> bool {
    let Some((head, data)) = reader.rest().split_at_checked(32) else { return false };
    let is_header = head.get(4..8) == Some(&EventType::NO_ACTION.0.to_le_bytes())
        && head.get(8..28).is_some_and(|digest| digest.iter().all(|byte| *byte == 0));
    is_header && data.starts_with(SIGNATURE_AGILE)
}

/// Bytes of the run of equal 00 or FF at the end of `bytes`. A record boundary in it is where the
/// log ends.
pub(crate) fn padding_run(bytes: &[u8]) -> usize {
    match bytes.last() {
        Some(fill @ (0 | 0xff)) => bytes.iter().rev().take_while(|byte| *byte == fill).count(),
        _ => 0,
    }
}

/// The format of a log that begins with `event`.
fn format_of<'a>(event: &Event<'a>) -> Result<Format<'a>, Problem> {
    // 8 bytes of PCR index and type, 20 of digest, 4 of size.
    let data_offset = event.offset.saturating_add(32);
    let refuse = |kind| Err(Problem { offset: data_offset, event: Some(0), kind });
    // Of PCR 0; logs of confidential VMs count their registers from 1 and have it there.
    let is_header = event.untrusted_event_type == EventType::NO_ACTION;
    if event.untrusted_data.starts_with(SIGNATURE_AGILE) {
        return match SpecId::parse(event.untrusted_data) {
            Ok(spec_id) if is_header => Ok(Format::CryptoAgile(spec_id)),
            Ok(_) => refuse(ProblemKind::SpecId { what: "not an EV_NO_ACTION event" }),
            Err(what) => refuse(ProblemKind::SpecId { what }),
        };
    }
    if is_spec_id_but_for_signature(event.untrusted_data) {
        return refuse(ProblemKind::SpecIdSignature);
    }
    Ok(Format::Sha1)
}

fn read_sha1<'a>(reader: &mut Reader<'a>, number: u32) -> Result<Event<'a>, Problem> {
    let offset = reader.offset();
    let (pcr_index, untrusted_event_type) = read_index_and_type(reader)?;
    let raw = reader.take("digest", 20).map_err(short)?;
    let untrusted_data = read_data(reader)?;
    let digests = Digests { table: &[], raw, is_sha1_record: true };
    Ok(Event { number, offset, pcr_index, untrusted_event_type, digests, untrusted_data })
}

fn read_agile<'a>(
    reader: &mut Reader<'a>,
    number: u32,
    table: &'a [u8],
) -> Result<Event<'a>, Problem> {
    let offset = reader.offset();
    let (pcr_index, untrusted_event_type) = read_index_and_type(reader)?;
    let digests = read_digests(reader, table)?;
    let untrusted_data = read_data(reader)?;
    Ok(Event { number, offset, pcr_index, untrusted_event_type, digests, untrusted_data })
}

fn read_index_and_type(reader: &mut Reader<'_>) -> Result<(u32, EventType), Problem> {
    let offset = reader.offset();
    let pcr_index = reader.u32("pcrIndex").map_err(short)?;
    let event_type = EventType(reader.u32("eventType").map_err(short)?);
    let is_pcr = usize::try_from(pcr_index).is_ok_and(|index| index < PCR_COUNT);
    if is_pcr || (pcr_index == NO_PCR && event_type == EventType::NO_ACTION) {
        return Ok((pcr_index, event_type));
    }
    Err(Problem { offset, event: None, kind: ProblemKind::PcrIndex { have: pcr_index } })
}

/// TPML_DIGEST_VALUES, little-endian here.
fn read_digests<'a>(reader: &mut Reader<'a>, table: &'a [u8]) -> Result<Digests<'a>, Problem> {
    let at = reader.offset();
    let declared = table.len() / 4;
    let n = reader.u32("digests.count").map_err(short)?;
    if usize::try_from(n).unwrap_or(usize::MAX) > declared {
        let kind = ProblemKind::DigestCount { have: n, declared };
        return Err(Problem { offset: at, event: None, kind });
    }
    let before = *reader;
    let mut seen: u32 = 0;
    for _ in 0..n {
        let offset = reader.offset();
        let refuse = |kind| Err(Problem { offset, event: None, kind });
        let alg = TpmAlgId(reader.u16("digests.hashAlg").map_err(short)?);
        let Some((i, (_, len))) = pairs(table).enumerate().find(|(_, (have, _))| *have == alg)
        else {
            return refuse(ProblemKind::UndeclaredAlgorithm { alg });
        };
        // One bit per row of the table, which has at most eight.
        let bit = 1u32.checked_shl(u32::try_from(i).unwrap_or(u32::MAX)).unwrap_or(0);
        if seen & bit != 0 {
            return refuse(ProblemKind::DuplicateAlgorithm { alg });
        }
        seen |= bit;
        reader.take("digests.digest", len).map_err(short)?;
    }
    let n = reader.offset().saturating_sub(before.offset());
    let raw = before.rest().get(..n).unwrap_or_default();
    Ok(Digests { table, raw, is_sha1_record: false })
}

fn read_data<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Problem> {
    let n = reader.u32("eventSize").map_err(short)?;
    reader.take("event", usize::try_from(n).unwrap_or(usize::MAX)).map_err(short)
}

/// The reader of a record only ever runs short.
fn short(error: ParseError) -> Problem {
    let (want, have) = match error.kind {
        ParseErrorKind::Short { want, have } => (want, have),
        _ => (0, 0),
    };
    let kind = ProblemKind::Short { what: error.what, want, have };
    Problem { offset: error.at, event: None, kind }
}
