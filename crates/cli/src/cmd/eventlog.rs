//! `bootproof eventlog`: the events of a log, and what they add up to. Nothing here is verified:
//! only a quote says whether the log is true.

mod decoded;

use std::collections::BTreeMap;

use anyhow::Context as _;
use api::pcrs::Pcrs;
use event_log::untrusted::EventData;
use event_log::{
    CcelTable, ConfidentialType, DataCheck, Event, EventType, Log, MeasurementRegister,
    ProblemKind, check_data, parse, replay, split_logs,
};
use serde::Serialize;
use tpm_wire::PcrBank;

use super::Exit;
use crate::{
    args::Eventlog,
    error::CliError,
    evidence_dir::read_limited,
    output::{Output, Tone, plain},
};

/// An ACPI table CCEL has 56 bytes.
const CCEL_BYTES_MAX: u64 = 4096;

/// What the indices of a log are: PCRs, or registers of this kind of guest.
struct Registers(Option<ConfidentialType>);

impl Registers {
    fn name(&self, index: u32) -> Option<String> {
        MeasurementRegister::of_index(self.0?, index).map(|register| register.to_string())
    }
}

/// A log as JSON.
#[derive(Serialize)]
struct LogView {
    /// `crypto-agile` or `sha1`.
    format: &'static str,
    banks: Vec<String>,
    /// Which log of the file this is, from 1, and how many it holds.
    log: usize,
    n_logs: usize,
    events: Vec<EventView>,
    /// What the PCRs are if the log is true, for each bank: bank -> index -> hex.
    pcrs: Pcrs,
    problems: Vec<ProblemView>,
    n_padding_bytes: usize,
}

#[derive(Serialize)]
struct EventView {
    number: u32,
    offset: usize,
    /// Absent where the event belongs to no PCR.
    pcr: Option<u32>,
    /// Of a confidential guest: the register that the index stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    register: Option<String>,
    event_type: u32,
    event_type_name: Option<&'static str>,
    digests: BTreeMap<String, String>,
    /// Whether the digests are of the data: `matches`, `unverifiable`, `contradicts`, `not-measured`.
    data_check: &'static str,
    description: String,
    /// The fields of the data, with a `kind`: the host's word, as the type is.
    decoded: serde_json::Value,
    data: String,
}

#[derive(Serialize)]
struct ProblemView {
    offset: usize,
    event: Option<u32>,
    reason: String,
}

pub(super) fn run(command: &Eventlog, output: &Output) -> Result<Exit, CliError> {
    let bytes = read_limited(&command.file, crate::evidence_dir::LOG_BYTES_MAX)?;
    if bytes.is_empty() {
        return Err(CliError::with_hint(
            anyhow::anyhow!("{} has no byte", command.file.display()),
            "with Secure Boot off some boot loaders lose the log; `bootproof explain no-event-log`",
        ));
    }
    let logs = split_logs(&bytes);
    let which = command.log.unwrap_or(logs.len());
    let Some(bytes) = which.checked_sub(1).and_then(|n| logs.get(n)) else {
        let file = command.file.display();
        return Err(anyhow::anyhow!("{file} has {} logs, and no log {which}", logs.len()).into());
    };
    let registers = match &command.ccel {
        None => Registers(None),
        Some(file) => {
            let table = read_limited(file, CCEL_BYTES_MAX)?;
            let table = CcelTable::parse(&table)
                .with_context(|| format!("{} is no ACPI table CCEL", file.display()))?;
            Registers(Some(table.kind))
        }
    };
    let parsed = parse(bytes);
    let log = &parsed.log;
    let banks: Vec<_> = log.algorithms().collect();
    let replay = replay(log, banks.iter().copied());
    // Only PCRs that the log speaks of, and the untouched ones at their reset value too: a reader
    // compares them with what a TPM says.
    let pcrs: Vec<PcrBank> = replay.banks().cloned().collect();
    let faults = || parsed.problems.iter().filter(|found| found.kind != ProblemKind::AnotherLog);
    let exit = if faults().next().is_none() { Exit::Done } else { Exit::No };
    let problems = faults().map(|problem| ProblemView {
        offset: problem.offset,
        event: problem.event,
        reason: problem.kind.to_string(),
    });
    // That another log follows is no fault of this one.
    let problems: Vec<_> = problems.collect();
    if output.is_json() {
        let view = LogView {
            format: match log.format() {
                event_log::Format::CryptoAgile(_) => "crypto-agile",
                event_log::Format::Sha1 => "sha1",
            },
            banks: banks.iter().map(ToString::to_string).collect(),
            log: which,
            n_logs: logs.len(),
            events: log.events().iter().map(|event| view(event, log, &registers)).collect(),
            pcrs: pcrs.into_iter().collect(),
            problems,
            n_padding_bytes: log.padding_len(),
        };
        output.json(&view).context("standard output")?;
        return Ok(exit);
    }
    if logs.len() > 1 {
        output.note(&format!("log {which} of the {} that the file holds", logs.len()));
    }
    show_events(log, &registers, output)?;
    show_pcrs(&pcrs, &registers, output)?;
    for problem in problems {
        let place = format!("byte {}", problem.offset);
        output.note(&format!("the log was read up to {place}: {}", problem.reason));
    }
    Ok(exit)
}

