//! Keys and lists of Secure Boot.

use secure_boot_facts::{DBX_DATE, Era, KNOWN_AUTHORITIES, Place, published};

use super::{Code, Looked};
use crate::system::{Certificate, Completeness, Database, Known, Mode, SecureBoot, Source, System};

/// What a reset to the factory's keys would bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactoryKeys {
    /// A platform key that is none of tests, and the authorities of 2023.
    Fit,
    /// The platform key is one of tests.
    Test,
    /// An authority of 2023 is missing.
    Old,
    /// The BMC does not show them all.
    Unknown,
}

/// What is known of the factory's keys, out of `PKDefault`, `KEKDefault` and `dbDefault`.
pub fn factory_keys(system: &System) -> FactoryKeys {
    let default = |id| {
        let found = system.secure_boot.as_ref()?.database(id)?;
        (!found.certificates.is_empty()).then_some(found)
    };
    let pk = default("PKDefault");
    if pk.is_some_and(|pk| pk.certificates.iter().any(|certificate| certificate.is_test)) {
        return FactoryKeys::Test;
    }
    let (Some(pk), Some(kek), Some(db)) = (pk, default("KEKDefault"), default("dbDefault")) else {
        return FactoryKeys::Unknown;
    };
    let lacks = |database: &Database, place| !missing_2023(database, place).is_empty();
    match () {
        () if [pk, kek, db].iter().any(|d| d.read == Completeness::Partial) => FactoryKeys::Unknown,
        () if lacks(kek, Place::Kek) || lacks(db, Place::Db) => FactoryKeys::Old,
        () => FactoryKeys::Fit,
    }
}

/// The names of those authorities of 2023 that belong there and are missing.
fn missing_2023(database: &Database, place: Place) -> Vec<&'static str> {
    let has = |name: &str| {
        let known = database.certificates.iter().filter_map(|certificate| certificate.known);
        known.map(Known::authority).any(|authority| authority.name == name)
    };
    let wanted = KNOWN_AUTHORITIES
        .iter()
        .filter(|known| known.era == Era::Of2023 && known.place == place)
        .map(|known| known.name);
    wanted.filter(|name| !has(name)).collect()
}

pub(super) fn look(looked: &mut Looked<'_>) {
    let system = looked.system;
    let Some(secure_boot) = &system.secure_boot else { return };
    unseen(looked, secure_boot);
    authorities(looked, secure_boot);
    platform_keys(looked, secure_boot);
    expired(looked, secure_boot);
    vmware(looked, secure_boot);
    dbx(looked, secure_boot);
    if factory_keys(system) == FactoryKeys::Old {
        let missing: Vec<_> = [("KEKDefault", Place::Kek), ("dbDefault", Place::Db)]
            .iter()
            .filter_map(|(id, place)| Some(missing_2023(secure_boot.database(id)?, *place)))
            .flatten()
            .collect();
        let detail = format!("missing: {}", missing.join(", "));
        let source = secure_boot.database("dbDefault").map(source_of);
        looked.find(Code::FactoryKeysOld, detail, source.as_ref());
    }
}

fn source_of(database: &Database) -> Source {
    Source::new(&database.path, "Certificates")
}

/// What of the four databases is not shown, or not whole: nothing that is said of them is a pass then.
fn unseen(looked: &mut Looked<'_>, secure_boot: &SecureBoot) {
    // In setup mode they may well be empty, which is told by itself.
    let is_setup = secure_boot.mode.as_ref().is_some_and(|mode| mode.value == Mode::Setup);
    let why = |id: &'static str| {
        let Some(database) = secure_boot.database(id) else {
            return Some(format!("{id} is not listed"));
        };
        if database.read == Completeness::Partial {
            return Some(format!("not all of {id} could be read"));
        }
        let is_empty = database.certificates.is_empty() && database.n_digests == 0;
        // A list of revoked images may be empty, and is old then.
        (is_empty && !is_setup && id != "dbx").then(|| format!("{id} shows nothing"))
    };
    let all: Vec<_> = ["PK", "KEK", "db", "dbx"].into_iter().filter_map(why).collect();
    if all.is_empty() {
        return;
    }
    let detail = match secure_boot.databases.len() {
        0 => "it lists no databases".to_owned(),
        _ => all.join(", "),
    };
    let source = Source::new(&secure_boot.path, "SecureBootDatabases");
    looked.find(Code::KeysUnseen, detail, Some(&source));
}

