//! What a BMC says of one host, each fact with where it was read.

mod bios;
mod jobs;
mod read;
mod secure_boot;

use secure_boot_facts::{Date, DbxState, KnownAuthority};

use crate::registry::{Registry, Values};
use crate::{ResourcePath, Unread};

pub use read::read;

/// A fact, and the property of the resource that says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact<T> {
    /// What is said.
    pub value: T,
    /// Where.
    pub source: Source,
}

/// Where something was read.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Source {
    /// The resource.
    pub resource: ResourcePath,
    /// The property in it, as `TrustedModules/0/Status/State`.
    pub property: String,
}

/// One host. All of it is the BMC's word.
#[derive(Clone, Debug, PartialEq)]
pub struct System {
    /// The resource.
    pub path: ResourcePath,
    /// Its names.
    pub identity: Identity,
    /// `TrustedModules`, or the trusted components of its chassis that are TPMs; `None` where the BMC lists
    /// neither, which says nothing of a TPM.
    pub trusted_modules: Option<Vec<TrustedModule>>,
    /// `Boot/TrustedModuleRequiredToBoot`.
    pub trusted_module_required: Option<Fact<String>>,
    /// `Boot/BootSourceOverrideMode`: `UEFI`, `Legacy`.
    pub boot_source_mode: Option<Fact<String>>,
    /// `BootProgress/LastState`.
    pub boot_progress: Option<Fact<String>>,
    /// Where to ask for a restart, and which kinds there are.
    pub reset: Option<Action>,
    /// The `SecureBoot` resource.
    pub secure_boot: Option<SecureBoot>,
    /// The settings.
    pub bios: Option<Bios>,
    /// Banks in which the BMC shows values of PCRs (`ComponentIntegrity`), as `TPM_ALG_SHA256`.
    pub measured_banks: Vec<Fact<String>>,
    /// Jobs and tasks of this BMC that are not over, those of settings first.
    pub jobs: Vec<Job>,
    /// `Oem/Lenovo/TPMSettings`: physical presence can be asserted through the BMC there.
    pub presence: Option<Source>,
    /// Resources of this BMC that could not be read.
    pub unread: Vec<(ResourcePath, Unread)>,
}

/// The names of a host, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    /// `Id`.
    pub id: String,
    /// `Manufacturer`.
    pub manufacturer: Option<String>,
    /// `Model`.
    pub model: Option<String>,
    /// `SerialNumber`.
    pub serial: Option<String>,
    /// `HostName`, as the system told the BMC.
    pub host_name: Option<String>,
    /// `BiosVersion`.
    pub bios_version: Option<String>,
}

/// One element of `TrustedModules`. [DSP2046 ComputerSystem.TrustedModules]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedModule {
    /// `InterfaceType`.
    pub interface: Option<Interface>,
    /// `FirmwareVersion`.
    pub firmware: Option<String>,
    /// `FirmwareVersion2`.
    pub firmware_2: Option<String>,
    /// `Status/State`: `Enabled`, `Disabled`, `Absent`.
    pub state: Option<String>,
    /// `Status/Health`.
    pub health: Option<String>,
    /// Where.
    pub source: Source,
}

/// What a trusted module is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interface {
    /// `TPM1_2`.
    Tpm12,
    /// `TPM2_0`.
    Tpm20,
    /// Another: `TCM1_0`, `TM1_0`, or what a later standard has.
    Other(String),
}

/// An action of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Where to post.
    pub target: ResourcePath,
    /// The values that it takes; empty where the BMC does not say.
    pub allowed: Vec<String>,
}

/// `SecureBootMode`. [DSP2046 SecureBoot]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// No platform key.
    Setup,
    /// Keys are there.
    User,
    /// Nothing is refused, it is noted only.
    Audit,
    /// Keys are there, and modes do not change without a person.
    Deployed,
    /// Another.
    Other(String),
}