fn view(event: &Event<'_>, log: &Log<'_>, registers: &Registers) -> EventView {
    let decoded = EventData::read(event, log.format());
    EventView {
        number: event.number,
        offset: event.offset,
        pcr: (event.pcr_index != event_log::NO_PCR).then_some(event.pcr_index),
        register: registers.name(event.pcr_index),
        event_type: event.untrusted_event_type.0,
        event_type_name: event.untrusted_event_type.name(),
        digests: event
            .digests
            .iter()
            .map(|(alg, digest)| (alg.to_string(), hex::encode(digest)))
            .collect(),
        data_check: check(event, log),
        description: decoded.to_string(),
        decoded: decoded::decoded(&decoded),
        data: hex::encode(event.untrusted_data),
    }
}

fn check(event: &Event<'_>, log: &Log<'_>) -> &'static str {
    match check_data(event, |alg| log.algorithms().any(|bank| bank == alg)) {
        DataCheck::Matches(_) => "matches",
        DataCheck::Unverifiable => "unverifiable",
        DataCheck::Contradicts(_) => "contradicts",
        DataCheck::NotMeasured => "not-measured",
    }
}

fn show_events(log: &Log<'_>, registers: &Registers, output: &Output) -> Result<(), CliError> {
    for event in log.events() {
        let pcr = match event.pcr_index {
            event_log::NO_PCR => "-".to_owned(),
            index => registers.name(index).unwrap_or_else(|| index.to_string()),
        };
        let mark = match check(event, log) {
            "matches" => output.paint(Tone::Good, "="),
            "contradicts" => output.paint(Tone::Bad, "!"),
            "not-measured" => " ".to_owned(),
            _ => "?".to_owned(),
        };
        let name = match event.untrusted_event_type {
            EventType(number) if event.untrusted_event_type.name().is_none() => {
                format!("{number:#010x}")
            }
            known => known.to_string(),
        };
        let text = plain(&EventData::read(event, log.format()).to_string());
        output.line(&format!("{:>5} {pcr:>3} {mark} {name:<34} {text}", event.number))?;
    }
    output.line("")?;
    output.line(
        "= the digest is that of the data, ! it should be and is not, ? nothing to compare",
    )?;
    output.line("")?;
    Ok(())
}

fn show_pcrs(banks: &[PcrBank], registers: &Registers, output: &Output) -> Result<(), CliError> {
    for bank in banks {
        output.line(&output.paint(Tone::Strong, &format!("{} replayed", bank.alg())))?;
        for (index, value) in bank.iter() {
            match (registers, registers.name(index)) {
                (Registers(None), _) => output.line(&format!("  PCR {index:>2}  {value}"))?,
                (_, Some(name)) => output.line(&format!("  {name:<6}  {value}"))?,
                // An index that the guest has no register for.
                (_, None) => {}
            }
        }
    }
    Ok(())
}
