//! What was found so far, whatever the order of lines and files.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    case::{EvidenceLine, Place, Tally, excerpt},
    codes::CodeOnLine,
    host::{self, HostName},
    matcher::Hit,
    order::Order,
    report::{self, Report},
    time::{self, LogTime},
};

/// How many pairs of host and signature are told apart: some signatures on each of some thousand
/// hosts; as JSON, with all their lines, in below 64 MiB. What comes beyond is counted, not kept.
pub const CASES_MAX: usize = 8_000;
/// How many of vCenter's identifiers are remembered with their names: more hosts than one vCenter has.
const MOREFS_MAX: usize = 10_000;
/// How many addresses are remembered with names that may be theirs: some for each host.
const TIES_MAX: usize = 20_000;
/// How many names one address may have: its name with and without domain, and a word or two that
/// stood before it by chance.
const NAMES_OF_ADDRESS_MAX: usize = 8;
/// Threads write their lines some seconds out of order; a clock that is set moves by minutes.
const CLOCK_BACK_MS_MIN: i64 = 60_000;
/// How many files are remembered that begin with their newest line: people make them one by one.
const TURNED_MAX: usize = 1_000;
/// How many places are told at which time goes back: nobody reads more.
const CLOCKS_SET_BACK_MAX: usize = 20;

/// Whom a line is about, before all lines are known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Whom {
    Named(HostName),
    /// vCenter's identifier only; another line may tell the name.
    Moref(String),
    Unknown,
}

/// A signature in the order of the table, and the response code that it carries.
pub(crate) type What = (usize, Option<CodeOnLine>);

/// Takes lines with signatures, gives a [`Report`].
#[derive(Default)]
pub struct Diagnosis {
    pub(crate) tallies: BTreeMap<(Whom, What), Tally>,
    /// `None` where two hosts have the same identifier, as in logs of two vCenters.
    pub(crate) names: BTreeMap<String, Option<HostName>>,
    /// Names that lines tie to an address. Only those count that other lines have for a host.
    pub(crate) ties: BTreeMap<HostName, BTreeSet<HostName>>,
    /// The file that is read, and its last time.
    clock: Option<(Arc<str>, i64)>,
    pub(crate) clocks_set_back: Vec<ClockSetBack>,
    pub(crate) n_clocks_set_back: u64,
    /// How many of them are of the file that is read.
    n_in_file: u64,
    /// Files that begin with their newest line.
    pub(crate) turned: BTreeSet<Arc<str>>,
    pub(crate) n_lines_left_out: u64,
}

/// A place in a file at which time goes back: before it and behind it are not to be compared by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClockSetBack {
    /// The file.
    pub file: Arc<str>,
    /// The line that is earlier than the one before it.
    pub number: u64,
    /// The time before it, in milliseconds since 1970.
    pub from_ms: i64,
    /// Its time.
    pub to_ms: i64,
}

impl Diagnosis {
    /// Nothing found.
    pub fn new() -> Self {
        Self::default()
    }

    /// A line of `place` that has `hits`; or none, and only says which host is which.
    pub fn line(&mut self, place: &Place, number: u64, line: &[u8], hits: &[Hit]) {
        self.learn(line);
        if hits.is_empty() {
            return;
        }
        let (time, behind) = time::of_line(line, place.year);
        self.watch_clock(place, number, time);
        for hit in hits {
            let whom = whom(place, line, line.get(behind..).unwrap_or_default(), hit);
            let what = (hit.position, hit.code);
            self.tally(whom, what, Seen { place, number, time, line });
        }
    }

    /// A line of a host's `hosts` file: it ties names to addresses.
    pub fn hosts_file_line(&mut self, line: &[u8]) {
        if let Some((name, address)) = host::of_hosts_file(line) {
            self.tie(name, address);
        }
    }

    /// The file of `place` was read to its end, and its times run in `order`.
    pub fn ended(&mut self, place: &Place, order: Order) {
        if order == Order::NewestFirst {
            // It goes back all the time: no clock was set.
            self.clocks_set_back.retain(|clock| clock.file != place.file);
            self.n_clocks_set_back = self.n_clocks_set_back.saturating_sub(self.n_in_file);
            if self.turned.len() < TURNED_MAX {
                self.turned.insert(Arc::clone(&place.file));
            }
        }
        (self.clock, self.n_in_file) = (None, 0);
    }

    /// What `line` says of which host is which.
    fn learn(&mut self, line: &[u8]) {
        if let Some(host::Subject { name: Some(name), moref: Some(moref) }) = host::of_vcenter(line)
        {
            if let Some(known) = self.names.get_mut(&moref) {
                *known = known.take().filter(|known| *known == name);
            } else if self.names.len() < MOREFS_MAX {
                self.names.insert(moref, Some(name));
            }
        }
        if let Some((name, address)) = host::tie(line) {
            self.tie(name, address);
        }
    }

    fn tie(&mut self, name: HostName, address: HostName) {
        if let Some(names) = self.ties.get_mut(&address) {
            if names.len() < NAMES_OF_ADDRESS_MAX {
                names.insert(name);
            }
        } else if self.ties.len() < TIES_MAX {
            self.ties.insert(address, BTreeSet::from([name]));
        }
    }

    /// Notes where times go back inside a file.
    fn watch_clock(&mut self, place: &Place, number: u64, time: LogTime) {
        let LogTime::Utc(ms) = time else { return };
        let before = match &self.clock {
            Some((file, before)) if *file == place.file => Some(*before),
            _ => None,
        };
        if let Some(before) = before.filter(|before| ms < before.saturating_sub(CLOCK_BACK_MS_MIN))
        {
            self.n_clocks_set_back = self.n_clocks_set_back.saturating_add(1);
            self.n_in_file = self.n_in_file.saturating_add(1);
            if self.clocks_set_back.len() < CLOCKS_SET_BACK_MAX {
                let file = place.file.clone();
                self.clocks_set_back.push(ClockSetBack {
                    file,
                    number,
                    from_ms: before,
                    to_ms: ms,
                });
            }
        }
        self.clock = Some((place.file.clone(), ms));
    }

    fn tally(&mut self, whom: Whom, what: What, seen: Seen<'_>) {
        let n_cases = self.tallies.len();
        let key = (whom, what);
        if n_cases >= CASES_MAX && !self.tallies.contains_key(&key) {
            self.n_lines_left_out = self.n_lines_left_out.saturating_add(1);
            return;
        }
        let Seen { place, number, time, line } = seen;
        let tally = self.tallies.entry(key).or_default();
        tally.count(time, &place.file, number);
        if tally.wants(time) {
            tally.keep(EvidenceLine {
                file: place.file.clone(),
                number,
                time,
                text: excerpt(line),
            });
        }
    }

    /// What all lines together say.
    pub fn report(self) -> Report {
        report::of(self)
    }
}

/// A line, and where and when it was written.
struct Seen<'a> {
    place: &'a Place,
    number: u64,
    time: LogTime,
    line: &'a [u8],
}

pub(crate) fn whom(place: &Place, line: &[u8], behind: &[u8], hit: &Hit) -> Whom {
    let subject = host::of_line(line, behind, hit.signature.source);
    match (subject.name, subject.moref, &place.host) {
        (Some(name), _, _) => Whom::Named(name),
        (None, Some(moref), _) => Whom::Moref(moref),
        (None, None, Some(name)) => Whom::Named(name.clone()),
        (None, None, None) => Whom::Unknown,
    }
}