/// Only a database that was read whole can lack something.
fn authorities(looked: &mut Looked<'_>, secure_boot: &SecureBoot) {
    for (id, place) in [("KEK", Place::Kek), ("db", Place::Db)] {
        let Some(database) = secure_boot.database(id) else { continue };
        if database.certificates.is_empty() || database.read == Completeness::Partial {
            continue;
        }
        let missing = missing_2023(database, place);
        if missing.is_empty() {
            continue;
        }
        let old = database.certificates.iter().filter_map(|certificate| certificate.known);
        let old = old.filter(|known| known.authority().era == Era::Of2011).count();
        let detail = format!("{id} has {old} authorities of 2011 and lacks {}", missing.join(", "));
        looked.find(Code::Ca2011Only, detail, Some(&source_of(database)));
    }
}

fn platform_keys(looked: &mut Looked<'_>, secure_boot: &SecureBoot) {
    for (id, code) in [("PK", Code::TestPlatformKey), ("PKDefault", Code::TestFactoryKey)] {
        let Some(database) = secure_boot.database(id) else { continue };
        for key in database.certificates.iter().filter(|certificate| certificate.is_test) {
            let source = Source::new(&key.path, "Subject");
            looked.find(code, format!("{id}: {}", key.subject), Some(&source));
        }
    }
}

fn expired(looked: &mut Looked<'_>, secure_boot: &SecureBoot) {
    let today = looked.today;
    for id in ["KEK", "db"] {
        let Some(database) = secure_boot.database(id) else { continue };
        let is_over =
            |certificate: &&Certificate| certificate.not_after.is_some_and(|last| last < today);
        let all: Vec<_> = database
            .certificates
            .iter()
            .filter(is_over)
            .map(|c| {
                format!(
                    "{} ({})",
                    c.subject,
                    c.not_after.map(|d| d.to_string()).unwrap_or_default()
                )
            })
            .collect();
        if !all.is_empty() {
            let detail = format!("{id}: {}", all.join(", "));
            looked.find(Code::CertificateExpired, detail, Some(&source_of(database)));
        }
    }
}

/// Dell and HPE put it there.
fn vmware(looked: &mut Looked<'_>, secure_boot: &SecureBoot) {
    if !looked.goal.profile.needs_fifo() {
        return;
    }
    let Some(database) = secure_boot.database("db") else { return };
    let is_it = |certificate: &&Certificate| certificate.subject == "VMware Secure Boot Signing";
    if let Some(certificate) = database.certificates.iter().find(is_it) {
        let last =
            certificate.not_after.map(|last| format!(", valid to {last}")).unwrap_or_default();
        let source = Source::new(&certificate.path, "Subject");
        looked.find(
            Code::VmwareCertificate,
            format!("{}{last}", certificate.subject),
            Some(&source),
        );
    }
}

fn dbx(looked: &mut Looked<'_>, secure_boot: &SecureBoot) {
    let Some(database) = secure_boot.database("dbx") else { return };
    let source = Source::new(&database.path, "Signatures");
    let Some(state) = database.dbx else {
        if database.read == Completeness::Whole && database.n_digests == 0 {
            looked.find(Code::DbxOutdated, "it is empty", Some(&source));
        }
        return;
    };
    if state.n_releases_behind > 0 && database.read == Completeness::Whole {
        let release = state.release.map(|day| day.to_string());
        let release = release.as_deref().unwrap_or("older than any release");
        let wanted = published(state.architecture).count();
        let detail = format!(
            "{} digests, level {release}, newest {DBX_DATE}; {} of {wanted} {} images are missing",
            database.n_digests,
            state.n_missing,
            state.architecture.as_str(),
        );
        looked.find(Code::DbxOutdated, detail, Some(&source));
    }
    let Some(factory) = secure_boot.database("dbxDefault") else { return };
    let Some(of_factory) = factory.dbx else { return };
    if of_factory.release > state.release && database.read == Completeness::Whole {
        let day = |release: Option<secure_boot_facts::Date>| {
            release.map_or_else(|| "no release".to_owned(), |day| day.to_string())
        };
        let detail = format!(
            "dbx has {} digests (level {}), dbxDefault {} (level {})",
            database.n_digests,
            day(state.release),
            factory.n_digests,
            day(of_factory.release),
        );
        looked.find(Code::DbxBehindFactory, detail, Some(&source));
    }
}
