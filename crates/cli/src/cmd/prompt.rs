//! Accounts and passwords, asked of a person: what is typed as a password is not shown.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// Most bytes of an answer: passwords have 256 characters at most.
const ANSWER_BYTES_MAX: u64 = 1024;

/// Asks for user name and password; `None` where nobody is there to ask.
pub(crate) fn account() -> io::Result<Option<(String, Zeroizing<String>)>> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(None);
    }
    let user = line("user name of the BMCs: ")?;
    let password = silent_line("password: ")?;
    Ok(Some((user.trim().to_owned(), password)))
}

/// Asks for something secret; `None` where nobody is there to ask.
pub(crate) fn secret(question: &str) -> io::Result<Option<Zeroizing<String>>> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(None);
    }
    silent_line(question).map(Some)
}

fn silent_line(question: &str) -> io::Result<Zeroizing<String>> {
    let silence = Silence::begin()?;
    let answer = line(question)?;
    drop(silence);
    let _ = writeln!(io::stderr().lock());
    Ok(answer)
}

fn line(question: &str) -> io::Result<Zeroizing<String>> {
    let mut stderr = io::stderr().lock();
    write!(stderr, "{question}")?;
    stderr.flush()?;
    let mut answer = Zeroizing::new(String::new());
    io::stdin().lock().take(ANSWER_BYTES_MAX).read_line(&mut answer)?;
    let length = answer.trim_end_matches(['\r', '\n']).len();
    answer.truncate(length);
    Ok(answer)
}

/// A terminal that shows nothing of what is typed, until this is dropped.
struct Silence(Termios);

impl Silence {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
