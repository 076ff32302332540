//! PCR values as JSON: bank name -> PCR index -> hex.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tpm_wire::{BANKS_MAX, Digest, PcrBank, TpmAlgId};

/// PCR values by bank (`sha256`) and index. Untrusted where a host sent them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Pcrs(pub BTreeMap<String, BTreeMap<u32, String>>);

/// Why [`Pcrs`] is not one set of values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PcrsError(String);

impl std::fmt::Display for PcrsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PcrsError {}

impl Pcrs {
    /// The values as banks. A bank of a name that is no hash, an index over 23, or a value of
    /// another length than the bank's is an error.
    pub fn to_banks(&self) -> Result<Vec<PcrBank>, PcrsError> {
        if self.0.len() > BANKS_MAX {
            return Err(PcrsError(format!("{} PCR banks, {BANKS_MAX} at most", self.0.len())));
        }
        self.0.iter().map(|(name, values)| bank(name, values)).collect()
    }
}

fn bank(name: &str, values: &BTreeMap<u32, String>) -> Result<PcrBank, PcrsError> {
    let alg = TpmAlgId::from_hash_name(name)
        .ok_or_else(|| PcrsError(format!("{name:?} is no PCR bank")))?;
    let mut bank = PcrBank::new(alg);
    for (index, text) in values {
        if !digest(text).is_some_and(|value| bank.set(*index, value)) {
            return Err(PcrsError(format!("PCR {index} of {name} is not a value of this bank")));
        }
    }
    Ok(bank)
}

/// Of text in hex; in place, since each evidence has a dozen.
fn digest(text: &str) -> Option<Digest> {
    let mut bytes = [0; Digest::LEN_MAX];
    let bytes = bytes.get_mut(..text.len() / 2)?;
    hex::decode_to_slice(text, bytes).ok()?;
    Digest::new(bytes)
}

impl FromIterator<PcrBank> for Pcrs {
    fn from_iter<I: IntoIterator<Item = PcrBank>>(banks: I) -> Self {
        let banks = banks.into_iter().map(|bank| {
            let values = bank.iter().map(|(index, value)| (index, value.to_string()));
            (bank.alg().to_string(), values.collect())
        });
        Self(banks.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<PcrBank>, PcrsError> {
        serde_json::from_str::<Pcrs>(text).unwrap().to_banks()
    }

    #[test]
    fn values_must_fit_their_bank() {
        let zero = "00".repeat(32);
        let banks = parse(&format!(r#"{{"sha256":{{"7":"{zero}"}}}}"#)).unwrap();
        assert!(banks[0].get(7).unwrap().is_zero());
        assert_eq!(
            parse(&serde_json::to_string(&Pcrs::from_iter(banks.clone())).unwrap()),
            Ok(banks)
        );
        for wrong in [
            format!(r#"{{"sha256":{{"24":"{zero}"}}}}"#),
            format!(r#"{{"sha1":{{"7":"{zero}"}}}}"#),
            format!(r#"{{"md5":{{"7":"{zero}"}}}}"#),
            r#"{"sha256":{"7":"xx"}}"#.to_owned(),
            format!(r#"{{"sha256":{{"7":"{zero}0"}}}}"#),
            format!(r#"{{"sha256":{{"7":"{zero}{zero}{zero}"}}}}"#),
        ] {
            assert!(parse(&wrong).is_err(), "{wrong}");
        }
    }
}
