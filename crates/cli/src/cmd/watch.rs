//! `--watch`: what a command shows, kept true by the event stream.
//!
//! The stream says that something changed, and the server is asked what stands then: so a change that was not
//! heard of is seen with the next one, and what is shown is never put together out of events. Nobody asks again
//! and again where the stream tells; only a terminal, which shows times, is drawn anew each minute.

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::Duration,
};

use api::event::EventQuery;
use client::{Client, ClientError, EventStream};
use jiff::Timestamp;
use serde::Serialize;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::Instant,
};

use super::{Exit, local_time::time, screen};
use crate::{
    args::Watch,
    error::CliError,
    output::{Output, Rows},
};

/// Events that come together are one look: a rack that goes down is not a hundred.
const TOGETHER: Duration = Duration::from_millis(200);
/// For each second that a look takes, this many are between two: who watches 100,000 hosts is no load.
const LOOKS_APART: u32 = 4;
/// Between two tries to listen again.
const PAUSE: Duration = Duration::from_secs(2);
/// Times on a terminal are as old as this at most.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Something to look at, again and again.
pub(super) trait Sight {
    /// What the server says of it.
    type Fact: Serialize;
    /// Asks the server.
    async fn look(&self, client: &Client) -> Result<Self::Fact, CliError>;
    /// For people.
    fn show(&self, fact: &Self::Fact, output: &Output) -> Result<(), CliError>;
    /// What it means for scripts.
    fn exit(&self, fact: &Self::Fact) -> Exit;
    /// Which events may change it.
    fn events(&self) -> EventQuery {
        EventQuery::default()
    }
}

/// Shows it once, or for as long as somebody watches.
pub(super) async fn run<S: Sight>(
    sight: &S,
    watch: Watch,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    if watch.watch {
        return Watcher::new(sight, client, output)?.watch().await;
    }
    let fact = sight.look(client).await?;
    if output.is_json() {
        output.json(&fact)?;
    } else {
        sight.show(&fact, output)?;
    }
    Ok(sight.exit(&fact))
}

/// Where what is watched goes.
enum Place {
    /// Drawn over itself.
    Terminal(screen::Screen),
    /// A block for each change.
    Lines,
    /// A line of JSON for each change.
    Json,
}

struct Watcher<'a, S: Sight> {
    sight: &'a S,
    client: &'a Client,
    output: &'a Output,
    place: Place,
    query: EventQuery,
    /// What the server said last.
    fact: Option<S::Fact>,
    /// What stands on the terminal, or was written last.
    shown: String,
    exit: Exit,
    /// How long the last look took.
    look_took: Duration,
    resized: Signal,
}

/// What ends a wait.
enum Woken {
    /// Something changed, or it is time to look again.
    Look,
    /// The window has another size.
    Resized,
    /// The stream is over: the server went away, or it is time to begin another.
    StreamEnded(Option<ClientError>),
}

impl<'a, S: Sight> Watcher<'a, S> {
    fn new(sight: &'a S, client: &'a Client, output: &'a Output) -> Result<Self, CliError> {
        let place = match (output.is_json(), io::stdout().is_terminal()) {
            (true, _) => Place::Json,
            (false, true) => Place::Terminal(screen::Screen::default()),
            (false, false) => Place::Lines,
        };
        Ok(Self {
            sight,
            client,
            output,
            place,
            query: sight.events(),
            fact: None,
            shown: String::new(),
            exit: Exit::Done,
            look_took: Duration::ZERO,
            resized: signal(SignalKind::window_change())?,
        })
    }

    async fn watch(mut self) -> Result<Exit, CliError> {
        let is_terminal = matches!(self.place, Place::Terminal(_));
        if is_terminal {
            write(screen::BEGIN)?;
        }
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        // Whatever it waits for then, also for a server that does not answer.
        let ended = tokio::select! {
            ended = self.go_on() => ended,
            _ = interrupt.recv() => Ok(()),
            _ = terminate.recv() => Ok(()),
        };
        if is_terminal {
            write(screen::END)?;
        }
        match ended {
            Ok(()) => Ok(self.exit),
            // Who read it has gone away: `| head`.
            Err(err) if err.is_gone() => Ok(self.exit),
            Err(err) => Err(err),
        }
    }

    async fn go_on(&mut self) -> Result<(), CliError> {
        // First to listen, then to look: what changes in between is heard.
        let mut stream = self.client.event_stream(&self.query).await?;
        self.look().await?;
        loop {
            match self.wait(&mut stream).await? {
                Woken::Look => match self.look().await {
                    Err(err) if err.is_transient() => {
                        stream = self.listen_again(Some(err.to_string())).await?;
                    }
                    looked => looked?,
                },
                Woken::Resized => {
                    self.lay_out()?;
                    self.draw()?;
                }
                Woken::StreamEnded(why) => {
                    stream = self.listen_again(why.map(|err| err.to_string())).await?;
                }
            }
        }
    }

