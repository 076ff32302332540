//! The digests of an image.

use event_log::hash;
use tpm_wire::{Digest, TpmAlgId};

use crate::Image;

impl Image<'_> {
    /// The Authenticode digest, as firmware measures it into PCR 4 and finds it in db and dbx: all
    /// of the file but the checksum, the place where the headers say where signatures are, and the
    /// signatures. [UEFI-2.10 §32.4.2] `None` where we have no such hash.
    ///
    /// A file whose length is no multiple of eight is padded by who signs it: then the signed file
    /// has another digest than the one that was not signed yet.
    pub fn authenticode(&self, alg: TpmAlgId) -> Option<Digest> {
        let mut parts = Vec::with_capacity(self.sections.len().saturating_add(4));
        let part = |from: usize, to: usize| self.bytes.get(from..to).unwrap_or(&[]);
        let behind_checksum = self.checksum_at.saturating_add(4);
        parts.push(part(0, self.checksum_at));
        match self.directory_at {
            Some(at) => {
                parts.push(part(behind_checksum, at));
                parts.push(part(at.saturating_add(8), self.headers_len));
            }
            None => parts.push(part(behind_checksum, self.headers_len)),
        }
        let mut hashed = self.headers_len;
        for section in self.in_file_order() {
            parts.push(section.raw);
            hashed = hashed.saturating_add(section.raw.len());
        }
        // What is behind the sections. The offset is the sum of what was hashed, also where there
        // are gaps between sections: so says the standard, and so does firmware.
        parts.push(part(hashed.min(self.signed_at), self.signed_at));
        hash(alg, &parts)
    }

    /// The digest of the file as it lies on disk, its signature with it: what boot loaders measure
    /// into PCR 9 of a file that they read. Never what PCR 4 or dbx holds.
    pub fn flat(&self, alg: TpmAlgId) -> Option<Digest> {
        hash(alg, &[self.bytes])
    }
}
