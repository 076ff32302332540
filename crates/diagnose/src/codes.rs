//! Response codes anywhere on a line about a TPM.
//!
//! A number is taken for a response code only where a word in front of it says so (`rc`, `error
//! code`, `returned`, `Esys_Unseal(`) and a specification names it. Logs are full of other hex:
//! addresses, handles, device numbers, states of registers.

use std::sync::LazyLock;

use findings::response_code::{self, Explanation, Origin};
use memchr::{
    memchr2_iter,
    memmem::{self, Finder},
};
use tpm_wire::ResponseCode;

use crate::commands;

/// How far in front of a number its words stand: `returned with error code (`.
const WORDS_BYTES_MAX: usize = 48;
/// How many numbers of a line are looked at: dumps of memory have thousands.
const NUMBERS_MAX: usize = 64;

/// Made once: most lines have none of the three, and to make one costs more than to look for it.
static ERROR: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("TPM error "));
static RC: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("rc"));
static NAME: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("_RC_"));

/// A response code, and what its line says of the command that it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CodeOnLine {
    /// The code.
    pub code: u32,
    /// The command that was answered, `TPM2_NV_ReadPublic`, where the line names one.
    pub command: Option<&'static str>,
    /// What the command was about.
    pub about: About,
}

/// What a command was about, as far as its line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// Something, or nothing that is named.
    Something,
    /// The NV index of an endorsement key's certificate.
    EkCertificate,
}

impl CodeOnLine {
    /// `code`, and what `line` says of its command.
    pub(crate) fn new(code: u32, line: &[u8]) -> Self {
        let about = match numbers(line).any(|number| is_ek_certificate(number.value)) {
            true => About::EkCertificate,
            false => About::Something,
        };
        Self { code, command: commands::on(line), about }
    }

    /// What the code means.
    pub(crate) fn explain(self) -> Explanation {
        response_code::explain(ResponseCode(self.code))
    }

    /// Whether it says that an endorsement key's certificate is what is missing.
    pub(crate) fn misses_ek_certificate(self) -> bool {
        self.about == About::EkCertificate && matches!(self.code & 0xffff, 0x18b | 0x28b)
    }
}

/// Indices at which a TPM keeps certificates of endorsement keys. [EK-PROFILE-2.5 §2.2.1.4,
/// §2.2.1.5] Between those of the high range stand key templates.
fn is_ek_certificate(index: u32) -> bool {
    matches!(index, 0x01c0_0002 | 0x01c0_000a)
        || (matches!(index, 0x01c0_0012..=0x01c0_001e) && index.is_multiple_of(2))
}

/// The first response code on `line`, which is about a TPM.
pub(crate) fn on(line: &[u8]) -> Option<CodeOnLine> {
    let number = numbers(line).find_map(|number| number.as_code(line));
    let code = number.or_else(|| decimal(line)).or_else(|| named(line))?;
    Some(CodeOnLine::new(code, line))
}

/// A number in hexadecimal, with its `0x`.
#[derive(Clone, Copy)]
struct Number {
    value: u32,
    /// Where its `0x` stands.
    at: usize,
}

/// The numbers of up to eight digits that are words of their own.
fn numbers(line: &[u8]) -> impl Iterator<Item = Number> {
    let starts = memchr2_iter(b'x', b'X', line)
        .filter_map(|at| at.checked_sub(1).filter(|zero| line.get(*zero) == Some(&b'0')));
    starts.take(NUMBERS_MAX).filter_map(|at| {
        let is_inside = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        if at.checked_sub(1).and_then(|before| line.get(before)).is_some_and(is_inside) {
            return None;
        }
        let rest = line.get(at + 2..)?;
        let n = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        // Behind a range stands its end, behind a point a part of a version.
        let is_whole = match (rest.get(n), rest.get(n + 1)) {
            (Some(b'-' | b'.' | b':'), Some(next)) => !next.is_ascii_alphanumeric(),
            (Some(next), _) => !is_inside(next),
            (None, _) => true,
        };
        if !is_whole || n > 8 {
            return None;
        }
        let digits = std::str::from_utf8(rest.get(..n)?).ok()?;
        Some(Number { value: u32::from_str_radix(digits, 16).ok()?, at })
    })
}

/// How sure the words in front of a number are that it is a response code.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cue {
    /// A TPM, or a function that talks to one, gave it.
    OfTpm,
    /// Something failed with it.
    OfFailure,
}

impl Number {
    /// The response code that it is, if it is one.
    fn as_code(self, line: &[u8]) -> Option<u32> {
        if let Some(code) = self.in_position(line) {
            return Some(code);
        }
        // Windows gives its TPM codes a facility of their own: no word is needed.
        let origin = is_named(self.value).then(|| explain(self.value).origin);
        if origin == Some(Origin::WindowsTpm) {
            return Some(self.value);
        }
        is_likely(self.value, cue(line, self.at)?).then_some(self.value)
    }

