//! The quote, and PCR values that belong to it.

use tpm_device::{Tpm, TpmError};
use tpm_wire::command::{Quote, QuoteResponse};
use tpm_wire::{PcrBank, PcrSelection, TpmAlgId};

use super::ak::AttestationKey;

/// How often a quote is taken anew because a PCR was extended meanwhile: a busy system extends
/// PCR 10 now and then, not eight times in a row within milliseconds.
const TRIES_MAX: u32 = 8;

/// In how many of these tries the logs must be of the same moment too. Reading a long list of IMA
/// takes longer than a quote, so that a host that starts programs all the time may never be at
/// rest for so long; what a log has beyond the quote the server can tell apart.
const TRIES_WITH_LOGS_MAX: u32 = 4;

/// A quote and the PCR values that it covers.
#[derive(Clone, Debug)]
pub struct Quoted {
    /// TPMS_ATTEST.
    pub attest: Vec<u8>,
    /// TPMT_SIGNATURE.
    pub signature: Vec<u8>,
    /// The values, one bank for each that was selected and that the TPM has.
    pub banks: Vec<PcrBank>,
}

impl AttestationKey {
    /// Signs the selected PCRs and `nonce`, 1 to 66 bytes.
    pub fn quote(
        &self,
        tpm: &mut Tpm,
        nonce: &[u8],
        selection: &PcrSelection,
    ) -> Result<QuoteResponse, TpmError> {
        tpm.run(&Quote { key: self.handle(), qualifying_data: nonce, selection: *selection })
    }

    /// A quote with the values of its PCRs, all of one moment: where a PCR was extended in between,
    /// both are taken anew.
    pub fn quote_with_pcrs(
        &self,
        tpm: &mut Tpm,
        nonce: &[u8],
        selection: &PcrSelection,
    ) -> Result<Quoted, TpmError> {
        self.quote_with_logs(tpm, nonce, selection, || ()).map(|(quoted, ())| quoted)
    }

    /// A quote, the values of its PCRs and what `read_logs` gives, all of one moment: where a PCR
    /// was extended in between, all three are taken anew. On a host that does not come to rest the
    /// logs are read after the quote: they have what it covers, and more.
    pub fn quote_with_logs<L>(
        &self,
        tpm: &mut Tpm,
        nonce: &[u8],
        selection: &PcrSelection,
        read_logs: impl Fn() -> L,
    ) -> Result<(Quoted, L), TpmError> {
        for n in 0..TRIES_MAX {
            let (banks, before) = tpm.read_pcrs(selection)?;
            let QuoteResponse { attest, signature } = self.quote(tpm, nonce, selection)?;
            let logs = (n < TRIES_WITH_LOGS_MAX).then(&read_logs);
            if tpm.pcr_update_counter()? == before {
                let quoted = Quoted { attest, signature, banks };
                return Ok((quoted, logs.unwrap_or_else(read_logs)));
            }
        }
        Err(TpmError::PcrsChanging { n_tries: TRIES_MAX })
    }
}

/// The banks that are switched on, in the TPM's order.
pub fn active_banks(tpm: &mut Tpm) -> Result<Vec<TpmAlgId>, TpmError> {
    let banks = tpm.pcr_banks()?;
    let active = banks.banks().iter().filter(|(_, set)| !set.is_empty());
    Ok(active.map(|(alg, _)| *alg).collect())
}
