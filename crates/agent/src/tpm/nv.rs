//! Certificates that the vendor put into the TPM's NV memory.

use tpm_device::{Tpm, TpmError};
use tpm_wire::Handle;
use tpm_wire::template::NV_EK_CHAIN;

/// Certificates between EK and root that are sent: vendors have three at most.
const CHAIN_MAX: usize = 8;
/// NV indices of the chain that are read, so that a full range does not take minutes.
const CHAIN_INDICES_MAX: usize = 16;

/// The certificates between EK and root. [TCG-EK-2.6 §2.2.1.5.2] They lie one behind the other, and
/// go on in the next index where one is too small.
pub(super) fn read_chain(tpm: &mut Tpm, nv: &[Handle]) -> Result<Vec<Vec<u8>>, TpmError> {
    let (first, last) = NV_EK_CHAIN;
    let mut bytes = Vec::new();
    let indices = nv.iter().filter(|index| (first..=last).contains(*index));
    for index in indices.take(CHAIN_INDICES_MAX) {
        bytes.extend(tpm.read_nv(*index)?.unwrap_or_default());
    }
    Ok(split(&bytes))
}

/// Splits DER values that lie one behind the other; what is none is left out, padding most often.
fn split(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut certificates = Vec::new();
    while let Some((certificate, rest)) = der_len(bytes).and_then(|len| bytes.split_at_checked(len))
    {
        if certificates.len() == CHAIN_MAX {
            break;
        }
        certificates.push(certificate.to_vec());
        bytes = rest;
    }
    certificates
}

/// Bytes of the DER sequence at the front, with its header. A certificate has 256 to 65535 bytes.
fn der_len(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [0x30, 0x82, high, low, ..] => Some(4 + usize::from(u16::from_be_bytes([*high, *low]))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_split_and_padding_left_out() {
        let one = [&[0x30, 0x82, 1, 0][..], &[7; 256]].concat();
        let two = [&[0x30, 0x82, 1, 1][..], &[8; 257]].concat();
        let chain = [&one[..], &two, &[0xff; 40]].concat();
        assert_eq!(split(&chain), [one.clone(), two]);
        assert_eq!(split(&one[..259]), [[0; 0]; 0]);
        assert_eq!(split(&one.repeat(20)).len(), CHAIN_MAX);
        assert!(split(&[]).is_empty());
    }
}
