//! The TPM of this host while it is used: found, opened, with its attestation key loaded.

use std::{
    cell::Cell,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use api::{
    agent::{Credential, Quote, TpmKeys, TpmProperties},
    machine::TpmLockout,
};
use tpm_device::{Address, DeviceError, Tpm, TpmError, discover};
use tpm_wire::{PcrSelection, PcrSet, TpmAlgId};
use zeroize::Zeroizing;

use crate::{
    outlook::Outlook,
    state::WrappedKey,
    tpm::{AttestationKey, Endorsement, active_banks, lockout, properties},
};

/// How old what the TPM said of its lockout may be. It is shown to people, and decides nothing.
const LOCKOUT_AGE_MAX: Duration = Duration::from_secs(1800);

/// Which TPM to use.
#[derive(Clone, Debug)]
pub enum TpmChoice {
    /// The one of this machine, where there is one.
    Discover,
    /// This one.
    At(Address),
    /// None.
    Without,
}

/// Whether there is a TPM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// One is there. It may still refuse to serve, which evidence then says.
    Present,
    /// There is none.
    Absent,
}

/// What the TPM gives for a challenge.
#[derive(Clone, Debug)]
pub struct Attested {
    /// The quote.
    pub quote: Quote,
    /// The values of its PCRs.
    pub pcrs: api::pcrs::Pcrs,
    /// The banks that are switched on.
    pub active_banks: Vec<TpmAlgId>,
    /// The key that signed.
    pub ak: WrappedKey,
    /// What the TPM says of itself.
    pub tpm: TpmProperties,
    /// Its guard against guessing, where it says it.
    pub lockout: Option<TpmLockout>,
}

/// The TPM while it is used. Blocks: keep it off the threads of a runtime.
#[derive(Debug)]
pub struct Session {
    choice: TpmChoice,
    open: Option<Open>,
    // Of TPMs that were open before, and of this one up to the last work.
    busy: Duration,
}

/// A session that threads take in turns.
#[derive(Clone, Debug)]
pub struct SharedSession(Arc<Mutex<Session>>);

impl SharedSession {
    /// Shares `session`.
    pub fn new(session: Session) -> Self {
        Self(Arc::new(Mutex::new(session)))
    }

    /// Runs `work` with the session on a thread where it may block.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Session) -> T + Send + 'static,
    ) -> anyhow::Result<T> {
        let session = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || {
            // A panic in between left the session without its TPM at worst: it is opened anew.
            work(&mut session.lock().unwrap_or_else(PoisonError::into_inner))
        });
        done.await.context("a thread ended early")
    }
}

#[derive(Debug)]
struct Open {
    tpm: Tpm,
    ak: Option<AttestationKey>,
    said: Said,
    /// The kernel's resource manager serves many; a plain device or socket is given back.
    shared: bool,
}

/// What a TPM says of itself.
#[derive(Debug)]
struct Said {
    // Both change with a reset only: asked for once while it is open.
    properties: TpmProperties,
    active_banks: Vec<TpmAlgId>,
    /// The guard against guessing, which may change meanwhile, and when it was asked for.
    lockout: Cell<Option<(Instant, Option<TpmLockout>)>>,
}

impl Said {
    /// What `tpm` says of its lockout, now or not long ago: one command more with each quote would be
    /// a quarter more than what an attestation takes.
    fn lockout_of(&self, tpm: &mut Tpm) -> Option<TpmLockout> {
        if let Some((asked, lockout)) = self.lockout.get()
            && asked.elapsed() < LOCKOUT_AGE_MAX
        {
            return lockout;
        }
        // No quote is lost because of what is said beside it.
        let lockout = lockout(tpm).unwrap_or(None);
        self.lockout.set(Some((Instant::now(), lockout)));
        lockout
    }
}

impl Session {
    /// A session with the chosen TPM, which is opened when it is first needed.
    pub const fn new(choice: TpmChoice) -> Self {
        Self { choice, open: None, busy: Duration::ZERO }
    }

