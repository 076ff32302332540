//! Streams of files, plain or gzip, through the matcher.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    sync::Arc,
};

use diagnose::{Diagnosis, Lines, Matcher, Place};
use flate2::bufread::MultiGzDecoder;
use indicatif::ProgressBar;

use super::input::Input;

/// What is read at once: large enough for the disk, small enough for the processor's cache.
const BLOCK_BYTES: usize = 256 * 1024;
/// What a file may unpack to. Rotated logs have some megabytes, the largest some gigabytes; a bomb
/// of 16 MiB unpacks to 16 GiB, in a minute.
const UNPACKED_BYTES_MAX: u64 = 16 * 1024 * 1024 * 1024;

/// Reads `input` to its end. What was read before an error counts.
pub(super) fn read(
    input: &Input,
    matcher: &Matcher,
    diagnosis: &mut Diagnosis,
    bar: &ProgressBar,
    read: &mut api::diagnosis::Read,
) -> io::Result<()> {
    bar.set_message(input.name.clone());
    let stream: Box<dyn Read> = match &input.path {
        Some(path) => Box::new(File::open(path)?),
        None => Box::new(io::stdin().lock()),
    };
    let mut packed = BufReader::with_capacity(BLOCK_BYTES, bar.wrap_read(stream));
    read.files += 1;
    // By what it holds, not by what it is called: logs are renamed when they are rotated.
    let is_gzip = packed.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    if is_gzip {
        let mut unpacked = MultiGzDecoder::new(packed).take(UNPACKED_BYTES_MAX);
        lines(&mut unpacked, input, matcher, diagnosis, read)?;
        if unpacked.limit() == 0 {
            let why = format!(
                "it unpacks to over {} GiB: the rest was left out",
                UNPACKED_BYTES_MAX >> 30
            );
            return Err(io::Error::other(why));
        }
        return Ok(());
    }
    lines(&mut packed, input, matcher, diagnosis, read)
}

fn lines(
    stream: &mut dyn Read,
    input: &Input,
    matcher: &Matcher,
    diagnosis: &mut Diagnosis,
    read: &mut api::diagnosis::Read,
) -> io::Result<()> {
    let place =
        Place { file: Arc::from(input.name.as_str()), host: input.host.clone(), year: input.year };
    let mut found = |number, line: &[u8], hits: &[_]| diagnosis.line(&place, number, line, hits);
    let mut lines = Lines::new();
    let mut block = vec![0; BLOCK_BYTES];
    let ended = loop {
        match stream.read(&mut block) {
            Ok(0) => break Ok(()),
            Ok(n) => {
                lines.push(matcher, &block[..n], &mut found);
                read.bytes += n as u64;
            }
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            Err(err) => break Err(err),
        }
    };
    let lines = lines.finish(matcher, &mut found);
    read.lines += lines.n_lines();
    read.lines_cut += lines.n_lines_cut();
    ended
}
