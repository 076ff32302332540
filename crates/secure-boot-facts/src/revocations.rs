//! The list of revoked images that hosts are held against, and how much of it a host's dbx has.

use std::mem;

use efi::{CertType, Guid, SignatureLists};
use tpm_wire::ParseError;

use crate::date::Date;
use crate::dbx::{
    Architecture, DBX_DATE, Release, Revoked, image, n_images, n_releases, position, release_of,
    releases, releases_in,
};

/// Bytes of a list: ten times what was ever published.
pub const REVOCATIONS_BYTES_MAX: usize = 512 * 1024;

/// Entries of a list: as above. A variable of firmware holds fewer.
pub const REVOCATIONS_MAX: usize = 8192;

/// The owner under which Windows puts minimum versions of its loaders among the digests.
const SVN_OWNER: Guid = Guid::new(0x9d13_2b6c, 0x59d5, 0x4388, 0xab1c, 0x185c_fcb2_eb92);

/// What is revoked: the table of this release, and what an operator adds to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revocations {
    /// Digests of the operator's list that the table does not have, sorted.
    added: Vec<[u8; 32]>,
    /// Certificates of the operator's list.
    certificates: Vec<Vec<u8>>,
    /// How many digests the operator's list has; `None` without one.
    n_listed: Option<usize>,
    /// The time that the operator's list was signed for, where it is signed.
    signed: Option<Date>,
}

/// Why a file is no list of revocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DbxUpdateError {
    /// It is too large.
    #[error("a list of revocations has {REVOCATIONS_BYTES_MAX} bytes at most")]
    TooLarge,
    /// It has too many entries.
    #[error("a list of revocations has {REVOCATIONS_MAX} entries at most")]
    TooMany,
    /// Its structure is broken.
    #[error("it is no signed update of dbx and no signature lists")]
    Malformed(#[source] ParseError),
    /// It revokes nothing.
    #[error("it revokes nothing")]
    Empty,
}

/// What a host's dbx holds, by content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DbxState {
    /// The newest published release of which it has at least half of what that added. Releases were
    /// split and cleaned up after they came out, so that none is found whole in all dbx of its time.
    pub release: Option<Date>,
    /// Images of the list that it has, of any architecture.
    pub n_known: usize,
    /// Digests that are in no list.
    pub n_unknown: usize,
    /// Images of its architecture, or of the operator's list, that it lacks.
    pub n_missing: usize,
    /// How many of these are only in the operator's list.
    pub n_missing_of_operator: usize,
    /// Releases for its architecture that are newer than its own.
    pub n_releases_behind: usize,
    /// Which images it is taken to be about.
    pub architecture: Architecture,
}

/// Why an image is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevokedBy {
    /// It is in the published lists.
    Published(Revoked),
    /// It is in the operator's list.
    Operator,
}

/// The lists behind EFI_VARIABLE_AUTHENTICATION_2, and the day that it names. Its signature is not
/// checked: who gives the list to us can give us any. [UEFI-2.10 §8.2.2]
fn without_authentication(bytes: &[u8]) -> (&[u8], Option<Date>) {
    const TIME_LEN: usize = 16;
    let authenticated = || {
        let (time, rest) = bytes.split_first_chunk::<TIME_LEN>()?;
        let (len, header) = rest.split_first_chunk::<4>()?;
        // Revision 2.0, WIN_CERT_TYPE_EFI_GUID.
        header.starts_with(&[0x00, 0x02, 0xf1, 0x0e]).then_some(())?;
        let lists = rest.get(usize::try_from(u32::from_le_bytes(*len)).ok()?..)?;
        let [y0, y1, month, day, ..] = *time;
        let date = Date { year: u16::from_le_bytes([y0, y1]), month, day };
        Some((lists, Date::parse(&date.to_string())))
    };
    authenticated().unwrap_or((bytes, None))
}

