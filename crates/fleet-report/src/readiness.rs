//! What a host has of what 2026 asks for. Each answer rests on evidence of a verified quote, or is
//! `not checked`.

use std::collections::BTreeMap;

use api::{
    appraisal::{Appraisal, Facts, KeyFacts},
    fleet_report::{Answer, ReadinessItem},
};
use secure_boot_facts::SbatLevel;

/// What a question is called, and why it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadinessRow {
    /// Which.
    pub item: ReadinessItem,
    /// In a few words, for the head of a column.
    pub title: &'static str,
    /// What a host that lacks it loses.
    pub otherwise: &'static str,
}

const fn row(item: ReadinessItem, title: &'static str, otherwise: &'static str) -> ReadinessRow {
    ReadinessRow { item, title, otherwise }
}

/// All, in their order.
pub const READINESS: &[ReadinessRow] = &[
    row(
        ReadinessItem::Kek2023,
        "KEK of 2023",
        "The host starts as before, but takes no update of db or dbx that is signed by the key of 2023.",
    ),
    row(
        ReadinessItem::UefiCa2023,
        "Loader CA of 2023",
        "New boot loaders of others than Microsoft, such as shim, are signed under this authority alone.",
    ),
    row(
        ReadinessItem::OptionRomCa2023,
        "Option ROM CA of 2023",
        "A network or storage card that is put in later may bring an option ROM that is not started.",
    ),
    row(
        ReadinessItem::DbxCurrent,
        "Newest dbx",
        "Images that were revoked since would still be started.",
    ),
    row(
        ReadinessItem::SbatCurrent,
        "Newest SBAT level",
        "Boot loaders with known holes would still be started by shim.",
    ),
    row(
        ReadinessItem::PlatformKeySound,
        "Own platform key",
        "A platform key that was made for tests is known to others (PKfail, CVE-2024-8105): Secure Boot \
         proves nothing.",
    ),
    row(
        ReadinessItem::NoDynamicLaunch,
        "No dynamic launch",
        "Intel TXT and the like change what is measured; some hypervisors then cannot be attested.",
    ),
];

const KEK_2023: &str = "Microsoft Corporation KEK 2K CA 2023";
const UEFI_CA_2023: &str = "Microsoft UEFI CA 2023";
const OPTION_ROM_CA_2023: &str = "Microsoft Option ROM UEFI CA 2023";

/// The first PCR that only a dynamic launch sets back. [PTP-1.05 §3.6]
const DRTM_PCR: u32 = 17;

/// The answers of a host whose last judgement this is; `None`: it was never judged.
pub fn readiness(appraisal: Option<&Appraisal>) -> BTreeMap<ReadinessItem, Answer> {
    ReadinessItem::ALL.into_iter().map(|item| (item, answer(item, appraisal))).collect()
}

fn answer(item: ReadinessItem, appraisal: Option<&Appraisal>) -> Answer {
    // What no quote vouches for is anybody's word.
    let Some(appraisal) = appraisal.filter(|appraisal| appraisal.facts.quote_verified) else {
        return Answer::NotChecked;
    };
    let facts = &appraisal.facts;
    match item {
        ReadinessItem::Kek2023 => has(facts, "KEK", &[KEK_2023]),
        ReadinessItem::UefiCa2023 => has(facts, "db", &[UEFI_CA_2023]),
        ReadinessItem::OptionRomCa2023 => has(facts, "db", &[OPTION_ROM_CA_2023, UEFI_CA_2023]),
        ReadinessItem::DbxCurrent => {
            match secure_boot(facts).and_then(|state| state.dbx.as_ref()) {
                Some(dbx) if dbx.release.is_some() => is_so(dbx.n_releases_behind == 0),
                Some(dbx) if dbx.n_missing > 0 => Answer::NotMet,
                _ => Answer::NotChecked,
            }
        }
        ReadinessItem::SbatCurrent => {
            let level = secure_boot(facts).and_then(|state| state.sbat_level.as_deref());
            match (level, SbatLevel::newest()) {
                // Stamps are dates, so their texts have their order.
                (Some(level), Some(newest)) => is_so(level >= newest.stamp),
                _ => Answer::NotChecked,
            }
        }
        ReadinessItem::PlatformKeySound => {
            let mut keys = proved_keys(facts, "PK").peekable();
            match keys.peek() {
                Some(_) => is_so(keys.all(|key| !key.is_test_key)),
                None => Answer::NotChecked,
            }
        }
        ReadinessItem::NoDynamicLaunch => {
            let is_found = appraisal.findings.iter().any(|it| it.code == "dynamic-launch");
            // Hosts whose logs name none of these PCRs are seldom asked for them.
            let is_looked_at = facts.pcrs.0.values().any(|bank| bank.contains_key(&DRTM_PCR));
            if is_looked_at || is_found { is_so(!is_found) } else { Answer::NotChecked }
        }
    }
}

const fn is_so(is_so: bool) -> Answer {
    if is_so { Answer::Met } else { Answer::NotMet }
}

