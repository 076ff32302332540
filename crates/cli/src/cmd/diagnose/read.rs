//! Streams through the matcher: plain or gzip, and archives of such, in one another.

use std::{
    cell::Cell,
    fs::File,
    io::{self, BufReader, Cursor, Read},
    path::Path,
    rc::Rc,
    sync::Arc,
};

use api::diagnosis::Unread;
use diagnose::{Diagnosis, Lines, Matcher, Place, Year};
use flate2::bufread::MultiGzDecoder;
use indicatif::ProgressBar;

use super::{
    input::{self, Input},
    tar,
};

/// What is read at once: large enough for the disk, small enough for the processor's cache.
const BLOCK_BYTES: usize = 256 * 1024;
/// What a file may unpack to, all that is packed in it together. Support bundles have some
/// gigabytes; a bomb ends here after a minute.
pub(super) const UNPACKED_BYTES_MAX: u64 = 16 * 1024 * 1024 * 1024;
/// Layers of packing: a rotated log in a bundle in a bundle has five.
const LAYERS_MAX: usize = 8;
/// What could not be read: nobody reads more names.
const UNREAD_MAX: usize = 1000;

/// What is read, and what came of it.
pub(super) struct Reading<'a> {
    matcher: &'a Matcher,
    unpacked_bytes_max: u64,
    /// What was found.
    pub(super) diagnosis: Diagnosis,
    /// How much was read.
    pub(super) read: api::diagnosis::Read,
}

/// How much may still be unpacked.
type Left = Rc<Cell<u64>>;

impl<'a> Reading<'a> {
    /// Nothing read yet, but for what was not `unread` already.
    pub(super) fn new(matcher: &'a Matcher, unpacked_bytes_max: u64, unread: Vec<Unread>) -> Self {
        let read = api::diagnosis::Read { unread, ..Default::default() };
        Self { matcher, unpacked_bytes_max, diagnosis: Diagnosis::new(), read }
    }

    /// Reads `input` to its end. What was read before an error counts, and the error is kept.
    pub(super) fn input(&mut self, input: &Input, bar: &ProgressBar) {
        bar.set_message(input.name.clone());
        let stream: io::Result<Box<dyn Read>> = match &input.path {
            Some(path) => File::open(path).map(|file| Box::new(file) as Box<dyn Read>),
            None => Ok(Box::new(io::stdin().lock())),
        };
        let place = Place {
            file: Arc::from(input.name.as_str()),
            host: input.host.clone(),
            year: input.year,
        };
        let left = Rc::new(Cell::new(self.unpacked_bytes_max));
        let ended =
            stream.and_then(|stream| self.stream(&mut bar.wrap_read(stream), &place, &left, 0));
        self.note(&place, ended);
    }

    fn note(&mut self, place: &Place, ended: io::Result<()>) {
        if let Err(err) = ended {
            match self.read.unread.len() {
                ..UNREAD_MAX => self.read.unread.push(input::unread(&place.file, &err)),
                UNREAD_MAX => self.read.unread.push(input::unread("others", &"more than are told")),
                _ => {}
            }
        }
    }

    /// What `stream` is shows in what it holds, not in what it is called: logs are renamed when
    /// they are rotated.
    fn stream(
        &mut self,
        stream: &mut dyn Read,
        place: &Place,
        left: &Left,
        layer: usize,
    ) -> io::Result<()> {
        let mut head = Vec::new();
        stream.take(tar::BLOCK_BYTES as u64).read_to_end(&mut head)?;
        let is_gzip = head.starts_with(&[0x1f, 0x8b]);
        let is_tar = tar::is_header(&head);
        let mut whole = Cursor::new(head).chain(stream);
        if (is_gzip || is_tar) && layer == LAYERS_MAX {
            return Err(io::Error::other("it is packed too often"));
        }
        if is_gzip {
            let packed = BufReader::with_capacity(BLOCK_BYTES, whole);
            let mut unpacked = Bounded { stream: MultiGzDecoder::new(packed), left: left.clone() };
            return self.stream(&mut unpacked, place, left, layer + 1);
        }
        if is_tar {
            return self.members(&mut whole, place, left, layer + 1);
        }
        self.lines(&mut whole, place)
    }

