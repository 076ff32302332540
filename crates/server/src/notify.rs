//! What systemd is told of the server. Without systemd nobody is told, and nothing fails.

use std::time::Duration;

use sd_notify::NotifyState;

/// What the server is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It serves.
    Serving,
    /// It reads its configuration anew, and serves meanwhile.
    Reloading,
    /// It ends.
    Ending,
}

/// Tells systemd.
pub fn tell(phase: Phase) {
    let states = match phase {
        Phase::Serving => vec![NotifyState::Ready],
        // Type=notify-reload wants to know that this comes after its own signal.
        Phase::Reloading => match NotifyState::monotonic_usec_now() {
            Ok(now) => vec![NotifyState::Reloading, now],
            Err(_) => vec![NotifyState::Reloading],
        },
        Phase::Ending => vec![NotifyState::Stopping],
    };
    if let Err(err) = sd_notify::notify(&states) {
        tracing::warn!(%err, ?phase, "systemd was not told");
    }
}

/// Tells systemd's watchdog that the server lives, twice in the time it waits, for as long as the program
/// runs. A runtime that stands still tells nothing, and is started anew.
pub async fn feed_watchdog() {
    let Some(time) = sd_notify::watchdog_enabled() else { return std::future::pending().await };
    let mut ticks = tokio::time::interval((time / 2).max(Duration::from_millis(100)));
    loop {
        ticks.tick().await;
        if let Err(err) = sd_notify::notify(&[NotifyState::Watchdog]) {
            tracing::warn!(%err, "systemd's watchdog was not told");
        }
    }
}
