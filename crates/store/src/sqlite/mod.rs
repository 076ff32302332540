//! The embedded default: SQLite in one file.
//!
//! One thread writes, a few threads read. The writer puts all requests that wait into one
//! transaction ([`writer`]), so that one flush to disk serves many; readers see the last commit.

mod alarm;
mod appraisal;
mod approval;
mod attention;
mod audit;
mod candidate;
mod channel;
mod checkpoint;
mod client_authority;
mod client_certificate;
mod clock;
mod columns;
mod ek_list;
mod enrolment;
mod error;
mod event;
mod evidence;
mod evidence_list;
mod export;
mod host;
mod host_view;
mod idempotent;
mod import;
mod inventory;
mod lapse;
mod look;
mod migrate;
mod open;
mod operation;
mod peers;
mod people;
mod policy;
mod readers;
mod recent;
mod reference;
mod report;
mod secret;
mod standing;
mod thinning;
mod token;
mod trust;
mod writer;

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection as Db;

use self::checkpoint::Checkpointer;
use self::clock::Clock;
pub use self::look::SqliteLook;
use self::readers::Readers;
use self::recent::{Judged, Recent, Touched};
use self::writer::Writer;
use crate::elsewhere;
use crate::{
    ActivePolicy, FindingCount, Minority, NewPolicyVersion, PolicyActivation, PolicyDocument,
    PolicyVersion, StandingHour,
};
use crate::{
    Activity, Added, Alarm, AlarmEdges, AlarmFilter, AlarmGroup, AlarmId, AlarmSelection, ApiToken,
    AppraisalId, AppraisalLine, AppraisalRow, Approval, AuditNote, AuditRow, Begun, By,
    CandidateRefusal, CensusRow, CensusTimes, Channel, ChannelActivity, ChannelLease, Checked,
    Completion, DeadLetter, DeadLetterId, DeadLetters, DueLook, EkCursor, EkList, Enrolled, Event,
    EventCursor, EventSpan, EvidenceCensus, EvidenceObjects, EvidencePart, EvidencePlace, Host,
    HostCursor, HostDecision, HostFilter, HostId, HostReferences, IdempotentRequest, Identity,
    JoinToken, JoinTokenId, JoinedEks, LabelCount, Labels, LabelsChange, ListedEk, LoginFailure,
    Moved, NewApiToken, NewAppraisal, NewCandidate, NewChannel, NewEkList, NewHost, NewJoinToken,
    NewListedEk, NewReference, NewSession, NewTrustRoot, NewUser, Noted, Peers, PendingEnrolment,
    PendingId, PolicyInForce, Probed, Progress, Reenrolment, Reference, ReferenceChange,
    ReferenceId, ReferenceState, Rejudgement, Replacement, Reply, ReportRun, ReportTry, Session,
    SessionId, Settlement, Sha256, Store, StoreError, StoredPart, StoredPassword, Thinning,
    ThinningPreview, ThinningStep, Told, TpmPresence, TrustRoots, User, UserChange,
    VouchedSessions, WaitingCursor,
};

pub(crate) use self::migrate::fits as schema_fits;

/// The version of the schema that this program makes.
pub(crate) fn schema_known() -> i64 {
    migrate::known().unwrap_or(0)
}

/// Threads that read. Reads are short and mostly served from memory; more threads than cores of a
/// small machine would only wait for each other.
const N_READERS: usize = 4;

/// Connections for look-ups by those who want something: about one for each thread of a small machine's server.
const N_AT_HAND: usize = 4;

/// A [`Store`] in one SQLite file. Dropping it finishes what was accepted and closes the file.
#[derive(Debug)]
pub struct SqliteStore {
    // Dropped in this order: the last connection to close is the writer's, which then folds the
    // write-ahead log into the file.
    readers: Readers,
    _checkpointer: Checkpointer,
    writer: Writer,
    recent: Arc<Recent>,
    clock: Clock,
    objects: Option<EvidenceObjects>,
}

