//! Judgements of hosts that go on as they were, written together.
//!
//! Of most judgements nothing is new but the answer to the challenge: the same verdict, the same parts, the same
//! values. Such ones are gathered while those before them are on their way, and written by one statement in one
//! transaction. It compares what it finds with what they say, each by itself, so that it writes only what may be
//! written: what a server knew of a host is trusted for nothing, and several servers may do this at once. Judgements
//! that it leaves, be they refused, of something new or of a host that another transaction holds at this moment, are
//! recorded one by one ([`super::appraisal::record`]), which says why where one is refused.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::lock;
use super::pool::Pool;
use super::session::Values;
use super::transaction::{self, Begins, Transaction};
use crate::{AppraisalId, DecidedBy, NewAppraisal, Sha256, StoreError};

/// Judgements that one statement writes: some megabytes at most, as answers are short. Beyond it the flush to the disk
/// is not what costs, and the first would wait for the last.
const GROUP_MAX: usize = 128;

/// Judgements that wait before callers do: the groups of some hundredths of a second.
const WAITING_MAX: usize = 8 * GROUP_MAX;

/// Bytes of an answer that is written with others. Longer ones, with lists that grow while a system runs, go alone, so
/// that a group does not fill the memory of either side.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// A judgement that waits, and who waits for it.
struct Waiting {
    judgement: Arc<NewAppraisal>,
    reply: oneshot::Sender<Outcome>,
}

/// What became of a judgement: it has this number, or it is left.
type Outcome = Result<Option<AppraisalId>, StoreError>;

/// Takes judgements, and writes them together.
#[derive(Debug)]
pub(super) struct Routine {
    waiting: mpsc::Sender<Waiting>,
}

impl Routine {
    /// Its task ends with the last of those who can ask, when all that waits is written.
    pub(super) fn start(pool: Arc<Pool>) -> Self {
        let (waiting, asked) = mpsc::channel(WAITING_MAX);
        tokio::spawn(work(pool, asked));
        Self { waiting }
    }

    /// Judgements that wait for the next group.
    pub(super) fn n_waiting(&self) -> u64 {
        let n = self.waiting.max_capacity().saturating_sub(self.waiting.capacity());
        u64::try_from(n).unwrap_or(u64::MAX)
    }

    /// Records a judgement, if it is one of a host that goes on as it was; `None`: it is not, or not now, and
    /// nothing of it is written.
    pub(super) async fn record(
        &self,
        judgement: &Arc<NewAppraisal>,
    ) -> Result<Option<AppraisalId>, StoreError> {
        let is_long =
            judgement.answer.as_ref().is_some_and(|answer| answer.len() > ANSWER_BYTES_MAX);
        if is_long || judgement.judged_by.one_boot.is_some() {
            return Ok(None);
        }
        let (reply, outcome) = oneshot::channel();
        let waiting = Waiting { judgement: Arc::clone(judgement), reply };
        self.waiting.send(waiting).await.map_err(|_| StoreError::closed())?;
        outcome.await.map_err(|_| StoreError::closed())?
    }
}

async fn work(pool: Arc<Pool>, mut asked: mpsc::Receiver<Waiting>) {
    let mut group: Vec<Waiting> = Vec::new();
    // Those whose host is in a group already: the next one takes them.
    let mut later: Vec<Waiting> = Vec::new();
    loop {
        if later.is_empty() && asked.recv_many(&mut group, GROUP_MAX).await == 0 {
            return;
        }
        group.append(&mut later);
        while group.len() < GROUP_MAX
            && let Ok(next) = asked.try_recv()
        {
            group.push(next);
        }
        let mut hosts = HashSet::new();
        (group, later) =
            group.into_iter().partition(|one| hosts.insert(one.judgement.host.clone()));
        write(&pool, &mut group).await;
    }
}

