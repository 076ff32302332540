//! What the lines together say: per host the causes first, then what follows from them, then what
//! is harmless.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use findings::{
    Code,
    response_code::{Explanation, Weight},
};

use crate::{
    case::{EvidenceLine, Last, Tally},
    codes::CodeOnLine,
    diagnosis::{ClockSetBack, Diagnosis, What, Whom},
    host::HostName,
    signature::{Role, Signature, Suspicion},
    table::signatures,
    time::LogTime,
};

/// What was found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The hosts: those with a cause first, the earliest on top.
    pub hosts: Vec<HostReport>,
    /// Lines with signatures that are told nowhere, since there were too many hosts.
    pub n_lines_left_out: u64,
    /// Where times go back inside a file: the first of them.
    pub clocks_set_back: Vec<ClockSetBack>,
    /// How often they do.
    pub n_clocks_set_back: u64,
}

/// What was found of one host.
#[derive(Clone, Debug)]
pub struct HostReport {
    /// Its name; `None` where lines name none.
    pub name: Option<HostName>,
    /// Lines without a host's name are among these, since no other host is named.
    pub has_unnamed_lines: bool,
    /// What is to be mended: what lasts before what is over, the earliest first.
    pub causes: Vec<Case>,
    /// What may be wrong besides, since the host is in trouble.
    pub suspicions: Vec<(Suspicion, Case)>,
    /// What went wrong because of something else.
    pub symptoms: Vec<Case>,
    /// What looks like trouble and is none.
    pub harmless: Vec<Case>,
}

/// Whether something still holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No line says that it is over.
    Lasts,
    /// Over at this time, in milliseconds since 1970.
    EndedAt(i64),
    /// Over; the line that says so has no time.
    Ended,
}

/// One signature on one host.
#[derive(Clone, Debug)]
pub struct Case {
    /// Which.
    pub signature: &'static Signature,
    /// The response code that its lines carry.
    pub code: Option<Explanation>,
    /// What its lines say of the command that the code answers.
    pub on_line: Option<CodeOnLine>,
    /// Lines that have it.
    pub n_lines: u64,
    /// The first, in milliseconds since 1970; `None` where no line has a time of day.
    pub first_ms: Option<i64>,
    /// The last.
    pub last_ms: Option<i64>,
    /// Whether it still holds.
    pub state: State,
    /// The earliest lines.
    pub evidence: Vec<EvidenceLine>,
    /// Causes on this host of which it is the consequence, by their identifiers.
    pub explained_by: Vec<&'static str>,
}

impl Report {
    /// Whether anything is wrong: a cause, or a symptom whose cause is not in these logs.
    pub fn is_trouble(&self) -> bool {
        self.hosts.iter().any(HostReport::is_trouble)
    }
}

impl HostReport {
    /// Whether the host has a cause or a symptom.
    pub fn is_trouble(&self) -> bool {
        !self.causes.is_empty() || !self.symptoms.is_empty()
    }
}

impl Case {
    /// What it means, in a line.
    pub fn says(&self) -> String {
        let Some(code) = self.code else { return self.signature.says.to_owned() };
        match self.on_line.and_then(|on_line| on_line.command) {
            Some(command) => format!("{}, {command}: {code}", self.signature.says),
            None => format!("{}: {code}", self.signature.says),
        }
    }