impl SqliteStore {
    /// Opens the database at `path`, readable by its owner only where it is new, and brings its
    /// schema up to date. Blocks; starts threads.
    ///
    /// # Errors
    /// [`StoreError::SchemaNewer`], [`StoreError::NotOurs`], or the file cannot be used.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let writer = open::writer(path)?;
        let open = |n| (0..n).map(|_| open::reader(path)).collect::<Result<Vec<_>, _>>();
        let readers = Readers::start(open(N_READERS)?, open(N_AT_HAND)?)?;
        let clock = Clock::of(&writer)?;
        let checkpointer = Checkpointer::start(open::checkpointer(path)?)?;
        let recent = Arc::default();
        let writer = Writer::start(writer, checkpointer.has_committed(), Arc::clone(&recent))?;
        Ok(Self { readers, _checkpointer: checkpointer, writer, recent, clock, objects: None })
    }

    /// The same, with a place outside of it for long parts of evidence.
    #[must_use]
    pub fn with_objects(self, objects: EvidenceObjects) -> Self {
        Self { objects: Some(objects), ..self }
    }

    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Db) -> Result<T, StoreError> + Send + 'static,
    ) -> Reply<'_, T> {
        Box::pin(self.writer.run(work))
    }

    /// Records a judgement, with parts of its evidence that were placed elsewhere.
    async fn record(
        &self,
        new: NewAppraisal,
        placed: elsewhere::PlacedParts,
        by: By,
    ) -> Result<AppraisalId, StoreError> {
        let work = move |db: &Db| {
            let id = appraisal::record(db, &new, &placed, &by)?;
            Ok((id, Some(Box::new(Judged::of(id, new)))))
        };
        let touched = |(_, judged): &mut (AppraisalId, Option<Box<Judged>>)| {
            judged.take().map_or(Touched::Nothing, Touched::Judged)
        };
        self.writer.run_checked(work, touched).await.map(|(id, _)| id)
    }

    fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Db) -> Result<T, StoreError> + Send + 'static,
    ) -> Reply<'_, T> {
        Box::pin(self.readers.run(work))
    }

    /// What finds some rows by their key: for the way of each request.
    fn look_up<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Db) -> Result<T, StoreError> + Send + 'static,
    ) -> Reply<'_, T> {
        Box::pin(self.readers.look_up(work))
    }
}

