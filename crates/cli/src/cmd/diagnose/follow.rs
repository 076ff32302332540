//! `bootproof diagnose --follow`: logs that grow.

use std::{
    fs::{self, File},
    io::{self, Read as _, Seek as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    time::{Duration, SystemTime},
};

use api::diagnosis as document;
use diagnose::{Event, Lines, Matcher, Place, Role, Watch};
use tokio::signal::unix::{SignalKind, signal};

use super::{input, show};
use crate::{
    cmd::{Exit, block_on, local_time},
    error::CliError,
    output::{Output, Tone, plain},
};

/// How often files are looked at: a person does not wait for it, and it costs two calls for each.
const LOOK_EVERY: Duration = Duration::from_millis(200);
const BLOCK_BYTES: usize = 64 * 1024;
/// Pieces of standard input that may wait: beyond it the writer does.
const PIECES_MAX: usize = 16;

/// Follows `paths` until it is interrupted, or until standard input ends where it is all there is.
pub(super) fn run(paths: &[PathBuf], matcher: &Matcher, output: &Output) -> Result<Exit, CliError> {
    let mut files = Vec::new();
    let mut stdin = None;
    for path in paths {
        match path.as_os_str() == "-" {
            true => stdin = Some(Piped::start()),
            false => files.push(Followed::new(path)?),
        }
    }
    let mut told = Told { watch: Watch::new(), matcher, output, is_trouble: false };
    block_on(async {
        // From here on, also while files are read for the first time.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        loop {
            for file in &mut files {
                file.look(&mut told)?;
            }
            if let Some(piped) = &mut stdin
                && piped.look(&mut told)? == Stdin::Ended
            {
                stdin = None;
                if files.is_empty() {
                    break;
                }
            }
            tokio::select! {
                _ = interrupt.recv() => break,
                _ = terminate.recv() => break,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
        Ok(if told.is_trouble { Exit::No } else { Exit::Done })
    })
}

/// What was seen and told so far.
struct Told<'a> {
    watch: Watch,
    matcher: &'a Matcher,
    output: &'a Output,
    is_trouble: bool,
}

impl Told<'_> {
    /// The next bytes of a file.
    fn push(&mut self, lines: &mut Lines, place: &Place, bytes: &[u8]) -> Result<(), CliError> {
        let mut events = Vec::new();
        lines.push(self.matcher, bytes, &mut |number, line, hits| {
            events.extend(self.watch.line(place, number, line, hits));
        });
        self.events(events)
    }

    /// A file has ended: its last line may have no line feed.
    fn finish(&mut self, lines: Lines, place: &Place) -> Result<(), CliError> {
        let mut events = Vec::new();
        lines.finish(self.matcher, &mut |number, line, hits| {
            events.extend(self.watch.line(place, number, line, hits));
        });
        self.events(events)
    }

    fn events(&mut self, events: Vec<Event>) -> Result<(), CliError> {
        for event in &events {
            self.is_trouble |= !event.is_over() && event.case.role() != Role::Harmless;
            match self.output.is_json() {
                true => self.output.json_line(&as_document(event))?,
                false => in_words(event, self.output)?,
            }
        }
        Ok(())
    }
}

/// A file that grows.
struct Followed {
    path: PathBuf,
    place: Place,
    lines: Lines,
    open: Option<Open>,
    /// Whether somebody was told that the file is not there.
    is_missing_told: bool,
}

/// A file that is read, and what it is whatever its name is now.
struct Open {
    file: File,
    identity: (u64, u64),
    n_read: u64,
}

impl Followed {
    fn new(path: &Path) -> Result<Self, CliError> {
        if path.is_dir() {
            return Err(CliError::with_hint(
                anyhow::anyhow!("{} is a folder", path.display()),
                "--follow takes the files that grow: name them, as in /var/log/syslog",
            ));
        }
        let place = Place {
            file: Arc::from(path.display().to_string()),
            host: input::host_of(path),
            year: input::ended_at(Some(SystemTime::now())),
        };
        let path = path.to_owned();
        Ok(Self { path, place, lines: Lines::new(), open: None, is_missing_told: false })
    }

    /// Reads what came since the last look. A file that was cut is read from its start, and one that
    /// was renamed to its end, then the one that has its name now.
    fn look(&mut self, told: &mut Told<'_>) -> Result<(), CliError> {
        loop {
            if self.open.is_none() && !self.open(told)? {
                return Ok(());
            }
            let Some(open) = &mut self.open else { return Ok(()) };
            self.place.year = input::ended_at(Some(SystemTime::now()));
            read(open, &mut self.lines, &self.place, told)?;
            if open.file.metadata()?.len() < open.n_read {
                told.output
                    .note(&format!("{} was cut: it is read from its start", self.place.file));
                open.file.rewind()?;
                open.n_read = 0;
                // What has no end never gets one.
                self.lines = Lines::new();
                continue;
            }
            let identity = fs::metadata(&self.path).map(|now| (now.dev(), now.ino()));
            match identity {
                Ok(identity) if identity != open.identity => {
                    // What came between the last read and the new file.
                    read(open, &mut self.lines, &self.place, told)?;
                    told.finish(std::mem::take(&mut self.lines), &self.place)?;
                    self.open = None;
                }
                // Renamed, and nothing has its name yet: its writer may still have it open.
                _ => return Ok(()),
            }
        }
    }

