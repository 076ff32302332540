//! `bootproof tpm pcrs`: PCR values, and whether firmware measured into each bank.

use anyhow::anyhow;
use api::tpm::{BankValues, PcrValues};
use tpm_wire::{PcrBank, PcrSelection, PcrSet, TpmAlgId};

use super::device::{failed, open_to_look};
use crate::{
    args::TpmPcrs,
    cmd::{
        Exit,
        measured::{all_alike, is_extended},
    },
    error::CliError,
    output::{Output, Tone},
};

const NOT_MEASURED: &str = "not-measured";

pub(in crate::cmd) fn run(command: &TpmPcrs, output: &Output) -> Result<Exit, CliError> {
    let mut opened = open_to_look(&command.device)?;
    let has = opened.tpm.pcr_banks().map_err(failed)?;
    let on: Vec<_> =
        has.banks().iter().filter(|(_, pcrs)| !pcrs.is_empty()).map(|(alg, _)| *alg).collect();
    let banks = banks(&command.bank, &on)?;
    // Firmware's own are read with the others, so that all is of one moment.
    let wanted = command.pcr.union(PcrSet::FIRMWARE);
    let selection = PcrSelection::of_banks(banks, wanted)
        .ok_or_else(|| anyhow!("more banks than a TPM can be asked for"))?;
    let (read, update_counter) = opened.tpm.read_pcrs(&selection).map_err(failed)?;
    let banks = read.iter().map(|bank| BankValues {
        bank: bank.alg().to_string(),
        firmware: firmware(bank).to_owned(),
        values: bank
            .iter()
            .filter(|(index, _)| command.pcr.contains(*index))
            .map(|(index, value)| (index, value.to_string()))
            .collect(),
    });
    let address = opened.address.to_string();
    let values = PcrValues { address, update_counter, banks: banks.collect() };
    if output.is_json() {
        output.json(&values)?;
    } else {
        in_words(&values, output)?;
    }
    let unmeasured = values.banks.iter().any(|bank| bank.firmware == NOT_MEASURED);
    Ok(if unmeasured { Exit::No } else { Exit::Done })
}

/// Those that were asked for, else all that are on.
fn banks(asked: &[TpmAlgId], on: &[TpmAlgId]) -> Result<Vec<TpmAlgId>, CliError> {
    let shown: Vec<_> = on.iter().map(ToString::to_string).collect();
    if on.is_empty() {
        return Err(CliError::with_hint(
            anyhow!("no PCR bank of the TPM is on"),
            "switch the bank of SHA-256 on in the firmware's setup (TPM2 algorithm)",
        ));
    }
    if let Some(off) = asked.iter().find(|alg| !on.contains(alg)) {
        return Err(CliError::with_hint(
            anyhow!("the TPM's bank of {off} is not on"),
            format!("on: {}; banks are switched on in the firmware's setup", shown.join(" ")),
        ));
    }
    Ok(if asked.is_empty() { on.to_vec() } else { asked.to_vec() })
}

fn firmware(bank: &PcrBank) -> &'static str {
    let extended: Option<Vec<_>> =
        PcrSet::FIRMWARE.iter().map(|pcr| Some(is_extended(bank.get(pcr)?.as_bytes()))).collect();
    match extended.map(all_alike) {
        Some(Some(true)) => "measured",
        Some(Some(false)) => NOT_MEASURED,
        Some(None) => "partly",
        None => "unknown",
    }
}

fn in_words(values: &PcrValues, output: &Output) -> Result<(), CliError> {
    for bank in &values.banks {
        let (tone, words) = match bank.firmware.as_str() {
            "measured" => (Tone::Good, "firmware measured into PCR 0 to 7"),
            NOT_MEASURED => {
                (Tone::Bad, "PCR 0 to 7 are all zero: the firmware did not measure into this bank")
            }
            "partly" => (Tone::Unsure, "firmware measured into some of PCR 0 to 7"),
            _ => (Tone::Unsure, "the bank has not all of PCR 0 to 7"),
        };
        output.line(&format!("{}  {}", bank.bank, output.paint(tone, words)))?;
        for (index, value) in &bank.values {
            output.line(&format!("  {index:>2}  {value}"))?;
        }
    }
    if values.banks.iter().any(|bank| bank.firmware == NOT_MEASURED) {
        output.line("")?;
        output.line(
            "next: choose SHA-256 in the firmware's setup instead of switching the bank on from the \
             running system, and restart",
        )?;
    }
    Ok(())
}