/// Writes a group, and answers all who wait for it.
async fn write(pool: &Arc<Pool>, group: &mut Vec<Waiting>) {
    let judgements: Vec<_> = group.iter().map(|one| Arc::clone(&one.judgement)).collect();
    let n = judgements.len();
    let written = transaction::change_together(
        Arc::clone(pool),
        Begins::Itself,
        n,
        judgements,
        |tx, judgements| Box::pin(insert(tx, judgements)),
    );
    match written.await {
        Ok(written) => {
            for one in group.drain(..) {
                let id = written.get(one.judgement.host.as_str()).copied();
                // Who left does not hear; what is written stands all the same.
                drop(one.reply.send(Ok(id)));
            }
        }
        // The database cannot be asked now, or it is not known what it did: that is so for all of them.
        Err(error @ StoreError::Unavailable { .. }) => {
            let error = Arc::new(error);
            for one in group.drain(..) {
                drop(one.reply.send(Err(StoreError::shared(&error))));
            }
        }
        // One of them cannot be stored, and took the others with it: each is tried by itself.
        Err(error) => {
            tracing::debug!(%error, n, "judgements could not be written together");
            for one in group.drain(..) {
                drop(one.reply.send(Ok(None)));
            }
        }
    }
}

/// Before the statement. References stay as they are from here on; what the next statement sees is younger than the
/// lock. And how that is planned: once, and by indexes alone. A plan that was made when there were ten judgements, and
/// reads all of them for each group, would be kept until the database notices that there are more.
const BEFORE: &str = "\
    SELECT pg_advisory_xact_lock_shared($1, 0), set_config('enable_seqscan', 'off', true), \
        set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true), \
        set_config('plan_cache_mode', 'force_generic_plan', true)";

/// The order of the conditions is not that of refusals: what does not meet one of them is left, and refused by who looks
/// at it alone. A host that somebody else holds is left, too, so that a group waits for nobody and nobody in a circle.
/// The summary is that of [`super::appraisal`], without what does not change.
const INSERT: &str = "\
    WITH new AS ( \
        SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], \
            $6::text[], $7::text[], $8::bytea[], $9::text[], $10::text[], $11::bytea[], \
            $12::text[], $13::bytea[], $14::bigint[], $15::bigint[], $16::bigint[], \
            $17::bigint[], $18::bigint[], $19::bigint[], $20::boolean[], $21::bigint[]) \
        AS new (host, version, nonce_at_ms, at_ms, verdict, \
            findings_json, document_json, answer, code, cause, list_sha256, \
            cohort, quoted_sha256, generation, next_due_at_ms, look_again_at_ms, \
            new_clock_ms, reset_count, restart_count, safe, firmware_version)), \
    same AS ( \
        SELECT new.*, evidence_lists.id AS list, nextval('appraisals_id_seq') AS number \
        FROM new JOIN hosts ON hosts.id = host \
        JOIN appraisals ON appraisals.id = hosts.last_appraisal_id \
        JOIN evidence_lists ON evidence_lists.id = appraisals.list_id \
        WHERE hosts.connection <> 'disconnected' AND hosts.identity_version = version \
            AND hosts.last_nonce_at_ms < nonce_at_ms AND hosts.last_verdict = new.verdict \
            AND hosts.cohort IS NOT DISTINCT FROM new.cohort \
            AND coalesce(new.quoted_sha256 = hosts.quoted_sha256, new.quoted_sha256 IS NULL) \
            AND evidence_lists.sha256 = list_sha256 \
            AND (generation IS NULL OR generation = \
                (SELECT value FROM counters WHERE name = 'reference_generation')) \
        FOR NO KEY UPDATE OF hosts SKIP LOCKED), \
    written AS ( \
        INSERT INTO appraisals (id, host_id, at_ms, verdict, document_json, answer, list_id, \
            deciding_code, deciding_cause) \
        OVERRIDING SYSTEM VALUE \
        SELECT number, host, at_ms, verdict, document_json, answer, list, code, cause FROM same), \
    summarised AS ( \
        UPDATE hosts SET \
            last_appraisal_id = number, last_at_ms = at_ms, \
            last_findings_json = findings_json, last_identity_version = identity_version, \
            next_due_at_ms = same.next_due_at_ms, last_nonce_at_ms = nonce_at_ms, \
            look_at_ms = CASE WHEN look_at_ms <= at_ms OR look_at_ms = 9223372036854775807 \
                THEN 0 ELSE least(look_at_ms, look_again_at_ms) END, \
            look_seq = look_seq + CASE WHEN look_at_ms <= at_ms \
                OR look_at_ms = 9223372036854775807 THEN 1 ELSE 0 END, \
            last_seen_at_ms = greatest(coalesce(last_seen_at_ms, at_ms), at_ms), \
            attest_requested_at_ms = CASE WHEN attest_requested_at_ms > nonce_at_ms \
                THEN attest_requested_at_ms END, \
            clock_ms = coalesce(new_clock_ms, clock_ms), \
            clock_reset_count = coalesce(reset_count, clock_reset_count), \
            clock_restart_count = coalesce(restart_count, clock_restart_count), \
            clock_safe = coalesce(safe, clock_safe), \
            clock_firmware_version = coalesce(firmware_version, clock_firmware_version) \
        FROM same WHERE hosts.id = same.host) \
    SELECT host, number FROM same";

