//! What counts of a host now: its last verdict, unless something since then says otherwise.

use api::machine::Cohort;
use findings::{Argument, Code, Finding, Severity};
use store::{Approval, Connection, Host, Maintenance, Stood, TpmPresence};

use super::{enrol::Judgement, replace::ek_changed, schedule::Timing};
use crate::config::Config;

/// Milliseconds for which a key that was made anew is told.
const RENEWAL_SHOWN_MS: i64 = 7 * 24 * 3_600_000;

/// Seconds of silence after which a host that should be polling is called not responding: two
/// long polls and some.
pub(super) const SILENCE_S_MAX: i64 = 120;

/// Whether a finding of this code comes about by looking at a host: all others stand in its last judgement, or in
/// what its last enrolment said.
pub(super) fn is_found_by_a_look(code: &str) -> bool {
    let codes = [
        Code::AwaitingApproval,
        Code::EkChanged,
        Code::NoTpm,
        Code::NeverAppraised,
        Code::VerdictExpired,
        Code::StateCopied,
        Code::AkRenewed,
    ];
    codes.iter().any(|known| known.as_str() == code)
}

/// How each host stands that a look finds this of, where that is always the same.
pub(super) fn stands_with(code: &str) -> Option<Stood> {
    let codes = [Code::AwaitingApproval, Code::NeverAppraised, Code::VerdictExpired];
    codes.iter().any(|known| known.as_str() == code).then_some(Stood::NotAppraised)
}

/// The host as lists show it, at `now_ms`.
pub(super) fn view(host: &Host, config: &Config, now_ms: i64) -> api::admin::Host {
    let (verdict, findings) = standing(host, config, now_ms);
    api::admin::Host {
        id: host.id.to_string(),
        name: host.name.clone(),
        connection: connection(host, now_ms).to_owned(),
        verdict,
        findings,
        cohort: host.cohort.as_deref().and_then(Cohort::from_key),
        appraised_at_ms: host.last.as_ref().map(|last| last.at_ms),
        last_seen_ms: host.last_seen_at_ms,
        has_identity_key: host.identity.is_some(),
        tpm: host.tpm.as_str().to_owned(),
        labels: host.labels.clone(),
        maintenance: host.maintenance_at(now_ms).map(maintenance),
    }
}

fn maintenance(maintenance: &Maintenance) -> api::inventory::Maintenance {
    let Maintenance { since_ms, until_ms, reason, by } = maintenance.clone();
    api::inventory::Maintenance { since_ms, until_ms, reason, by }
}

/// Unreachable is not untrusted: the connection says nothing of the verdict, which ends by age.
fn connection(host: &Host, now_ms: i64) -> &'static str {
    match host.connection {
        Connection::Disconnected => "disconnected",
        Connection::Connected
            if host.last_seen_at_ms.is_some_and(|seen| now_ms - seen <= SILENCE_S_MAX * 1000) =>
        {
            "connected"
        }
        Connection::Connected => "not responding",
    }
}

/// A verdict's word and its findings.
pub(super) type Standing = (String, Vec<api::finding::Finding>);

/// Verdict and findings that count at `now_ms`: what holds the host back, or its last judgement.
pub(super) fn standing(host: &Host, config: &Config, now_ms: i64) -> Standing {
    let (verdict, mut findings) = match held(host, config, now_ms) {
        Some(held) => held,
        None => judged(host),
    };
    findings.extend(notes(host, config, now_ms).iter().map(api::finding::Finding::from));
    findings.sort_by_key(|finding| rank(&finding.severity));
    (verdict, findings)
}

/// The last judgement.
fn judged(host: &Host) -> Standing {
    let stored = host.last.as_ref().and_then(|last| {
        let findings = serde_json::from_str::<Vec<api::finding::Finding>>(&last.findings_json);
        Some((last.verdict.clone(), findings.ok()?))
    });
    let Some((verdict, mut findings)) = stored else {
        // A row that cannot be read is not an accepted host.
        let damaged = Finding::new(Code::NeverAppraised).because("the stored verdict is damaged");
        return hold(host, &damaged);
    };
    if host.identity.is_none() {
        findings.extend(enrolment_problem(host));
    }
    (verdict, findings)
}

