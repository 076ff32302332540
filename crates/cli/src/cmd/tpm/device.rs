//! Which TPM is asked, and what to do where it cannot be.

use anyhow::{Context as _, anyhow};
use findings::response_code;
use tpm_device::{Address, Tpm, TpmError};

use crate::{args::TpmDevice, error::CliError};

/// A TPM that can be asked, and where it is.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) tpm: Tpm,
    pub(super) address: Address,
}

/// Opens it to look only: what other programs left in it stays.
pub(super) fn open_to_look(device: &TpmDevice) -> Result<Opened, CliError> {
    let address = address(device)?;
    let transport = tpm_device::open(&address)
        .map_err(|source| failed(TpmError::Device { command: "opening the TPM", source }))?;
    Ok(Opened { tpm: Tpm::new(transport), address })
}

/// Opens it to make keys, for which it needs room: where no resource manager is in between, what
/// earlier programs left is flushed.
pub(super) fn open_to_make_keys(device: &TpmDevice) -> Result<Opened, CliError> {
    let address = address(device)?;
    let tpm = Tpm::open(&address).map_err(failed)?;
    Ok(Opened { tpm, address })
}

fn address(device: &TpmDevice) -> Result<Address, CliError> {
    match device.device.as_deref() {
        None | Some("") => tpm_device::discover().ok_or_else(|| {
            CliError::with_hint(
                anyhow!("this machine shows no TPM: there is neither /dev/tpmrm0 nor /dev/tpm0"),
                "switch the TPM on in the firmware's setup, and see that the kernel has its driver \
                 (tpm_tis, tpm_crb); `bootproof doctor` says what else is missing",
            )
        }),
        Some("none") => Err(CliError::with_hint(
            anyhow!("there is no TPM to ask: `none` was named"),
            "leave out --device and BOOTPROOF_TPM to ask the one of this machine",
        )),
        Some(address) => Ok(address.parse::<Address>().context("--device names no TPM")?),
    }
}

/// The error with what to do about it: what `tpm-device` knows, else what the code's row says.
pub(super) fn failed(err: TpmError) -> CliError {
    let hint = match (err.hint(), err.code()) {
        (Some(hint), _) => hint,
        (None, Some(code)) => response_code::explain(code).next_step,
        (None, None) => {
            "look into the kernel's log (`dmesg | grep -i tpm`), restart, and try again"
        }
    };
    CliError::with_hint(err, hint)
}