fn secure_boot(facts: &Facts) -> Option<&api::appraisal::SecureBootFacts> {
    facts.secure_boot_state.as_ref()
}

fn proved_keys<'a>(facts: &'a Facts, variable: &'a str) -> impl Iterator<Item = &'a KeyFacts> {
    let keys = secure_boot(facts).into_iter().flat_map(|state| &state.keys);
    keys.filter(move |key| key.variable == variable && key.belief == "verified")
}

/// Whether a database that was measured has one of these authorities.
fn has(facts: &Facts, variable: &str, names: &[&str]) -> Answer {
    let mut keys = proved_keys(facts, variable).peekable();
    if keys.peek().is_none() {
        return Answer::NotChecked;
    }
    is_so(keys.any(|key| key.known.as_deref().is_some_and(|known| names.contains(&known))))
}

#[cfg(test)]
mod tests {
    use api::appraisal::{DbxFacts, SecureBootFacts};

    use super::*;

    fn key(variable: &str, known: &str) -> KeyFacts {
        KeyFacts {
            variable: variable.to_owned(),
            subject: None,
            issuer: None,
            sha256: None,
            key: None,
            not_after: None,
            known: Some(known.to_owned()),
            is_test_key: false,
            belief: "verified".to_owned(),
        }
    }

    fn appraisal(keys: Vec<KeyFacts>, sbat: Option<&str>) -> Appraisal {
        let state = SecureBootFacts {
            audit_mode: None,
            deployed_mode: None,
            keys,
            dbx: Some(DbxFacts {
                release: Some("2025-10-14".to_owned()),
                newest: "2025-10-14".to_owned(),
                n_known: 3,
                n_unknown: 0,
                n_missing: 0,
                n_releases_behind: 0,
                architecture: "x64".to_owned(),
                operator_list_signed: None,
                operator_list_entries: None,
            }),
            authorities: Vec::new(),
            sbat_level: sbat.map(str::to_owned),
            mok_enrolled: false,
            mok_list_trusted: None,
            mok_revokes: false,
            shim_validates_nothing: false,
        };
        let pcrs = api::pcrs::Pcrs(BTreeMap::from([(
            "sha256".to_owned(),
            BTreeMap::from([(DRTM_PCR, "ff".repeat(32))]),
        )]));
        let facts = Facts {
            quote_verified: true,
            pcrs,
            secure_boot_state: Some(state),
            ..Facts::default()
        };
        Appraisal {
            verdict: "accepted".to_owned(),
            findings: Vec::new(),
            facts,
            judged_anew: false,
        }
    }

    #[test]
    fn what_was_not_measured_is_not_checked() {
        assert!(readiness(None).values().all(|answer| *answer == Answer::NotChecked));
        let answers = readiness(Some(&appraisal(Vec::new(), None)));
        for item in [ReadinessItem::Kek2023, ReadinessItem::UefiCa2023, ReadinessItem::SbatCurrent]
        {
            assert_eq!(answers[&item], Answer::NotChecked, "{item:?}");
        }
        let mut unverified = appraisal(vec![key("KEK", KEK_2023)], Some("2099010100"));
        unverified.facts.quote_verified = false;
        assert!(readiness(Some(&unverified)).values().all(|answer| *answer == Answer::NotChecked));
        let mut unproved = key("KEK", KEK_2023);
        unproved.belief = "unverifiable".to_owned();
        let answers = readiness(Some(&appraisal(vec![unproved], None)));
        assert_eq!(answers[&ReadinessItem::Kek2023], Answer::NotChecked);
    }

    #[test]
    fn each_answer_follows_from_what_was_measured() {
        let ready = vec![key("KEK", KEK_2023), key("db", UEFI_CA_2023), key("PK", "x")];
        let answers = readiness(Some(&appraisal(ready.clone(), Some("2099010100"))));
        assert!(answers.values().all(|answer| *answer == Answer::Met), "{answers:?}");
        let mut late = ready.clone();
        late[1] = key("db", "Microsoft Corporation UEFI CA 2011");
        late[2].is_test_key = true;
        let mut late = appraisal(late, Some("2021030218"));
        late.facts.secure_boot_state.as_mut().unwrap().dbx.as_mut().unwrap().n_releases_behind = 1;
        let answers = readiness(Some(&late));
        assert_eq!(answers[&ReadinessItem::Kek2023], Answer::Met);
        for item in [
            ReadinessItem::UefiCa2023,
            ReadinessItem::OptionRomCa2023,
            ReadinessItem::DbxCurrent,
            ReadinessItem::SbatCurrent,
            ReadinessItem::PlatformKeySound,
        ] {
            assert_eq!(answers[&item], Answer::NotMet, "{item:?}");
        }
        // Of a loader's key of its own, which no list knows, nobody says that it is the newest.
        let own = appraisal(vec![key("db", OPTION_ROM_CA_2023)], None);
        let answers = readiness(Some(&own));
        assert_eq!(answers[&ReadinessItem::OptionRomCa2023], Answer::Met);
        assert_eq!(answers[&ReadinessItem::UefiCa2023], Answer::NotMet);
    }
}