impl Revocations {
    /// With the list in `bytes`: a signed update of dbx, or bare signature lists. What the table has
    /// stays revoked, so that an old list takes nothing away.
    pub fn with_update(bytes: &[u8]) -> Result<Self, DbxUpdateError> {
        if bytes.len() > REVOCATIONS_BYTES_MAX {
            return Err(DbxUpdateError::TooLarge);
        }
        let (lists, signed) = without_authentication(bytes);
        let mut read = Self { signed, ..Self::default() };
        let mut n = 0usize;
        let mut n_digests = 0usize;
        for list in SignatureLists::new(lists) {
            let list = list.map_err(DbxUpdateError::Malformed)?;
            for entry in list.iter() {
                n = n.saturating_add(1);
                if n > REVOCATIONS_MAX {
                    return Err(DbxUpdateError::TooMany);
                }
                if list.cert_type == CertType::X509 {
                    read.certificates.push(entry.data.to_vec());
                } else if list.cert_type == CertType::SHA256
                    && entry.owner != SVN_OWNER
                    && let Ok(sha256) = entry.data.try_into()
                {
                    n_digests = n_digests.saturating_add(1);
                    if position(entry.data).is_none() {
                        read.added.push(sha256);
                    }
                }
            }
        }
        if n == 0 {
            return Err(DbxUpdateError::Empty);
        }
        read.added.sort_unstable();
        read.added.dedup();
        read.n_listed = Some(n_digests);
        Ok(read)
    }

    /// Why the image of this Authenticode digest, SHA-256, is revoked, where it is.
    pub fn image(&self, sha256: &[u8]) -> Option<RevokedBy> {
        if let Some(image) = position(sha256).and_then(image) {
            return Some(RevokedBy::Published(image));
        }
        self.added_position(sha256).map(|_| RevokedBy::Operator)
    }

    /// Whether the operator's list revokes this certificate. Those of the published lists are for
    /// people to choose: the one that there is would stop each loader of Windows before 2024.
    pub fn certificate(&self, der: &[u8]) -> bool {
        self.certificates.iter().any(|known| known == der)
    }

    /// The day of the newest entry that is known.
    pub fn date(&self) -> Date {
        DBX_DATE
    }

    /// How many digests the operator's list has, and how many of them are in no published list that
    /// this release knows; `None` without such a list.
    pub fn of_operator(&self) -> Option<(usize, usize)> {
        self.n_listed.map(|n| (n, self.added.len()))
    }

    /// The day that the operator's list was signed for, where it is signed.
    pub fn signed(&self) -> Option<Date> {
        self.signed
    }

    fn added_position(&self, sha256: &[u8]) -> Option<usize> {
        self.added.binary_search_by(|known| known[..].cmp(sha256)).ok()
    }

