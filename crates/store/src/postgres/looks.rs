//! What each request looks up first, looked up for all that wait at one time.
//!
//! Questions are gathered while those before them are on their way. Each is answered by a look that began after it
//! was asked, as if it had been asked alone: with several servers on a database nothing of a host may be kept from look
//! to look. But for its identity, which is kilobytes: each has a number and a time of its own, by which it is known
//! again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, oneshot};

use super::pool::Pool;
use super::reference::{self, Ground};
use super::session::Session;
use super::{host, transaction};
use crate::{Host, HostId, HostReferences, Identity, Sha256, StoreError};

/// Questions that are asked together: a host is a kilobyte, so these are some pieces of a connection.
const TOGETHER_MAX: usize = 128;

/// Questions that wait before callers do.
const WAITING_MAX: usize = 8 * TOGETHER_MAX;

/// Identities that are kept, of some 4 KiB each: 32 MiB. With more than these all are forgotten, which costs each a
/// look-up.
const IDENTITIES_MAX: usize = 8_192;

/// Asks them.
#[derive(Debug)]
pub(super) struct Looks {
    asked: mpsc::Sender<Question>,
}

/// A question, and who waits for the answer.
enum Question {
    /// The host that shows a token.
    Host(Sha256, Reply<Option<Host>>),
    /// How often the anchors changed.
    Trust(Reply<i64>),
    /// The references that count for a host that names a cohort.
    References(OfHost, Reply<HostReferences>),
}

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;
type OfHost = (HostId, Option<String>);

impl Looks {
    /// Its task ends with the last of those who can ask.
    pub(super) fn start(pool: Arc<Pool>) -> Self {
        let (asked, questions) = mpsc::channel(WAITING_MAX);
        tokio::spawn(work(pool, questions));
        Self { asked }
    }

    /// The host that shows this token.
    pub(super) async fn host(&self, token: Sha256) -> Result<Option<Host>, StoreError> {
        self.ask(|reply| Question::Host(token, reply)).await
    }

    /// How often the anchors changed.
    pub(super) async fn trust_generation(&self) -> Result<i64, StoreError> {
        self.ask(Question::Trust).await
    }

    /// The references that count for a host.
    pub(super) async fn references(&self, of: OfHost) -> Result<HostReferences, StoreError> {
        // Alone, since the database would refuse the others' questions with it.
        if of.0.as_str().contains('\0') || of.1.as_ref().is_some_and(|name| name.contains('\0')) {
            return Err(StoreError::Unstorable);
        }
        self.ask(|reply| Question::References(of, reply)).await
    }

    async fn ask<T>(&self, question: impl FnOnce(Reply<T>) -> Question) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.asked.send(question(reply)).await.map_err(|_| StoreError::closed())?;
        answer.await.map_err(|_| StoreError::closed())?
    }
}

async fn work(pool: Arc<Pool>, mut asked: mpsc::Receiver<Question>) {
    let known = Arc::new(Known::default());
    let mut questions = Vec::new();
    while asked.recv_many(&mut questions, TOGETHER_MAX).await > 0 {
        let wanted = Wanted::of(&questions, &known);
        let looked =
            transaction::look(Arc::clone(&pool), wanted, |db, wanted| Box::pin(look(db, wanted)));
        let looked = looked.await.map_err(Arc::new);
        for question in questions.drain(..) {
            // Who left does not hear.
            match question {
                Question::Host(token, reply) => {
                    let host = |found: &Found| Ok(found.hosts.get(&token).cloned());
                    drop(reply.send(answer(&looked, host)));
                }
                Question::Trust(reply) => {
                    let generation = |found: &Found| Ok(found.ground()?.trust_generation);
                    drop(reply.send(answer(&looked, generation)));
                }
                Question::References(of, reply) => {
                    drop(reply.send(answer(&looked, |found| found.references(&of))));
                }
            }
        }
    }
}

/// What one of those who asked together is told.
fn answer<T>(
    looked: &Result<Found, Arc<StoreError>>,
    of: impl FnOnce(&Found) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    looked.as_ref().map_err(StoreError::shared).and_then(of)
}

/// What is asked, of one or many.
struct Wanted {
    tokens: Vec<Sha256>,
    asks_for_ground: bool,
    references: Vec<OfHost>,
    known: Arc<Known>,
}

