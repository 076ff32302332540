//! What is known of Secure Boot's keys and lists, as a document.

use api::appraisal::{AuthorityFacts, DbxFacts, KeyFacts, SecureBootFacts};
use appraise::ReadLog;
use boot_claims::{Authority, Belief, DatabaseName, Mode, Phase, Standing};
use efi::Certificate;
use secure_boot_facts::{fingerprint, known_authority, sbat_date, test_key};

use crate::appraisal::{belief, shown};

/// Keys and authorities that are shown. Databases have below twenty.
const KEYS_MAX: usize = 64;

pub(crate) fn facts(log: &ReadLog<'_>) -> SecureBootFacts {
    let boot = &log.boot;
    let is_set = |mode: Option<Mode>| {
        mode.filter(|mode| mode.belief == Belief::Verified).and_then(|mode| mode.is_set)
    };
    let shim = &boot.shim;
    let sbat = shim.sbat_level.filter(|level| level.belief == Belief::Verified);
    SecureBootFacts {
        audit_mode: is_set(boot.audit_mode),
        deployed_mode: is_set(boot.deployed_mode),
        keys: keys(log),
        dbx: log.dbx.map(|state| DbxFacts {
            release: state.release.map(|date| date.to_string()),
            newest: log.revocations.date().to_string(),
            n_known: state.n_known,
            n_unknown: state.n_unknown,
            n_missing: state.n_missing,
            n_releases_behind: state.n_releases_behind,
            architecture: state.architecture.as_str().to_owned(),
            operator_list_signed: log.revocations.signed().map(|date| date.to_string()),
            operator_list_entries: log.revocations.of_operator().map(|(n, _)| n),
        }),
        authorities: authorities(&boot.authorities),
        sbat_level: sbat.and_then(|level| sbat_date(level.value)).map(str::to_owned),
        mok_enrolled: shim.mok_list.filter(|_| boot.replayed_pcrs.contains(14)).is_some(),
        mok_list_trusted: shim.mok_list_trusted,
        mok_revokes: shim.mok_list_x.filter(|_| boot.replayed_pcrs.contains(14)).is_some(),
        shim_validates_nothing: shim
            .validation_off
            .is_some_and(|off| off.belief == Belief::Verified),
    }
}

fn keys(log: &ReadLog<'_>) -> Vec<KeyFacts> {
    let mut keys = Vec::new();
    for name in [DatabaseName::Pk, DatabaseName::Kek, DatabaseName::Db, DatabaseName::Dbx] {
        let Some(database) = log.boot.database(name) else { continue };
        keys.extend(database.certificates().map(|der| {
            let certificate = Certificate::parse(der);
            let part = |part: &dyn Fn(&Certificate<'_>) -> String| {
                certificate.as_ref().map(|certificate| shown(&part(certificate)))
            };
            KeyFacts {
                variable: name.to_string(),
                subject: part(&|c| c.subject.to_string()),
                issuer: part(&|c| c.issuer.to_string()),
                sha256: fingerprint(der).map(|digest| digest.to_string()),
                key: part(&|c| c.key.to_string()),
                not_after: part(&|c| c.not_after.to_string()),
                known: known_authority(der).map(|known| known.name.to_owned()),
                is_test_key: name == DatabaseName::Pk && test_key(der).is_some(),
                belief: belief(database.belief).to_owned(),
            }
        }));
    }
    keys.truncate(KEYS_MAX);
    keys
}

fn authorities(authorities: &[Authority<'_>]) -> Vec<AuthorityFacts> {
    let told = authorities.iter().take(KEYS_MAX).enumerate();
    told.map(|(n, told)| {
        let same = |other: &&Authority<'_>| {
            (other.guid, other.variable, other.data) == (told.guid, told.variable, told.data)
        };
        let before = authorities.iter().take(n).find(same);
        AuthorityFacts { again: before.map(|before| before.event), ..authority(told) }
    })
    .collect()
}

fn authority(authority: &Authority<'_>) -> AuthorityFacts {
    let certificate = Certificate::parse(authority.data);
    AuthorityFacts {
        event: authority.event,
        variable: shown(&authority.variable.to_string()),
        subject: certificate.map(|c| shown(&c.subject.to_string())),
        sha256: fingerprint(authority.data).map(|digest| digest.to_string()),
        allowed: match authority.phase {
            Phase::BeforeSeparator => "driver",
            Phase::AfterSeparator => "application",
        }
        .to_owned(),
        standing: match authority.standing {
            Standing::InDatabase => "in db",
            Standing::OfShim => "of shim",
            Standing::InMokList => "in MokList",
            Standing::NotInDatabase => "not in db",
            Standing::Unknown => "unknown",
        }
        .to_owned(),
        belief: belief(authority.belief).to_owned(),
        again: None,
    }
}