    /// What of it a dbx has: `value` is that of the variable. Lists behind a broken one count as
    /// absent.
    pub fn state_of(&self, value: &[u8]) -> DbxState {
        let mut seen = vec![false; n_images()];
        let mut added = vec![false; self.added.len()];
        // Images that it has of each release, so that one walk over its entries tells all.
        let mut n_of_releases = vec![0usize; n_releases()];
        let mut n_unknown = 0usize;
        let lists = SignatureLists::new(value).map_while(Result::ok);
        for entry in lists.filter(|list| list.cert_type == CertType::SHA256).flat_map(|l| l.iter())
        {
            if let Some(at) = position(entry.data) {
                let first_time = seen.get_mut(at).is_some_and(|seen| !mem::replace(seen, true));
                let release = release_of(at).filter(|_| first_time);
                if let Some(n) = release.and_then(|at| n_of_releases.get_mut(at)) {
                    *n = n.saturating_add(1);
                }
            } else if let Some(slot) =
                self.added_position(entry.data).and_then(|at| added.get_mut(at))
            {
                *slot = true;
            } else if entry.owner != SVN_OWNER {
                n_unknown = n_unknown.saturating_add(1);
            }
        }
        let n_known_added = added.iter().filter(|seen| **seen).count();
        let n_of = |architecture| releases_in(&n_of_releases, architecture);
        // Of old releases firmware has the images of all architectures, of later ones its own.
        let oldest = releases(Architecture::X64).first().map(|release| release.date);
        let n_later = |architecture| {
            let later = releases(architecture).iter().zip(n_of(architecture));
            later.filter(|(release, _)| Some(release.date) > oldest).map(|(_, n)| *n).sum::<usize>()
        };
        let architecture = match n_later(Architecture::Aarch64) > n_later(Architecture::X64) {
            true => Architecture::Aarch64,
            false => Architecture::X64,
        };
        let (releases, n_of) = (releases(architecture), n_of(architecture));
        let mut newest_first = releases.iter().zip(n_of).rev();
        let is_there = |(release, n): &(&Release, &usize)| n.saturating_mul(2) >= release.n_added;
        let release = newest_first.find(is_there).map(|(release, _)| release.date);
        let n_all = releases.iter().map(|release| release.n_added).sum::<usize>();
        let n_lacking = added.len().saturating_sub(n_known_added);
        DbxState {
            release,
            n_known: n_of_releases.iter().sum::<usize>().saturating_add(n_known_added),
            n_unknown,
            n_missing: n_all.saturating_sub(n_of.iter().sum::<usize>()).saturating_add(n_lacking),
            n_missing_of_operator: n_lacking,
            n_releases_behind: releases.iter().filter(|r| Some(r.date) > release).count(),
            architecture,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dbx;

    /// EFI_SIGNATURE_LIST of digests.
    fn list(digests: &[[u8; 32]]) -> Vec<u8> {
        let size = u32::try_from(28 + 48 * digests.len()).unwrap();
        let sizes = [size, 0, 48].map(u32::to_le_bytes).concat();
        let entries: Vec<u8> = digests.iter().flat_map(|d| [&[9; 16][..], d].concat()).collect();
        [&CertType::SHA256.0.0[..], &sizes, &entries].concat()
    }

    fn published(up_to: Date) -> Vec<[u8; 32]> {
        let images = dbx::published(Architecture::X64);
        images.filter(|image| image.date <= up_to).map(|image| image.sha256).collect()
    }

    #[test]
    fn a_dbx_is_named_by_what_it_holds() {
        let list_of = Revocations::default();
        for (n, release) in releases(Architecture::X64).iter().enumerate() {
            let state = list_of.state_of(&list(&published(release.date)));
            assert_eq!(state.release, Some(release.date));
            assert_eq!(state.n_releases_behind, releases(Architecture::X64).len() - 1 - n);
            assert_eq!(state.n_unknown, 0);
        }
        let newest = list_of.state_of(&list(&published(DBX_DATE)));
        assert_eq!((newest.n_missing, newest.release), (0, Some(DBX_DATE)));
    }

    #[test]
    fn as_many_digests_of_something_else_are_no_release() {
        let n = published(DBX_DATE).len();
        let others: Vec<[u8; 32]> = (0..n).map(|i| [u8::try_from(i % 251).unwrap(); 32]).collect();
        let state = Revocations::default().state_of(&list(&others));
        assert_eq!((state.release, state.n_known, state.n_unknown), (None, 0, n));
        assert_eq!(state.n_missing, n);
        let empty = Revocations::default().state_of(&[]);
        assert_eq!((empty.release, empty.n_missing), (None, n));
    }

    #[test]
    fn a_digest_that_comes_twice_counts_once() {
        let first = published(DBX_DATE)[0];
        assert_eq!(Revocations::default().state_of(&list(&[first; 443])).n_known, 1);
    }

    #[test]
    fn an_operators_list_adds_and_takes_nothing_away() {
        let known = published(DBX_DATE)[0];
        let bare = list(&[[5; 32], known]);
        let read = Revocations::with_update(&bare).unwrap();
        assert_eq!(read.of_operator(), Some((2, 1)));
        assert_eq!(read.image(&[5; 32]), Some(RevokedBy::Operator));
        let others = published(DBX_DATE)[7];
        assert!(matches!(read.image(&others), Some(RevokedBy::Published(_))));
        assert_eq!(read.image(&[6; 32]), None);
        assert_eq!(read.image(&[5; 31]), None);
        let state = read.state_of(&list(&published(DBX_DATE)));
        assert_eq!(state.n_missing, 1, "the operator's own");
        assert_eq!(read.state_of(&list(&[[5; 32]])).n_unknown, 0);
    }

    #[test]
    fn a_signed_update_is_read_with_its_day() {
        let mut update = vec![0xe9, 0x07, 10, 14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        update.extend(28u32.to_le_bytes());
        update.extend([0x00, 0x02, 0xf1, 0x0e]);
        update.extend([7; 20]);
        update.extend(list(&[[5; 32]]));
        let read = Revocations::with_update(&update).unwrap();
        assert_eq!(read.signed(), Some(Date::new(2025, 10, 14)));
        assert_eq!(read.image(&[5; 32]), Some(RevokedBy::Operator));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        assert_eq!(Revocations::with_update(&[]), Err(DbxUpdateError::Empty));
        for n in 1..28 {
            let cut = &list(&[[5; 32]])[..n];
            assert!(matches!(Revocations::with_update(cut), Err(DbxUpdateError::Malformed(_))));
        }
        let large = vec![0; REVOCATIONS_BYTES_MAX + 1];
        assert_eq!(Revocations::with_update(&large), Err(DbxUpdateError::TooLarge));
        let many = list(&vec![[1; 32]; REVOCATIONS_MAX + 1]);
        assert_eq!(Revocations::with_update(&many), Err(DbxUpdateError::TooMany));
    }
}
