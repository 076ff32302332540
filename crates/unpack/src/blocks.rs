//! Whole blocks of a stream, however it comes.

use std::io::{self, BufRead, Read};

/// A buffer that reads blocks of one size, also from a pipe that gives less at once. How much comes out of a damaged
/// layer before its fault depends on how its unpacker is fed: by this, a file says the same however it is read.
pub(crate) struct Blocks<R> {
    stream: R,
    block: Vec<u8>,
    n_given: usize,
    /// What the stream ended in, told when the bytes before it are given.
    failed: Option<io::Error>,
}

/// What a block has: large enough for the disk, small enough for the processor's cache.
pub(crate) const BLOCK_BYTES: usize = 128 * 1024;

impl<R: Read> Blocks<R> {
    pub(crate) fn new(stream: R) -> Self {
        Self { stream, block: Vec::new(), n_given: 0, failed: None }
    }

    /// The next `n` bytes, less only where the stream ends; they stay to be read. Few: they are moved where a block ends
    /// in them.
    pub(crate) fn ahead(&mut self, n: usize) -> &[u8] {
        let n_left = self.block.len().saturating_sub(self.n_given);
        if n_left < n && self.failed.is_none() {
            self.block.drain(..self.n_given);
            self.n_given = 0;
            self.read_more(n - n_left);
        }
        let left = self.block.get(self.n_given..).unwrap_or_default();
        left.get(..n).unwrap_or(left)
    }

    fn read_more(&mut self, n_max: usize) {
        let mut next = (&mut self.stream).take(n_max as u64);
        self.failed = next.read_to_end(&mut self.block).err();
    }
}

impl<R: Read> BufRead for Blocks<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.n_given >= self.block.len() {
            self.n_given = 0;
            self.block.clear();
            if self.failed.is_none() {
                self.read_more(BLOCK_BYTES);
            }
            if let Some(err) = self.failed.take_if(|_| self.block.is_empty()) {
                return Err(err);
            }
        }
        Ok(self.block.get(self.n_given..).unwrap_or_default())
    }

    fn consume(&mut self, n: usize) {
        self.n_given = self.n_given.saturating_add(n).min(self.block.len());
    }
}

impl<R: Read> Read for Blocks<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(out)?;
        self.consume(n);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Some bytes at once, then an error, once.
    struct Pipe {
        bytes: Vec<u8>,
        has_failed: bool,
    }

    impl Read for Pipe {
        fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
            if self.bytes.is_empty() && !self.has_failed {
                self.has_failed = true;
                return Err(io::Error::other("cut off"));
            }
            let n = block.len().min(1000).min(self.bytes.len());
            block[..n].copy_from_slice(&self.bytes[..n]);
            self.bytes.drain(..n);
            Ok(n)
        }
    }

    fn pipe(n_bytes: usize) -> Blocks<Pipe> {
        let bytes = (0..n_bytes).map(|n| n as u8).collect();
        Blocks::new(Pipe { bytes, has_failed: false })
    }

    #[test]
    fn bytes_before_an_error_are_given_before_it() {
        let mut blocks = pipe(BLOCK_BYTES + 12);
        let mut sizes = Vec::new();
        let err = loop {
            match blocks.fill_buf().map(<[u8]>::len) {
                Ok(n) => {
                    sizes.push(n);
                    blocks.consume(n);
                }
                Err(err) => break err,
            }
        };
        assert_eq!(sizes, [BLOCK_BYTES, 12]);
        assert_eq!(err.to_string(), "cut off");
        assert_eq!(blocks.read(&mut [0; 8]).unwrap(), 0);
    }

    #[test]
    fn what_is_ahead_is_seen_where_a_block_ends_in_it() {
        let mut blocks = pipe(BLOCK_BYTES + 12);
        let mut most = vec![0; BLOCK_BYTES - 3];
        blocks.read_exact(&mut most).unwrap();
        assert_eq!(blocks.ahead(8), [253, 254, 255, 0, 1, 2, 3, 4]);
        // It stays to be read, and what is behind it, too.
        let mut rest = [0; 15];
        blocks.read_exact(&mut rest).unwrap();
        assert_eq!(rest[..4], [253, 254, 255, 0]);
        assert_eq!(rest[14], 11);
        assert!(blocks.ahead(1).is_empty());
        assert_eq!(blocks.fill_buf().unwrap_err().to_string(), "cut off");
    }
}