impl Wanted {
    fn of(questions: &[Question], known: &Arc<Known>) -> Self {
        let (mut tokens, mut references) = (Vec::new(), Vec::new());
        for question in questions {
            match question {
                Question::Host(token, _) => tokens.push(*token),
                Question::Trust(_) => {}
                Question::References(of, _) => references.push(of.clone()),
            }
        }
        let asks_for_ground = tokens.len() < questions.len();
        Self { tokens, asks_for_ground, references, known: Arc::clone(known) }
    }
}

/// What was found.
struct Found {
    hosts: HashMap<Sha256, Host>,
    ground: Option<Ground>,
    /// Where any counts.
    references: HashMap<OfHost, HostReferences>,
}

impl Found {
    fn ground(&self) -> Result<Ground, StoreError> {
        self.ground.ok_or_else(|| StoreError::broken("nobody looked for a counter"))
    }

    fn references(&self, of: &OfHost) -> Result<HostReferences, StoreError> {
        if let Some(generation) = self.ground()?.no_references {
            return Ok(HostReferences { generation, references: Vec::new() });
        }
        let found = self.references.get(of).cloned();
        found.ok_or_else(|| StoreError::broken("nobody looked for references of a host"))
    }
}

async fn look(db: &Session, wanted: &Wanted) -> Result<Found, StoreError> {
    let ways = (host::prepare_by_api_tokens(db).await?, reference::prepare_ground(db).await?);
    let hosts = async {
        match &wanted.tokens[..] {
            [] => Ok(Vec::new()),
            tokens => host::by_api_tokens(db, &ways.0, tokens).await,
        }
    };
    let ground = async {
        match wanted.asks_for_ground {
            true => reference::ground(db, &ways.1).await.map(Some),
            false => Ok(None),
        }
    };
    // One flight.
    let (without, ground) = tokio::try_join!(biased; hosts, ground)?;
    let hosts = with_identities(db, &wanted.known, without).await?;
    let mut references = HashMap::new();
    if ground.is_some_and(|ground| ground.no_references.is_none()) {
        let found = reference::of_hosts(db, &wanted.references).await?;
        references.extend(wanted.references.iter().cloned().zip(found));
    }
    Ok(Found { hosts, ground, references })
}

/// The hosts with their identities: those that are known, else as they are looked up.
async fn with_identities(
    db: &Session,
    known: &Known,
    without: Vec<host::Without>,
) -> Result<HashMap<Sha256, Host>, StoreError> {
    let mut hosts = HashMap::with_capacity(without.len());
    let mut unknown = Vec::new();
    for mut found in without {
        match found.enrolled_at_ms {
            None => {}
            Some(enrolled_at_ms) => match known.identity(&found.host, enrolled_at_ms) {
                Some(identity) => found.host.identity = Some(identity),
                None => {
                    unknown.push(found);
                    continue;
                }
            },
        }
        hosts.insert(found.token, found.host);
    }
    if unknown.is_empty() {
        return Ok(hosts);
    }
    let ids: Vec<&str> = unknown.iter().map(|found| found.host.id.as_str()).collect();
    let identities = host::identities(db, &ids).await?;
    known.keep(identities);
    for mut found in unknown {
        let identity =
            found.enrolled_at_ms.and_then(|enrolled| known.identity(&found.host, enrolled));
        match identity {
            Some(identity) => {
                found.host.identity = Some(identity);
                hosts.insert(found.token, found.host);
            }
            // It was enrolled anew in between, or removed: one statement sees one state.
            None => {
                if let Some(host) = host::by_api_token(db, &found.token).await? {
                    hosts.insert(found.token, host);
                }
            }
        }
    }
    Ok(hosts)
}

/// Identities that were looked up. One never changes: a host that is enrolled anew gets one of another version.
#[derive(Default)]
struct Known(Mutex<HashMap<HostId, (i64, Identity)>>);

impl Known {
    /// That of the host, where it is the one that was enrolled then: a database may be put back to an older state, and
    /// give a version once more.
    fn identity(&self, host: &Host, enrolled_at_ms: i64) -> Option<Identity> {
        let known = self.all();
        let (version, identity) = known.get(&host.id)?;
        let is_it = *version == host.identity_version && identity.enrolled_at_ms == enrolled_at_ms;
        is_it.then(|| identity.clone())
    }

    fn keep(&self, identities: Vec<(HostId, i64, Identity)>) {
        let mut known = self.all();
        if known.len() >= IDENTITIES_MAX {
            known.clear();
        }
        known.extend(identities.into_iter().map(|(id, version, one)| (id, (version, one))));
    }

    fn all(&self) -> MutexGuard<'_, HashMap<HostId, (i64, Identity)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