/// What is told of the host's keys beside the verdict, which it does not change.
fn notes(host: &Host, config: &Config, now_ms: i64) -> Vec<Finding> {
    let mut notes = Vec::new();
    let Some(identity) = &host.identity else { return notes };
    if let Some(candidate) = host.candidate_at(now_ms)
        && quarantined(host, config, now_ms).is_none()
    {
        let shown = Argument::Text(hex::encode(candidate.ek_spki_sha256));
        notes.push(Finding::new(Code::StateCopied).with("ek_sha256", shown));
    }
    if now_ms - identity.enrolled_at_ms <= RENEWAL_SHOWN_MS
        && let Ok(judgement) = serde_json::from_str::<Judgement>(&identity.judgement_json)
        && let Some(because) = judgement.renewed_because
    {
        notes.push(Finding::new(Code::AkRenewed).because(because));
    }
    notes
}

/// That another TPM was shown for the host, and that the enrolled one does not answer any more.
///
/// The enrolled TPM is asked when another is shown first. Until it must have answered, what it proved
/// before stands: else whoever has a copy of its state could end its verdict.
fn quarantined(host: &Host, config: &Config, now_ms: i64) -> Option<Finding> {
    let candidate = host.candidate_at(now_ms)?;
    host.identity.as_ref()?;
    let last = host.last.as_ref().filter(|last| now_ms - last.at_ms <= good_for_ms(host, config));
    let asked_ms = i64::try_from(config.challenge_good_for_s).unwrap_or(i64::MAX);
    let answers_until_ms = candidate.first_at_ms.saturating_add(asked_ms.saturating_mul(1000));
    if last.is_some_and(|last| last.at_ms >= candidate.first_at_ms || now_ms <= answers_until_ms) {
        return None;
    }
    let finding = ek_changed(host, candidate.ek_spki_sha256);
    Some(match (candidate.approved_at_ms, candidate.refused_at_ms) {
        (Some(_), _) => {
            finding.because("a person put it in the old one's place; it has not enrolled yet")
        }
        (None, Some(_)) => {
            finding.because("a person refused it; the enrolled one must answer again")
        }
        (None, None) => finding,
    })
}

/// Milliseconds for which a verdict of this host counts.
pub(super) fn good_for_ms(host: &Host, config: &Config) -> i64 {
    Timing::of(&host.labels, config).good_for_ms
}

fn hold(host: &Host, finding: &Finding) -> Standing {
    let mut findings = vec![api::finding::Finding::from(finding)];
    findings.extend(enrolment_problem(host));
    ("not appraised".to_owned(), findings)
}

/// What holds the host back at `now_ms`, whatever its last judgement says. In this order: a person's
/// refusal or missing approval, another TPM in the place of the enrolled one, a missing TPM, a missing
/// judgement, one that is too old.
pub(super) fn held(host: &Host, config: &Config, now_ms: i64) -> Option<Standing> {
    let hold = |finding: Finding| Some(hold(host, &finding));
    match host.approval {
        Approval::Waiting => return hold(Finding::new(Code::AwaitingApproval)),
        Approval::Refused => {
            return hold(Finding::new(Code::AwaitingApproval).because("a person refused it"));
        }
        Approval::NotRequired | Approval::Approved => {}
    }
    if let Some(finding) = quarantined(host, config, now_ms) {
        return Some(("not accepted".to_owned(), vec![api::finding::Finding::from(&finding)]));
    }
    if host.tpm == TpmPresence::Absent {
        return hold(Finding::new(Code::NoTpm));
    }
    let Some(last) = &host.last else { return hold(Finding::new(Code::NeverAppraised)) };
    let age_ms = now_ms - last.at_ms;
    let good_for_ms = good_for_ms(host, config);
    if age_ms > good_for_ms {
        let reason =
            format!("it is {} old and counted for {}", lasted(age_ms), lasted(good_for_ms));
        return hold(Finding::new(Code::VerdictExpired).because(reason));
    }
    None
}

/// How long that is, in the unit in which people think of it: what was said of an hour ago is not another text with
/// each second.
fn lasted(ms: i64) -> String {
    const MIN_S: i64 = 60;
    const HOUR_S: i64 = 60 * MIN_S;
    const DAY_S: i64 = 24 * HOUR_S;
    match ms / 1000 {
        s if s < 5 * MIN_S => format!("{s} s"),
        s if s < 2 * HOUR_S => format!("{} min", s / MIN_S),
        s if s < 2 * DAY_S => format!("{} h", s / HOUR_S),
        s => format!("{} days", s / DAY_S),
    }
}

