//! Waiting for a TPM to be there.

use std::time::Duration;

use crate::{
    session::{Presence, Session, SharedSession, TpmChoice},
    source,
};

/// Between two looks for a TPM that is absent.
pub(crate) const LOOK: Duration = Duration::from_secs(2);

/// Between two looks for one whose driver is expected any moment.
const LOOK_AT_BOOT: Duration = Duration::from_millis(100);

/// How long a driver may take to find its chip: udev loads it within seconds, and a chip that
/// starts up tests itself for two at most.
const DRIVER_TIME_MAX: Duration = Duration::from_secs(10);

/// For so long after the kernel's start drivers are still being loaded.
const BOOT_TIME_MAX: Duration = Duration::from_secs(60);

/// Waits until a TPM is there, `time` at most and ten seconds in any case. That there is none is
/// no error: a host without one joins without an identity key, and its line says so.
pub(crate) async fn wait_for_driver(
    session: &SharedSession,
    time: Option<Duration>,
) -> anyhow::Result<Presence> {
    if session.run(|session| matches!(session.choice(), TpmChoice::Without)).await? {
        return Ok(Presence::Absent);
    }
    let time = time.unwrap_or(DRIVER_TIME_MAX).min(DRIVER_TIME_MAX);
    let look = async {
        loop {
            match session.run(Session::presence).await? {
                Presence::Absent => tokio::time::sleep(LOOK_AT_BOOT).await,
                Presence::Present => return Ok(Presence::Present),
            }
        }
    };
    tokio::time::timeout(time, look).await.unwrap_or(Ok(Presence::Absent))
}

/// Waits as [`wait_for_driver`] does, where the machine has just booted: at other times a TPM that
/// is not there is absent, and the server is told so at once.
pub(crate) async fn wait_at_boot(session: &SharedSession) -> anyhow::Result<()> {
    // Where the kernel does not say how long it runs, it is not waited for.
    let up = source::host::up_s().map_or(BOOT_TIME_MAX, Duration::from_secs);
    if let Some(left) = BOOT_TIME_MAX.checked_sub(up) {
        wait_for_driver(session, Some(left)).await?;
    }
    Ok(())
}
