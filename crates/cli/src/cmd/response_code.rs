//! `bootproof tpm rc`, and the response codes of `bootproof explain`.

use findings::response_code::{self, Explanation, Weight};
use tpm_wire::ResponseCode;

use super::Exit;
use crate::{
    args::TpmRc,
    error::CliError,
    output::{Output, Tone},
};

pub(super) fn run(command: &TpmRc, output: &Output) -> Result<Exit, CliError> {
    let code = read(&command.code).ok_or_else(|| {
        CliError::with_hint(
            anyhow::anyhow!("{:?} has no response code in it", command.code),
            "write it as 0x18b, as 395 or as TPM_RC_HANDLE, or give the line of a log that has it",
        )
    })?;
    show(code, output)
}

/// Shows what `code` means.
pub(super) fn show(code: ResponseCode, output: &Output) -> Result<Exit, CliError> {
    let explanation = response_code::explain(code);
    if output.is_json() {
        output.json(&api::response_code::ResponseCode::from(&explanation))?;
    } else {
        in_words(&explanation, output)?;
    }
    Ok(Exit::Done)
}

fn in_words(explanation: &Explanation, output: &Output) -> Result<(), CliError> {
    let (tone, weight) = match explanation.weight {
        Weight::Harmless => (Tone::Good, "harmless by itself"),
        Weight::Passing => (Tone::Unsure, "may pass"),
        Weight::Fault => (Tone::Bad, "a fault"),
    };
    output.line(&output.paint(tone, &explanation.to_string()))?;
    output.line(&format!("from {}; {weight}", explanation.origin))?;
    for (heading, text) in [("Cause", explanation.cause), ("Next step", explanation.next_step)] {
        output.line("")?;
        output.line(&output.paint(Tone::Strong, heading))?;
        output.line(text)?;
    }
    if let Some(finding) = explanation.finding {
        output.line("")?;
        output.line(&format!("See also: bootproof explain {}", finding.as_str()))?;
    }
    Ok(())
}

/// The code in `text`: hexadecimal, decimal, a name, or a line of a log with a number in
/// hexadecimal, of which the last counts: ahead of it stand addresses and handles.
fn read(text: &str) -> Option<ResponseCode> {
    let text = text.trim();
    number(text).or_else(|| response_code::by_name(text)).or_else(|| {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric());
        words
            .filter(|word| word.starts_with("0x") || word.starts_with("0X"))
            .filter_map(number)
            .next_back()
    })
}

/// A response code as `explain` takes it: only where it cannot be a finding's name.
pub(super) fn number(text: &str) -> Option<ResponseCode> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    match hex {
        Some(hex) => u32::from_str_radix(hex, 16).ok().map(ResponseCode),
        // Tools print codes in hexadecimal without 0x, too; digits alone are decimal.
        None if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse().ok().map(ResponseCode)
        }
        None => u32::from_str_radix(text, 16).ok().map(ResponseCode),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_out_of_what_people_have_at_hand() {
        for (text, code) in [
            ("0x18b", 0x18b),
            ("0X18B", 0x18b),
            ("18b", 0x18b),
            ("395", 0x18b),
            ("0x000b0922", 0xb0922),
            ("TPM_RC_LOCKOUT", 0x921),
            (" 0x921\n", 0x921),
            (
                "tpmDriver: Tpm2ResMgrProcessResponse:846: Error: TPM command error code 0x18b",
                0x18b,
            ),
            ("Esys_NV_ReadPublic(0x1c00002) ErrorCode (0x0000018b)", 0x18b),
        ] {
            assert_eq!(read(text), Some(ResponseCode(code)), "{text}");
        }
        for wrong in
            ["", "0x", "0x1ffffffff", "nonsense", "4294967296", "0xzz", "a line without one"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
