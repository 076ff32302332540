//! The emulator's time.

use std::time::Instant;

/// Whose time a BMC keeps.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The machine's: for people who try the tool.
    Real {
        /// When the BMC started.
        since: Instant,
    },
    /// Its own: each request costs `ms_per_request`, and a test may let more go by. What waits for a
    /// reset gets there by asking, so that no test sleeps.
    Virtual {
        /// Milliseconds since the BMC started.
        now_ms: u64,
        /// Milliseconds that go by with each request.
        ms_per_request: u64,
    },
}

impl Clock {
    /// A virtual clock on which a request costs a second.
    pub const fn by_request() -> Self {
        Self::Virtual { now_ms: 0, ms_per_request: 1_000 }
    }

    /// The machine's clock, from now on.
    pub fn real() -> Self {
        Self::Real { since: Instant::now() }
    }

    pub(crate) fn now_ms(&self) -> u64 {
        match self {
            Self::Real { since } => u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX),
            Self::Virtual { now_ms, .. } => *now_ms,
        }
    }

    pub(crate) fn tick(&mut self) {
        if let Self::Virtual { now_ms, ms_per_request } = self {
            *now_ms = now_ms.saturating_add(*ms_per_request);
        }
    }

    pub(crate) fn advance(&mut self, ms: u64) {
        if let Self::Virtual { now_ms, .. } = self {
            *now_ms = now_ms.saturating_add(ms);
        }
    }
}