impl Store for SqliteStore {
    fn now_ms(&self) -> Reply<'_, i64> {
        // One process on one file: its clock is the store's.
        Box::pin(std::future::ready(Ok(self.clock.now_ms())))
    }

    fn secret_or_insert(&self, name: &str, candidate: Vec<u8>) -> Reply<'_, Vec<u8>> {
        let name = name.to_owned();
        self.write(move |db| secret::get_or_insert(db, &name, candidate))
    }

    fn add_api_token(&self, token: NewApiToken, by: By) -> Reply<'_, ()> {
        self.write(move |db| token::add_api(db, &token, &by))
    }

    fn api_token_by_sha256(
        &self,
        secret_sha256: Sha256,
        now_ms: i64,
    ) -> Reply<'_, Option<ApiToken>> {
        self.look_up(move |db| token::api_by_sha256(db, &secret_sha256, now_ms))
    }

    fn api_tokens(&self) -> Reply<'_, Vec<ApiToken>> {
        self.read(token::api_all)
    }

    fn note_api_token_used(&self, name: &str, at_ms: i64) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.write(move |db| token::note_api_used(db, &name, at_ms))
    }

    fn remove_api_token(&self, name: &str, by: By) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.write(move |db| token::remove_api(db, &name, &by))
    }

    fn add_user(&self, user: NewUser, by: By) -> Reply<'_, ()> {
        self.write(move |db| people::add(db, &user, &by))
    }

    fn user(&self, name: &str) -> Reply<'_, Option<User>> {
        let name = name.to_owned();
        self.read(move |db| people::by_name(db, &name))
    }

    fn users(&self) -> Reply<'_, Vec<User>> {
        self.read(people::all)
    }

    fn change_user(&self, name: &str, change: UserChange, by: By) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.write(move |db| people::change(db, &name, change, &by))
    }

    fn set_password(&self, name: &str, password: StoredPassword, by: By) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.write(move |db| people::set_password(db, &name, &password, &by))
    }

    fn remove_user(&self, name: &str, by: By) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.write(move |db| people::remove(db, &name, &by))
    }

    fn keep_setup_code(&self, code_sha256: Sha256, at_ms: i64) -> Reply<'_, bool> {
        self.write(move |db| people::keep_setup_code(db, &code_sha256, at_ms))
    }

    fn is_setup_open(&self) -> Reply<'_, bool> {
        self.read(people::is_setup_open)
    }

    fn set_up(&self, code_sha256: Sha256, user: NewUser, by: By) -> Reply<'_, ()> {
        self.write(move |db| people::set_up(db, &code_sha256, &user, &by))
    }

    fn begin_session(&self, session: NewSession, by: By) -> Reply<'_, ()> {
        self.write(move |db| people::begin(db, &session, &by))
    }

    fn session_by_sha256(
        &self,
        secret_sha256: Sha256,
        now_ms: i64,
        used_after_ms: i64,
    ) -> Reply<'_, Option<Session>> {
        self.read(move |db| people::session_by_sha256(db, &secret_sha256, now_ms, used_after_ms))
    }

    fn sessions(&self, now_ms: i64, used_after_ms: i64) -> Reply<'_, Vec<Session>> {
        self.read(move |db| people::sessions(db, now_ms, used_after_ms))
    }

    fn note_session_used(&self, id: &SessionId, at_ms: i64) -> Reply<'_, ()> {
        let id = id.clone();
        self.write(move |db| people::note_used(db, &id, at_ms))
    }

    fn end_session(&self, id: &SessionId, actor: Option<&str>, by: By) -> Reply<'_, ()> {
        let (id, actor) = (id.clone(), actor.map(str::to_owned));
        self.write(move |db| people::end(db, &id, actor.as_deref(), &by))
    }

    fn end_vouched_sessions(&self, which: VouchedSessions, by: By) -> Reply<'_, u32> {
        self.write(move |db| people::end_vouched(db, &which, &by))
    }

    fn note_login_failure(&self, failure: LoginFailure, by: By) -> Reply<'_, ()> {
        self.write(move |db| people::note_failure(db, &failure, &by))
    }

    fn add_join_token(&self, token: NewJoinToken, by: By) -> Reply<'_, ()> {
        self.write(move |db| token::add_join(db, &token, &by))
    }

    fn join_tokens(&self) -> Reply<'_, Vec<JoinToken>> {
        self.read(token::join_all)
    }

    fn join_token_by_sha256(&self, secret_sha256: Sha256) -> Reply<'_, Option<JoinToken>> {
        self.look_up(move |db| token::join_by_sha256(db, &secret_sha256))
    }

    fn revoke_join_token(&self, id: &JoinTokenId, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.write(move |db| token::revoke_join(db, &id, &by))
    }

    fn add_trust_root(&self, root: NewTrustRoot, by: By) -> Reply<'_, Added> {
        self.write(move |db| trust::add(db, &root, &by))
    }

    fn trust_roots(&self) -> Reply<'_, TrustRoots> {
        self.read(trust::all)
    }

    fn trust_generation(&self) -> Reply<'_, i64> {
        recent::trust_generation(self)
    }

    fn remove_trust_root(&self, sha256: Sha256, by: By) -> Reply<'_, ()> {
        self.write(move |db| trust::remove(db, &sha256, &by))
    }

    fn add_ek_list(&self, list: NewEkList, by: By) -> Reply<'_, ()> {
        self.write(move |db| ek_list::add(db, &list, &by))
    }

    fn ek_lists(&self) -> Reply<'_, Vec<EkList>> {
        self.read(ek_list::all)
    }

    fn add_listed_eks(
        &self,
        list: &str,
        eks: Vec<NewListedEk>,
        by: By,
    ) -> Reply<'_, Vec<Vec<String>>> {
        let list = list.to_owned();
        self.write(move |db| ek_list::add_eks(db, &list, &eks, &by))
    }

    fn listed_eks(
        &self,
        list: &str,
        joined: JoinedEks,
        after: Option<EkCursor>,
        n_max: u32,
    ) -> Reply<'_, Vec<ListedEk>> {
        let list = list.to_owned();
        self.read(move |db| ek_list::page(db, &list, joined, after, n_max))
    }

    fn remove_ek_list(&self, list: &str, by: By) -> Reply<'_, ()> {
        let list = list.to_owned();
        self.write(move |db| ek_list::remove(db, &list, &by))
    }

    fn unlisted_hosts(&self, after: Option<HostId>, n_max: u32) -> Reply<'_, Vec<Host>> {
        self.read(move |db| ek_list::unlisted(db, after.as_ref(), n_max))
    }

    fn create_host(&self, host: NewHost, by: By) -> Reply<'_, Enrolled> {
        self.write(move |db| host::create(db, &host, &by))
    }

    fn hosts(
        &self,
        filter: HostFilter,
        after: Option<HostCursor>,
        n_max: u32,
    ) -> Reply<'_, Vec<Host>> {
        self.read(move |db| inventory::page(db, &filter, after.as_ref(), n_max))
    }

    fn host(&self, id: &HostId) -> Reply<'_, Option<Host>> {
        let id = id.clone();
        self.look_up(move |db| host::by_id(db, &id))
    }

    fn hosts_by_name(&self, name: &str) -> Reply<'_, Vec<Host>> {
        let name = name.to_owned();
        self.read(move |db| host::by_name(db, &name))
    }

    fn hosts_of_cohort(
        &self,
        cohort: &str,
        after: Option<HostId>,
        n_max: u32,
    ) -> Reply<'_, Vec<Host>> {
        let cohort = cohort.to_owned();
        self.read(move |db| host::of_cohort(db, &cohort, after.as_ref(), n_max))
    }

    fn n_hosts(&self) -> Reply<'_, u64> {
        self.read(host::count)
    }

    fn host_by_api_token(&self, token_sha256: Sha256) -> Reply<'_, Option<Host>> {
        recent::host(self, token_sha256)
    }

    fn disconnect_host(&self, id: &HostId, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.write(move |db| host::disconnect(db, &id, &by))
    }

    fn reconnect_host(&self, id: &HostId, reenrolment: Reenrolment, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.write(move |db| host::reconnect(db, &id, reenrolment, &by))
    }

    fn set_approval(&self, id: &HostId, approval: Approval, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.write(move |db| host::set_approval(db, &id, approval, &by))
    }

    fn change_labels(&self, id: &HostId, change: LabelsChange, by: By) -> Reply<'_, Labels> {
        let id = id.clone();
        self.write(move |db| inventory::change_labels(db, &id, &change, &by))
    }

    fn replace_labels(&self, id: &HostId, from: Labels, to: Labels, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.write(move |db| inventory::replace_labels(db, &id, &from, to, &by))
    }

    fn label_counts(&self, key: Option<&str>) -> Reply<'_, Vec<LabelCount>> {
        let key = key.map(str::to_owned);
        self.read(move |db| inventory::label_counts(db, key.as_deref()))
    }

    fn enter_maintenance(
        &self,
        id: &HostId,
        until_ms: Option<i64>,
        reason: &str,
        by: By,
    ) -> Reply<'_, ()> {
        let (id, reason) = (id.clone(), reason.to_owned());
        self.write(move |db| inventory::enter_maintenance(db, &id, until_ms, &reason, &by))
    }

    fn leave_maintenance(&self, id: &HostId, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.write(move |db| inventory::leave_maintenance(db, &id, &by))
    }

    fn request_attestation(&self, id: &HostId, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.write(move |db| host::request_attestation(db, &id, &by))
    }

    fn remove_host(&self, id: &HostId, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.write(move |db| host::remove(db, &id, &by))
    }

    fn note_seen(&self, id: &HostId, at_ms: i64) -> Reply<'_, ()> {
        let (host, touched) = (id.clone(), Touched::Host(id.clone()));
        let work = move |db: &Db| host::note_seen(db, &host, at_ms);
        Box::pin(self.writer.run_checked(work, move |()| touched))
    }

    fn note_tpm(&self, id: &HostId, tpm: TpmPresence) -> Reply<'_, ()> {
        let host = id.clone();
        Box::pin(self.writer.run_for(id.clone(), move |db| host::note_tpm(db, &host, tpm)))
    }

    fn note_enrolment_problem(&self, id: &HostId, problem_json: String) -> Reply<'_, ()> {
        let id = id.clone();
        self.write(move |db| host::note_enrolment_problem(db, &id, &problem_json))
    }

    fn want_rotation(&self, id: &HostId, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.write(move |db| host::want_rotation(db, &id, &by))
    }

    fn note_candidate(&self, new: NewCandidate, by: By) -> Reply<'_, Noted> {
        self.write(move |db| candidate::note(db, &new, &by))
    }

    fn approve_replacement(&self, replacement: Replacement, by: By) -> Reply<'_, Option<Sha256>> {
        self.write(move |db| candidate::approve(db, &replacement, &by))
    }

    fn hosts_waiting(&self, after: Option<WaitingCursor>, n_max: u32) -> Reply<'_, Vec<Host>> {
        self.read(move |db| approval::hosts(db, after.as_ref(), n_max))
    }

    fn candidates_waiting(
        &self,
        now_ms: i64,
        after: Option<HostId>,
        n_max: u32,
    ) -> Reply<'_, Vec<Host>> {
        self.read(move |db| approval::candidates(db, now_ms, after.as_ref(), n_max))
    }

    fn references_waiting(&self, after_seq: i64, n_max: u32) -> Reply<'_, Vec<Reference>> {
        self.read(move |db| approval::references(db, after_seq, n_max))
    }

    fn decide_host(
        &self,
        id: &HostId,
        decision: HostDecision,
        reason: &str,
        by: By,
    ) -> Reply<'_, ()> {
        let (id, reason) = (id.clone(), reason.to_owned());
        self.write(move |db| approval::decide_host(db, &id, decision, &reason, &by))
    }

    fn refuse_candidate(&self, refusal: CandidateRefusal, by: By) -> Reply<'_, ()> {
        self.write(move |db| approval::refuse_candidate(db, &refusal, &by))
    }

    fn begin_enrolment(&self, pending: PendingEnrolment, by: By) -> Reply<'_, ()> {
        self.write(move |db| enrolment::begin(db, &pending, &by))
    }

    fn pending_enrolment(
        &self,
        id: &PendingId,
        now_ms: i64,
    ) -> Reply<'_, Option<PendingEnrolment>> {
        let id = id.clone();
        self.read(move |db| enrolment::pending(db, &id, now_ms))
    }

    fn complete_enrolment(&self, completion: Completion, by: By) -> Reply<'_, Enrolled> {
        self.write(move |db| enrolment::complete(db, &completion, &by))
    }

    fn past_identity(&self, host: &HostId, version: i64) -> Reply<'_, Option<Identity>> {
        let host = host.clone();
        self.read(move |db| enrolment::past_identity(db, &host, version))
    }

    fn record_appraisal(&self, appraisal: NewAppraisal, by: By) -> Reply<'_, AppraisalId> {
        if self.objects.is_none() {
            return Box::pin(self.record(appraisal, elsewhere::PlacedParts::new(), by));
        }
        Box::pin(async move {
            let placed = elsewhere::place(self, &appraisal).await?;
            self.record(appraisal, placed, by).await
        })
    }

    fn record_rejudgement(&self, rejudgement: Rejudgement, by: By) -> Reply<'_, AppraisalId> {
        self.write(move |db| appraisal::record_anew(db, &rejudgement, &by))
    }

    fn appraisals(&self, host: &HostId, n_max: u32) -> Reply<'_, Vec<AppraisalRow>> {
        let host = host.clone();
        self.read(move |db| appraisal::of_host(db, &host, n_max))
    }

    fn appraisal_lines(&self, host: &HostId, n_max: u32) -> Reply<'_, Vec<AppraisalLine>> {
        let host = host.clone();
        self.read(move |db| appraisal::lines_of_host(db, &host, n_max))
    }

    fn appraisal(&self, id: AppraisalId) -> Reply<'_, Option<AppraisalRow>> {
        self.read(move |db| appraisal::by_id(db, id))
    }

    fn evidence(&self, id: AppraisalId) -> Reply<'_, Vec<EvidencePart>> {
        Box::pin(async move {
            let named = self.read(move |db| evidence::of_appraisal(db, id)).await?;
            elsewhere::parts(self, named).await
        })
    }

    fn evidence_of_many(
        &self,
        ids: Vec<AppraisalId>,
        bytes_max: u32,
    ) -> Reply<'_, Vec<Vec<StoredPart>>> {
        Box::pin(async move {
            let named = self.read(move |db| evidence::of_many(db, &ids, bytes_max)).await?;
            elsewhere::parts_of_many(self, named).await
        })
    }

    fn evidence_by_sha256(&self, sha256: Sha256) -> Reply<'_, Option<Vec<u8>>> {
        Box::pin(async move {
            match self.read(move |db| evidence::by_sha256(db, &sha256)).await? {
                Some(kept) => elsewhere::open(self, &sha256, kept).await,
                None => Ok(None),
            }
        })
    }

    fn forget_appraisals(&self, before_ms: i64, n_max: u32, by: By) -> Reply<'_, u32> {
        self.write(move |db| appraisal::forget(db, before_ms, n_max, &by))
    }

    fn thin_history(&self, rule: Thinning, n_max: u32, by: By) -> Reply<'_, ThinningStep> {
        self.write(move |db| thinning::step(db, &rule, n_max, &by))
    }

    fn thinning_preview(
        &self,
        rule: Thinning,
        after: Option<HostId>,
        n_hosts: u32,
    ) -> Reply<'_, ThinningPreview> {
        self.read(move |db| thinning::preview(db, &rule, after.as_ref(), n_hosts))
    }

    fn return_space(&self, n_max: u32) -> Reply<'_, u64> {
        self.write(move |db| thinning::return_space(db, n_max))
    }

    fn peers(&self, host: &HostId) -> Reply<'_, Option<Peers>> {
        let host = host.clone();
        self.read(move |db| peers::of_host(db, &host))
    }

    // One process on one file: nobody else could look at them.
    fn claim_looks(
        &self,
        now_ms: i64,
        _lease_until_ms: i64,
        n_max: u32,
    ) -> Reply<'_, Vec<DueLook>> {
        self.read(move |db| alarm::due_looks(db, now_ms, n_max))
    }

    fn look_at_all(&self) -> Reply<'_, ()> {
        self.write(alarm::look_at_all)
    }

    fn settle_alarms(&self, settlement: Settlement) -> Reply<'_, AlarmEdges> {
        let host = settlement.host.clone();
        Box::pin(self.writer.run_for(host, move |db| alarm::settle(db, &settlement)))
    }

    fn alarms(
        &self,
        filter: AlarmFilter,
        before: Option<AlarmId>,
        n_max: u32,
    ) -> Reply<'_, Vec<Alarm>> {
        self.read(move |db| alarm::page(db, &filter, before, n_max))
    }

    fn alarm_groups(&self, now_ms: i64) -> Reply<'_, Vec<AlarmGroup>> {
        self.read(move |db| alarm::groups(db, now_ms))
    }

    fn acknowledge_alarms(
        &self,
        selection: AlarmSelection,
        reason: &str,
        until_ms: Option<i64>,
        by: By,
    ) -> Reply<'_, u32> {
        let reason = reason.to_owned();
        self.write(move |db| alarm::acknowledge(db, &selection, &reason, until_ms, &by))
    }

    fn withdraw_acknowledgements(&self, selection: AlarmSelection, by: By) -> Reply<'_, u32> {
        self.write(move |db| alarm::withdraw(db, &selection, &by))
    }

    fn events(&self, after: EventCursor, n_max: u32) -> Reply<'_, Vec<Event>> {
        self.read(move |db| event::page(db, after, n_max))
    }

    fn event_span(&self) -> Reply<'_, EventSpan> {
        self.read(event::span)
    }

    fn publish_events(&self) -> Reply<'_, u32> {
        Box::pin(async {
            // In the normal case there are none, and nothing is written.
            match self.read(event::is_any_without_number).await? {
                true => self.write(event::publish).await,
                false => Ok(0),
            }
        })
    }

    fn forget_events(&self, before_ms: i64, n_max: u32) -> Reply<'_, u32> {
        self.write(move |db| event::forget(db, before_ms, n_max))
    }

    fn end_lapsed(&self, now_ms: i64, n_max: u32) -> Reply<'_, u32> {
        Box::pin(async move {
            // In the normal case there is nothing to end, and nothing is written.
            match self.read(move |db| lapse::is_any(db, now_ms)).await? {
                true => self.write(move |db| lapse::end(db, now_ms, n_max)).await,
                false => Ok(0),
            }
        })
    }

    fn add_channel(&self, channel: NewChannel, by: By) -> Reply<'_, ()> {
        self.write(move |db| channel::add(db, &channel, &by))
    }

    fn channels(&self) -> Reply<'_, Vec<Channel>> {
        self.read(channel::all)
    }

    fn channel(&self, name: &str) -> Reply<'_, Option<Channel>> {
        let name = name.to_owned();
        self.read(move |db| channel::by_name(db, &name))
    }

    fn change_channel(&self, channel: NewChannel, by: By) -> Reply<'_, ()> {
        self.write(move |db| channel::change(db, &channel, &by))
    }

    fn set_channel_activity(&self, name: &str, activity: ChannelActivity, by: By) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.write(move |db| channel::set_activity(db, &name, activity, &by))
    }

    fn remove_channel(&self, name: &str, by: By) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.write(move |db| channel::remove(db, &name, &by))
    }

    fn claim_channel(&self, lease: ChannelLease, now_ms: i64) -> Reply<'_, Option<Channel>> {
        Box::pin(async move {
            // In the normal case nothing is due, and nothing is written.
            let asked = lease.clone();
            match self.read(move |db| channel::is_any_due(db, &asked, now_ms)).await? {
                true => self.write(move |db| channel::claim(db, &lease, now_ms)).await,
                false => Ok(None),
            }
        })
    }

    fn note_progress(
        &self,
        name: &str,
        progress: Progress,
        lease: ChannelLease,
    ) -> Reply<'_, bool> {
        let name = name.to_owned();
        self.write(move |db| channel::note_progress(db, &name, &progress, &lease))
    }

    fn release_channel(&self, name: &str, holder: &str) -> Reply<'_, ()> {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        self.write(move |db| channel::release(db, &name, &holder))
    }

    fn dead_letters(
        &self,
        channel: &str,
        after: DeadLetterId,
        n_max: u32,
    ) -> Reply<'_, Vec<DeadLetter>> {
        let name = channel.to_owned();
        self.read(move |db| channel::dead_letters(db, &name, after, n_max))
    }

    fn redeliver(&self, channel: &str, which: DeadLetters, by: By) -> Reply<'_, u32> {
        let name = channel.to_owned();
        self.write(move |db| channel::redeliver(db, &name, &which, &by))
    }

    fn due_dead_letter(&self, channel: &str) -> Reply<'_, Option<DeadLetter>> {
        let name = channel.to_owned();
        self.read(move |db| channel::due_dead_letter(db, &name))
    }

    fn note_redelivery(&self, id: DeadLetterId, error: Option<String>) -> Reply<'_, ()> {
        self.write(move |db| channel::note_redelivery(db, id, error.as_deref()))
    }

    fn report_runs(&self) -> Reply<'_, Vec<ReportRun>> {
        self.read(report::all)
    }

    fn claim_report(
        &self,
        name: &str,
        due_ms: i64,
        lease: ChannelLease,
        now_ms: i64,
    ) -> Reply<'_, bool> {
        let name = name.to_owned();
        self.write(move |db| report::claim(db, &name, due_ms, &lease, now_ms))
    }

    fn note_report(
        &self,
        name: &str,
        due_ms: i64,
        became: ReportTry,
        holder: &str,
        by: By,
    ) -> Reply<'_, bool> {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        self.write(move |db| report::note(db, &name, due_ms, &became, &holder, &by))
    }

    fn add_reference(&self, reference: NewReference, by: By) -> Reply<'_, ()> {
        self.write(move |db| reference::add(db, &reference, &by))
    }

    fn set_reference_state(
        &self,
        id: &ReferenceId,
        state: ReferenceState,
        reason: &str,
        by: By,
    ) -> Reply<'_, ()> {
        let (id, reason) = (id.clone(), reason.to_owned());
        self.write(move |db| reference::set_state(db, &id, state, &reason, &by))
    }

    fn references(&self, after_seq: i64, n_max: u32) -> Reply<'_, Vec<Reference>> {
        self.read(move |db| reference::page(db, after_seq, n_max))
    }

    fn reference(&self, id: &ReferenceId) -> Reply<'_, Option<Reference>> {
        let id = id.clone();
        self.read(move |db| reference::by_id(db, &id))
    }

    fn reference_changes(&self, id: &ReferenceId) -> Reply<'_, Vec<ReferenceChange>> {
        let id = id.clone();
        self.read(move |db| reference::changes(db, &id))
    }

    fn reference_document(&self, sha256: Sha256) -> Reply<'_, Option<Vec<u8>>> {
        self.read(move |db| reference::document(db, &sha256))
    }

    fn references_of_host(&self, host: &HostId, cohort: Option<&str>) -> Reply<'_, HostReferences> {
        recent::references(self, host, cohort)
    }

    fn references_of_hosts(
        &self,
        hosts: Vec<(HostId, Option<String>)>,
    ) -> Reply<'_, Vec<HostReferences>> {
        self.read(move |db| reference::of_hosts(db, &hosts))
    }

    fn audit(&self, after_seq: i64, n_max: u32) -> Reply<'_, Vec<AuditRow>> {
        self.read(move |db| audit::page(db, after_seq, n_max))
    }

    fn audit_head(&self) -> Reply<'_, (i64, Sha256)> {
        self.read(audit::head)
    }

    fn begin_idempotent(&self, request: IdempotentRequest) -> Reply<'_, Begun> {
        self.write(move |db| idempotent::begin(db, &request))
    }

    fn answer_idempotent(&self, id: Sha256, sealed: Vec<u8>) -> Reply<'_, ()> {
        self.write(move |db| idempotent::answer(db, &id, &sealed))
    }

    fn forget_idempotent(&self, id: Sha256) -> Reply<'_, ()> {
        self.write(move |db| idempotent::forget(db, &id))
    }

    fn tell(&self, _hosts: Vec<HostId>) -> Reply<'_, ()> {
        // One server on one file: there is nobody else.
        Box::pin(std::future::ready(Ok(())))
    }

    fn tell_of_events(&self) -> Reply<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn told(&self) -> Reply<'_, Told> {
        Box::pin(std::future::pending())
    }

    fn move_evidence(&self, to: EvidencePlace, after: i64, n_max: u32) -> Reply<'_, Moved> {
        Box::pin(elsewhere::move_some(self, to, after, n_max))
    }

    fn check_objects(&self, after: i64, n_max: u32) -> Reply<'_, Checked> {
        Box::pin(elsewhere::check_some(self, after, n_max))
    }

    fn evidence_objects(&self) -> Option<&EvidenceObjects> {
        self.objects.as_ref()
    }

    fn evidence_census(&self) -> Reply<'_, EvidenceCensus> {
        self.read(evidence::census)
    }

    fn has_objects(&self) -> Reply<'_, bool> {
        self.read(evidence::has_objects)
    }

    fn objects_to_remove(&self, before_ms: i64, n_max: u32) -> Reply<'_, Vec<String>> {
        self.read(move |db| evidence::objects_to_remove(db, before_ms, n_max))
    }

    fn note_objects_removed(&self, objects: Vec<String>) -> Reply<'_, ()> {
        self.write(move |db| evidence::note_removed(db, &objects))
    }

    fn known_objects(&self, objects: Vec<String>) -> Reply<'_, Vec<String>> {
        self.read(move |db| evidence::known_objects(db, objects))
    }

    fn probe(&self) -> Reply<'_, Probed> {
        self.write(operation::probe)
    }

    fn n_bytes(&self) -> Reply<'_, u64> {
        self.read(operation::n_bytes)
    }

    fn census(&self, times: CensusTimes) -> Reply<'_, Vec<CensusRow>> {
        self.read(move |db| operation::census(db, &times))
    }

    fn activity(&self) -> Activity {
        let n_busy = self.readers.n_busy();
        let n_readers = u64::try_from(N_READERS).unwrap_or(u64::MAX);
        self.writer.counters().now(Some(self.writer.n_waiting()), n_busy, n_readers)
    }

    fn policy_in_force(&self) -> Reply<'_, Option<PolicyInForce>> {
        self.read(operation::policy)
    }

    fn put_policy_in_force(&self, sha256: Sha256, by: By) -> Reply<'_, Option<PolicyInForce>> {
        self.write(move |db| operation::put_policy(db, &sha256, &by))
    }

    fn add_policy_version(&self, new: NewPolicyVersion, by: By) -> Reply<'_, PolicyVersion> {
        self.write(move |db| policy::add(db, &new, &by))
    }

    fn policy_versions(&self, before: Option<i64>, n_max: u32) -> Reply<'_, Vec<PolicyVersion>> {
        self.read(move |db| policy::page(db, before, n_max))
    }

    fn policy_document(&self, number: i64) -> Reply<'_, PolicyDocument> {
        self.read(move |db| policy::document(db, number))
    }

    fn active_policy(&self) -> Reply<'_, Option<ActivePolicy>> {
        self.read(policy::active)
    }

    fn activate_policy(&self, activation: PolicyActivation, by: By) -> Reply<'_, ActivePolicy> {
        self.write(move |db| policy::activate(db, &activation, &by))
    }

    fn finding_counts(&self, codes: Vec<String>) -> Reply<'_, Vec<FindingCount>> {
        self.read(move |db| attention::finding_counts(db, &codes))
    }

    fn minorities(&self) -> Reply<'_, Vec<Minority>> {
        self.read(attention::minorities)
    }

    fn put_standing(&self, hour: StandingHour) -> Reply<'_, ()> {
        self.write(move |db| standing::put(db, &hour))
    }

    fn standing_hours(&self, since_ms: i64) -> Reply<'_, Vec<StandingHour>> {
        self.read(move |db| standing::since(db, since_ms))
    }

    fn note_for_audit(&self, note: AuditNote, by: By) -> Reply<'_, ()> {
        self.write(move |db| operation::note(db, &note, &by))
    }
}
