//! What was looked up and has not changed since: a host shows its token with each request, and nothing of most hosts
//! changes between a challenge and its answer.
//!
//! One process writes the file, so what is kept here is as new as the last commit: the writer takes out what a
//! commit may have changed, before it answers anybody.

use std::collections::HashMap;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{SqliteStore, host, reference, trust};
use crate::{
    AppraisalId, Host, HostId, HostReferences, LastAppraisal, NewAppraisal, QuoteClock, Reply,
    Sha256,
};

/// Hosts that are kept, of some 5 KiB each with their keys and certificates: 40 MiB. With more than these all are
/// forgotten, which costs each a look-up.
const HOSTS_MAX: usize = 8_192;

#[derive(Debug, Default)]
pub(super) struct Recent(Mutex<Found>);

#[derive(Debug, Default)]
struct Found {
    /// How many commits there were.
    n_commits: u64,
    by_token: HashMap<Sha256, Host>,
    tokens: HashMap<HostId, Sha256>,
    trust_generation: Option<i64>,
    /// The generation of references, where none of them counts.
    no_references: Option<i64>,
}

/// When somebody began to look: what is found belongs to this commit or a later one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Since(u64);

/// What a commit may have changed of what is kept here.
#[derive(Debug)]
pub(super) enum Touched {
    /// Nothing.
    Nothing,
    /// This host.
    Host(HostId),
    /// This host, by a judgement.
    Judged(Box<Judged>),
    /// Anything.
    Anything,
}

/// What a judgement changes of its host: what [`super::appraisal::record`] writes.
#[derive(Debug)]
pub(super) struct Judged {
    host: HostId,
    last: LastAppraisal,
    next_due_at_ms: i64,
    nonce_at_ms: i64,
    quote_clock: Option<QuoteClock>,
    cohort: Option<String>,
}

impl Judged {
    pub(super) fn of(id: AppraisalId, new: NewAppraisal) -> Self {
        Self {
            host: new.host,
            last: LastAppraisal {
                id,
                at_ms: new.at_ms,
                verdict: new.verdict,
                findings_json: new.findings_json,
                identity_version: new.identity_version,
            },
            next_due_at_ms: new.next_due_at_ms,
            nonce_at_ms: new.nonce_at_ms,
            quote_clock: new.quote_clock,
            cohort: new.cohort,
        }
    }

    fn apply(self, host: &mut Host) {
        let Self { host: _, last, next_due_at_ms, nonce_at_ms, quote_clock, cohort } = self;
        host.last_seen_at_ms = host.last_seen_at_ms.max(Some(last.at_ms));
        host.last = Some(last);
        host.next_due_at_ms = Some(next_due_at_ms);
        host.last_nonce_at_ms = Some(nonce_at_ms);
        host.attest_requested_at_ms =
            host.attest_requested_at_ms.filter(|asked| *asked > nonce_at_ms);
        host.last_quote_clock = quote_clock.or(host.last_quote_clock);
        host.cohort = cohort;
    }
}

impl Recent {
    fn found(&self) -> MutexGuard<'_, Found> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The host that shows this token; else since when it is looked up.
    pub(super) fn host(&self, token: &Sha256) -> Result<Host, Since> {
        let found = self.found();
        found.by_token.get(token).cloned().ok_or(Since(found.n_commits))
    }

    /// Keeps a host that was found.
    pub(super) fn keep_host(&self, since: Since, token: Sha256, host: &Host) {
        let mut found = self.found();
        if found.n_commits != since.0 {
            return;
        }
        if found.by_token.len() >= HOSTS_MAX {
            found.by_token.clear();
            found.tokens.clear();
        }
        found.tokens.insert(host.id.clone(), token);
        found.by_token.insert(token, host.clone());
    }

    /// How often the anchors changed; else since when that is looked up.
    pub(super) fn trust_generation(&self) -> Result<i64, Since> {
        let found = self.found();
        found.trust_generation.ok_or(Since(found.n_commits))
    }

