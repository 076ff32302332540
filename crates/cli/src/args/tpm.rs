//! `bootproof tpm …`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use tpm_wire::{PcrSet, TpmAlgId};

use super::Verb;

/// `bootproof tpm …`
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Tpm {
    /// Say what a response code means: name, which handle, session or parameter, cause, next step
    #[command(after_help = "\
Codes of TPM 2.0 and 1.2, of the layers of the TPM software stack, and of Windows' TPM services.
The word after the origin says how much the code weighs by itself: harmless, may pass, a fault.

Exit codes: 0 explained, 2 there is no number in it.

Examples:
  bootproof tpm rc 0x18b
  bootproof tpm rc TPM_RC_LOCKOUT
  bootproof tpm rc 'tpmDriver: Tpm2ResMgrProcessResponse:846: Error: TPM command error code 0x18b'
  bootproof tpm rc 0xb0922 --json | jq -r .next_step")]
    Rc(Verb<TpmRc>),
    /// Say what a TPM says of itself, and what of it stands in the way of attestation
    #[command(after_help = "\
Maker, firmware with its known faults, PCR banks, FIFO or CRB and how that is known, lockout,
passwords and hierarchies, and what is left of its few places. Nothing is changed.

Exit codes: 0 nothing of it stands in the way, 1 something does, 2 the TPM could not be asked.

Examples:
  bootproof tpm info
  bootproof tpm info --json | jq .concerns
  bootproof tpm info --device swtpm:unix:/run/vm-7/tpm.sock")]
    Info(Verb<TpmInfo>),
    /// Read PCR values, all of one moment, and say whether firmware measured into each bank
    #[command(after_help = "\
A bank that was switched on behind the firmware's back holds zeros in PCR 0 to 7: it is on, and
proves nothing.

Exit codes: 0 read, 1 firmware measured nothing into one of the banks, 2 could not be read.

Examples:
  bootproof tpm pcrs
  bootproof tpm pcrs --bank sha256 --pcr 0-7,14
  bootproof tpm pcrs --json | jq -r '.banks[] | .bank, .firmware'")]
    Pcrs(Verb<TpmPcrs>),
    /// Show the endorsement keys with their certificates, and judge the chain to the vendor's root
    #[command(after_help = "\
Certificates lie in NV memory at 0x01C00002 and above, those between them and the vendor's root
from 0x01C00100 on. The digest of a key is what `[[endorsement.approved]]` of a policy takes, for
a TPM that has no certificate.

Exit codes: 0 shown, and where roots were named the chain leads to one; 1 the key that enrolment
takes has no certificate, or one that is refused; 2 the TPM could not be asked.

Examples:
  bootproof tpm ek --ek-root vendor-root.pem
  bootproof tpm ek --pem > ek.pem
  bootproof tpm ek --json | jq -r '.keys[] | select(.enrolled) | .ek_sha256'")]
    Ek(Verb<TpmEk>),
}

/// `bootproof tpm rc`
#[derive(Debug, Args)]
pub struct TpmRc {
    /// The code: 0x18b, 18b, 395, TPM_RC_HANDLE, or a line of a log that has it
    #[arg(value_name = "CODE")]
    pub code: String,
}

/// Which TPM to ask.
#[derive(Debug, Args)]
pub struct TpmDevice {
    /// The TPM: device:/dev/tpmrm0, swtpm:unix:PATH or swtpm:tcp:HOST:PORT; otherwise the one of this
    /// machine
    #[arg(long, visible_alias = "tpm", value_name = "ADDRESS", env = "BOOTPROOF_TPM")]
    pub device: Option<String>,
}

/// `bootproof tpm info`
#[derive(Debug, Args)]
pub struct TpmInfo {
    /// Which TPM
    #[command(flatten)]
    pub device: TpmDevice,
    /// The ACPI table TPM2, where it is not the kernel's
    #[arg(long, value_name = "FILE", env = "BOOTPROOF_ACPI_TPM2")]
    pub acpi_tpm2: Option<PathBuf>,
}

/// `bootproof tpm pcrs`
#[derive(Debug, Args)]
pub struct TpmPcrs {
    /// Which TPM
    #[command(flatten)]
    pub device: TpmDevice,
    /// A bank, such as sha256 (may be repeated); otherwise all that are on
    #[arg(long, value_name = "BANK", value_parser = bank)]
    pub bank: Vec<TpmAlgId>,
    /// The PCRs to show
    #[arg(long, value_name = "LIST", value_parser = pcrs, default_value = "0-23")]
    pub pcr: PcrSet,
}

/// `bootproof tpm ek`
#[derive(Debug, Args)]
pub struct TpmEk {
    /// Which TPM
    #[command(flatten)]
    pub device: TpmDevice,
    /// A file with roots of TPM vendors, PEM or DER (may be repeated); without, the chain is not
    /// followed
    #[arg(long, value_name = "FILE")]
    pub ek_root: Vec<PathBuf>,
    /// Print the certificate of the key that enrolment takes, and its chain from NV, as PEM
    #[arg(long)]
    pub pem: bool,
    /// Write that PEM into this file
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

fn bank(name: &str) -> Result<TpmAlgId, String> {
    TpmAlgId::from_hash_name(name).ok_or_else(|| {
        "a bank is named by its hash: sha1, sha256, sha384, sha512, sm3_256".to_owned()
    })
}

fn pcrs(list: &str) -> Result<PcrSet, String> {
    super::pcrs_up_to(23, list)
}