    /// Whether there is a TPM. One that cannot be opened for another reason than absence is there.
    pub fn presence(&mut self) -> Presence {
        if self.open.is_some() {
            return Presence::Present;
        }
        let Some(address) = self.address() else { return Presence::Absent };
        match Tpm::open(&address) {
            Ok(_) => Presence::Present,
            Err(TpmError::Device { source: DeviceError::Missing { .. }, .. }) => Presence::Absent,
            Err(_) => Presence::Present,
        }
    }

    /// How long answers of the TPM were waited for, all in all.
    pub(crate) const fn tpm_busy(&self) -> Duration {
        self.busy
    }

    /// Which TPM it is to use.
    pub(crate) const fn choice(&self) -> &TpmChoice {
        &self.choice
    }

    fn address(&self) -> Option<Address> {
        match &self.choice {
            TpmChoice::Discover => discover(),
            TpmChoice::At(address) => Some(address.clone()),
            TpmChoice::Without => None,
        }
    }

    /// Whether the TPM loads this key: it does not where it was cleared since, or is another one.
    pub fn loads(&mut self, kept: &WrappedKey) -> Result<bool, TpmError> {
        let mut open = self.taken()?;
        open.ak = AttestationKey::load(&mut open.tpm, &kept.public, &kept.private)?;
        self.busy += open.tpm.take_busy();
        let loads = open.ak.is_some();
        if open.shared {
            self.open = Some(open);
        }
        Ok(loads)
    }

    /// The keys that enrolment needs: the endorsement key with its certificate, and the
    /// attestation key, `kept` where this TPM can load it, else a new one.
    pub fn keys(
        &mut self,
        kept: Option<&WrappedKey>,
    ) -> Result<(TpmKeys, Endorsement, WrappedKey), TpmError> {
        self.with(kept, |tpm, ak, _| {
            let ek = Endorsement::find_or_create(tpm)?;
            let keys = TpmKeys {
                ek_public: ek.public().into(),
                ek_certificate: ek.certificate().map(Into::into),
                ek_chain: ek.chain().iter().map(|der| der.clone().into()).collect(),
                ak_public: ak.public().into(),
            };
            Ok((keys, ek, wrapped(ak)))
        })
    }

    /// The same with another attestation key than the kept one: `made` before where this TPM can load
    /// it, else a new one.
    pub fn keys_anew(
        &mut self,
        made: Option<&WrappedKey>,
    ) -> Result<(TpmKeys, Endorsement, WrappedKey), TpmError> {
        // The key that is loaded is the one that is not wanted.
        self.open = None;
        self.keys(made)
    }

    /// Opens the credential that was made for these keys.
    pub fn activate(
        &mut self,
        ek: &Endorsement,
        kept: &WrappedKey,
        credential: &Credential,
    ) -> Result<Zeroizing<Vec<u8>>, TpmError> {
        self.with(Some(kept), |tpm, ak, _| {
            ek.activate(tpm, ak, &credential.id_object, &credential.encrypted_secret)
        })
    }

    /// Quotes `pcrs` in every active bank of SHA-256 and better, or in those that there are.
    pub fn attest(
        &mut self,
        kept: Option<&WrappedKey>,
        nonce: &[u8],
        pcrs: PcrSet,
    ) -> Result<Attested, TpmError> {
        self.attest_with_logs(kept, nonce, pcrs, || ()).map(|(attested, ())| attested)
    }

    /// The same with what `read_logs` gives, all of one moment where the host comes to rest for so
    /// long.
    pub fn attest_with_logs<L>(
        &mut self,
        kept: Option<&WrappedKey>,
        nonce: &[u8],
        pcrs: PcrSet,
        read_logs: impl Fn() -> L,
    ) -> Result<(Attested, L), TpmError> {
        self.with(kept, |tpm, ak, said| {
            let active = said.active_banks.clone();
            let strong: Vec<_> =
                active.iter().copied().filter(|alg| alg.is_strong_hash()).collect();
            // Without a strong bank the weak ones say at least which bank is to be switched on.
            let quoted = if strong.is_empty() { &active } else { &strong };
            let mut selection = PcrSelection::EMPTY;
            for alg in quoted {
                // A bank that does not fit is one of a TPM with more than eight of them.
                let _ = selection.push(*alg, pcrs);
            }
            let (quoted, logs) = ak.quote_with_logs(tpm, nonce, &selection, &read_logs)?;
            let lockout = said.lockout_of(tpm);
            let attested = Attested {
                quote: Quote { attest: quoted.attest.into(), signature: quoted.signature.into() },
                pcrs: quoted.banks.into_iter().collect(),
                active_banks: active,
                ak: wrapped(ak),
                tpm: TpmProperties {
                    ak_parent: ak.parent().map(Into::into),
                    ..said.properties.clone()
                },
                lockout,
            };
            Ok((attested, logs))
        })
    }