    /// `session 1, error code 0x22`: go-tpm writes position and error apart. [TPM2-P2-1.59 §6.6.3]
    fn in_position(self, line: &[u8]) -> Option<u32> {
        let before = text_before(line, self.at).strip_suffix("error code ")?;
        let mut words = before.trim_end_matches([' ', ',']).rsplit([' ', ',']);
        let n: u32 = words.next()?.parse().ok()?;
        let (kind, n_max) = match words.next()? {
            "handle" => (0x080, 7),
            "session" => (0x880, 7),
            "parameter" => (0x0c0, 15),
            _ => return None,
        };
        let code = kind | n << 8 | self.value;
        (n <= n_max && self.value < 0x40 && is_named(code)).then_some(code)
    }
}

/// Whether the words that end before `at` announce a response code.
fn cue(line: &[u8], at: usize) -> Option<Cue> {
    let before = text_before(line, at);
    let mut words = before
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .rev();
    let mut word = words.next()?.to_ascii_lowercase();
    // `error code is 0x…`, `failed with 0x…`.
    while matches!(word.as_str(), "is" | "was" | "with" | "of" | "value") {
        word = words.next()?.to_ascii_lowercase();
    }
    let word = word.as_str();
    let previous = words.next().unwrap_or_default().to_ascii_lowercase();
    let is_of_tpm = |word: &str| word.starts_with("tpm") || word == "tss";
    if before.ends_with('(')
        && ["esys_", "tss2_", "fapi_", "tpm2_"].iter().any(|start| word.starts_with(start))
    {
        return Some(Cue::OfTpm);
    }
    match word {
        "error" | "rc" | "result" if is_of_tpm(&previous) => Some(Cue::OfTpm),
        "tpm_rc" | "tpm2_rc" | "tss2_rc" | "responsecode" => Some(Cue::OfTpm),
        // Not a command code, an event code, a device code.
        "code" => match previous.as_str() {
            "response" | "tpm" => Some(Cue::OfTpm),
            "error" | "return" | "result" | "failure" | "fault" | "exit" => Some(Cue::OfFailure),
            _ => None,
        },
        "rc" | "error" | "err" | "errorcode" | "error_code" | "ret" | "retval" | "result"
        | "returned" | "returns" | "return" | "response" | "failed" | "failure" => {
            Some(Cue::OfFailure)
        }
        _ => None,
    }
}

/// What stands right before `at`, as far as it is text.
fn text_before(line: &[u8], at: usize) -> &str {
    let before = line.get(at.saturating_sub(WORDS_BYTES_MAX)..at).unwrap_or_default();
    let start = before.iter().rposition(|byte| !byte.is_ascii()).map_or(0, |last| last + 1);
    std::str::from_utf8(before.get(start..).unwrap_or_default()).unwrap_or_default()
}

/// Whether `value` may be a response code behind such words. Small numbers are codes of TPM 1.2,
/// and of everything else: they count only where a TPM is said to have given them.
fn is_likely(value: u32, cue: Cue) -> bool {
    let floor = match cue {
        Cue::OfTpm => 1,
        Cue::OfFailure => 0x80,
    };
    value >= floor && is_named(value)
}

fn is_named(value: u32) -> bool {
    explain(value).name.is_some_and(|name| name.starts_with('T'))
}

fn explain(value: u32) -> Explanation {
    response_code::explain(ResponseCode(value))
}

/// `TPM error (2314)`, `rc=395`: digits without `0x`.
fn decimal(line: &[u8]) -> Option<u32> {
    // Ends of what may stand in front of the digits: each has one of the two in it.
    const OF_TPM: [&[u8]; 3] = [b"TPM error (", b"TPM error ", b"TPM error code "];
    const OF_FAILURE: [&[u8]; 3] = [b" rc=", b"(rc=", b" rc "];
    let of_tpm = ERROR.find(line).map(|_| OF_TPM.map(|words| (words, Cue::OfTpm)));
    let of_failure = RC.find(line).map(|_| OF_FAILURE.map(|words| (words, Cue::OfFailure)));
    of_tpm.into_iter().chain(of_failure).flatten().find_map(|(words, cue)| {
        let rest = line.get(memmem::find(line, words)? + words.len()..)?;
        let n = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let is_whole = !rest.get(n).is_some_and(|next| next.is_ascii_alphanumeric());
        let value: u32 = std::str::from_utf8(rest.get(..n)?).ok()?.parse().ok()?;
        (is_whole && is_likely(value, cue)).then_some(value)
    })
}

