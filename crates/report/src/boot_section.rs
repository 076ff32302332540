//! The part of a judgement's document that is the same from one boot of a host to the next: most of it.

use std::sync::Arc;

use api::appraisal::{Appraisal, Facts};
use event_log::sha256;

/// What a document tells of a boot, apart from it: what booted, Secure Boot, the log and the quoted
/// values. A store keeps it once for all judgements of a boot, and of all hosts that boot the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootSection {
    json: Arc<[u8]>,
    sha256: [u8; 32],
}

impl BootSection {
    /// Takes it out of `document`, in which that is then absent.
    pub fn take(document: &mut Appraisal) -> Result<Self, serde_json::Error> {
        let whole = std::mem::take(&mut document.facts);
        let (head, boot) = parted(whole);
        document.facts = head;
        let json = serde_json::to_vec(&boot)?;
        Ok(Self { sha256: sha256(&[&json]), json: json.into() })
    }

    /// As it is stored.
    pub fn as_bytes(&self) -> &[u8] {
        &self.json
    }

    /// Over [`BootSection::as_bytes`].
    pub const fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// Bytes that it holds in memory, about.
    pub fn n_bytes(&self) -> usize {
        self.json.len().saturating_add(size_of::<Self>())
    }

    /// The document that `head` was before [`BootSection::take`], which left `stored`.
    pub fn put_back(head: Appraisal, stored: &[u8]) -> Result<Appraisal, serde_json::Error> {
        let boot: Facts = serde_json::from_slice(stored)?;
        Ok(Appraisal { facts: whole(head.facts, boot), ..head })
    }
}

/// What is new with each judgement, and what tells of the boot.
fn parted(facts: Facts) -> (Facts, Facts) {
    let none = Facts::default();
    // Each field by name, so that a new one has to be put on one of the sides.
    let Facts {
        quote_verified,
        quote,
        endorsement,
        tpm,
        interface,
        untrusted_machine,
        reference,
        secure_boot,
        setup_mode,
        event_log,
        boot,
        n_more_boot_steps,
        boot_attempts,
        windows,
        kernel_command_lines,
        secure_boot_variables,
        secure_boot_state,
        pcrs,
    } = facts;
    let head = Facts {
        quote_verified,
        quote,
        endorsement,
        tpm,
        interface,
        untrusted_machine,
        reference,
        ..none.clone()
    };
    let boot = Facts {
        secure_boot,
        setup_mode,
        event_log,
        boot,
        n_more_boot_steps,
        boot_attempts,
        windows,
        kernel_command_lines,
        secure_boot_variables,
        secure_boot_state,
        pcrs,
        ..none
    };
    (head, boot)
}

/// The opposite of [`parted`].
fn whole(head: Facts, boot: Facts) -> Facts {
    Facts {
        quote_verified: head.quote_verified,
        quote: head.quote,
        endorsement: head.endorsement,
        tpm: head.tpm,
        interface: head.interface,
        untrusted_machine: head.untrusted_machine,
        reference: head.reference,
        ..boot
    }
}
