//! What the stub of a unified kernel image measures into PCR 11. [UAPI.5]
//!
//! Each section that the stub knows is measured by two events, in an order that does not follow the
//! file: the name with a NUL behind it, then the content. Later, while the system starts, a word is
//! measured at the end of each phase, so PCR 11 has several values that are right.

use event_log::hash;
use tpm_wire::{Digest, TpmAlgId};

use crate::Image;

/// The PCR.
pub const PCR: u32 = 11;

/// Words that are measured while the system starts, in their order: before the initrd does its
/// work, before it leaves for the root file system, when basic services begin, when all are up.
pub const PHASES: [&str; 4] = ["enter-initrd", "leave-initrd", "sysinit", "ready"];

/// Sections in the order in which they are measured, and the release of the stub that was the first
/// to do so.
const ORDER: [(&str, u32); 10] = [
    (".linux", 252),
    (".osrel", 252),
    (".cmdline", 252),
    (".initrd", 252),
    (".ucode", 256),
    (".splash", 252),
    (".dtb", 252),
    (".uname", 254),
    (".sbat", 254),
    (".pcrpkey", 252),
];

/// Sections of which the stub takes those that fit the machine or the choice at boot.
const CHOSEN: [&str; 4] = [".profile", ".dtbauto", ".hwids", ".efifw"];

/// Why PCR 11 cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UkiError {
    /// No kernel inside: another program.
    #[error("it has no section .linux, so it is no unified kernel image")]
    NotUki,
    /// Its stub does not say which release of systemd it is from.
    #[error("its stub does not say that it is one of systemd, so what it measures is not known")]
    UnknownStub,
    /// A release of which it is not known for sure which sections it measures.
    #[error("its stub is of release {release}: what it measures is known of 252, and from 254 on")]
    Release {
        /// The release.
        release: u32,
    },
    /// What is measured is chosen at boot.
    #[error("it has a section {name}: what is measured is chosen while the machine boots")]
    Chosen {
        /// The section.
        name: &'static str,
    },
    /// A section that is there twice.
    #[error("it has the section {name} twice")]
    Twice {
        /// The section.
        name: &'static str,
    },
    /// A section that is larger in memory than in the file.
    #[error("its section {name} is larger in memory than in the file")]
    Memory {
        /// The section.
        name: &'static str,
    },
}

/// A section, as it is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured<'a> {
    /// Its name, without the NUL that is measured with it.
    pub name: &'static str,
    /// Its content.
    pub content: &'a [u8],
}

impl Measured<'_> {
    /// The digests of its two events, in their order; `None` where we have no such hash.
    pub fn digests(&self, alg: TpmAlgId) -> Option<[Digest; 2]> {
        Some([hash(alg, &[self.name.as_bytes(), &[0]])?, hash(alg, &[self.content])?])
    }
}

/// The release of systemd that the stub says it is of.
pub fn stub_release(image: &Image<'_>) -> Option<u32> {
    const BEFORE: &[u8] = b"#### LoaderInfo: systemd-stub ";
    let text = image.named(b".sdmagic").next()?.raw;
    let digits = text.strip_prefix(BEFORE)?;
    let len = digits.iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    core::str::from_utf8(digits.get(..len)?).ok()?.parse().ok()
}

/// What the stub measures, in its order.
pub fn measured_sections<'a>(image: &Image<'a>) -> Result<Vec<Measured<'a>>, UkiError> {
    if image.named(b".linux").next().is_none() {
        return Err(UkiError::NotUki);
    }
    let release = stub_release(image).ok_or(UkiError::UnknownStub)?;
    if release < 252 || release == 253 {
        return Err(UkiError::Release { release });
    }
    let is_there = |name: &&str| image.named(name.as_bytes()).next().is_some();
    if let Some(name) = CHOSEN.into_iter().find(is_there) {
        return Err(UkiError::Chosen { name });
    }
    let mut measured = Vec::new();
    for (name, _) in ORDER.into_iter().filter(|(_, since)| *since <= release) {
        let mut sections = image.named(name.as_bytes());
        let Some(section) = sections.next() else { continue };
        if sections.next().is_some() {
            return Err(UkiError::Twice { name });
        }
        let content = section.content().ok_or(UkiError::Memory { name })?;
        // An empty section counts as one that is not there.
        if !content.is_empty() {
            measured.push(Measured { name, content });
        }
    }
    // A kernel of no bytes is none.
    let has_kernel = measured.first().is_some_and(|first: &Measured<'_>| first.name == ".linux");
    if has_kernel { Ok(measured) } else { Err(UkiError::NotUki) }
}

/// The values of PCR 11: behind the last section, then at each phase, in their order. `None` where
/// we have no such hash.
pub fn values(sections: &[Measured<'_>], alg: TpmAlgId) -> Option<[Digest; PHASES.len() + 1]> {
    let mut value = Digest::filled(0, alg.digest_len()?)?;
    for section in sections {
        for digest in section.digests(alg)? {
            value = hash(alg, &[value.as_bytes(), digest.as_bytes()])?;
        }
    }
    let mut all = [value; PHASES.len() + 1];
    for (phase, slot) in PHASES.into_iter().zip(all.iter_mut().skip(1)) {
        let word = hash(alg, &[phase.as_bytes()])?;
        value = hash(alg, &[value.as_bytes(), word.as_bytes()])?;
        *slot = value;
    }
    Some(all)
}
