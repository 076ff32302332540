//! Evidence whose log has one event of another type, one event less, one twice, or one in another
//! place: never a panic, never a better verdict, and never another fact under the same verdict.

use std::collections::HashSet;

use cli::evidence_dir::EvidenceFolder;
use event_log::EventType;
use verify::RootStore;

use crate::mutations::{assert_covered_facts_stay, vouched};
use crate::recorded::{Case, NOW, boots, cases, roots, sum_over};

/// The records of a log, each with where it begins, and what is behind the last.
fn records(log: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let parsed = event_log::parse(log);
    let mut starts: Vec<_> = parsed.log.events().iter().map(|event| event.offset).collect();
    let end = log.len() - parsed.log.padding_len();
    starts.push(end);
    let records = starts.windows(2).map(|pair| &log[pair[0]..pair[1]]);
    (records.collect(), &log[end..])
}

/// Each log that one change of its events makes, with what was done.
fn changed_logs(log: &[u8]) -> Vec<(String, Vec<u8>)> {
    let (records, behind) = records(log);
    let mut changed = Vec::new();
    let mut add = |what: String, records: &[&[u8]]| {
        changed.push((what, [records.concat().as_slice(), behind].concat()));
    };
    for at in 0..records.len() {
        let mut dropped = records.clone();
        let record = dropped.remove(at);
        add(format!("without event {at}"), &dropped);
        let mut doubled = records.clone();
        doubled.insert(at, record);
        add(format!("event {at} twice"), &doubled);
        for to in [0, at / 2, at + 1, records.len() - 1] {
            if to != at && to < records.len() {
                let mut moved = dropped.clone();
                moved.insert(to, record);
                add(format!("event {at} as {to}"), &moved);
            }
        }
        let types = EventType::KNOWN.iter().copied().chain([EventType(0x40e), EventType(u32::MAX)]);
        for event_type in types {
            let mut retyped = record.to_vec();
            retyped[4..8].copy_from_slice(&event_type.0.to_le_bytes());
            if retyped != record {
                let mut records = records.clone();
                records[at] = &retyped;
                add(format!("event {at} of type {event_type}"), &records);
            }
        }
    }
    changed
}

/// Each digest with its PCR, as documents tell it.
fn measured(log: &[u8]) -> HashSet<(u32, String)> {
    let parsed = event_log::parse(log);
    let events = parsed.log.events().iter().filter(|event| event.is_extended());
    let digests = events.flat_map(|event| {
        let told = event.digests.iter();
        told.map(|(alg, digest)| (event.pcr_index, format!("{alg}:{}", hex::encode(digest))))
    });
    digests.collect()
}

fn check(case: &Case, roots: &RootStore) -> usize {
    let Some(log) = &case.folder.event_log else { return 0 };
    if event_log::parse(log).log.events().is_empty() {
        return 0;
    }
    let base = cli::judge(&case.folder, roots, NOW);
    // A log that is not the one of its PCRs was changed already: one change may undo that.
    let undone = ["log-replay", "log-parse", "event-type", "event-data"];
    if base.findings.iter().any(|finding| undone.contains(&finding.code.as_str())) {
        return 0;
    }
    let base_facts = vouched(&base.facts);
    let changed = changed_logs(log);
    let n = changed.len();
    let measured = measured(log);
    for (what, log) in changed {
        let folder = EvidenceFolder { event_log: Some(log), ..case.folder.clone() };
        let now = cli::judge(&folder, roots, NOW);
        let place = format!("{} {what}", case.name);
        if base.verdict != "accepted" {
            assert_ne!(now.verdict, "accepted", "{place}");
        } else if now.verdict == "accepted" {
            // Types are covered by no digest: what is called a boot application may be something
            // else of the same PCR, and never something that was not measured there.
            let (told, known) = (vouched(&now.facts), &base_facts);
            for step in &told.boot {
                let digest = step.digest.clone().map(|digest| (step.pcr, digest));
                assert!(digest.is_none_or(|digest| measured.contains(&digest)), "{place}");
            }
            if now.findings == base.findings && told.boot.len() == known.boot.len() {
                let mut told = told;
                // Numbers of events move with the events.
                told.boot.clear();
                assert_covered_facts_stay(&told, known, &place);
            }
        }
    }
    n
}

#[test]
#[expect(clippy::print_stderr, reason = "the number of judgements is part of the result")]
fn no_change_of_an_event_makes_a_better_verdict_in_mutations() {
    let Some(boots) = boots() else { return };
    let roots = roots(&boots);
    let cases = cases(&boots);
    let judged = sum_over(&cases, |case| check(case, &roots));
    eprintln!("{judged} logs with one event changed judged");
    assert!(judged > 10_000);
}
