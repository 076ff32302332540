//! How far it is, on a terminal.

use std::io::{self, Read};

use indicatif::{ProgressBar, ProgressStyle};

/// A bar, which only a terminal shows.
#[derive(Clone)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Of something whose length is known: a file that is read.
    pub(crate) fn of_bytes(n_bytes: u64) -> Self {
        let bar = ProgressBar::new(n_bytes);
        let shape = "{wide_bar} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";
        bar.set_style(style(shape));
        Self(bar)
    }

    /// Of rows that come until there are no more.
    pub(crate) fn of_rows() -> Self {
        let bar = ProgressBar::new_spinner();
        bar.set_style(style("{spinner} {human_pos} rows, {per_sec}, {elapsed}"));
        Self(bar)
    }

    pub(crate) fn at(&self, n: u64) {
        self.0.set_position(n);
    }

    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }

    /// Goes on with what is read.
    pub(crate) fn reading<R: Read>(&self, input: R) -> impl Read + use<R> {
        Counted { input, bar: self.0.clone() }
    }
}

fn style(shape: &str) -> ProgressStyle {
    ProgressStyle::with_template(shape).unwrap_or_else(|_| ProgressStyle::default_bar())
}

struct Counted<R> {
    input: R,
    bar: ProgressBar,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(buffer)?;
        self.bar.inc(u64::try_from(n).unwrap_or(u64::MAX));
        Ok(n)
    }
}