/// What counts where the evidence of the last judgement is lost, and something else is to be judged by it: nothing.
pub(super) fn evidence_lost(host: &Host) -> Standing {
    let because =
        "what it was judged by is lost: its object outside of the database is missing or damaged";
    hold(host, &Finding::new(Code::NeverAppraised).because(because))
}

/// When age alone changes what counts of the host, after `now_ms`; `None`: it does not.
pub(super) fn changes_at(host: &Host, config: &Config, now_ms: i64) -> Option<i64> {
    let good_for_ms = good_for_ms(host, config);
    let ends_ms = host.last.as_ref().map(|last| last.at_ms.saturating_add(good_for_ms));
    let candidate = host.candidate_at(now_ms);
    let asked_ms = i64::try_from(config.challenge_good_for_s).unwrap_or(i64::MAX);
    let answers_ms = candidate
        .map(|candidate| candidate.first_at_ms.saturating_add(asked_ms.saturating_mul(1000)));
    let expires_ms = candidate.map(|candidate| candidate.expires_at_ms.saturating_sub(1));
    // Each counts up to and with its time.
    let after = [ends_ms, answers_ms, expires_ms].into_iter().flatten();
    after.filter(|at_ms| *at_ms >= now_ms).map(|at_ms| at_ms.saturating_add(1)).min()
}

/// Why the last enrolment stored no key.
pub(super) fn enrolment_problem(host: &Host) -> Vec<api::finding::Finding> {
    host.enrolment_problem_json
        .as_deref()
        .and_then(|json| serde_json::from_str(json).ok())
        .unwrap_or_default()
}

pub(super) fn rank(severity: &str) -> u8 {
    [Severity::Fail, Severity::Hold, Severity::Warn, Severity::Info, Severity::Ignore]
        .into_iter()
        .zip(0..)
        .find(|(known, _)| known.as_str() == severity)
        .map_or(u8::MAX, |(_, rank)| rank)
}

/// A host for tests.
#[cfg(test)]
pub(super) mod sample {
    use store::{AppraisalId, HostId, LastAppraisal};

    use super::*;

