//! Reading files of which we know how large they may be.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

/// Reads `path` to its end: files of securityfs and sysfs say size 0. `None` where it is not
/// there; an error where it has more than `bytes_max`.
pub(super) fn read(path: &Path, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(err) => return Err(err),
    };
    let mut bytes = Vec::new();
    file.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > bytes_max {
        return Err(io::Error::other(format!("{} is over {bytes_max} bytes", path.display())));
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_at_the_limit_is_read_and_one_over_it_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        assert!(read(&path, 3).unwrap().is_none());
        std::fs::write(&path, "abc").unwrap();
        assert_eq!(read(&path, 3).unwrap().unwrap(), b"abc");
        assert!(read(&path, 2).is_err());
    }

    #[test]
    fn a_file_that_says_size_0_is_read_to_its_end() {
        let path = Path::new("/proc/self/status");
        assert_eq!(std::fs::metadata(path).unwrap().len(), 0);
        assert!(read(path, 64 * 1024).unwrap().unwrap().len() > 100);
    }
}
