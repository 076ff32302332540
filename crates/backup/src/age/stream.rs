//! The payload: chunks, each sealed with its number and whether it is the last. [age-v1, payload]

use std::io::{self, Read, Write};

use aws_lc_rs::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};

use super::AgeError;

/// Bytes of a chunk.
const CHUNK: usize = 64 * 1024;

/// Bytes of a chunk's seal.
const TAG: usize = 16;

/// Whether more chunks follow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Inner,
    Last,
}

/// The nonce of chunk `n`.
fn nonce(n: u64, place: Place) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    // Eleven bytes of number, of which these are the lower eight: more chunks than that nobody writes.
    if let Some(number) = bytes.get_mut(3..11) {
        number.copy_from_slice(&n.to_be_bytes());
    }
    if let Some(last) = bytes.last_mut() {
        *last = u8::from(place == Place::Last);
    }
    Nonce::assume_unique_for_key(bytes)
}

/// Seals what is written.
pub(super) struct Sealed<W: Write> {
    out: W,
    key: LessSafeKey,
    n: u64,
    chunk: Vec<u8>,
}

impl<W: Write> Sealed<W> {
    pub(super) fn new(out: W, key: LessSafeKey) -> Self {
        Self { out, key, n: 0, chunk: Vec::with_capacity(CHUNK.saturating_add(TAG)) }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk is sealed only when more comes: until then it may be the last.
        if self.chunk.len() == CHUNK {
            self.seal(Place::Inner)?;
        }
        let (now, _) = bytes.split_at(bytes.len().min(CHUNK.saturating_sub(self.chunk.len())));
        self.chunk.extend_from_slice(now);
        Ok(now.len())
    }

    fn seal(&mut self, place: Place) -> io::Result<()> {
        let nonce = nonce(self.n, place);
        self.n = self.n.saturating_add(1);
        self.key
            .seal_in_place_append_tag(nonce, Aad::empty(), &mut self.chunk)
            .map_err(|_| io::Error::other(AgeError::Library))?;
        self.out.write_all(&self.chunk)?;
        self.chunk.clear();
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        self.seal(Place::Last)?;
        Ok(self.out)
    }
}

/// Opens what is read.
pub(super) struct Opened<R: Read> {
    input: R,
    key: LessSafeKey,
    n: u64,
    /// Sealed bytes that were read on.
    sealed: Vec<u8>,
    plain: Vec<u8>,
    given: usize,
    is_over: bool,
}

impl<R: Read> Opened<R> {
    pub(super) fn new(input: R, key: LessSafeKey) -> Self {
        let (sealed, plain) = (Vec::new(), Vec::new());
        Self { input, key, n: 0, sealed, plain, given: 0, is_over: false }
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.plain.len() {
            if self.is_over {
                return Ok(0);
            }
            self.next()?;
        }
        let rest = self.plain.get(self.given..).unwrap_or_default();
        let n = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..n), rest.get(..n)) {
            to.copy_from_slice(from);
        }
        self.given = self.given.saturating_add(n);
        Ok(n)
    }

    /// Opens the next chunk. One byte more is read than it has, to see whether it is the last.
    fn next(&mut self) -> io::Result<()> {
        let full = CHUNK.saturating_add(TAG);
        let more = full.saturating_add(1).saturating_sub(self.sealed.len());
        let more = u64::try_from(more).unwrap_or(0);
        self.input.by_ref().take(more).read_to_end(&mut self.sealed)?;
        let place = if self.sealed.len() > full { Place::Inner } else { Place::Last };
        let rest = self.sealed.split_off(self.sealed.len().min(full));
        let mut chunk = std::mem::replace(&mut self.sealed, rest);
        let n_plain = match self.key.open_in_place(nonce(self.n, place), Aad::empty(), &mut chunk) {
            Ok(plain) => plain.len(),
            Err(_) => return Err(io::Error::other(self.why(place))),
        };
        // An empty last chunk is that of an empty file.
        if place == Place::Last && n_plain == 0 && self.n > 0 {
            return Err(io::Error::other(AgeError::Changed));
        }
        chunk.truncate(n_plain);
        self.n = self.n.saturating_add(1);
        (self.plain, self.given, self.is_over) = (chunk, 0, place == Place::Last);
        Ok(())
    }

    /// What does not open as the last chunk was most likely not the last one.
    fn why(&self, place: Place) -> AgeError {
        if place == Place::Last { AgeError::Truncated } else { AgeError::Changed }
    }
}