/// The `SecureBoot` resource: what is wanted, what is in force, and the state of keys are three
/// different things.
#[derive(Clone, Debug, PartialEq)]
pub struct SecureBoot {
    /// The resource.
    pub path: ResourcePath,
    /// What `If-Match` must name.
    pub etag: Option<String>,
    /// `SecureBootEnable`: what the next start will have.
    pub enable: Option<Fact<bool>>,
    /// `SecureBootCurrentBoot` is `Enabled`: what is in force.
    pub current: Option<Fact<bool>>,
    /// `SecureBootMode`.
    pub mode: Option<Fact<Mode>>,
    /// `SecureBoot.ResetKeys`.
    pub reset_keys: Option<Action>,
    /// The databases that the BMC shows.
    pub databases: Vec<Database>,
}

/// One database of Secure Boot.
#[derive(Clone, Debug, PartialEq)]
pub struct Database {
    /// The resource.
    pub path: ResourcePath,
    /// `DatabaseId`: `PK`, `KEK`, `db`, `dbx`, `dbDefault`.
    pub id: String,
    /// Its certificates.
    pub certificates: Vec<Certificate>,
    /// What of the published list of revoked images its digests are; of `dbx` and `dbxDefault`.
    pub dbx: Option<DbxState>,
    /// How many digests it has.
    pub n_digests: usize,
    /// How much of it was read.
    pub read: Completeness,
}

/// Whether all of a collection was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// All that the BMC lists.
    Whole,
    /// Some of it could not be read, so that what is not seen may be there.
    Partial,
}

/// A certificate of a database, as far as the BMC gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Where.
    pub path: ResourcePath,
    /// The subject's common name, else its organisation.
    pub subject: String,
    /// Which known authority it is.
    pub known: Option<Known>,
    /// Whether its key is known, or says, to be one of tests.
    pub is_test: bool,
    /// The last day of its validity.
    pub not_after: Option<Date>,
}

/// How a certificate was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// By its content.
    Certificate(&'static KnownAuthority),
    /// By its name only: the BMC does not give the certificate.
    Name(&'static KnownAuthority),
}

impl Known {
    /// The authority.
    pub const fn authority(self) -> &'static KnownAuthority {
        match self {
            Self::Certificate(authority) | Self::Name(authority) => authority,
        }
    }
}

/// The settings of the firmware.
#[derive(Clone, Debug, PartialEq)]
pub struct Bios {
    /// The resource that tells what is in force.
    pub path: ResourcePath,
    /// The values in force.
    pub values: Values,
    /// How many attributes were left out, for they are no text, number or truth value.
    pub n_left_out: usize,
    /// The resource that takes changes.
    pub settings: Option<Settings>,
    /// `AttributeRegistry`, as it is named.
    pub registry_name: Option<String>,
    /// The registry, where it could be found and fits.
    pub registry: Option<(ResourcePath, Registry)>,
    /// Messages of the last change that the BMC did not take. [DSP0266-1.20 §9.10 Settings.Messages]
    pub refused: Vec<Fact<String>>,
}

/// The resource that takes changes of settings. [DSP0266-1.20 §9.10]
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Where.
    pub path: ResourcePath,
    /// What `If-Match` must name.
    pub etag: Option<String>,
    /// `SupportedApplyTimes`; empty where the BMC does not say.
    pub apply_times: Vec<String>,
    /// What waits for the next start, as far as it differs from what is in force.
    pub pending: Values,
}

/// A job or a task that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The resource.
    pub path: ResourcePath,
    /// `JobState` or `TaskState`.
    pub state: String,
    /// Whether it changes settings.
    pub of_settings: bool,
    /// Dell's `PR30`: it says that it is scheduled, and never ends.
    pub is_stuck: bool,
}

impl<T> Fact<T> {
    pub(crate) fn new(value: T, resource: &ResourcePath, property: impl Into<String>) -> Self {
        Self { value, source: Source::new(resource, property) }
    }
}

impl Source {
    pub(crate) fn new(resource: &ResourcePath, property: impl Into<String>) -> Self {
        Self { resource: resource.clone(), property: property.into() }
    }
}

impl core::fmt::Display for Source {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}#/{}", self.resource, self.property)
    }
}

impl SecureBoot {
    /// The database of this name; names are compared without case, as `DB` and `db` are in use.
    pub fn database(&self, id: &str) -> Option<&Database> {
        self.databases.iter().find(|database| database.id.eq_ignore_ascii_case(id))
    }
}
