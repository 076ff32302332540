//! Streams through the matcher: what they are, and what is in them, `unpack` finds out.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Read},
    path::Path,
    sync::Arc,
};

use api::diagnosis::Unread;
use diagnose::{Diagnosis, HostName, Lines, Matcher, Place, Year};
use indicatif::ProgressBar;
use unpack::{Limits, Member, UnpackError, Visitor};

use super::input::{self, Input};

/// What is read at once: large enough for the disk, small enough for the processor's cache.
const BLOCK_BYTES: usize = 256 * 1024;
/// What could not be read: nobody reads more names.
const UNREAD_MAX: usize = 1000;
/// What is read of a file of host names: some thousand lines.
const HOSTS_FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What is read, and what came of it.
pub(super) struct Reading<'a> {
    matcher: &'a Matcher,
    block: Vec<u8>,
    /// What was found.
    pub(super) diagnosis: Diagnosis,
    /// How much was read.
    pub(super) read: api::diagnosis::Read,
}

impl<'a> Reading<'a> {
    /// Nothing read yet, but for what was not `unread` already.
    pub(super) fn new(matcher: &'a Matcher, unread: Vec<Unread>) -> Self {
        let read = api::diagnosis::Read { unread, ..Default::default() };
        Self { matcher, block: vec![0; BLOCK_BYTES], diagnosis: Diagnosis::new(), read }
    }

    /// Reads `input` to its end. What was read before an error counts, and the error is kept.
    pub(super) fn input(&mut self, input: &Input, bar: &ProgressBar) {
        bar.set_message(input.name.clone());
        let stream: io::Result<Box<dyn Read>> = match &input.path {
            Some(path) => File::open(path).map(|file| Box::new(file) as Box<dyn Read>),
            None => Ok(Box::new(io::stdin().lock())),
        };
        let ended = stream.map_err(UnpackError::from).and_then(|stream| {
            let mut texts = Texts { reading: self, input };
            unpack::walk(&mut bar.wrap_read(stream), Limits::default(), &mut texts)
        });
        if let Err(err) = ended {
            self.note(&input.name, &err);
        }
    }

    fn note(&mut self, name: &str, why: &UnpackError) {
        match self.read.unread.len() {
            ..UNREAD_MAX => self.read.unread.push(input::unread(name, why)),
            UNREAD_MAX => self.read.unread.push(input::unread("others", &"more than are told")),
            _ => {}
        }
    }

    fn lines(&mut self, stream: &mut dyn Read, place: &Place) -> io::Result<()> {
        let diagnosis = &mut self.diagnosis;
        let mut found = |number, line: &[u8], hits: &[_]| diagnosis.line(place, number, line, hits);
        let mut lines = Lines::new();
        self.read.files += 1;
        let ended = loop {
            match stream.read(&mut self.block) {
                Ok(0) => break Ok(()),
                Ok(n) => {
                    lines.push(self.matcher, &self.block[..n], &mut found);
                    self.read.bytes += n as u64;
                }
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) => break Err(err),
            }
        };
        let lines = lines.finish(self.matcher, &mut found);
        diagnosis.ended(place, lines.order());
        self.read.lines += lines.n_lines();
        self.read.lines_cut += lines.n_lines_cut();
        ended
    }

    /// Names and addresses of hosts: `/etc/hosts`, which support bundles have.
    fn hosts_file(&mut self, stream: &mut dyn Read) -> io::Result<()> {
        self.read.files += 1;
        let mut stream = BufReader::new(stream.take(HOSTS_FILE_BYTES_MAX));
        let mut line = Vec::new();
        while stream.read_until(b'\n', &mut line)? > 0 {
            self.diagnosis.hosts_file_line(&line);
            self.read.lines += 1;
            self.read.bytes += line.len() as u64;
            line.clear();
        }
        Ok(())
    }
}

/// The texts of an input.
struct Texts<'a, 'b> {
    reading: &'a mut Reading<'b>,
    input: &'a Input,
}

impl Texts<'_, '_> {
    fn name(&self, member: Member<'_>) -> String {
        let names = member.names.iter().map(String::as_str);
        [self.input.name.as_str()].into_iter().chain(names).collect::<Vec<_>>().join(":")
    }

    /// The host by the innermost name that has one.
    fn host(&self, member: Member<'_>) -> Option<HostName> {
        let by_name = member.names.iter().rev().find_map(|name| input::host_of(Path::new(name)));
        by_name.or_else(|| self.input.host.clone())
    }
}

impl Visitor for Texts<'_, '_> {
    fn text(&mut self, member: Member<'_>, stream: &mut dyn Read) -> io::Result<()> {
        let name = self.name(member);
        if is_hosts_file(&name) {
            return self.reading.hosts_file(stream);
        }
        let place = Place {
            file: Arc::from(name),
            host: self.host(member),
            year: match member.modified_s {
                Some(seconds) => Year::EndedAt(seconds.saturating_mul(1000)),
                None => self.input.year,
            },
        };
        self.reading.lines(stream, &place)
    }

    fn unread(&mut self, member: Member<'_>, why: UnpackError) {
        let name = self.name(member);
        self.reading.note(&name, &why);
    }
}

/// Whether a file's name is that of the file of host names: `…/etc/hosts`.
fn is_hosts_file(name: &str) -> bool {
    let mut parts = name.rsplit(['/', ':']);
    parts.next() == Some("hosts") && parts.next() == Some("etc")
}