    fn members(
        &mut self,
        archive: &mut dyn Read,
        place: &Place,
        left: &Left,
        layer: usize,
    ) -> io::Result<()> {
        while let Some(member) = tar::next(archive)? {
            let mut contents = archive.take(member.size);
            if member.is_file {
                let within = Place {
                    file: Arc::from(format!("{}:{}", place.file, member.name)),
                    host: input::host_of(Path::new(&member.name)).or_else(|| place.host.clone()),
                    year: match member.modified_s {
                        0 => place.year,
                        seconds => Year::EndedAt(seconds.saturating_mul(1000)),
                    },
                };
                // One that is damaged says nothing of those behind it.
                let ended = self.stream(&mut contents, &within, left, layer);
                self.note(&within, ended);
            }
            let unread = contents.limit();
            tar::skip(archive, member.size, unread)?;
        }
        Ok(())
    }

    fn lines(&mut self, stream: &mut dyn Read, place: &Place) -> io::Result<()> {
        let diagnosis = &mut self.diagnosis;
        let mut found = |number, line: &[u8], hits: &[_]| diagnosis.line(place, number, line, hits);
        let mut lines = Lines::new();
        let mut block = vec![0; BLOCK_BYTES];
        self.read.files += 1;
        let ended = loop {
            match stream.read(&mut block) {
                Ok(0) => break Ok(()),
                Ok(n) => {
                    lines.push(self.matcher, &block[..n], &mut found);
                    self.read.bytes += n as u64;
                }
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) => break Err(err),
            }
        };
        let lines = lines.finish(self.matcher, &mut found);
        self.read.lines += lines.n_lines();
        self.read.lines_cut += lines.n_lines_cut();
        ended
    }
}

/// A stream that ends in an error when more was unpacked than may be.
struct Bounded<R> {
    stream: R,
    left: Left,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        let n = self.stream.read(block)?;
        match self.left.get().checked_sub(n as u64) {
            Some(left) => {
                self.left.set(left);
                Ok(n)
            }
            None => {
                self.left.set(0);
                Err(io::Error::other("it unpacks to more than is read: the rest was left out"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Lines, bytes and reasons of what is read of `bytes`, with `unpacked_bytes_max`.
    fn read(bytes: &[u8], unpacked_bytes_max: u64) -> (u64, u64, Vec<String>) {
        let matcher = Matcher::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, bytes).unwrap();
        let (inputs, unread) = input::find(&[path]);
        let mut reading = Reading::new(&matcher, unpacked_bytes_max, unread);
        inputs.iter().for_each(|input| reading.input(input, &ProgressBar::hidden()));
        let why = reading.read.unread.into_iter().map(|unread| unread.why).collect();
        (reading.read.lines, reading.read.bytes, why)
    }

    #[test]
    fn a_bomb_ends_at_the_limit_whatever_it_is_packed_in() {
        let bomb = gzip(&vec![b'\n'; 8 << 20]);
        assert_eq!(read(&bomb, 8 << 20), (8 << 20, 8 << 20, Vec::new()));
        for packed in [bomb.clone(), gzip(&bomb)] {
            let (_, bytes, why) = read(&packed, 1 << 20);
            assert!(bytes <= 1 << 20);
            assert_eq!(why, ["it unpacks to more than is read: the rest was left out"]);
        }
    }

    #[test]
    fn layers_are_counted() {
        let mut packed = b"a line\n".to_vec();
        for _ in 0..LAYERS_MAX {
            packed = gzip(&packed);
        }
        assert_eq!(read(&packed, 1 << 20), (1, 7, Vec::new()));
        assert_eq!(read(&gzip(&packed), 1 << 20).2, ["it is packed too often"]);
    }
}
