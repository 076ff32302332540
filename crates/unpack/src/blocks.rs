//! Whole blocks of a stream, however it comes.

use std::io::{self, Read};

/// Reads blocks of one size, also from a pipe that gives less at once. How much comes out of a damaged
/// layer before its fault depends on how its unpacker is fed: by this, a file says the same however it is read.
pub(crate) struct Blocks<R> {
    stream: R,
    size: usize,
    block: Vec<u8>,
    n_given: usize,
    /// What the stream ended in, told when the bytes before it are given.
    failed: Option<io::Error>,
}

impl<R: Read> Blocks<R> {
    pub(crate) fn new(stream: R, size: usize) -> Self {
        Self { stream, size, block: Vec::new(), n_given: 0, failed: None }
    }
}

impl<R: Read> Read for Blocks<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.n_given == self.block.len() {
            if let Some(err) = self.failed.take() {
                return Err(err);
            }
            self.n_given = 0;
            self.block.clear();
            let mut next = (&mut self.stream).take(self.size as u64);
            self.failed = next.read_to_end(&mut self.block).err();
        }
        let n = (&self.block[self.n_given..]).read(out)?;
        self.n_given += n;
        match self.failed.take_if(|_| n == 0 && !out.is_empty()) {
            Some(err) => Err(err),
            None => Ok(n),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three bytes at once, then an error, once.
    struct Pipe {
        bytes: &'static [u8],
        has_failed: bool,
    }

    impl Read for Pipe {
        fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
            if self.bytes.is_empty() && !self.has_failed {
                self.has_failed = true;
                return Err(io::Error::other("cut off"));
            }
            let n = block.len().min(3);
            self.bytes.read(&mut block[..n])
        }
    }

    #[test]
    fn bytes_before_an_error_are_given_before_it() {
        let mut blocks = Blocks::new(Pipe { bytes: b"twelve bytes", has_failed: false }, 9);
        let mut sizes = Vec::new();
        let mut block = [0; 64];
        let err = loop {
            match blocks.read(&mut block) {
                Ok(n) => sizes.push(n),
                Err(err) => break err,
            }
        };
        assert_eq!(sizes, [9, 3]);
        assert_eq!(err.to_string(), "cut off");
        assert_eq!(blocks.read(&mut block).unwrap(), 0);
    }
}