    /// One that was accepted in the first moment of 1970.
    pub(in crate::app) fn host() -> Host {
        Host {
            id: HostId::from("h"),
            name: "host".to_owned(),
            created_at_ms: 0,
            connection: Connection::Connected,
            approval: Approval::NotRequired,
            tpm: TpmPresence::Present,
            reenrol_wanted: false,
            identity: None,
            identity_version: 0,
            enrolment_problem_json: None,
            last_seen_at_ms: Some(0),
            attest_requested_at_ms: None,
            next_due_at_ms: None,
            last_nonce_at_ms: None,
            last_quote_clock: None,
            last: Some(LastAppraisal {
                id: AppraisalId(1),
                at_ms: 0,
                verdict: "accepted".to_owned(),
                findings_json: "[]".to_owned(),
                identity_version: 0,
            }),
            cohort: None,
            stood: store::Stood::Accepted,
            rotation_wanted: false,
            labels: store::Labels::new(),
            maintenance: None,
            candidate: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{sample::host, *};

    fn at(host: &Host, now_ms: i64) -> (String, Vec<String>) {
        let config = Config { attest_interval_s: 10, ..Config::default() };
        let (verdict, findings) = standing(host, &config, now_ms);
        (verdict, findings.into_iter().map(|finding| finding.code).collect())
    }

    fn held(code: &str) -> (String, Vec<String>) {
        ("not appraised".to_owned(), vec![code.to_owned()])
    }

    #[test]
    fn an_age_is_told_in_its_own_unit() {
        let told = [299, 300, 7_199, 7_200, 172_799, 172_800].map(|s| lasted(1000 * s + 999));
        assert_eq!(told, ["299 s", "5 min", "119 min", "2 h", "47 h", "2 days"]);
    }

    #[test]
    fn a_verdict_ends_by_age() {
        assert_eq!(at(&host(), 20_000), ("accepted".to_owned(), vec![]));
        assert_eq!(at(&host(), 20_001), held("verdict-expired"));
    }

    /// An enrolled host that was judged at 0, beside which another TPM was shown first at 1,000.
    fn contested() -> Host {
        let identity = store::Identity {
            ek_public: Vec::new(),
            ek_cert_der: None,
            ek_chain_der: Vec::new(),
            ek_spki_sha256: [1; 32],
            ak_public: Vec::new(),
            ak_name: Vec::new(),
            judgement_json: "{}".to_owned(),
            enrolled_at_ms: 0,
        };
        let candidate = store::Candidate {
            ek_spki_sha256: [2; 32],
            judgement_json: "null".to_owned(),
            first_at_ms: 1_000,
            seen_at_ms: 1_000,
            expires_at_ms: 15_000,
            approved_at_ms: None,
            refused_at_ms: None,
        };
        Host { identity: Some(identity.into()), candidate: Some(candidate), ..host() }
    }

    #[test]
    fn another_tpm_ends_acceptance_once_the_enrolled_one_must_have_answered() {
        let at = |host: &Host, now_ms| {
            let config =
                Config { attest_interval_s: 5, challenge_good_for_s: 2, ..Config::default() };
            let (verdict, findings) = standing(host, &config, now_ms);
            (verdict, findings.into_iter().map(|finding| finding.code).collect::<Vec<_>>())
        };
        let is = |verdict: &str, code: &str| (verdict.to_owned(), vec![code.to_owned()]);
        let mut host = contested();
        assert_eq!(at(&host, 3_000), is("accepted", "state-copied"), "it is being asked");
        assert_eq!(at(&host, 3_001), is("not accepted", "ek-changed"));
        host.last.as_mut().unwrap().at_ms = 999;
        assert_eq!(at(&host, 3_001).0, "not accepted", "it answered before, not since");
        host.last.as_mut().unwrap().at_ms = 1_000;
        assert_eq!(at(&host, 3_001), is("accepted", "state-copied"), "it answered");
        assert_eq!(at(&host, 11_000), is("accepted", "state-copied"));
        assert_eq!(at(&host, 11_001), is("not accepted", "ek-changed"), "and is silent since");
        assert_eq!(at(&host, 15_000), is("not appraised", "verdict-expired"), "it went away");
        let never = Host { last: None, ..contested() };
        assert_eq!(at(&never, 1_001), is("not accepted", "ek-changed"));
        let keyless = Host { identity: None, ..contested() };
        assert_eq!(at(&keyless, 9_000).0, "accepted", "there is no TPM to be another than");
    }

    #[test]
    fn a_verdict_ends_by_the_schedule_of_its_host() {
        let labels = store::Labels::from([("site".to_owned(), "muc".to_owned())]);
        let schedule = appraise::Schedule {
            labels: labels.clone(),
            interval_s: 60,
            jitter_pct: 0,
            verdict_good_for_s: 90,
        };
        let config =
            Config { attest_interval_s: 10, schedules: vec![schedule], ..Config::default() };
        let verdict = |host: &Host, now_ms| standing(host, &config, now_ms).0;
        let of_site = Host { labels, ..host() };
        assert_eq!(verdict(&of_site, 90_000), "accepted");
        assert_eq!(verdict(&of_site, 90_001), "not appraised");
        assert_eq!(changes_at(&of_site, &config, 0), Some(90_001));
        assert_eq!(verdict(&host(), 20_001), "not appraised");
        let (_, findings) = standing(&of_site, &config, 91_000);
        assert!(findings[0].cause.contains("91 s old and counted for 90 s"), "{findings:?}");
    }

    #[test]
    fn a_tpm_that_is_gone_ends_the_verdict() {
        assert_eq!(at(&Host { tpm: TpmPresence::Absent, ..host() }, 1), held("no-tpm"));
    }

    #[test]
    fn nothing_counts_before_approval() {
        let waiting = Host { approval: Approval::Waiting, ..host() };
        assert_eq!(at(&waiting, 1), held("awaiting-approval"));
        let refused = Host { approval: Approval::Refused, ..host() };
        assert_eq!(at(&refused, 1), held("awaiting-approval"));
        let approved = Host { approval: Approval::Approved, ..host() };
        assert_eq!(at(&approved, 1).0, "accepted");
    }

    #[test]
    fn no_judgement_is_not_a_good_one() {
        assert_eq!(at(&Host { last: None, ..host() }, 1), held("never-appraised"));
        let mut damaged = host();
        damaged.last.as_mut().unwrap().findings_json = "x".to_owned();
        assert_eq!(at(&damaged, 1), held("never-appraised"));
    }

    #[test]
    fn silence_shows_as_connection_only() {
        assert_eq!(connection(&host(), 120_000), "connected");
        assert_eq!(connection(&host(), 120_001), "not responding");
        let away = Host { connection: Connection::Disconnected, ..host() };
        assert_eq!(connection(&away, 0), "disconnected");
    }
}