    /// Why it happens.
    pub fn cause(&self) -> &'static str {
        match self.code {
            Some(_) if self.misses_ek_certificate() => {
                "The line names the NV index of an endorsement key's certificate, and the TPM says that nothing is defined there: it was delivered without that certificate, or the index was deleted."
            }
            Some(code) => code.cause,
            None => self.signature.cause,
        }
    }

    /// What to do.
    pub fn next_step(&self) -> &'static str {
        match self.code {
            Some(_) if self.misses_ek_certificate() => {
                "`bootproof explain ek-cert-absent` says what to do without one. A TPM that has the certificate of its other key (RSA at 0x01c00002, ECC at 0x01c0000a) needs nothing."
            }
            Some(code) => code.next_step,
            None => self.signature.next_step,
        }
    }

    /// The finding that is the same.
    pub fn finding(&self) -> Option<Code> {
        self.code.map_or(self.signature.finding, |code| code.finding)
    }

    fn misses_ek_certificate(&self) -> bool {
        self.on_line.is_some_and(CodeOnLine::misses_ek_certificate)
    }

    /// The row of the table at `position`.
    pub(crate) fn signature_at(position: usize) -> Option<&'static Signature> {
        signatures().nth(position)
    }

    /// What one line says.
    pub(crate) fn of_line(
        (position, code): What,
        first_ms: Option<i64>,
        state: State,
        line: EvidenceLine,
    ) -> Option<Self> {
        let last_ms = match line.time {
            LogTime::Utc(ms) => Some(ms),
            LogTime::AfterBoot(_) | LogTime::Unknown => None,
        };
        Some(Self {
            signature: Self::signature_at(position)?,
            code: code.map(CodeOnLine::explain),
            on_line: code,
            n_lines: 1,
            first_ms,
            last_ms,
            state,
            evidence: vec![line],
            explained_by: Vec::new(),
        })
    }

    /// What it says of what is wrong: a response code decides what its line is.
    pub fn role(&self) -> Role {
        match self.code.map(|code| code.weight) {
            None => self.signature.role,
            // Absent is harmless, unless this is what everybody needs.
            Some(_) if self.misses_ek_certificate() => Role::Cause,
            Some(Weight::Harmless) => Role::Harmless,
            Some(Weight::Passing) => Role::Symptom,
            Some(Weight::Fault) => Role::Cause,
        }
    }
}

type Tallies = BTreeMap<What, Tally>;

pub(crate) fn of(diagnosis: Diagnosis) -> Report {
    let Diagnosis { n_lines_left_out, n_clocks_set_back, .. } = diagnosis;
    let mut clocks_set_back = diagnosis.clocks_set_back.clone();
    clocks_set_back.sort();
    let turned = diagnosis.turned.clone();
    let (by_host, joined) = by_host(diagnosis);
    let mut hosts: Vec<HostReport> = by_host
        .into_iter()
        .map(|(name, tallies)| {
            let has_unnamed_lines = joined && name.is_some();
            host(name, has_unnamed_lines, tallies, &turned)
        })
        .collect();
    hosts.sort_by_key(|host| {
        let first = host.causes.iter().filter_map(|case| case.first_ms).min();
        (host.causes.is_empty(), host.symptoms.is_empty(), first.is_none(), first)
    });
    Report { hosts, n_lines_left_out, clocks_set_back, n_clocks_set_back }
}

