//! Gzip: streams behind one another, as `cat a.gz b.gz` makes them, and zeros behind them, as tapes
//! and block devices do.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

use crate::UnpackError;

const MAGIC: &[u8] = b"\x1f\x8b";

/// All streams of a file, one after another. Behind the last nothing may stand but zeros.
pub(crate) struct Gzip<R> {
    /// `None` when all is read.
    decoder: Option<GzDecoder<R>>,
}

impl<R: BufRead> Gzip<R> {
    pub(crate) fn new(stream: R) -> Self {
        Self { decoder: Some(GzDecoder::new(stream)) }
    }
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        if block.is_empty() {
            return Ok(0);
        }
        while let Some(decoder) = &mut self.decoder {
            let n = decoder.read(block)?;
            if n > 0 {
                return Ok(n);
            }
            let Some(ended) = self.decoder.take() else { break };
            let mut stream = ended.into_inner();
            skip_zeros(&mut stream)?;
            let next = stream.fill_buf()?;
            if next.is_empty() {
                break;
            }
            // A stream may give one byte at a time: the decoder finds out about the second.
            if next.first() != MAGIC.first() {
                return Err(UnpackError::Damaged("something stands behind its end").into());
            }
            self.decoder = Some(GzDecoder::new(stream));
        }
        Ok(0)
    }
}

fn skip_zeros(stream: &mut impl BufRead) -> io::Result<()> {
    loop {
        let ahead = stream.fill_buf()?;
        let n = ahead.iter().take_while(|byte| **byte == 0).count();
        let is_over = n < ahead.len() || ahead.is_empty();
        stream.consume(n);
        if is_over {
            return Ok(());
        }
    }
}