    /// Opens the file; whether it is there.
    fn open(&mut self, told: &Told<'_>) -> Result<bool, CliError> {
        let opened = File::open(&self.path).and_then(|file| Ok((file.metadata()?, file)));
        let (metadata, mut file) = match opened {
            Ok(opened) => opened,
            Err(err) => {
                if !self.is_missing_told {
                    told.output.note(&format!("{}: {err}; waiting for it", self.place.file));
                }
                self.is_missing_told = true;
                return Ok(false);
            }
        };
        let mut head = Vec::new();
        (&mut file).take(unpack::HEAD_BYTES as u64).read_to_end(&mut head)?;
        if unpack::is_packed(&head) {
            return Err(CliError::with_hint(
                anyhow::anyhow!("{} is packed, and does not grow", self.place.file),
                "read it without --follow, and follow the file that is written now",
            ));
        }
        file.rewind()?;
        self.is_missing_told = false;
        self.open = Some(Open { file, identity: (metadata.dev(), metadata.ino()), n_read: 0 });
        Ok(true)
    }
}

/// Reads to what is the end of the file now.
fn read(
    open: &mut Open,
    lines: &mut Lines,
    place: &Place,
    told: &mut Told<'_>,
) -> Result<(), CliError> {
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        match open.file.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(n) => {
                open.n_read += n as u64;
                told.push(lines, place, &block[..n])?;
            }
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            Err(err) => return Err(err.into()),
        }
    }
}

/// Standard input, which a thread waits for.
struct Piped {
    pieces: mpsc::Receiver<io::Result<Vec<u8>>>,
    place: Place,
    lines: Lines,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stdin {
    MayGoOn,
    Ended,
}

impl Piped {
    fn start() -> Self {
        let (send, pieces) = mpsc::sync_channel(PIECES_MAX);
        // It ends with its input, or with the process.
        std::thread::spawn(move || {
            let mut block = vec![0; BLOCK_BYTES];
            loop {
                let piece = io::stdin().read(&mut block).map(|n| block[..n].to_vec());
                let is_last = !matches!(&piece, Ok(piece) if !piece.is_empty());
                if send.send(piece).is_err() || is_last {
                    return;
                }
            }
        });
        let place = Place {
            file: Arc::from("standard input"),
            host: None,
            year: input::ended_at(Some(SystemTime::now())),
        };
        Self { pieces, place, lines: Lines::new() }
    }

    fn look(&mut self, told: &mut Told<'_>) -> Result<Stdin, CliError> {
        self.place.year = input::ended_at(Some(SystemTime::now()));
        loop {
            match self.pieces.try_recv() {
                Ok(piece) => match piece? {
                    piece if piece.is_empty() => {
                        told.finish(std::mem::take(&mut self.lines), &self.place)?;
                        return Ok(Stdin::Ended);
                    }
                    piece => told.push(&mut self.lines, &self.place, &piece)?,
                },
                Err(mpsc::TryRecvError::Empty) => return Ok(Stdin::MayGoOn),
                Err(mpsc::TryRecvError::Disconnected) => return Ok(Stdin::Ended),
            }
        }
    }
}

fn as_document(event: &Event) -> document::Event {
    document::Event {
        event: if event.is_over() { "over" } else { "began" }.to_owned(),
        host: event.host.as_ref().map(|host| host.as_str().to_owned()),
        role: event.case.role().as_str().to_owned(),
        case: show::words(&event.case),
    }
}

fn in_words(event: &Event, output: &Output) -> Result<(), CliError> {
    let words = show::words(&event.case);
    let (tone, label) = match (event.is_over(), event.case.role()) {
        (true, _) => (Tone::Good, "over"),
        (false, Role::Cause) => (Tone::Bad, "cause"),
        (false, Role::Symptom) => (Tone::Unsure, "symptom"),
        (false, Role::Harmless) => (Tone::Good, "harmless"),
    };
    let time = words.last_ms.map(|ms| local_time::time(Some(ms)) + " ").unwrap_or_default();
    let host = event.host.as_ref().map(|host| format!("{}: ", host.as_str())).unwrap_or_default();
    let label = output.paint(tone, label);
    output.line(&format!("{time}{host}{label}: {} ({})", words.says, words.signature))?;
    if event.case.role() != Role::Harmless && !event.is_over() {
        output.line(&format!("    why: {}", words.cause))?;
        output.line(&format!("    next step: {}", words.next_step))?;
    }
    for line in &words.evidence {
        output.line(&plain(&format!("    {}:{}: {}", line.file, line.line, line.text)))?;
    }
    Ok(())
}