    /// Until something is to be done.
    async fn wait(&mut self, stream: &mut EventStream) -> Result<Woken, CliError> {
        let is_terminal = matches!(self.place, Place::Terminal(_));
        let again = tokio::time::sleep(LOOK_AGAIN);
        tokio::pin!(again);
        let apart = TOGETHER.max(self.look_took * LOOKS_APART);
        let mut look_at: Option<Instant> = None;
        loop {
            let together = look_at.unwrap_or_else(|| Instant::now() + LOOK_AGAIN);
            tokio::select! {
                next = stream.next() => match next {
                    Ok(Some(_)) => {
                        self.query.cursor = stream.cursor().map(str::to_owned);
                        look_at.get_or_insert_with(|| Instant::now() + apart);
                    }
                    Ok(None) => return Ok(Woken::StreamEnded(None)),
                    Err(err) if err.is_transient() => return Ok(Woken::StreamEnded(Some(err))),
                    Err(err) if is_forgotten(&err) => return Ok(Woken::StreamEnded(None)),
                    Err(err) => return Err(err.into()),
                },
                () = tokio::time::sleep_until(together), if look_at.is_some() => return Ok(Woken::Look),
                () = &mut again, if is_terminal => return Ok(Woken::Look),
                _ = self.resized.recv(), if is_terminal => return Ok(Woken::Resized),
            }
        }
    }

    /// Another stream behind the last event, and a look at what stands by then. A server that is away is waited
    /// for, and said to be so once.
    async fn listen_again(&mut self, why: Option<String>) -> Result<EventStream, CliError> {
        let mut said = why.is_some();
        if let Some(why) = why {
            self.remark(&format!("{why}; listening again as soon as the server is there"))?;
        }
        loop {
            let tried = match self.client.event_stream(&self.query).await {
                Ok(stream) => match self.look().await {
                    Ok(()) => {
                        if said {
                            self.remark("the server is there; nothing was missed")?;
                        }
                        return Ok(stream);
                    }
                    Err(err) => Err(err),
                },
                // What stands is asked for anyway.
                Err(err) if is_forgotten(&err) => {
                    self.query.cursor = None;
                    continue;
                }
                Err(err) => Err(err.into()),
            };
            match tried {
                Err(err) if err.is_transient() => {
                    if !said {
                        self.remark(&format!("{err}; trying again"))?;
                        said = true;
                    }
                }
                other => return other,
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Asks the server, and shows what is another thing than before.
    async fn look(&mut self) -> Result<(), CliError> {
        let begun = Instant::now();
        let fact = self.sight.look(self.client).await?;
        self.look_took = begun.elapsed();
        self.exit = self.sight.exit(&fact);
        if let Place::Json = self.place {
            let line = serde_json::to_string(&fact).map_err(io::Error::from)?;
            if line != self.shown {
                write(&format!("{line}\n"))?;
                self.shown = line;
            }
            return Ok(());
        }
        self.fact = Some(fact);
        let before = self.shown.clone();
        self.lay_out()?;
        if self.shown == before { Ok(()) } else { self.draw() }
    }

    /// What is to stand there: tables are as wide as the window is now.
    fn lay_out(&mut self) -> Result<(), CliError> {
        let rows = match self.place {
            Place::Terminal(_) => Rows::OneLine,
            Place::Lines | Place::Json => Rows::Whole,
        };
        let Some(fact) = &self.fact else { return Ok(()) };
        self.shown = self.output.collect(rows, |output| self.sight.show(fact, output))?;
        Ok(())
    }

    fn draw(&mut self) -> Result<(), CliError> {
        let now = time(Some(Timestamp::now().as_millisecond()));
        let written = match &mut self.place {
            Place::Terminal(screen) => {
                let size = rustix::termios::tcgetwinsize(io::stdout()).map_err(io::Error::from)?;
                let (columns, rows) = (usize::from(size.ws_col), usize::from(size.ws_row));
                let size = screen::Size {
                    columns: if columns == 0 { 80 } else { columns },
                    rows: if rows == 0 { 24 } else { rows },
                };
                screen.draw(&format!("{}{now}; Ctrl-C ends\n", self.shown), size)
            }
            Place::Lines => format!("--- {now}\n{}\n", self.shown),
            Place::Json => return Ok(()),
        };
        write(&written)
    }

    /// Beside what is watched: on a terminal it stands there until the next drawing.
    fn remark(&mut self, text: &str) -> Result<(), CliError> {
        match &mut self.place {
            Place::Terminal(_) => {
                let kept = std::mem::take(&mut self.shown);
                self.shown = format!("{kept}{}\n", crate::output::plain(text));
                self.draw()?;
                self.shown = kept;
                Ok(())
            }
            Place::Lines | Place::Json => {
                self.output.note(text);
                Ok(())
            }
        }
    }
}

/// Whether a cursor is too old, or of a store that is another by now.
fn is_forgotten(err: &ClientError) -> bool {
    matches!(err.code(), Some("events-forgotten" | "event-unknown"))
}

/// At once, so that nobody sees half of it.
fn write(text: &str) -> Result<(), CliError> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}
