//! Reading files of which we know how large they may be.

use std::{
    fs::{File, TryLockError},
    io::{self, Read as _},
    path::Path,
    time::{Duration, Instant},
};

/// Between two looks whether a lock is gone: extending a PCR takes about so long.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Room for what is read first: most files are read at once then. From a buffer without room it would be read
/// in steps of 32 bytes and more, since files of securityfs and sysfs do not say how long they are.
const FIRST_READ: usize = 8 * 1024;

/// Reads `path` to its end: files of securityfs and sysfs say size 0. `None` where it is not
/// there; an error where it has more than `bytes_max`.
pub(super) fn read(path: &Path, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
    open(path)?.map(|file| rest(&file, path, bytes_max)).transpose()
}

/// The first `n` bytes of `path`, or as many as it has; `None` where it is not there.
pub(super) fn read_front(path: &Path, n: u64) -> io::Result<Option<Vec<u8>>> {
    let Some(file) = open(path)? else { return Ok(None) };
    let mut bytes = Vec::new();
    file.take(n).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Reads `path` as [`read`] does, while nobody writes it: who holds a lock on it (flock) is waited
/// for, `time` at most.
pub(super) fn read_unlocked(
    path: &Path,
    bytes_max: u64,
    time: Duration,
) -> io::Result<Option<Vec<u8>>> {
    let Some(file) = open(path)? else { return Ok(None) };
    let deadline = Instant::now() + time;
    while let Err(TryLockError::WouldBlock) = file.try_lock_shared() {
        if Instant::now() >= deadline {
            break;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    rest(&file, path, bytes_max).map(Some)
}

/// `None` where it is not there.
pub(super) fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(err) => Err(err),
    }
}

/// All that is left of `file`, which lies at `path`.
pub(super) fn rest(file: &File, path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(FIRST_READ);
    file.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > bytes_max {
        return Err(io::Error::other(format!("{} is over {bytes_max} bytes", path.display())));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_file_at_the_limit_is_read_and_one_over_it_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        assert!(read(&path, 3).unwrap().is_none());
        std::fs::write(&path, "abc").unwrap();
        assert_eq!(read(&path, 3).unwrap().unwrap(), b"abc");
        assert!(read(&path, 2).is_err());
        assert_eq!(read_front(&path, 2).unwrap().unwrap(), b"ab");
        assert_eq!(read_front(&path, 9).unwrap().unwrap(), b"abc");
    }

    #[test]
    fn a_file_that_says_size_0_is_read_to_its_end() {
        let path = Path::new("/proc/self/status");
        assert_eq!(std::fs::metadata(path).unwrap().len(), 0);
        assert!(read(path, 64 * 1024).unwrap().unwrap().len() > 100);
    }

    #[test]
    fn a_writer_is_waited_for_but_not_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, "one").unwrap();
        let writer = File::options().append(true).open(&path).unwrap();
        writer.lock().unwrap();
        let short = Duration::from_millis(20);
        assert_eq!(read_unlocked(&path, 9, short).unwrap().unwrap(), b"one");
        let reader = std::thread::spawn({
            let path = path.clone();
            move || read_unlocked(&path, 9, Duration::from_secs(60)).unwrap().unwrap()
        });
        (&writer).write_all(b" two").unwrap();
        writer.unlock().unwrap();
        assert_eq!(reader.join().unwrap(), b"one two");
        assert!(read_unlocked(&folder.path().join("none"), 9, short).unwrap().is_none());
        assert!(read_unlocked(&path, 3, short).is_err());
    }
}
