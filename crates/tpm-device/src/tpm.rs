//! A TPM to ask.

use std::time::{Duration, Instant};

use tpm_wire::command::{self, Command, FRAME_LEN_MAX, FlushContext, HEADER_LEN, ResponseError};
use tpm_wire::{Handle, ResponseCode};

use crate::address::Address;
use crate::error::{DeviceError, TpmError};
use crate::transport::{Transport, open};

/// How often one command is sent again when the TPM asks for that. One time is what a TPM needs
/// after start-up; a self test can take a second or two.
const RETRIES_MAX: u32 = 20;
/// First and longest pause before a command is sent again: 20 of them are about six seconds.
const PAUSE_FIRST: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// An open TPM. It remembers every object and session that a command left in the TPM's few slots:
/// [`Tpm::scope`] flushes them on every way out, and so does dropping it.
pub struct Tpm {
    transport: Box<dyn Transport>,
    response: Vec<u8>,
    loaded: Vec<Handle>,
    kept: Vec<Handle>,
    pause_max: Duration,
    busy: Duration,
    broken: bool,
}

impl Tpm {
    /// Opens the TPM at `address`. Where no resource manager is in between, objects and sessions
    /// that an earlier program left are flushed: three of them would be all that a TPM holds.
    pub fn open(address: &Address) -> Result<Self, TpmError> {
        let transport = open(address)
            .map_err(|source| TpmError::Device { command: "opening the TPM", source })?;
        let mut tpm = Self::new(transport);
        if address.is_exclusive() {
            for first in [Handle::TRANSIENT_FIRST, Handle::LOADED_SESSION_FIRST] {
                match tpm.handles(first) {
                    Ok(handles) => handles.into_iter().for_each(|handle| tpm.flush(handle)),
                    // A TPM that cannot say so now will say why at the first real command.
                    Err(TpmError::Refused { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(tpm)
    }

    /// A TPM behind any transport.
    pub fn new(transport: Box<dyn Transport>) -> Self {
        Self {
            transport,
            response: Vec::with_capacity(FRAME_LEN_MAX),
            loaded: Vec::new(),
            kept: Vec::new(),
            pause_max: PAUSE_MAX,
            busy: Duration::ZERO,
            broken: false,
        }
    }

    /// Sends `command`, again where the TPM asks for that, and reads its response.
    pub fn run<C: Command>(&mut self, command: &C) -> Result<C::Response, TpmError> {
        let bytes = command::encode(command)
            .map_err(|source| TpmError::Encode { command: C::NAME, source })?;
        self.exchange::<C>(&bytes)?;
        if C::N_RESPONSE_HANDLES == 1 {
            // Before the rest is read, so that nothing stays in the TPM where that fails.
            let at = self.response.get(HEADER_LEN..HEADER_LEN + 4);
            if let Some(&[a, b, c, d]) = at {
                let handle = Handle(u32::from_be_bytes([a, b, c, d]));
                if handle.is_flushable() {
                    self.loaded.push(handle);
                }
            }
        }
        command::decode::<C>(&self.response).map_err(|error| match error {
            ResponseError::Code(code) => TpmError::Refused { command: C::NAME, code },
            ResponseError::Parse(source) => TpmError::Malformed { command: C::NAME, source },
        })
    }

    /// Fills `self.response` with a response that reports success.
    fn exchange<C: Command>(&mut self, command: &[u8]) -> Result<(), TpmError> {
        let failed = |source| TpmError::Device { command: C::NAME, source };
        if self.broken {
            return Err(failed(DeviceError::Broken));
        }
        let time = Duration::from_secs(C::TIME_S_MAX);
        let deadline = Instant::now() + time;
        let mut pause = PAUSE_FIRST;
        let mut n_retries = 0;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let sent = Instant::now();
            let transmitted = self.transport.transmit(command, &mut self.response, left);
            self.busy = self.busy.saturating_add(sent.elapsed());
            if let Err(source) = transmitted {
                self.broken = true;
                // The seconds to tell are those of the command, not those that were left of them.
                return Err(failed(match source {
                    DeviceError::Timeout { .. } => DeviceError::Timeout { time_s: C::TIME_S_MAX },
                    other => other,
                }));
            }
            let code = command::response_code(&self.response)
                .map_err(|source| TpmError::Malformed { command: C::NAME, source })?;
            if code.is_success() {
                return Ok(());
            }
            if !code.is_retry() || n_retries == RETRIES_MAX || left <= pause {
                return Err(TpmError::Refused { command: C::NAME, code });
            }
            n_retries += 1;
            std::thread::sleep(pause);
            pause = (pause * 2).min(self.pause_max);
        }
    }

    /// How long its answers were waited for, since it was opened or this was asked last.
    pub const fn take_busy(&mut self) -> Duration {
        std::mem::replace(&mut self.busy, Duration::ZERO)
    }

    /// Runs `body` and then flushes what it left loaded, whether it worked or not; what it passed to
    /// [`Tpm::keep`] stays.
    pub fn scope<T, E>(&mut self, body: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        let n_before = self.loaded.len();
        let result = body(self);
        while self.loaded.len() > n_before {
            if let Some(handle) = self.loaded.last().copied() {
                self.flush(handle);
            }
        }
        result
    }

    /// Takes `handle` out of every scope: it stays loaded until it is flushed by hand or the TPM is
    /// dropped.
    pub fn keep(&mut self, handle: Handle) {
        if let Some(at) = self.loaded.iter().position(|loaded| *loaded == handle) {
            self.kept.push(self.loaded.remove(at));
        }
    }

    /// Flushes a transient object or session. One that is gone already is no error, and a TPM that
    /// cannot be reached has nothing to flush for us.
    pub fn flush(&mut self, handle: Handle) {
        self.forget(handle);
        if !self.broken && handle.is_flushable() {
            drop(self.run(&FlushContext { handle }));
        }
    }

    /// Flushes all that was left loaded, as dropping it does.
    pub fn flush_all(&mut self) {
        while let Some(handle) = self.loaded.last().or(self.kept.last()).copied() {
            self.flush(handle);
        }
    }

    /// `handle` went by itself: a policy session whose command worked.
    pub fn forget(&mut self, handle: Handle) {
        self.loaded.retain(|loaded| *loaded != handle);
        self.kept.retain(|kept| *kept != handle);
    }

    /// Whether the way to the TPM failed, so that it must be opened again.
    pub const fn is_broken(&self) -> bool {
        self.broken
    }

    /// Whether the TPM has this command's subject: a refusal with `absent` is `None`.
    pub(crate) fn run_or_none<C: Command>(
        &mut self,
        command: &C,
        absent: ResponseCode,
    ) -> Result<Option<C::Response>, TpmError> {
        match self.run(command) {
            Ok(response) => Ok(Some(response)),
            Err(error) if error.refused() == Some(absent) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Tpm {
    fn drop(&mut self) {
        self.flush_all();
    }
}

impl std::fmt::Debug for Tpm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tpm")
            .field("loaded", &self.loaded)
            .field("kept", &self.kept)
            .field("broken", &self.broken)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