/// One flight: nothing in it waits for an answer to what is before it.
async fn insert(
    tx: &Transaction,
    judgements: &[Arc<NewAppraisal>],
) -> Result<HashMap<String, AppraisalId>, StoreError> {
    let ways = [tx.prepare(BEFORE).await?, tx.prepare(INSERT).await?];
    let column = Group(judgements);
    let digests: Vec<Sha256> = judgements.iter().map(|one| one.list_sha256()).collect();
    let quoted: Vec<Option<Sha256>> = judgements
        .iter()
        .map(|one| {
            let cohort = one.cohort.as_deref().unwrap_or_default();
            one.quoted.as_ref().map(|quoted| quoted.digest(cohort))
        })
        .collect();
    let values: Values<'_> = &[
        &column.of(|one| one.host.as_str()),
        &column.of(|one| one.identity_version),
        &column.of(|one| one.nonce_at_ms),
        &column.of(|one| one.at_ms),
        &column.of(|one| one.verdict.as_str()),
        &column.of(|one| one.findings_json.as_str()),
        &column.of(|one| one.document_json.as_str()),
        &column.of(|one| one.answer.as_deref()),
        &column.of(|one| DecidedBy::columns(one.deciding.as_ref()).0),
        &column.of(|one| DecidedBy::columns(one.deciding.as_ref()).1),
        &digests.iter().map(<[u8; 32]>::as_slice).collect::<Vec<_>>(),
        &column.of(|one| one.cohort.as_deref()),
        &quoted.iter().map(|digest| digest.as_ref().map(<[u8; 32]>::as_slice)).collect::<Vec<_>>(),
        &column.of(|one| one.judged_by.reference_generation),
        &column.of(|one| one.next_due_at_ms),
        &column.of(|one| one.look_again_at_ms),
        // PostgreSQL knows signed numbers only; the bits are kept.
        &column.of(|one| one.quote_clock.as_ref().map(|clock| clock.clock_ms.cast_signed())),
        &column.of(|one| one.quote_clock.as_ref().map(|clock| i64::from(clock.reset_count))),
        &column.of(|one| one.quote_clock.as_ref().map(|clock| i64::from(clock.restart_count))),
        &column.of(|one| one.quote_clock.as_ref().map(|clock| clock.safe)),
        &column
            .of(|one| one.quote_clock.as_ref().map(|clock| clock.firmware_version.cast_signed())),
    ];
    let (_, _, rows, ()) = tokio::try_join!(
        biased;
        tx.begin(),
        tx.ask(&ways[0], &[&lock::REFERENCES]),
        tx.ask(&ways[1], values),
        tx.commit_in_flight(),
    )?;
    rows.iter().map(|row| Ok((row.try_get(0)?, AppraisalId(row.try_get(1)?)))).collect()
}

/// Judgements as columns.
struct Group<'a>(&'a [Arc<NewAppraisal>]);

impl<'a> Group<'a> {
    fn of<T>(&self, column: impl Fn(&'a NewAppraisal) -> T) -> Vec<T> {
        self.0.iter().map(|one| column(one)).collect()
    }
}
