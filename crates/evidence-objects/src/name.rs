//! Names of objects.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};

/// How the bytes of an object are packed: its name says so, so that a person can read it without a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Packed {
    /// Not at all.
    No,
    /// By zstd. [RFC 8878]
    Zstd,
}

/// The name of an object: `ab/ab12…-0123456789abcdef.zst`, the SHA-256 of the part in 64 hexadecimal digits behind the
/// first two of them, 16 random digits, and `.zst` where it is packed.
///
/// By the random digits two that bring the same part at one time do not share an object, of which one could be
/// removed while the other begins to be needed; by the digest a person, or a store that was found again, is told what
/// is in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectName(String);

/// A text is not the name of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not the name of an object of evidence")]
pub struct ObjectNameError;

/// Digits of a SHA-256.
const DIGEST_DIGITS: usize = 64;

/// Random digits: 64 bits, for the objects of one digest alone.
const RANDOM_DIGITS: usize = 16;

const ZSTD: &str = ".zst";

impl ObjectName {
    /// A name that was never used, for a part with this SHA-256. `None`: the system gives no random bytes.
    #[must_use]
    pub fn fresh(sha256: &[u8; 32], packed: Packed) -> Option<Self> {
        let mut random = [0_u8; RANDOM_DIGITS / 2];
        SystemRandom::new().fill(&mut random).ok()?;
        let digest = hex::encode(sha256);
        let folder = digest.get(..2)?;
        let ending = match packed {
            Packed::No => "",
            Packed::Zstd => ZSTD,
        };
        Some(Self(format!("{folder}/{digest}-{}{ending}", hex::encode(random))))
    }

    /// How its bytes are packed.
    #[must_use]
    pub fn packed(&self) -> Packed {
        if self.0.ends_with(ZSTD) { Packed::Zstd } else { Packed::No }
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ObjectName {
    type Err = ObjectNameError;

    fn from_str(text: &str) -> Result<Self, ObjectNameError> {
        let is_hex = |part: &str, n: usize| {
            part.len() == n && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        let (folder, rest) = text.split_once('/').ok_or(ObjectNameError)?;
        let (digest, random) = rest.split_once('-').ok_or(ObjectNameError)?;
        let random = random.strip_suffix(ZSTD).unwrap_or(random);
        let is_one = is_hex(folder, 2)
            && is_hex(digest, DIGEST_DIGITS)
            && digest.starts_with(folder)
            && is_hex(random, RANDOM_DIGITS);
        is_one.then(|| Self(text.to_owned())).ok_or(ObjectNameError)
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_is_in_it_and_is_never_given_twice() {
        let name = ObjectName::fresh(&[0xab; 32], Packed::Zstd).unwrap();
        assert!(name.as_str().starts_with(&format!("ab/{}-", "ab".repeat(32))), "{name}");
        assert_eq!(name.packed(), Packed::Zstd);
        assert_eq!(name.as_str().parse(), Ok(name.clone()));
        assert_ne!(ObjectName::fresh(&[0xab; 32], Packed::Zstd).unwrap(), name);
        let plain = ObjectName::fresh(&[1; 32], Packed::No).unwrap();
        assert_eq!(plain.packed(), Packed::No);
        assert_eq!(plain.as_str().parse(), Ok(plain));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let good = ObjectName::fresh(&[0xab; 32], Packed::No).unwrap().to_string();
        let cases = [
            String::new(),
            good.replace("ab/", "ac/"),
            good.replace("ab/", "../ab/"),
            good.replace("ab/", "AB/"),
            good.replace('/', ""),
            good.replace('-', ""),
            format!("{good}.gz"),
            format!("{good}0"),
            good.get(..good.len() - 1).unwrap().to_owned(),
            "owner".to_owned(),
        ];
        for text in cases {
            assert_eq!(text.parse::<ObjectName>(), Err(ObjectNameError), "{text}");
        }
    }
}