/// `TPM_RC_LOCKOUT`, `TPM2_RC_LOCKOUT`: a name without its number.
fn named(line: &[u8]) -> Option<u32> {
    NAME.find(line)?;
    let mut words = line.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
    words.find_map(|word| {
        let is_name = word.starts_with(b"TPM_RC_") || word.starts_with(b"TPM2_RC_");
        let word = std::str::from_utf8(word).ok().filter(|_| is_name)?;
        response_code::by_name(word).map(|code| code.0).filter(|code| *code != 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(line: &str) -> Option<u32> {
        on(line.as_bytes()).map(|found| found.code)
    }

    #[test]
    fn codes_are_found_wherever_programs_write_them() {
        for (line, expected) in [
            ("tpm2_nvreadpublic: ERROR: Esys_NV_ReadPublic(0x18B) - tpm:handle(1):x", 0x18b),
            (
                "ERROR:esys:api/Esys_Unseal.c:105:Esys_Unseal() Esys Finish ErrorCode (0x0000099d)",
                0x99d,
            ),
            ("WARNING:esys:Esys_Load_Finish() Received TPM Error, returned 0x000001df", 0x1df),
            ("tpm_tis 00:05: A TPM error (2314) occurred attempting to get random", 2314),
            ("libtpms: TPM error 2337", 2337),
            ("tpm2-abrmd: failed to flush: rc 0x902", 0x902),
            ("tpm2-abrmd: resource manager: rc=395", 395),
            ("swtpm: command failed (rc=0x101)", 0x101),
            ("TPM: command failed with error code: 0x00000921", 0x921),
            ("tcti: Tss2_Tcti_Device_Init failed: 0x000a000a", 0xa_000a),
            ("TPM-WMI: The device failed, error 0x80280921", 0x8028_0921),
            ("BitLocker: 0x80280803 (the TPM is defending)", 0x8028_0803),
            ("TPM services: result 0x8028400f", 0x8028_400f),
            ("TPM response code 0x1e from firmware", 0x1e),
            ("TPM error (6) occurred", 6),
            ("keylime: Tpm error: TPM_RC_LOCKOUT while unsealing", 0x921),
            ("tpm2: session 1, error code 0x22 : authorization failure", 0x9a2),
            ("tpm2: handle 1, error code 0x0b : the handle is not correct", 0x18b),
            ("tpm2: parameter 1, error code 0x1f : integrity check failed", 0x1df),
            ("rc 0x902 of the TPM", 0x902),
        ] {
            assert_eq!(code(line), Some(expected), "{line}");
        }
    }

    #[test]
    fn other_numbers_of_such_lines_are_none() {
        for line in [
            "tpmDriver: TpmDriverFindIoMemory:332: Found TPM at base: 0xfed40000",
            "tpm_crb MSFT0101:00: ACPI region [mem 0xfed40000-0xfed4087f flags 0x201]",
            "tpm_tis MSFT0101:00: 2.0 TPM (device-id 0x1B, rev-id 22)",
            "TPM: error at address 0x18b",
            "TPM command code 0x169 took 12 ms",
            "tpm0: TPM2_NV_Read of index 0x01c00002",
            "Tpm_Transmit:612: Send to TPM failed: Failure (0xbad0001)",
            "TPM error code 0x18b7",
            "TPM error code 0x18bz, error code 0x18b.1, error code 0x0000000000000018b",
            "TPM status 0x90, access 0xa1",
            "ima: No TPM chip found, activating TPM-bypass! (rc=-19)",
            "tpm tpm0: tpm_try_transmit: send(): error -62",
            "tpm2: error code 0x0b",
            "tpm2: session 9, error code 0x22",
            "tpm2: session 1, error code 0x422",
            "TPM rc 0",
            "TPM rc 0x0",
            "TPM_RC_SUCCESS",
            "TPM_RC_LOCKOUTS, XTPM_RC_LOCKOUT",
            "swtpm: rc=395x",
            "swtpm: rc=5",
            "tpm: returned 0x200",
            "TPM services at 0x80290400 and 0x8028ffff",
        ] {
            assert_eq!(code(line), None, "{line}");
        }
        let dump = "TPM ".to_owned() + &"0xff ".repeat(100_000) + "rc 0x18b";
        assert_eq!(code(&dump), None);
    }

    #[test]
    fn a_missing_index_of_the_ek_certificate_is_told_from_others() {
        for (index, misses) in [
            ("0x01c00002", true),
            ("0x1c0000a", true),
            ("0x01C00016", true),
            ("0x01c00015", false),
            ("0x01c10110", false),
            ("0x01c00003", false),
        ] {
            let line = format!("tpm2: Esys_NV_ReadPublic of {index} failed: 0x18b");
            let found = on(line.as_bytes()).unwrap();
            assert_eq!(found.command, Some("TPM2_NV_ReadPublic"));
            assert_eq!(found.misses_ek_certificate(), misses, "{index}");
        }
        let line = b"tpm2: Esys_NV_Read of 0x01c00002 failed: rc 0x14a";
        assert!(!on(line).unwrap().misses_ek_certificate());
    }
}
