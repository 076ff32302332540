//! What an attestation costs the host: time of the TPM, and time of this program.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::session::Session;

/// Where the time of an attestation went. What the server takes is in neither.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    /// Waiting for answers of the TPM.
    pub(crate) tpm: Duration,
    /// Everything that this program did besides.
    pub(crate) own: Duration,
}

impl Spent {
    /// What `work` takes with a session.
    pub(crate) fn of<T>(session: &mut Session, work: impl FnOnce(&mut Session) -> T) -> (T, Self) {
        let (begun, before) = (Instant::now(), session.tpm_busy());
        let done = work(session);
        let tpm = session.tpm_busy().saturating_sub(before);
        (done, Self { tpm, own: begun.elapsed().saturating_sub(tpm) })
    }

    /// Milliseconds of the TPM and of this program, to the hundredth.
    pub(crate) fn ms(self) -> (f64, f64) {
        let ms = |time: Duration| (time.as_secs_f64() * 100_000.0).round() / 100.0;
        (ms(self.tpm), ms(self.own))
    }
}

/// What `future` gives, and the processor's time of this program until then: not that of the future's
/// own steps, since a connection's TLS and writes are steps of a task beside it.
pub(crate) async fn cpu_during<F: Future>(future: F) -> (F::Output, Duration) {
    let before = process_time();
    let done = future.await;
    (done, process_time().saturating_sub(before))
}

/// The processor's time of all threads.
fn process_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}