    /// Keeps it.
    pub(super) fn keep_trust_generation(&self, since: Since, generation: i64) {
        let mut found = self.found();
        if found.n_commits == since.0 {
            found.trust_generation = Some(generation);
        }
    }

    /// The generation of references, where it is known that none counts; else since when that is looked up.
    pub(super) fn no_references(&self) -> Result<i64, Since> {
        let found = self.found();
        found.no_references.ok_or(Since(found.n_commits))
    }

    /// Keeps it.
    pub(super) fn keep_no_references(&self, since: Since, generation: i64) {
        let mut found = self.found();
        if found.n_commits == since.0 {
            found.no_references = Some(generation);
        }
    }

    /// There was a commit, of which nobody was told yet.
    pub(super) fn committed(&self, touched: impl IntoIterator<Item = Touched>) {
        let mut found = self.found();
        found.n_commits = found.n_commits.wrapping_add(1);
        for touched in touched {
            match touched {
                Touched::Nothing => {}
                Touched::Host(host) => {
                    if let Some(token) = found.tokens.remove(&host) {
                        found.by_token.remove(&token);
                    }
                }
                Touched::Judged(judged) => {
                    let found = &mut *found;
                    if let Some(token) = found.tokens.get(&judged.host)
                        && let Some(host) = found.by_token.get_mut(token)
                    {
                        judged.apply(host);
                    }
                }
                Touched::Anything => {
                    let n_commits = found.n_commits;
                    *found = Found { n_commits, ..Found::default() };
                }
            }
        }
    }
}

/// The host that shows this token.
pub(super) fn host(store: &SqliteStore, token: Sha256) -> Reply<'_, Option<Host>> {
    let since = match store.recent.host(&token) {
        Ok(host) => return Box::pin(ready(Ok(Some(host)))),
        Err(since) => since,
    };
    let recent = Arc::clone(&store.recent);
    store.look_up(move |db| {
        let found = host::by_api_token(db, &token)?;
        if let Some(host) = &found {
            recent.keep_host(since, token, host);
        }
        Ok(found)
    })
}

/// How often the anchors changed.
pub(super) fn trust_generation(store: &SqliteStore) -> Reply<'_, i64> {
    let since = match store.recent.trust_generation() {
        Ok(generation) => return Box::pin(ready(Ok(generation))),
        Err(since) => since,
    };
    let recent = Arc::clone(&store.recent);
    store.look_up(move |db| {
        let generation = trust::generation(db)?;
        recent.keep_trust_generation(since, generation);
        Ok(generation)
    })
}

/// The references that count for a host.
pub(super) fn references<'a>(
    store: &'a SqliteStore,
    host: &HostId,
    cohort: Option<&str>,
) -> Reply<'a, HostReferences> {
    let none = |generation| HostReferences { generation, references: Vec::new() };
    let since = match store.recent.no_references() {
        Ok(generation) => return Box::pin(ready(Ok(none(generation)))),
        Err(since) => since,
    };
    let recent = Arc::clone(&store.recent);
    let (host, cohort) = (host.clone(), cohort.map(str::to_owned));
    store.look_up(move |db| {
        if let Some(generation) = reference::none(db)? {
            recent.keep_no_references(since, generation);
            return Ok(none(generation));
        }
        reference::of_host(db, &host, cohort.as_deref())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_as_new_as_the_last_commit() {
        let recent = Recent::default();
        let since = recent.trust_generation().unwrap_err();
        recent.keep_trust_generation(since, 7);
        assert_eq!(recent.trust_generation().unwrap(), 7);
        recent.committed([Touched::Host("a".into())]);
        assert_eq!(recent.trust_generation().unwrap(), 7, "of a host alone");
        recent.committed([Touched::Host("a".into()), Touched::Anything]);
        let since = recent.trust_generation().unwrap_err();
        // It was read before this commit, and comes after it.
        recent.committed([]);
        recent.keep_trust_generation(since, 8);
        assert!(recent.trust_generation().is_err());
    }
}
