//! The Secure Boot databases, and which of their entries vouched for something.

use core::fmt;

use efi::{CertType, Guid, Reader, Signature, SignatureLists, Ucs2, VariableData, read_signature};
use event_log::{Event, EventType, sha256};
use tpm_wire::{ParseError, ParseErrorKind};

use crate::belief::Belief;
use crate::entries::Entries;
use crate::view::View;

/// A Secure Boot database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DatabaseName {
    /// The platform key.
    Pk,
    /// Keys that may change db and dbx.
    Kek,
    /// What may run.
    Db,
    /// What may not run.
    Dbx,
    /// Timestamp authorities.
    Dbt,
    /// What may run for recovery.
    Dbr,
}

impl DatabaseName {
    /// Each, in the order in which firmware measures them.
    pub const ALL: [Self; 6] = [Self::Pk, Self::Kek, Self::Db, Self::Dbx, Self::Dbt, Self::Dbr];

    /// Vendor GUID and name of the variable. [UEFI-2.10 §3.3, §32.4.1]
    pub const fn variable(self) -> (Guid, &'static str) {
        match self {
            Self::Pk => (Guid::GLOBAL_VARIABLE, "PK"),
            Self::Kek => (Guid::GLOBAL_VARIABLE, "KEK"),
            Self::Db => (Guid::IMAGE_SECURITY_DATABASE, "db"),
            Self::Dbx => (Guid::IMAGE_SECURITY_DATABASE, "dbx"),
            Self::Dbt => (Guid::IMAGE_SECURITY_DATABASE, "dbt"),
            Self::Dbr => (Guid::IMAGE_SECURITY_DATABASE, "dbr"),
        }
    }

    /// The database that `variable` is.
    pub(crate) fn of(variable: &VariableData<'_>) -> Option<Self> {
        Self::ALL.into_iter().find(|name| {
            let (guid, text) = name.variable();
            variable.is(guid, text)
        })
    }
}

impl fmt::Display for DatabaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.variable().1)
    }
}

/// A database as the firmware measured it, before the separator of PCR 7.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database<'a> {
    /// Which.
    pub name: DatabaseName,
    /// Number of the event.
    pub event: u32,
    /// Numbers of further events for it before the separator: only the first is believed.
    pub repeated: Vec<u32>,
    /// The value of the variable: EFI_SIGNATURE_LISTs.
    pub value: &'a [u8],
    /// How many entries of each type, in the order of their first occurrence.
    pub n_entries: Vec<(CertType, usize)>,
    /// Why the rest of the value could not be read, where it could not.
    pub malformed: Option<ParseError>,
    /// Whether the value is what was measured.
    pub belief: Belief,
}

impl<'a> Database<'a> {
    /// SHA-256 of the value.
    pub fn sha256(&self) -> [u8; 32] {
        sha256(&[self.value])
    }

    /// The entries with the types of their lists, up to a list that cannot be read.
    pub fn entries(&self) -> impl Iterator<Item = (CertType, Signature<'a>)> + use<'a> {
        let lists = SignatureLists::new(self.value).map_while(Result::ok);
        lists.flat_map(|list| list.iter().map(move |entry| (list.cert_type, entry)))
    }

    /// The certificates.
    pub fn certificates(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let entries = self.entries();
        entries.filter(|(kind, _)| *kind == CertType::X509).map(|(_, entry)| entry.data)
    }

    /// Entries of all types.
    pub fn len(&self) -> usize {
        self.n_entries.iter().map(|(_, n)| *n).sum()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Whether the list that an authority names has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The measured db has this very entry.
    InDatabase,
    /// It is one of shim's own lists, which are not in the log.
    OfShim,
    /// As that, and MokList has it by its digest.
    InMokList,
    /// The measured db does not have it, and it says that it is from there.
    NotInDatabase,
    /// It names another list, or db was not measured, cannot be read or is not verified.
    Unknown,
}

/// Before or after the firmware let go of a PCR, by the separator in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Before the separator: what the firmware did. An authority allowed a driver or option ROM.
    BeforeSeparator,
    /// After it, or there is none: what a boot application did, or anybody. An authority allowed a
    /// boot application.
    AfterSeparator,
}

/// An entry that allowed an image to run: EV_EFI_VARIABLE_AUTHORITY. [PFP-1.06 §3.3.4.8]
/// Firmware and shim measure each only once in a boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authority<'a> {
    /// Number of the event.
    pub event: u32,
    /// Vendor of the variable.
    pub guid: Guid,
    /// Name of the variable: `db`, `MokListRT`, `Shim`, `SbatLevel`.
    pub variable: Ucs2<'a>,
    /// SignatureOwner, where the entry is an EFI_SIGNATURE_DATA; shim leaves it out at times.
    pub owner: Option<Guid>,
    /// The certificate, digest or text.
    pub data: &'a [u8],
    /// When it was measured.
    pub phase: Phase,
    /// Whether the list that it names has it.
    pub standing: Standing,
    /// Whether that is what was measured.
    pub belief: Belief,
}

