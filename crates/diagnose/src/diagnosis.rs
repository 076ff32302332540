//! What was found so far, whatever the order of lines and files.

use std::collections::BTreeMap;

use crate::{
    case::{EvidenceLine, Place, Tally, excerpt},
    host::{self, HostName},
    matcher::Hit,
    report::{self, Report},
    time::{self, LogTime},
};

/// How many pairs of host and signature are told apart: some signatures on each of some thousand
/// hosts; as JSON, with all their lines, in below 64 MiB. What comes beyond is counted, not kept.
pub const CASES_MAX: usize = 8_000;
/// How many of vCenter's identifiers are remembered with their names: more hosts than one vCenter has.
const MOREFS_MAX: usize = 10_000;

/// Whom a line is about, before all lines are known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Whom {
    Named(HostName),
    /// vCenter's identifier only; another line may tell the name.
    Moref(String),
    Unknown,
}

/// A signature in the order of the table, and the response code that it carries.
pub(crate) type What = (usize, Option<u32>);

/// Takes lines with signatures, gives a [`Report`].
#[derive(Default)]
pub struct Diagnosis {
    pub(crate) tallies: BTreeMap<(Whom, What), Tally>,
    /// `None` where two hosts have the same identifier, as in logs of two vCenters.
    pub(crate) names: BTreeMap<String, Option<HostName>>,
    pub(crate) n_lines_left_out: u64,
}

impl Diagnosis {
    /// Nothing found.
    pub fn new() -> Self {
        Self::default()
    }

    /// A line of `place` that has `hits`.
    pub fn line(&mut self, place: &Place, number: u64, line: &[u8], hits: &[Hit]) {
        let (time, behind) = time::of_line(line, place.year);
        for hit in hits {
            let whom = self.whom(place, line, line.get(behind..).unwrap_or_default(), hit);
            let what = (hit.position, hit.code);
            self.tally(whom, what, time, || EvidenceLine {
                file: place.file.clone(),
                number,
                time,
                text: excerpt(line),
            });
        }
    }

    fn whom(&mut self, place: &Place, line: &[u8], behind: &[u8], hit: &Hit) -> Whom {
        let subject = host::of_line(line, behind, hit.signature.source);
        if let (Some(moref), Some(name)) = (&subject.moref, &subject.name) {
            if let Some(known) = self.names.get_mut(moref) {
                *known = known.take().filter(|known| known == name);
            } else if self.names.len() < MOREFS_MAX {
                self.names.insert(moref.clone(), Some(name.clone()));
            }
        }
        match (subject.name, subject.moref, &place.host) {
            (Some(name), _, _) => Whom::Named(name),
            (None, Some(moref), _) => Whom::Moref(moref),
            (None, None, Some(name)) => Whom::Named(name.clone()),
            (None, None, None) => Whom::Unknown,
        }
    }

    fn tally(
        &mut self,
        whom: Whom,
        what: What,
        time: LogTime,
        evidence: impl FnOnce() -> EvidenceLine,
    ) {
        let n_cases = self.tallies.len();
        let key = (whom, what);
        if n_cases >= CASES_MAX && !self.tallies.contains_key(&key) {
            self.n_lines_left_out = self.n_lines_left_out.saturating_add(1);
            return;
        }
        let tally = self.tallies.entry(key).or_default();
        tally.count(time);
        if tally.wants(time) {
            tally.keep(evidence());
        }
    }

    /// What all lines together say.
    pub fn report(self) -> Report {
        report::of(self)
    }
}