/// Tallies by the host's full name, and whether those without a name were given to the only one.
fn by_host(diagnosis: Diagnosis) -> (BTreeMap<Option<HostName>, Tallies>, bool) {
    let Diagnosis { tallies, names, ties, .. } = diagnosis;
    let mut named: Vec<HostName> = tallies
        .keys()
        .filter_map(|(whom, _)| match whom {
            Whom::Named(name) => Some(name.clone()),
            Whom::Moref(_) | Whom::Unknown => None,
        })
        .collect();
    named.extend(names.values().flatten().cloned());
    named.sort();
    named.dedup();
    // Sorted, a short name stands right before those that are it with a domain.
    let full_name = |name: HostName| {
        let behind = named.partition_point(|other| *other <= name);
        let mut longer =
            named.iter().skip(behind).take_while(|other| other.as_str().starts_with(name.as_str()));
        let full: Vec<_> = longer.by_ref().filter(|full| name.is_short_for(full)).take(2).collect();
        match full.as_slice() {
            [only] => (*only).clone(),
            _ => name,
        }
    };
    // An address is a host where exactly one of the names that lines tie to it is one.
    let full_name = |name: HostName| {
        let tied = ties.get(&name).into_iter().flatten();
        let known = tied.filter(|name| {
            let at = named.partition_point(|other| other < *name);
            named.get(at).is_some_and(|next| next == *name || name.is_short_for(next))
        });
        let known: BTreeSet<HostName> = known.cloned().map(&full_name).collect();
        match known.len() {
            1 => known.into_iter().next().unwrap_or(name),
            _ => full_name(name),
        }
    };
    let mut hosts: BTreeMap<Option<HostName>, Tallies> = BTreeMap::new();
    for ((whom, what), tally) in tallies {
        let name = match whom {
            Whom::Named(name) => Some(full_name(name)),
            Whom::Moref(moref) => names.get(&moref).cloned().flatten().map(full_name),
            Whom::Unknown => None,
        };
        hosts.entry(name).or_default().entry(what).or_default().join(tally);
    }
    let mut joined = false;
    if hosts.len() == 2
        && let Some(unnamed) = hosts.remove(&None)
        && let Some(only) = hosts.values_mut().next()
    {
        joined = true;
        for (what, tally) in unnamed {
            only.entry(what).or_default().join(tally);
        }
    }
    (hosts, joined)
}

fn host(
    name: Option<HostName>,
    has_unnamed_lines: bool,
    tallies: Tallies,
    turned: &BTreeSet<Arc<str>>,
) -> HostReport {
    let last_of = |id: &str| {
        let of_id = |what: &What| signatures().nth(what.0).is_some_and(|row| row.id == id);
        tallies
            .iter()
            .filter(|(what, _)| of_id(what))
            .filter_map(|(_, tally)| tally.last.clone())
            .max()
    };
    let ends: BTreeMap<&'static str, Last> = signatures()
        .filter_map(|row| row.ended_by)
        .filter_map(|id| Some((id, last_of(id)?)))
        .collect();
    let mut cases: Vec<Case> = tallies
        .into_iter()
        .filter_map(|((position, code), tally)| {
            let signature = signatures().nth(position)?;
            let end = signature.ended_by.and_then(|id| ends.get(id));
            let state = match (end, &tally.last) {
                (Some(end), Some(last)) if end.is_after(last, turned) => State::EndedAt(end.ms),
                _ => State::Lasts,
            };
            Some(Case {
                signature,
                code: code.map(CodeOnLine::explain),
                on_line: code,
                n_lines: tally.n_lines,
                first_ms: tally.first_ms,
                last_ms: tally.last.map(|last| last.ms),
                state,
                evidence: tally.evidence,
                explained_by: Vec::new(),
            })
        })
        .collect();
    // What lasts before what is over, then the earliest; the table's order where times are equal.
    cases.sort_by_key(|case| (case.state != State::Lasts, case.first_ms.is_none(), case.first_ms));
    let causes: BTreeSet<&'static str> = cases
        .iter()
        .filter(|case| case.role() == Role::Cause)
        .map(|case| case.signature.id)
        .collect();
    let mut report = HostReport {
        name,
        has_unnamed_lines,
        causes: Vec::new(),
        suspicions: Vec::new(),
        symptoms: Vec::new(),
        harmless: Vec::new(),
    };
    for mut case in cases {
        let follows = |id: &&&'static str| {
            case.signature.follows.iter().any(|followed| followed == *id || *followed == "*")
        };
        case.explained_by =
            causes.iter().filter(follows).filter(|id| **id != case.signature.id).copied().collect();
        match case.role() {
            Role::Cause if case.explained_by.is_empty() => report.causes.push(case),
            Role::Cause | Role::Symptom => report.symptoms.push(case),
            Role::Harmless => report.harmless.push(case),
        }
    }
    if report.is_trouble() {
        report.suspicions = report
            .harmless
            .iter()
            .filter_map(|case| Some((case.signature.suspicion?, case.clone())))
            .collect();
    }
    report
}
