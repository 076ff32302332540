//! How much a file may unpack to.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// Times its size that a file may unpack to. Rows of a fleet of equal hosts unpack to a hundred times; zstd can
/// be made to unpack to more than ten thousand, for no other purpose than to fill disks.
const RATIO_MAX: u64 = 2_000;

/// Bytes that any file may unpack to.
const FREE_BYTES: u64 = 64 * 1024 * 1024;

/// A file unpacks to more than it may.
#[derive(Debug, thiserror::Error)]
#[error("it unpacks to more than {RATIO_MAX} times its size")]
pub(crate) struct Bomb;

/// Counts what is read of the packed bytes.
pub(crate) struct Packed<R> {
    inner: R,
    n_bytes: Rc<Cell<u64>>,
}

/// Ends where too much comes out of what went in.
pub(crate) struct Unpacked<R> {
    inner: R,
    n_packed: Rc<Cell<u64>>,
    n_bytes: u64,
}

/// Packed bytes that are counted, and the count.
pub(crate) fn count<R>(inner: R) -> (Packed<R>, Rc<Cell<u64>>) {
    let n_bytes = Rc::new(Cell::new(0));
    (Packed { inner, n_bytes: Rc::clone(&n_bytes) }, n_bytes)
}

impl<R> Unpacked<R> {
    pub(crate) fn new(inner: R, n_packed: Rc<Cell<u64>>) -> Self {
        Self { inner, n_packed, n_bytes: 0 }
    }

    pub(crate) fn into_inner(self) -> R {
        self.inner
    }
}

fn add(n_bytes: u64, n: usize) -> u64 {
    n_bytes.saturating_add(u64::try_from(n).unwrap_or(u64::MAX))
}

impl<R: Read> Read for Packed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.n_bytes.set(add(self.n_bytes.get(), n));
        Ok(n)
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.n_bytes = add(self.n_bytes, n);
        let allowed = self.n_packed.get().saturating_mul(RATIO_MAX).saturating_add(FREE_BYTES);
        if self.n_bytes > allowed {
            return Err(io::Error::other(Bomb));
        }
        Ok(n)
    }
}