/// Reads the databases that the firmware measured before the separator of PCR 7.
pub(crate) fn read_databases<'a>(view: &View<'_, '_, 'a>) -> Vec<Database<'a>> {
    let mut databases: Vec<Database<'a>> = Vec::new();
    for (event, variable) in variables(view, EventType::EFI_VARIABLE_DRIVER_CONFIG) {
        let Some(name) = DatabaseName::of(&variable) else { continue };
        if !view.is_before_fence7(event) {
            continue;
        }
        if let Some(first) = databases.iter_mut().find(|database| database.name == name) {
            first.repeated.push(event.number);
            continue;
        }
        let (n_entries, malformed) = count_entries(variable.value);
        databases.push(Database {
            name,
            event: event.number,
            repeated: Vec::new(),
            value: variable.value,
            n_entries,
            malformed,
            belief: view.belief(event),
        });
    }
    databases
}

/// Types of entries in one database: 16 are known, and each is looked for among those before it.
const TYPES_MAX: usize = 64;

fn count_entries(value: &[u8]) -> (Vec<(CertType, usize)>, Option<ParseError>) {
    let mut counts: Vec<(CertType, usize)> = Vec::new();
    for list in SignatureLists::new(value) {
        let list = match list {
            Ok(list) => list,
            Err(error) => return (counts, Some(error)),
        };
        if let Some((_, n)) = counts.iter_mut().find(|(of, _)| *of == list.cert_type) {
            *n = n.saturating_add(list.len());
        } else if counts.len() < TYPES_MAX {
            counts.push((list.cert_type, list.len()));
        } else {
            let have = TYPES_MAX.saturating_add(1);
            let kind = ParseErrorKind::Limit { max: TYPES_MAX, have };
            let error = Reader::new(value).error("EFI_SIGNATURE_LIST.SignatureType", kind);
            return (counts, Some(error));
        }
    }
    (counts, None)
}

/// Reads the authorities, in order.
pub(crate) fn read_authorities<'a>(
    view: &View<'_, '_, 'a>,
    databases: &[Database<'a>],
) -> Vec<Authority<'a>> {
    let db = databases.iter().find(|database| database.name == DatabaseName::Db);
    let readable = |db: &&Database<'_>| db.belief == Belief::Verified && db.malformed.is_none();
    let entries = db.filter(readable).map(Entries::of);
    let authorities = variables(view, EventType::EFI_VARIABLE_AUTHORITY);
    authorities
        .map(|(event, variable)| {
            let signature = owned_signature(variable.value);
            let phase = match view.is_before_fence7(event) {
                true => Phase::BeforeSeparator,
                false => Phase::AfterSeparator,
            };
            let owner = signature.map(|signature| signature.owner);
            let data = signature.map_or(variable.value, |signature| signature.data);
            Authority {
                event: event.number,
                guid: variable.guid,
                variable: variable.name,
                owner,
                data,
                phase,
                standing: standing(&variable, owner, data, entries.as_ref()),
                belief: view.belief(event),
            }
        })
        .collect()
}

fn standing(
    variable: &VariableData<'_>,
    owner: Option<Guid>,
    data: &[u8],
    db: Option<&Entries<'_, '_>>,
) -> Standing {
    if variable.guid == Guid::SHIM_LOCK {
        return Standing::OfShim;
    }
    if !variable.is(Guid::IMAGE_SECURITY_DATABASE, "db") {
        return Standing::Unknown;
    }
    let Some(db) = db else { return Standing::Unknown };
    // A key or another thing without a form of its own cannot be told from one without an owner.
    let is_whole = || {
        owner.is_none()
            && read_signature(variable.value)
                .is_ok_and(|entry| db.has(Some(entry.owner), entry.data))
    };
    match db.has(owner, data) || is_whole() {
        true => Standing::InDatabase,
        false => Standing::NotInDatabase,
    }
}

/// The value as EFI_SIGNATURE_DATA, where a certificate (DER SEQUENCE with a two-byte length) or a
/// digest of 20 bytes or more lies behind the owner. A bare certificate or a text has no owner.
pub(crate) fn owned_signature(value: &[u8]) -> Option<efi::Signature<'_>> {
    let is_certificate = |data: &[u8]| data.starts_with(&[0x30, 0x82]);
    if is_certificate(value) {
        return None;
    }
    let signature = read_signature(value).ok()?;
    let is_digest = matches!(signature.data.len(), 20 | 28 | 32 | 48 | 64);
    (is_certificate(signature.data) || is_digest).then_some(signature)
}

/// The events of PCR 7 of this type that carry a variable. Old shims log bytes behind it.
fn variables<'l, 'a>(
    view: &View<'_, 'l, 'a>,
    event_type: EventType,
) -> impl Iterator<Item = (&'l Event<'a>, VariableData<'a>)> {
    let events = view.events();
    events
        .filter(move |event| event.pcr_index == 7 && event.untrusted_event_type == event_type)
        .filter_map(|event| Some((event, VariableData::parse_prefix(event.untrusted_data).ok()?.0)))
}
