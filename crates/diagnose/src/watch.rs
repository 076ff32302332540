//! Logs that grow: what begins and what is over, each told once.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    case::{EvidenceLine, Place, excerpt},
    diagnosis::{CASES_MAX, What, Whom, whom},
    host::{self, HostName},
    matcher::Hit,
    report::{Case, State},
    signature::Signature,
    time::{self, LogTime},
};

/// Takes lines in the order in which they are written, and says what changes with each.
#[derive(Default)]
pub struct Watch {
    /// What holds now. Beyond [`CASES_MAX`] nothing is remembered, so that it is told again.
    open: BTreeMap<(Whom, What), Option<i64>>,
    /// vCenter's identifiers of hosts, and their names.
    names: BTreeMap<String, HostName>,
}

/// What a line changed.
#[derive(Clone, Debug)]
pub struct Event {
    /// The host; `None` where lines name none.
    pub host: Option<HostName>,
    /// What happened: its evidence is the line. [`State::EndedAt`] where it is over now.
    pub case: Case,
}

impl Watch {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The `number`th line of `place`, which has `hits`: what is over with it, then what began.
    pub fn line(&mut self, place: &Place, number: u64, line: &[u8], hits: &[Hit]) -> Vec<Event> {
        if let Some(host::Subject { name: Some(name), moref: Some(moref) }) = host::of_vcenter(line)
            && (self.names.len() < CASES_MAX || self.names.contains_key(&moref))
        {
            self.names.insert(moref, name);
        }
        let (time, behind) = time::of_line(line, place.year);
        let mut events = Vec::new();
        for hit in hits {
            let whom = whom(place, line, line.get(behind..).unwrap_or_default(), hit);
            let whom = match whom {
                Whom::Moref(moref) => match self.names.get(&moref) {
                    Some(name) => Whom::Named(name.clone()),
                    None => Whom::Moref(moref),
                },
                whom => whom,
            };
            let evidence =
                EvidenceLine { file: Arc::clone(&place.file), number, time, text: excerpt(line) };
            events.extend(self.over(&whom, hit.signature, &evidence));
            let key = (whom, (hit.position, hit.code));
            if !self.open.contains_key(&key) {
                events.extend(event(&key, ms(time), State::Lasts, evidence));
                if self.open.len() < CASES_MAX {
                    self.open.insert(key, ms(time));
                }
            }
        }
        events
    }

    /// What `signature` says to be over, on this host.
    fn over(&mut self, whom: &Whom, signature: &Signature, line: &EvidenceLine) -> Vec<Event> {
        let is_over = |key: &(Whom, What)| {
            key.0 == *whom
                && Case::signature_at(key.1.0).is_some_and(|row| row.ended_by == Some(signature.id))
        };
        let over: Vec<_> = self.open.extract_if(.., |key, _| is_over(key)).collect();
        let ended = |(key, first_ms): ((Whom, What), Option<i64>)| {
            // Without a time it is over all the same: lines come in their order.
            let state = ms(line.time).map_or(State::Ended, State::EndedAt);
            event(&key, first_ms, state, line.clone())
        };
        over.into_iter().filter_map(ended).collect()
    }
}

impl Event {
    /// Whether it says that something is over.
    pub fn is_over(&self) -> bool {
        self.case.state != State::Lasts
    }
}

fn ms(time: LogTime) -> Option<i64> {
    match time {
        LogTime::Utc(ms) => Some(ms),
        LogTime::AfterBoot(_) | LogTime::Unknown => None,
    }
}

fn event(
    (whom, what): &(Whom, What),
    first_ms: Option<i64>,
    state: State,
    line: EvidenceLine,
) -> Option<Event> {
    let host = match whom {
        Whom::Named(name) => Some(name.clone()),
        Whom::Moref(_) | Whom::Unknown => None,
    };
    Some(Event { host, case: Case::of_line(*what, first_ms, state, line)? })
}
