//! How much is unpacked.

use std::{
    cell::Cell,
    io::{self, Read},
    rc::Rc,
};

use crate::UnpackError;

/// How much of one file is unpacked, all that is packed in it together.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes, of all layers together.
    pub unpacked_bytes_max: u64,
    /// How many times the bytes of the file itself, once more than `bomb_bytes_min` came out.
    pub ratio_max: u64,
    /// What may come out of however little: it costs a second or two.
    pub bomb_bytes_min: u64,
    /// Members of archives.
    pub members_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Support bundles have some gigabytes.
            unpacked_bytes_max: 16 << 30,
            // Logs become a tenth to a fiftieth; deflate can do a thousandth, of zeros, in each layer.
            ratio_max: 250,
            bomb_bytes_min: 1 << 30,
            // A support bundle has some ten thousand.
            members_max: 1_000_000,
        }
    }
}

/// Layers of packing: a rotated log in a bundle in a bundle has five.
pub(crate) const LAYERS_MAX: usize = 8;

/// What was read and unpacked of one file so far.
#[derive(Clone)]
pub(crate) struct Spent {
    limits: Limits,
    read: Rc<Cell<u64>>,
    unpacked: Rc<Cell<u64>>,
    members: Rc<Cell<u64>>,
}

impl Spent {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, read: Rc::default(), unpacked: Rc::default(), members: Rc::default() }
    }

    /// What is over, if anything is: then nothing more is read.
    pub(crate) fn check(&self) -> Result<(), UnpackError> {
        let Limits { unpacked_bytes_max, ratio_max, bomb_bytes_min, members_max } = self.limits;
        let unpacked = self.unpacked.get();
        if unpacked > unpacked_bytes_max {
            return Err(UnpackError::TooLarge { bytes_max: unpacked_bytes_max });
        }
        if unpacked > bomb_bytes_min && unpacked / ratio_max > self.read.get() {
            return Err(UnpackError::Bomb { ratio_max });
        }
        if self.members.get() > members_max {
            return Err(UnpackError::Members { members_max });
        }
        Ok(())
    }

    /// One more member.
    pub(crate) fn member(&self) -> Result<(), UnpackError> {
        self.members.set(self.members.get().saturating_add(1));
        self.check()
    }

    /// The file itself.
    pub(crate) fn outside<R: Read>(&self, stream: R) -> impl Read + use<R> {
        Counted { stream, n: self.read.clone(), spent: None }
    }

    /// What comes out of a layer.
    pub(crate) fn unpacked<R: Read>(&self, stream: R) -> impl Read + use<R> {
        Counted { stream, n: self.unpacked.clone(), spent: Some(self.clone()) }
    }
}

/// A stream whose bytes are counted, and which ends in an error where the limits do.
struct Counted<R> {
    stream: R,
    n: Rc<Cell<u64>>,
    spent: Option<Spent>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        if let Some(spent) = &self.spent {
            spent.check()?;
        }
        let n = self.stream.read(block)?;
        self.n.set(self.n.get().saturating_add(n as u64));
        Ok(n)
    }
}
