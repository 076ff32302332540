//! Attempts to boot.

/// One attempt: the firmware starts a boot entry, or an application is loaded where none is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// The event by which the firmware says that it starts an entry. Some firmware says nothing.
    pub called: Option<u32>,
    /// The event by which it says that the entry came back.
    pub returned: Option<u32>,
    /// Applications that were loaded meanwhile.
    pub n_applications: u32,
    /// Whether a later attempt follows.
    pub is_last: bool,
}

/// What became of an attempt, as far as the log tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It came back, and no application was measured: there was none, or the firmware refused it.
    /// Firmware that checks signatures before it measures leaves no trace of a refused image.
    NothingStarted,
    /// What it had loaded came back, by itself or because an image was refused.
    CameBack,
    /// The last one, which did not come back: this is what runs.
    TookOver,
    /// The last one, in which no application was measured.
    NothingMeasured,
    /// It is not told, and another attempt follows.
    NotTold,
}

impl Outcome {
    /// The words in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NothingStarted => "nothing started",
            Self::CameBack => "came back",
            Self::TookOver => "took over",
            Self::NothingMeasured => "nothing measured",
            Self::NotTold => "not told",
        }
    }
}

impl Attempt {
    /// What became of it.
    pub const fn outcome(&self) -> Outcome {
        match (self.returned, self.n_applications, self.is_last) {
            (Some(_), 0, _) => Outcome::NothingStarted,
            (Some(_), _, _) => Outcome::CameBack,
            (None, 0, true) => Outcome::NothingMeasured,
            (None, _, true) => Outcome::TookOver,
            (None, _, false) => Outcome::NotTold,
        }
    }
}

/// The attempts as they are read.
#[derive(Default)]
pub(super) struct Attempts {
    told: Vec<Attempt>,
    n: u32,
    is_under_way: bool,
}

impl Attempts {
    fn begin(&mut self, called: Option<u32>) {
        self.n = self.n.saturating_add(1);
        self.is_under_way = true;
        if self.told.len() < super::ATTEMPTS_MAX {
            let number = self.n;
            let attempt =
                Attempt { number, called, returned: None, n_applications: 0, is_last: false };
            self.told.push(attempt);
        }
    }

    /// The attempt that is under way, where it is among those that are told.
    fn current(&mut self) -> Option<&mut Attempt> {
        let n = self.n;
        self.told.last_mut().filter(|attempt| attempt.number == n)
    }

    pub(super) fn called(&mut self, event: u32) {
        self.begin(Some(event));
    }

    pub(super) fn returned(&mut self, event: u32) {
        if std::mem::take(&mut self.is_under_way)
            && let Some(attempt) = self.current()
        {
            attempt.returned = Some(event);
        }
    }

    pub(super) fn application(&mut self) {
        if !self.is_under_way {
            self.begin(None);
        }
        if let Some(attempt) = self.current() {
            attempt.n_applications = attempt.n_applications.saturating_add(1);
        }
    }

    /// The number of the attempt that is under way or was last.
    pub(super) const fn number(&self) -> Option<u32> {
        match self.n {
            0 => None,
            n => Some(n),
        }
    }

    pub(super) fn finish(mut self) -> Vec<Attempt> {
        if let Some(last) = self.current() {
            last.is_last = true;
        }
        self.told
    }
}
