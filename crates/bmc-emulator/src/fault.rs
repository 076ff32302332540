//! What real BMCs do wrong, as switches.

/// One thing that a BMC does wrong while it is switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    // On the wire.
    /// No answer, ever; the connection stays.
    Hang,
    /// The connection is dropped before TLS.
    Refuse,
    /// 503 without a body.
    Unavailable,
    /// 308 to another path of the same BMC, which redirects again, for ever.
    RedirectLoop,
    /// 308 to another host.
    RedirectElsewhere,
    /// 200 with a page for people.
    Html,
    /// A JSON body of 100 MB.
    HugeJson,
    /// Arrays in arrays, 100,000 deep.
    DeepJson,
    /// Content-Length names more than comes.
    LyingContentLength,
    /// The body is cut in the middle, and its length says so.
    CutJson,

    // Sessions.
    /// The session of the request is forgotten before the request is looked at.
    SessionLost,
    /// No session can be made: all places are taken.
    SessionLimit,
    /// No sessions at all: only basic authentication.
    NoSessions,

    // Settings.
    /// The change is taken, and the answer is 400 all the same.
    TakesAndSays400,
    /// The change is refused: the machine is locked down.
    LockedDown,
    /// 200, and the change is forgotten.
    ForgetsSettings,
    /// The ETag changes between reading and writing: 412.
    EtagMoves,
    /// A job that somebody else made waits already.
    ForeignJob,
    /// The job stays at `PR30`, Scheduled, for ever.
    JobStuck,
    /// The job ends as failed; nothing is changed.
    JobFails,
    /// Current attributes show the new values as soon as they are pending.
    AttributesLie,
    /// The firmware drops what is pending at the reset, and says nothing.
    SettingsIgnored,
    /// The firmware refuses what was accepted: a message beside the settings, and nothing is changed.
    RefusedAtBoot,

    // Resets.
    /// The operating system ignores a wish to end: GracefulRestart and GracefulShutdown do nothing.
    GracefulIgnored,
    /// The reset action answers 409.
    ResetRefused,
    /// The BMC restarts with the host: connections are dropped, then 503, and sessions are gone.
    BmcRestarts,
    /// The BMC restarts with the host, and what was pending is gone.
    BmcRestartsAndForgets,
    /// The host never leaves its power-on self test.
    NeverBoots,
    /// Secure Boot is in force only after two boots.
    SecureBootNeedsTwoBoots,
    /// Secure Boot is wanted and never comes into force.
    SecureBootNever,
}

impl Fault {
    /// All faults, for tests that go through them.
    pub const ALL: [Self; 30] = [
        Self::Hang,
        Self::Refuse,
        Self::Unavailable,
        Self::RedirectLoop,
        Self::RedirectElsewhere,
        Self::Html,
        Self::HugeJson,
        Self::DeepJson,
        Self::LyingContentLength,
        Self::CutJson,
        Self::SessionLost,
        Self::SessionLimit,
        Self::NoSessions,
        Self::TakesAndSays400,
        Self::LockedDown,
        Self::ForgetsSettings,
        Self::EtagMoves,
        Self::ForeignJob,
        Self::JobStuck,
        Self::JobFails,
        Self::AttributesLie,
        Self::SettingsIgnored,
        Self::RefusedAtBoot,
        Self::GracefulIgnored,
        Self::ResetRefused,
        Self::BmcRestarts,
        Self::BmcRestartsAndForgets,
        Self::NeverBoots,
        Self::SecureBootNeedsTwoBoots,
        Self::SecureBootNever,
    ];
}

/// A fault, where it strikes and how often.
#[derive(Clone, Debug)]
pub struct Injection {
    pub(crate) fault: Fault,
    pub(crate) at: Option<String>,
    pub(crate) times_left: Option<u32>,
}

impl Injection {
    /// A fault that strikes everywhere, always.
    pub const fn new(fault: Fault) -> Self {
        Self { fault, at: None, times_left: None }
    }

    /// Only at paths with this part, in any case.
    #[must_use]
    pub fn at(mut self, part: &str) -> Self {
        self.at = Some(part.to_ascii_lowercase());
        self
    }

    /// Only so many times.
    #[must_use]
    pub const fn times(mut self, n: u32) -> Self {
        self.times_left = Some(n);
        self
    }
}

impl From<Fault> for Injection {
    fn from(fault: Fault) -> Self {
        Self::new(fault)
    }
}

/// The faults that are switched on.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Injection>);

impl Faults {
    pub(crate) fn add(&mut self, injection: Injection) {
        self.0.push(injection);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether `fault` strikes at `path` now; a strike is counted.
    pub(crate) fn strikes(&mut self, fault: Fault, path: &str) -> bool {
        let path = path.to_ascii_lowercase();
        let found = self.0.iter_mut().find(|injection| {
            injection.fault == fault
                && injection.times_left != Some(0)
                && injection.at.as_deref().is_none_or(|part| path.contains(part))
        });
        let Some(injection) = found else { return false };
        if let Some(left) = &mut injection.times_left {
            *left -= 1;
        }
        true
    }

    /// As [`Self::strikes`], for what belongs to no path.
    pub(crate) fn on(&mut self, fault: Fault) -> bool {
        self.strikes(fault, "")
    }
}
