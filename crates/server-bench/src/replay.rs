//! The verification of the limit program: a signature says what PCRs are, and a log what they were made of. What
//! is read comes from hosts of the benchmark itself, so there is nothing here of what a hostile log needs.

use anyhow::{Context as _, bail, ensure};
use aws_lc_rs::digest::{Context, SHA256};

/// PCRs that a log extends. [PFP §3.3.4]
const N_PCRS: usize = 24;

/// The event that no PCR is extended by. [PFP §10.4.1]
const EV_NO_ACTION: u32 = 3;

/// What the event begins with that says in which locality the firmware began. [PFP §10.4.5.3]
const STARTUP_LOCALITY: &[u8] = b"StartupLocality\0";

/// The PCRs of the bank of SHA-256 that a crypto-agile log leads to. [PFP §10.2.2]
pub struct Replayed([[u8; 32]; N_PCRS]);

impl Replayed {
    /// Of `log`.
    pub fn of(log: &[u8]) -> anyhow::Result<Self> {
        let mut pcrs = [[0; 32]; N_PCRS];
        // The first event is of the older form: PCR, type, a digest of SHA-1, data. [PFP §10.4.5.1]
        let mut rest = Reader(log);
        rest.take(4 + 4 + 20)?;
        rest.sized()?;
        while !rest.0.is_empty() {
            let (pcr, event) = (rest.u32()?, rest.u32()?);
            let mut sha256 = None;
            for _ in 0..rest.u32()? {
                let (algorithm, n_bytes) = match rest.u16()? {
                    0x04 => (0x04, 20),
                    0x0b => (0x0b, 32),
                    0x0c => (0x0c, 48),
                    0x0d => (0x0d, 64),
                    other => bail!("a digest of algorithm {other:#x}"),
                };
                let digest = rest.take(n_bytes)?;
                if algorithm == 0x0b {
                    sha256 = Some(digest);
                }
            }
            let data = rest.sized()?;
            let pcr = pcrs.get_mut(usize::try_from(pcr)?).context("no such PCR")?;
            if event == EV_NO_ACTION {
                if let Some([locality]) = data.strip_prefix(STARTUP_LOCALITY) {
                    pcr[31] = *locality;
                }
                continue;
            }
            let mut context = Context::new(&SHA256);
            context.update(pcr);
            context.update(sha256.context("an event without SHA-256")?);
            pcr.copy_from_slice(context.finish().as_ref());
        }
        Ok(Self(pcrs))
    }

    /// The digest that a quote over these PCRs has. [TPM2-P2-1.59 §10.12.1]
    pub fn digest(&self, pcrs: impl IntoIterator<Item = u32>) -> anyhow::Result<Vec<u8>> {
        let mut context = Context::new(&SHA256);
        for pcr in pcrs {
            context.update(self.0.get(usize::try_from(pcr)?).context("no such PCR")?);
        }
        Ok(context.finish().as_ref().to_vec())
    }
}

/// Bytes of a log that are left.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> anyhow::Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n).context("the log is cut short")?;
        self.0 = rest;
        Ok(taken)
    }

    fn u16(&mut self) -> anyhow::Result<u16> {
        Ok(u16::from_le_bytes(self.take(2)?.try_into()?))
    }

    fn u32(&mut self) -> anyhow::Result<u32> {
        Ok(u32::from_le_bytes(self.take(4)?.try_into()?))
    }

    fn sized(&mut self) -> anyhow::Result<&'a [u8]> {
        let n = usize::try_from(self.u32()?)?;
        self.take(n)
    }
}

/// That the digest of a quote is this one. It is its end. [TPM2-P2-1.59 §10.12.1]
pub fn check(attest: &[u8], digest: &[u8]) -> anyhow::Result<()> {
    ensure!(attest.ends_with(digest), "the log does not lead to what the quote says");
    Ok(())
}

#[cfg(test)]
mod tests {
    use tpm_wire::TpmAlgId;

    use super::*;
    use crate::{fill::log, guest::limit_pcrs};

    #[test]
    fn a_log_leads_to_what_its_host_quotes() {
        let built = log().build();
        let replayed = Replayed::of(&built.bytes).unwrap();
        let bank = built.pcrs.iter().find(|bank| bank.alg() == TpmAlgId::SHA256).unwrap();
        for pcr in limit_pcrs().iter() {
            let value = replayed.0[usize::try_from(pcr).unwrap()];
            assert_eq!(bank.get(pcr).unwrap().as_bytes(), value, "PCR {pcr}");
        }
        let digest = replayed.digest(limit_pcrs().iter()).unwrap();
        let attest = [b"quote".as_slice(), &digest].concat();
        check(&attest, &digest).unwrap();
        // An event less is another end.
        let last = built.bytes.len() - 1;
        assert!(Replayed::of(&built.bytes[..last]).is_err(), "cut short");
        assert!(check(&attest, &replayed.digest([0]).unwrap()).is_err());
    }
}
