//! What an error means for the next try.

use client::ClientError;
use tpm_device::{DeviceError, TpmError};
use tpm_wire::ResponseCode;

/// Whether the same may work later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outlook {
    /// By itself: the network comes up, a server starts, a TPM is done with something else.
    Passing,
    /// By itself, but not soon, and asking often would make it worse: the TPM's lockout.
    Slow,
    /// Not before a person changes something: a wrong token, another authority than the pinned one.
    Lasting,
}

impl Outlook {
    /// Of an error with causes: the first that we know decides.
    pub(crate) fn of(err: &anyhow::Error) -> Self {
        let known = err.chain().find_map(|cause| {
            let client = cause.downcast_ref().map(Self::of_client);
            client.or_else(|| cause.downcast_ref().map(Self::of_tpm))
        });
        known.unwrap_or(Self::Lasting)
    }

    pub(crate) fn of_client(err: &ClientError) -> Self {
        if err.is_transient() { Self::Passing } else { Self::Lasting }
    }

    pub(crate) fn of_tpm(err: &TpmError) -> Self {
        match err {
            TpmError::Refused { code, .. } if code.error() == ResponseCode::LOCKOUT => Self::Slow,
            TpmError::Refused { code, .. } if code.is_retry() => Self::Passing,
            TpmError::PcrsChanging { .. } => Self::Passing,
            // A driver that is not loaded yet, a program that has the TPM open for a while, a TPM
            // that was reset in the middle of something.
            TpmError::Device {
                source:
                    DeviceError::Missing { .. }
                    | DeviceError::Busy { .. }
                    | DeviceError::Timeout { .. }
                    | DeviceError::Io(_)
                    | DeviceError::Broken,
                ..
            } => Self::Passing,
            _ => Self::Lasting,
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;
    use api::problem::Problem;

    use super::*;

    fn refused(code: u32) -> TpmError {
        TpmError::Refused { command: "TPM2_Quote", code: ResponseCode(code) }
    }

    #[test]
    fn a_tpm_that_is_busy_passes_and_its_lockout_is_left_in_peace() {
        for code in [0x922, 0x908, 0x90a, 0x920, 0x923] {
            assert_eq!(Outlook::of_tpm(&refused(code)), Outlook::Passing, "{code:#x}");
        }
        assert_eq!(Outlook::of_tpm(&refused(0x921)), Outlook::Slow);
        // TPM_RC_INITIALIZE, TPM_RC_AUTH_FAIL: somebody has to do something.
        for code in [0x100, 0x98e] {
            assert_eq!(Outlook::of_tpm(&refused(code)), Outlook::Lasting, "{code:#x}");
        }
        let device = |source| TpmError::Device { command: "opening the TPM", source };
        assert_eq!(Outlook::of_tpm(&device(DeviceError::Broken)), Outlook::Passing);
        let denied = DeviceError::Denied {
            address: "device:/dev/tpmrm0".parse().unwrap(),
            source: std::io::ErrorKind::PermissionDenied.into(),
        };
        assert_eq!(Outlook::of_tpm(&device(denied)), Outlook::Lasting);
    }

    #[test]
    fn the_first_known_cause_decides_and_an_unknown_one_lasts() {
        let busy: Result<(), _> = Err(refused(0x922));
        let err = busy.context("the TPM's keys cannot be had").unwrap_err();
        assert_eq!(Outlook::of(&err), Outlook::Passing);
        assert_eq!(Outlook::of(&anyhow::anyhow!("no room on the disk")), Outlook::Lasting);
    }

    #[test]
    fn a_refusal_of_the_server_lasts_and_its_trouble_passes() {
        let problem = |status| {
            let title = "no".to_owned();
            let code = "x".to_owned();
            ClientError::Problem(Problem { code, status, title, hint: None, request_id: None })
        };
        for status in [429, 500, 503] {
            assert_eq!(Outlook::of_client(&problem(status)), Outlook::Passing, "{status}");
        }
        for status in [400, 401, 403, 404, 409] {
            assert_eq!(Outlook::of_client(&problem(status)), Outlook::Lasting, "{status}");
        }
    }
}
