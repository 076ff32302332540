//! The event log that was read before, so that it need not be read and hashed for each attestation.

use std::{
    fs::{self, Metadata},
    io,
    os::unix::fs::MetadataExt as _,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use aws_lc_rs::digest::{SHA256, digest};

use super::{event_log::LOG_BYTES_MAX, limited};

/// How long a file must have been the same before its digest is kept: what is written twice within a
/// tick of the file system's clock (10 ms at most) looks the same both times.
const SETTLED: Duration = Duration::from_secs(1);

/// What was read of a log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// All of it.
    Whole(Vec<u8>),
    /// It is the known one, which has this SHA-256.
    Known([u8; 32]),
}

/// What a file system says of a file by which it is known again. The kernel makes its log when a TPM's
/// driver starts, and the file with it: a log that is another one is another file.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    len: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(file: &Metadata) -> Self {
        Self {
            device: file.dev(),
            inode: file.ino(),
            len: file.len(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        }
    }
}

#[derive(Debug)]
struct Seen {
    stamp: Stamp,
    since: Instant,
    /// Of all that is in it, once it was settled when it was read.
    sha256: Option<[u8; 32]>,
}

/// The digest of the log that was read last. Where it were wrong, the server would judge a log that the
/// quote contradicts: a host is refused then, never accepted.
#[derive(Clone, Debug, Default)]
pub struct LogMemo(Arc<Mutex<Option<Seen>>>);

impl LogMemo {
    /// The log in `path`, or that it is the one with the digest `known_sha256`; `None` where there is none.
    pub(crate) fn read(
        &self,
        path: &Path,
        known_sha256: Option<&[u8]>,
    ) -> io::Result<Option<Read>> {
        self.read_at(path, known_sha256, Instant::now())
    }

    fn read_at(
        &self,
        path: &Path,
        known_sha256: Option<&[u8]>,
        now: Instant,
    ) -> io::Result<Option<Read>> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(known), Some(seen), Ok(file)) = (known_sha256, &*seen, fs::metadata(path))
            && let Some(sha256) = seen.sha256.filter(|sha256| sha256[..] == *known)
            && seen.stamp == Stamp::of(&file)
        {
            return Ok(Some(Read::Known(sha256)));
        }
        let Some(file) = limited::open(path)? else { return Ok(None) };
        let stamp = Stamp::of(&file.metadata()?);
        let since = match seen.take() {
            Some(seen) if seen.stamp == stamp => seen.since,
            _ => now,
        };
        let log = limited::rest(&file, path, LOG_BYTES_MAX)?;
        // Nobody compares: what would be kept is not worth a hash.
        let sha256 = known_sha256.and_then(|_| digest(&SHA256, &log).as_ref().try_into().ok());
        let is_settled = now.saturating_duration_since(since) >= SETTLED;
        *seen = Some(Seen { stamp, since, sha256: sha256.filter(|_| is_settled) });
        Ok(Some(match (sha256, known_sha256) {
            (Some(sha256), Some(known)) if sha256[..] == *known => Read::Known(sha256),
            _ => Read::Whole(log),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_known_again_by_its_file_and_read_where_that_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let sha256 = |bytes: &[u8]| digest(&SHA256, bytes);
        fs::write(&path, "one").unwrap();
        let (memo, begun) = (LogMemo::default(), Instant::now());
        let read = |known: Option<&[u8]>, s: u64| {
            memo.read_at(&path, known, begun + Duration::from_secs(s)).unwrap()
        };
        let whole = |text: &str| Some(Read::Whole(text.into()));
        let is_kept = || memo.0.lock().unwrap().as_ref().unwrap().sha256.is_some();
        let one = sha256(b"one");
        let known = Some(Read::Known(one.as_ref().try_into().unwrap()));

        assert_eq!(read(None, 0), whole("one"));
        assert_eq!(read(Some(one.as_ref()), 0), known);
        assert!(!is_kept(), "it may be written once more within a tick");
        assert_eq!(read(Some(one.as_ref()), 2), known);
        assert!(is_kept());
        assert_eq!(read(Some(one.as_ref()), 3), known);
        for other in [sha256(b"two").as_ref(), &one.as_ref()[..31], &[]] {
            assert_eq!(read(Some(other), 4), whole("one"));
        }

        // Of the same length, in the same place: another file, whatever its times.
        let other = folder.path().join("other");
        fs::write(&other, "two").unwrap();
        fs::rename(&other, &path).unwrap();
        assert_eq!(read(Some(one.as_ref()), 5), whole("two"));
        fs::write(&path, "three").unwrap();
        assert_eq!(read(Some(one.as_ref()), 6), whole("three"));
        fs::remove_file(&path).unwrap();
        assert_eq!(read(Some(one.as_ref()), 7), None);
    }
}