    /// Runs `work` with the TPM and the attestation key.
    pub(crate) fn with_key<T>(
        &mut self,
        kept: Option<&WrappedKey>,
        work: impl Fn(&mut Tpm, &AttestationKey) -> Result<T, TpmError>,
    ) -> Result<T, TpmError> {
        self.with(kept, |tpm, ak, _| work(tpm, ak))
    }

    /// Runs `work` with the TPM open and the attestation key loaded; after an error both are
    /// opened anew the next time, for the TPM may have been reset meanwhile.
    fn with<T>(
        &mut self,
        kept: Option<&WrappedKey>,
        work: impl Fn(&mut Tpm, &AttestationKey, &Said) -> Result<T, TpmError>,
    ) -> Result<T, TpmError> {
        let reused = self.open.is_some();
        let done = self.once(kept, &work);
        let done = match done {
            // What was kept open belongs to a boot, a reset or a connection before: once more. Not
            // in a lockout, in which each try is one too many.
            Err(err) if reused && Outlook::of_tpm(&err) != Outlook::Slow => self.once(kept, &work),
            done => done,
        };
        if let Some(mut open) = self.open.take_if(|open| !open.shared) {
            // Here and not when it is dropped, so that this counts as time of the TPM.
            open.tpm.flush_all();
            self.busy += open.tpm.take_busy();
        }
        done
    }

    fn once<T>(
        &mut self,
        kept: Option<&WrappedKey>,
        work: impl Fn(&mut Tpm, &AttestationKey, &Said) -> Result<T, TpmError>,
    ) -> Result<T, TpmError> {
        let mut open = self.taken()?;
        let ak = match open.ak.take() {
            Some(ak) if kept.is_none_or(|kept| *kept.public == *ak.public()) => ak,
            _ => load_or_create(&mut open.tpm, kept)?,
        };
        let done = work(&mut open.tpm, &ak, &open.said);
        self.busy += open.tpm.take_busy();
        let done = done?;
        open.ak = Some(ak);
        self.open = Some(open);
        Ok(done)
    }

    /// The TPM, opened where it is not open.
    fn taken(&mut self) -> Result<Open, TpmError> {
        match self.open.take() {
            Some(open) => Ok(open),
            None => self.opened(),
        }
    }

    fn opened(&self) -> Result<Open, TpmError> {
        let address = self.address().unwrap_or_else(|| {
            // Named in the error: where a TPM would be.
            Address::Device("/dev/tpmrm0".into())
        });
        let shared = matches!(&address, Address::Device(path) if path == Path::new("/dev/tpmrm0"));
        let mut tpm = Tpm::open(&address)?;
        let said = Said {
            properties: properties(&mut tpm)?,
            active_banks: active_banks(&mut tpm)?,
            lockout: Cell::new(None),
        };
        Ok(Open { tpm, ak: None, said, shared })
    }
}

fn load_or_create(tpm: &mut Tpm, kept: Option<&WrappedKey>) -> Result<AttestationKey, TpmError> {
    if let Some(kept) = kept {
        match AttestationKey::load(tpm, &kept.public, &kept.private)? {
            Some(ak) => return Ok(ak),
            None => {
                tracing::warn!("the TPM does not know the kept attestation key; making a new one")
            }
        }
    }
    let ak = AttestationKey::create(tpm)?;
    tracing::info!("attestation key made");
    Ok(ak)
}

fn wrapped(ak: &AttestationKey) -> WrappedKey {
    WrappedKey { public: ak.public().into(), private: ak.private().into() }
}
