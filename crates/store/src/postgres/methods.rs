//! What a [`Store`] does, each by the module that knows it.

use std::sync::Arc;

use super::transaction::Begins;
use super::{
    PostgresStore, alarm, appraisal, approval, attention, audit, candidate, channel, ek_list,
    enrolment, event, evidence, host, idempotent, inventory, lapse, listener, operation, peers,
    people, policy, reference, report, secret, standing, thinning, token, trust,
};
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
    ReferenceId, ReferenceState, Rejudgement, Replacement, Reply, ReportRun, ReportTry, SessionId,
    Settlement, Sha256, Store, StoredPart, StoredPassword, Thinning, ThinningPreview, ThinningStep,
    Told, TpmPresence, TrustRoots, User, UserChange, VouchedSessions, WaitingCursor,
};

impl Store for PostgresStore {
    fn now_ms(&self) -> Reply<'_, i64> {
        // The same for all servers on it, whatever their own clocks say.
        if let Some(now_ms) = self.clock.now_ms() {
            return Box::pin(std::future::ready(Ok(now_ms)));
        }
        self.look((Arc::clone(&self.clock),), |db, (clock,)| Box::pin(clock.ask(db)))
    }

    fn secret_or_insert(&self, name: &str, candidate: Vec<u8>) -> Reply<'_, Vec<u8>> {
        let name = name.to_owned();
        self.change((name, candidate), |tx, (name, candidate)| {
            Box::pin(secret::get_or_insert(tx, name, candidate))
        })
    }

    fn add_api_token(&self, token: NewApiToken, by: By) -> Reply<'_, ()> {
        self.change((token, by), |tx, (token, by)| Box::pin(token::add_api(tx, token, by)))
    }

    fn api_token_by_sha256(
        &self,
        secret_sha256: Sha256,
        now_ms: i64,
    ) -> Reply<'_, Option<ApiToken>> {
        self.look((secret_sha256, now_ms), |db, (secret_sha256, now_ms)| {
            Box::pin(token::api_by_sha256(db, secret_sha256, *now_ms))
        })
    }

    fn api_tokens(&self) -> Reply<'_, Vec<ApiToken>> {
        self.look((), |db, ()| Box::pin(token::api_all(db)))
    }

    fn note_api_token_used(&self, name: &str, at_ms: i64) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.change((name, at_ms), |tx, (name, at_ms)| {
            Box::pin(token::note_api_used(tx, name, *at_ms))
        })
    }

    fn remove_api_token(&self, name: &str, by: By) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.change((name, by), |tx, (name, by)| Box::pin(token::remove_api(tx, name, by)))
    }

    fn add_user(&self, user: NewUser, by: By) -> Reply<'_, ()> {
        self.change((user, by), |tx, (user, by)| Box::pin(people::add(tx, user, by)))
    }

    fn user(&self, name: &str) -> Reply<'_, Option<User>> {
        let name = name.to_owned();
        self.look((name,), |db, (name,)| Box::pin(people::by_name(db, name)))
    }

    fn users(&self) -> Reply<'_, Vec<User>> {
        self.look((), |db, ()| Box::pin(people::all(db)))
    }

    fn change_user(&self, name: &str, change: UserChange, by: By) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.change((name, change, by), |tx, (name, change, by)| {
            Box::pin(people::change(tx, name, *change, by))
        })
    }

    fn set_password(&self, name: &str, password: StoredPassword, by: By) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.change((name, password, by), |tx, (name, password, by)| {
            Box::pin(people::set_password(tx, name, password, by))
        })
    }

    fn remove_user(&self, name: &str, by: By) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.change((name, by), |tx, (name, by)| Box::pin(people::remove(tx, name, by)))
    }

    fn keep_setup_code(&self, code_sha256: Sha256, at_ms: i64) -> Reply<'_, bool> {
        self.change((code_sha256, at_ms), |tx, (code_sha256, at_ms)| {
            Box::pin(people::keep_setup_code(tx, code_sha256, *at_ms))
        })
    }

    fn is_setup_open(&self) -> Reply<'_, bool> {
        self.look((), |db, ()| Box::pin(people::is_setup_open(db)))
    }

    fn set_up(&self, code_sha256: Sha256, user: NewUser, by: By) -> Reply<'_, ()> {
        self.change((code_sha256, user, by), |tx, (code_sha256, user, by)| {
            Box::pin(people::set_up(tx, code_sha256, user, by))
        })
    }

    fn begin_session(&self, session: NewSession, by: By) -> Reply<'_, ()> {
        self.change((session, by), |tx, (session, by)| Box::pin(people::begin(tx, session, by)))
    }

    fn session_by_sha256(
        &self,
        secret_sha256: Sha256,
        now_ms: i64,
        used_after_ms: i64,
    ) -> Reply<'_, Option<crate::Session>> {
        self.look((secret_sha256, now_ms, used_after_ms), |db, (sha256, now_ms, used_after_ms)| {
            Box::pin(people::session_by_sha256(db, sha256, *now_ms, *used_after_ms))
        })
    }

    fn sessions(&self, now_ms: i64, used_after_ms: i64) -> Reply<'_, Vec<crate::Session>> {
        self.look((now_ms, used_after_ms), |db, (now_ms, used_after_ms)| {
            Box::pin(people::sessions(db, *now_ms, *used_after_ms))
        })
    }

    fn note_session_used(&self, id: &SessionId, at_ms: i64) -> Reply<'_, ()> {
        let id = id.clone();
        self.change((id, at_ms), |tx, (id, at_ms)| Box::pin(people::note_used(tx, id, *at_ms)))
    }

    fn end_session(&self, id: &SessionId, actor: Option<&str>, by: By) -> Reply<'_, ()> {
        let (id, actor) = (id.clone(), actor.map(str::to_owned));
        self.change((id, actor, by), |tx, (id, actor, by)| {
            Box::pin(people::end(tx, id, actor.as_deref(), by))
        })
    }

    fn end_vouched_sessions(&self, which: VouchedSessions, by: By) -> Reply<'_, u32> {
        self.change((which, by), |tx, (which, by)| Box::pin(people::end_vouched(tx, which, by)))
    }

    fn note_login_failure(&self, failure: LoginFailure, by: By) -> Reply<'_, ()> {
        self.change((failure, by), |tx, (failure, by)| {
            Box::pin(people::note_failure(tx, failure, by))
        })
    }

    fn add_join_token(&self, token: NewJoinToken, by: By) -> Reply<'_, ()> {
        self.change((token, by), |tx, (token, by)| Box::pin(token::add_join(tx, token, by)))
    }

    fn join_tokens(&self) -> Reply<'_, Vec<JoinToken>> {
        self.look((), |db, ()| Box::pin(token::join_all(db)))
    }

    fn join_token_by_sha256(&self, secret_sha256: Sha256) -> Reply<'_, Option<JoinToken>> {
        self.look((secret_sha256,), |db, (secret_sha256,)| {
            Box::pin(token::join_by_sha256(db, secret_sha256))
        })
    }

    fn revoke_join_token(&self, id: &JoinTokenId, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.change((id, by), |tx, (id, by)| Box::pin(token::revoke_join(tx, id, by)))
    }

    fn add_trust_root(&self, root: NewTrustRoot, by: By) -> Reply<'_, Added> {
        self.change((root, by), |tx, (root, by)| Box::pin(trust::add(tx, root, by)))
    }

    fn trust_roots(&self) -> Reply<'_, TrustRoots> {
        self.look((), |db, ()| Box::pin(trust::all(db)))
    }

    fn trust_generation(&self) -> Reply<'_, i64> {
        Box::pin(self.looks.trust_generation())
    }

    fn remove_trust_root(&self, sha256: Sha256, by: By) -> Reply<'_, ()> {
        self.change((sha256, by), |tx, (sha256, by)| Box::pin(trust::remove(tx, sha256, by)))
    }

    fn add_ek_list(&self, list: NewEkList, by: By) -> Reply<'_, ()> {
        self.change((list, by), |tx, (list, by)| Box::pin(ek_list::add(tx, list, by)))
    }

    fn ek_lists(&self) -> Reply<'_, Vec<EkList>> {
        self.look((), |db, ()| Box::pin(ek_list::all(db)))
    }

    fn add_listed_eks(
        &self,
        list: &str,
        eks: Vec<NewListedEk>,
        by: By,
    ) -> Reply<'_, Vec<Vec<String>>> {
        let list = list.to_owned();
        self.change((list, eks, by), |tx, (list, eks, by)| {
            Box::pin(ek_list::add_eks(tx, list, eks, by))
        })
    }

    fn listed_eks(
        &self,
        list: &str,
        joined: JoinedEks,
        after: Option<EkCursor>,
        n_max: u32,
    ) -> Reply<'_, Vec<ListedEk>> {
        let list = list.to_owned();
        self.look((list, joined, after, n_max), |db, (list, joined, after, n_max)| {
            Box::pin(ek_list::page(db, list, *joined, *after, *n_max))
        })
    }

    fn remove_ek_list(&self, list: &str, by: By) -> Reply<'_, ()> {
        let list = list.to_owned();
        self.change((list, by), |tx, (list, by)| Box::pin(ek_list::remove(tx, list, by)))
    }

    fn unlisted_hosts(&self, after: Option<HostId>, n_max: u32) -> Reply<'_, Vec<Host>> {
        self.look((after, n_max), |db, (after, n_max)| {
            Box::pin(ek_list::unlisted(db, after.as_ref(), *n_max))
        })
    }

    fn create_host(&self, host: NewHost, by: By) -> Reply<'_, Enrolled> {
        self.change((host, by), |tx, (host, by)| Box::pin(host::create(tx, host, by)))
    }

    fn hosts(
        &self,
        filter: HostFilter,
        after: Option<HostCursor>,
        n_max: u32,
    ) -> Reply<'_, Vec<Host>> {
        self.look((filter, after, n_max), |db, (filter, after, n_max)| {
            Box::pin(inventory::page(db, filter, after.as_ref(), *n_max))
        })
    }

    fn host(&self, id: &HostId) -> Reply<'_, Option<Host>> {
        let id = id.clone();
        self.look((id,), |db, (id,)| Box::pin(host::by_id(db, id)))
    }

    fn hosts_by_name(&self, name: &str) -> Reply<'_, Vec<Host>> {
        let name = name.to_owned();
        self.look((name,), |db, (name,)| Box::pin(host::by_name(db, name)))
    }

    fn hosts_of_cohort(
        &self,
        cohort: &str,
        after: Option<HostId>,
        n_max: u32,
    ) -> Reply<'_, Vec<Host>> {
        let cohort = cohort.to_owned();
        self.look((cohort, after, n_max), |db, (cohort, after, n_max)| {
            Box::pin(host::of_cohort(db, cohort, after.as_ref(), *n_max))
        })
    }

    fn n_hosts(&self) -> Reply<'_, u64> {
        self.look((), |db, ()| Box::pin(host::count(db)))
    }

    fn host_by_api_token(&self, token_sha256: Sha256) -> Reply<'_, Option<Host>> {
        Box::pin(self.looks.host(token_sha256))
    }

    fn disconnect_host(&self, id: &HostId, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.change((id, by), |tx, (id, by)| Box::pin(host::disconnect(tx, id, by)))
    }

    fn reconnect_host(&self, id: &HostId, reenrolment: Reenrolment, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.change((id, reenrolment, by), |tx, (id, reenrolment, by)| {
            Box::pin(host::reconnect(tx, id, *reenrolment, by))
        })
    }

    fn set_approval(&self, id: &HostId, approval: Approval, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.change((id, approval, by), |tx, (id, approval, by)| {
            Box::pin(host::set_approval(tx, id, *approval, by))
        })
    }

    fn change_labels(&self, id: &HostId, change: LabelsChange, by: By) -> Reply<'_, Labels> {
        let id = id.clone();
        self.change((id, change, by), |tx, (id, change, by)| {
            Box::pin(inventory::change_labels(tx, id, change, by))
        })
    }

    fn replace_labels(&self, id: &HostId, from: Labels, to: Labels, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.change((id, from, to, by), |tx, (id, from, to, by)| {
            Box::pin(inventory::replace_labels(tx, id, from, to, by))
        })
    }

    fn label_counts(&self, key: Option<&str>) -> Reply<'_, Vec<LabelCount>> {
        let key = key.map(str::to_owned);
        self.look((key,), |db, (key,)| Box::pin(inventory::label_counts(db, key.as_deref())))
    }

    fn enter_maintenance(
        &self,
        id: &HostId,
        until_ms: Option<i64>,
        reason: &str,
        by: By,
    ) -> Reply<'_, ()> {
        let (id, reason) = (id.clone(), reason.to_owned());
        self.change((id, until_ms, reason, by), |tx, (id, until_ms, reason, by)| {
            Box::pin(inventory::enter_maintenance(tx, id, *until_ms, reason, by))
        })
    }

    fn leave_maintenance(&self, id: &HostId, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.change((id, by), |tx, (id, by)| Box::pin(inventory::leave_maintenance(tx, id, by)))
    }

    fn request_attestation(&self, id: &HostId, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.change((id, by), |tx, (id, by)| Box::pin(host::request_attestation(tx, id, by)))
    }

    fn remove_host(&self, id: &HostId, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.change((id, by), |tx, (id, by)| Box::pin(host::remove(tx, id, by)))
    }

    fn note_seen(&self, id: &HostId, at_ms: i64) -> Reply<'_, ()> {
        let id = id.clone();
        self.look((id, at_ms), |db, (id, at_ms)| Box::pin(host::note_seen(db, id, *at_ms)))
    }

    fn note_tpm(&self, id: &HostId, tpm: TpmPresence) -> Reply<'_, ()> {
        let id = id.clone();
        self.look((id, tpm), |db, (id, tpm)| Box::pin(host::note_tpm(db, id, *tpm)))
    }

    fn note_enrolment_problem(&self, id: &HostId, problem_json: String) -> Reply<'_, ()> {
        let id = id.clone();
        self.look((id, problem_json), |db, (id, problem_json)| {
            Box::pin(host::note_enrolment_problem(db, id, problem_json))
        })
    }

    fn want_rotation(&self, id: &HostId, by: By) -> Reply<'_, ()> {
        let id = id.clone();
        self.change((id, by), |tx, (id, by)| Box::pin(host::want_rotation(tx, id, by)))
    }

    fn note_candidate(&self, new: NewCandidate, by: By) -> Reply<'_, Noted> {
        self.change((new, by), |tx, (new, by)| Box::pin(candidate::note(tx, new, by)))
    }

    fn approve_replacement(&self, replacement: Replacement, by: By) -> Reply<'_, Option<Sha256>> {
        self.change((replacement, by), |tx, (replacement, by)| {
            Box::pin(candidate::approve(tx, replacement, by))
        })
    }

    fn hosts_waiting(&self, after: Option<WaitingCursor>, n_max: u32) -> Reply<'_, Vec<Host>> {
        self.look((after, n_max), |db, (after, n_max)| {
            Box::pin(approval::hosts(db, after.as_ref(), *n_max))
        })
    }

    fn candidates_waiting(
        &self,
        now_ms: i64,
        after: Option<HostId>,
        n_max: u32,
    ) -> Reply<'_, Vec<Host>> {
        self.look((now_ms, after, n_max), |db, (now_ms, after, n_max)| {
            Box::pin(approval::candidates(db, *now_ms, after.as_ref(), *n_max))
        })
    }

    fn references_waiting(&self, after_seq: i64, n_max: u32) -> Reply<'_, Vec<Reference>> {
        self.look((after_seq, n_max), |db, (after_seq, n_max)| {
            Box::pin(approval::references(db, *after_seq, *n_max))
        })
    }

    fn decide_host(
        &self,
        id: &HostId,
        decision: HostDecision,
        reason: &str,
        by: By,
    ) -> Reply<'_, ()> {
        let (id, reason) = (id.clone(), reason.to_owned());
        self.change((id, decision, reason, by), |tx, (id, decision, reason, by)| {
            Box::pin(approval::decide_host(tx, id, *decision, reason, by))
        })
    }

    fn refuse_candidate(&self, refusal: CandidateRefusal, by: By) -> Reply<'_, ()> {
        self.change((refusal, by), |tx, (refusal, by)| {
            Box::pin(approval::refuse_candidate(tx, refusal, by))
        })
    }

    fn begin_enrolment(&self, pending: PendingEnrolment, by: By) -> Reply<'_, ()> {
        self.change((pending, by), |tx, (pending, by)| Box::pin(enrolment::begin(tx, pending, by)))
    }

    fn pending_enrolment(
        &self,
        id: &PendingId,
        now_ms: i64,
    ) -> Reply<'_, Option<PendingEnrolment>> {
        let id = id.clone();
        self.look((id, now_ms), |db, (id, now_ms)| Box::pin(enrolment::pending(db, id, *now_ms)))
    }

    fn complete_enrolment(&self, completion: Completion, by: By) -> Reply<'_, Enrolled> {
        self.change((completion, by), |tx, (completion, by)| {
            Box::pin(enrolment::complete(tx, completion, by))
        })
    }

    fn past_identity(&self, host: &HostId, version: i64) -> Reply<'_, Option<Identity>> {
        let host = host.clone();
        self.look((host, version), |db, (host, version)| {
            Box::pin(enrolment::past_identity(db, host, *version))
        })
    }

    fn record_appraisal(&self, appraisal: NewAppraisal, by: By) -> Reply<'_, AppraisalId> {
        Box::pin(async move {
            let appraisal = Arc::new(appraisal);
            if let Some(id) = self.routine.record(&appraisal).await? {
                return Ok(id);
            }
            let placed = elsewhere::place(self, &appraisal).await?;
            let with = (appraisal, placed, by);
            self.change_begun(Begins::Itself, with, |tx, (appraisal, placed, by)| {
                Box::pin(appraisal::record(tx, appraisal, placed, by))
            })
            .await
        })
    }

    fn record_rejudgement(&self, rejudgement: Rejudgement, by: By) -> Reply<'_, AppraisalId> {
        self.change((rejudgement, by), |tx, (rejudgement, by)| {
            Box::pin(appraisal::record_anew(tx, rejudgement, by))
        })
    }

    fn appraisals(&self, host: &HostId, n_max: u32) -> Reply<'_, Vec<AppraisalRow>> {
        let host = host.clone();
        self.look((host, n_max), |db, (host, n_max)| Box::pin(appraisal::of_host(db, host, *n_max)))
    }

    fn appraisal_lines(&self, host: &HostId, n_max: u32) -> Reply<'_, Vec<AppraisalLine>> {
        let host = host.clone();
        self.look((host, n_max), |db, (host, n_max)| {
            Box::pin(appraisal::lines_of_host(db, host, *n_max))
        })
    }

    fn appraisal(&self, id: AppraisalId) -> Reply<'_, Option<AppraisalRow>> {
        self.look((id,), |db, (id,)| Box::pin(appraisal::by_id(db, *id)))
    }

    fn evidence(&self, id: AppraisalId) -> Reply<'_, Vec<EvidencePart>> {
        Box::pin(async move {
            let named =
                self.look((id,), |db, (id,)| Box::pin(evidence::of_appraisal(db, *id))).await?;
            elsewhere::parts(self, named).await
        })
    }

    fn evidence_of_many(
        &self,
        ids: Vec<AppraisalId>,
        bytes_max: u32,
    ) -> Reply<'_, Vec<Vec<StoredPart>>> {
        Box::pin(async move {
            let named = self.look((ids, bytes_max), |db, (ids, bytes_max)| {
                Box::pin(evidence::of_many(db, ids, *bytes_max))
            });
            elsewhere::parts_of_many(self, named.await?).await
        })
    }

    fn evidence_by_sha256(&self, sha256: Sha256) -> Reply<'_, Option<Vec<u8>>> {
        Box::pin(async move {
            let kept =
                self.look((sha256,), |db, (sha256,)| Box::pin(evidence::by_sha256(db, sha256)));
            match kept.await? {
                Some(kept) => elsewhere::open(self, &sha256, kept).await,
                None => Ok(None),
            }
        })
    }

    fn forget_appraisals(&self, before_ms: i64, n_max: u32, by: By) -> Reply<'_, u32> {
        self.change((before_ms, n_max, by), |tx, (before_ms, n_max, by)| {
            Box::pin(appraisal::forget(tx, *before_ms, *n_max, by))
        })
    }

    fn thin_history(&self, rule: Thinning, n_max: u32, by: By) -> Reply<'_, ThinningStep> {
        self.change((rule, n_max, by), |tx, (rule, n_max, by)| {
            Box::pin(thinning::step(tx, rule, *n_max, by))
        })
    }

    fn thinning_preview(
        &self,
        rule: Thinning,
        after: Option<HostId>,
        n_hosts: u32,
    ) -> Reply<'_, ThinningPreview> {
        self.look((rule, after, n_hosts), |db, (rule, after, n_hosts)| {
            Box::pin(thinning::preview(db, rule, after.as_ref(), *n_hosts))
        })
    }

    fn return_space(&self, _n_max: u32) -> Reply<'_, u64> {
        // Autovacuum does it, and what is freed is used again.
        Box::pin(async { Ok(0) })
    }

    fn peers(&self, host: &HostId) -> Reply<'_, Option<Peers>> {
        let host = host.clone();
        self.look((host,), |db, (host,)| Box::pin(peers::of_host(db, host)))
    }

    fn claim_looks(&self, now_ms: i64, lease_until_ms: i64, n_max: u32) -> Reply<'_, Vec<DueLook>> {
        self.look((now_ms, lease_until_ms, n_max), |db, (now_ms, lease_until_ms, n_max)| {
            Box::pin(host::claim_looks(db, *now_ms, *lease_until_ms, *n_max))
        })
    }

    fn look_at_all(&self) -> Reply<'_, ()> {
        self.look((), |db, ()| Box::pin(alarm::look_at_all(db)))
    }

    fn settle_alarms(&self, settlement: Settlement) -> Reply<'_, AlarmEdges> {
        self.change((settlement,), |tx, (settlement,)| Box::pin(alarm::settle(tx, settlement)))
    }

    fn alarms(
        &self,
        filter: AlarmFilter,
        before: Option<AlarmId>,
        n_max: u32,
    ) -> Reply<'_, Vec<Alarm>> {
        self.look((filter, before, n_max), |db, (filter, before, n_max)| {
            Box::pin(alarm::page(db, filter, *before, *n_max))
        })
    }

    fn alarm_groups(&self, now_ms: i64) -> Reply<'_, Vec<AlarmGroup>> {
        self.look((now_ms,), |db, (now_ms,)| Box::pin(alarm::groups(db, *now_ms)))
    }

    fn acknowledge_alarms(
        &self,
        selection: AlarmSelection,
        reason: &str,
        until_ms: Option<i64>,
        by: By,
    ) -> Reply<'_, u32> {
        let reason = reason.to_owned();
        self.change((selection, reason, until_ms, by), |tx, (selection, reason, until_ms, by)| {
            Box::pin(alarm::acknowledge(tx, selection, reason, *until_ms, by))
        })
    }

    fn withdraw_acknowledgements(&self, selection: AlarmSelection, by: By) -> Reply<'_, u32> {
        self.change((selection, by), |tx, (selection, by)| {
            Box::pin(alarm::withdraw(tx, selection, by))
        })
    }

    fn events(&self, after: EventCursor, n_max: u32) -> Reply<'_, Vec<Event>> {
        self.look((after, n_max), |db, (after, n_max)| Box::pin(event::page(db, *after, *n_max)))
    }

    fn event_span(&self) -> Reply<'_, EventSpan> {
        self.look((), |db, ()| Box::pin(event::span(db)))
    }

    fn publish_events(&self) -> Reply<'_, u32> {
        Box::pin(async {
            // In the normal case there are none, and this is all.
            if !self.look((), |db, ()| Box::pin(event::is_any_without_number(db))).await? {
                return Ok(0);
            }
            self.change((), |tx, ()| Box::pin(event::publish(tx))).await
        })
    }

    fn forget_events(&self, before_ms: i64, n_max: u32) -> Reply<'_, u32> {
        self.change((before_ms, n_max), |tx, (before_ms, n_max)| {
            Box::pin(event::forget(tx, *before_ms, *n_max))
        })
    }

    fn end_lapsed(&self, now_ms: i64, n_max: u32) -> Reply<'_, u32> {
        Box::pin(async move {
            if !self.look((now_ms,), |db, (now_ms,)| Box::pin(lapse::is_any(db, *now_ms))).await? {
                return Ok(0);
            }
            self.change((now_ms, n_max), |tx, (now_ms, n_max)| {
                Box::pin(lapse::end(tx, *now_ms, *n_max))
            })
            .await
        })
    }

    fn add_channel(&self, channel: NewChannel, by: By) -> Reply<'_, ()> {
        self.change((channel, by), |tx, (channel, by)| Box::pin(channel::add(tx, channel, by)))
    }

    fn channels(&self) -> Reply<'_, Vec<Channel>> {
        self.look((), |db, ()| Box::pin(channel::all(db)))
    }

    fn channel(&self, name: &str) -> Reply<'_, Option<Channel>> {
        let name = name.to_owned();
        self.look((name,), |db, (name,)| Box::pin(channel::by_name(db, name)))
    }

    fn change_channel(&self, channel: NewChannel, by: By) -> Reply<'_, ()> {
        self.change((channel, by), |tx, (channel, by)| Box::pin(channel::change(tx, channel, by)))
    }

    fn set_channel_activity(&self, name: &str, activity: ChannelActivity, by: By) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.change((name, activity, by), |tx, (name, activity, by)| {
            Box::pin(channel::set_activity(tx, name, *activity, by))
        })
    }

    fn remove_channel(&self, name: &str, by: By) -> Reply<'_, ()> {
        let name = name.to_owned();
        self.change((name, by), |tx, (name, by)| Box::pin(channel::remove(tx, name, by)))
    }

    fn claim_channel(&self, lease: ChannelLease, now_ms: i64) -> Reply<'_, Option<Channel>> {
        Box::pin(async move {
            // In the normal case nothing is due, and this is all.
            let due =
                self.look((now_ms,), |db, (now_ms,)| Box::pin(channel::is_any_due(db, *now_ms)));
            if !due.await? {
                return Ok(None);
            }
            self.change((lease, now_ms), |tx, (lease, now_ms)| {
                Box::pin(channel::claim(tx, lease, *now_ms))
            })
            .await
        })
    }

    fn note_progress(
        &self,
        name: &str,
        progress: Progress,
        lease: ChannelLease,
    ) -> Reply<'_, bool> {
        let name = name.to_owned();
        self.change((name, progress, lease), |tx, (name, progress, lease)| {
            Box::pin(channel::note_progress(tx, name, progress, lease))
        })
    }

    fn release_channel(&self, name: &str, holder: &str) -> Reply<'_, ()> {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        self.look((name, holder), |db, (name, holder)| Box::pin(channel::release(db, name, holder)))
    }

    fn dead_letters(
        &self,
        channel: &str,
        after: DeadLetterId,
        n_max: u32,
    ) -> Reply<'_, Vec<DeadLetter>> {
        let name = channel.to_owned();
        self.look((name, after, n_max), |db, (name, after, n_max)| {
            Box::pin(channel::dead_letters(db, name, *after, *n_max))
        })
    }

    fn redeliver(&self, channel: &str, which: DeadLetters, by: By) -> Reply<'_, u32> {
        let name = channel.to_owned();
        self.change((name, which, by), |tx, (name, which, by)| {
            Box::pin(channel::redeliver(tx, name, which, by))
        })
    }

    fn due_dead_letter(&self, channel: &str) -> Reply<'_, Option<DeadLetter>> {
        let name = channel.to_owned();
        self.look((name,), |db, (name,)| Box::pin(channel::due_dead_letter(db, name)))
    }

    fn note_redelivery(&self, id: DeadLetterId, error: Option<String>) -> Reply<'_, ()> {
        self.look((id, error), |db, (id, error)| {
            Box::pin(channel::note_redelivery(db, *id, error.as_deref()))
        })
    }

    fn report_runs(&self) -> Reply<'_, Vec<ReportRun>> {
        self.look((), |db, ()| Box::pin(report::all(db)))
    }

    fn claim_report(
        &self,
        name: &str,
        due_ms: i64,
        lease: ChannelLease,
        now_ms: i64,
    ) -> Reply<'_, bool> {
        self.change((name.to_owned(), lease), move |tx, (name, lease)| {
            Box::pin(report::claim(tx, name, due_ms, lease, now_ms))
        })
    }

    fn note_report(
        &self,
        name: &str,
        due_ms: i64,
        became: ReportTry,
        holder: &str,
        by: By,
    ) -> Reply<'_, bool> {
        let given = (name.to_owned(), became, holder.to_owned(), by);
        self.change(given, move |tx, (name, became, holder, by)| {
            Box::pin(report::note(tx, name, due_ms, became, holder, by))
        })
    }

    fn add_reference(&self, reference: NewReference, by: By) -> Reply<'_, ()> {
        self.change((reference, by), |tx, (reference, by)| {
            Box::pin(reference::add(tx, reference, by))
        })
    }

    fn set_reference_state(
        &self,
        id: &ReferenceId,
        state: ReferenceState,
        reason: &str,
        by: By,
    ) -> Reply<'_, ()> {
        let (id, reason) = (id.clone(), reason.to_owned());
        self.change((id, state, reason, by), |tx, (id, state, reason, by)| {
            Box::pin(reference::set_state(tx, id, *state, reason, by))
        })
    }

    fn references(&self, after_seq: i64, n_max: u32) -> Reply<'_, Vec<Reference>> {
        self.look((after_seq, n_max), |db, (after_seq, n_max)| {
            Box::pin(reference::page(db, *after_seq, *n_max))
        })
    }

    fn reference(&self, id: &ReferenceId) -> Reply<'_, Option<Reference>> {
        let id = id.clone();
        self.look((id,), |db, (id,)| Box::pin(reference::by_id(db, id)))
    }

    fn reference_changes(&self, id: &ReferenceId) -> Reply<'_, Vec<ReferenceChange>> {
        let id = id.clone();
        self.look((id,), |db, (id,)| Box::pin(reference::changes(db, id)))
    }

    fn reference_document(&self, sha256: Sha256) -> Reply<'_, Option<Vec<u8>>> {
        self.look((sha256,), |db, (sha256,)| Box::pin(reference::document(db, sha256)))
    }

    fn references_of_host(&self, host: &HostId, cohort: Option<&str>) -> Reply<'_, HostReferences> {
        Box::pin(self.looks.references((host.clone(), cohort.map(str::to_owned))))
    }

    fn references_of_hosts(
        &self,
        hosts: Vec<(HostId, Option<String>)>,
    ) -> Reply<'_, Vec<HostReferences>> {
        self.look((hosts,), |db, (hosts,)| Box::pin(reference::of_hosts(db, hosts)))
    }

    fn audit(&self, after_seq: i64, n_max: u32) -> Reply<'_, Vec<AuditRow>> {
        self.look((after_seq, n_max), |db, (after_seq, n_max)| {
            Box::pin(audit::page(db, *after_seq, *n_max))
        })
    }

    fn audit_head(&self) -> Reply<'_, (i64, Sha256)> {
        self.look((), |db, ()| Box::pin(audit::head(db)))
    }

    fn begin_idempotent(&self, request: IdempotentRequest) -> Reply<'_, Begun> {
        self.change((request,), |tx, (request,)| Box::pin(idempotent::begin(tx, request)))
    }

    fn answer_idempotent(&self, id: Sha256, sealed: Vec<u8>) -> Reply<'_, ()> {
        self.change((id, sealed), |tx, (id, sealed)| Box::pin(idempotent::answer(tx, id, sealed)))
    }

    fn forget_idempotent(&self, id: Sha256) -> Reply<'_, ()> {
        self.change((id,), |tx, (id,)| Box::pin(idempotent::forget(tx, id)))
    }

    fn tell(&self, hosts: Vec<HostId>) -> Reply<'_, ()> {
        let me = self.listener.me().to_owned();
        self.look((me, hosts), |db, (me, hosts)| Box::pin(listener::tell(db, me, hosts)))
    }

    fn tell_of_events(&self) -> Reply<'_, ()> {
        let me = self.listener.me().to_owned();
        self.look((me,), |db, (me,)| Box::pin(listener::tell_of_events(db, me)))
    }

    fn told(&self) -> Reply<'_, Told> {
        Box::pin(async { Ok(self.listener.told().await) })
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
        self.look((), |db, ()| Box::pin(evidence::census(db)))
    }

    fn has_objects(&self) -> Reply<'_, bool> {
        self.look((), |db, ()| Box::pin(evidence::has_objects(db)))
    }

    fn objects_to_remove(&self, before_ms: i64, n_max: u32) -> Reply<'_, Vec<String>> {
        self.look((before_ms, n_max), |db, (before_ms, n_max)| {
            Box::pin(evidence::objects_to_remove(db, *before_ms, *n_max))
        })
    }

    fn note_objects_removed(&self, objects: Vec<String>) -> Reply<'_, ()> {
        self.change((objects,), |tx, (objects,)| Box::pin(evidence::note_removed(tx, objects)))
    }

    fn known_objects(&self, objects: Vec<String>) -> Reply<'_, Vec<String>> {
        self.look((objects,), |db, (objects,)| Box::pin(evidence::known_objects(db, objects)))
    }

    fn probe(&self) -> Reply<'_, Probed> {
        self.change((), |tx, ()| Box::pin(operation::probe(tx)))
    }

    fn n_bytes(&self) -> Reply<'_, u64> {
        self.look((), |db, ()| Box::pin(operation::n_bytes(db)))
    }

    fn census(&self, times: CensusTimes) -> Reply<'_, Vec<CensusRow>> {
        self.look((times,), |db, (times,)| Box::pin(operation::census(db, times)))
    }

    fn activity(&self) -> Activity {
        let mut activity = self.pool.activity();
        activity.n_waiting = activity.n_waiting.saturating_add(self.routine.n_waiting());
        activity
    }

    fn policy_in_force(&self) -> Reply<'_, Option<PolicyInForce>> {
        self.look((), |db, ()| Box::pin(operation::policy(db)))
    }

    fn put_policy_in_force(&self, sha256: Sha256, by: By) -> Reply<'_, Option<PolicyInForce>> {
        self.change((sha256, by), |tx, (sha256, by)| {
            Box::pin(operation::put_policy(tx, sha256, by))
        })
    }

    fn add_policy_version(&self, new: NewPolicyVersion, by: By) -> Reply<'_, PolicyVersion> {
        self.change((new, by), |tx, (new, by)| Box::pin(policy::add(tx, new, by)))
    }

    fn policy_versions(&self, before: Option<i64>, n_max: u32) -> Reply<'_, Vec<PolicyVersion>> {
        self.look((before, n_max), |db, (before, n_max)| {
            Box::pin(policy::page(db, *before, *n_max))
        })
    }

    fn policy_document(&self, number: i64) -> Reply<'_, PolicyDocument> {
        self.look((number,), |db, (number,)| Box::pin(policy::document(db, *number)))
    }

    fn active_policy(&self) -> Reply<'_, Option<ActivePolicy>> {
        self.look((), |db, ()| Box::pin(policy::active(db)))
    }

    fn activate_policy(&self, activation: PolicyActivation, by: By) -> Reply<'_, ActivePolicy> {
        self.change((activation, by), |tx, (activation, by)| {
            Box::pin(policy::activate(tx, activation, by))
        })
    }

    fn finding_counts(&self, codes: Vec<String>) -> Reply<'_, Vec<FindingCount>> {
        self.look((codes,), |db, (codes,)| Box::pin(attention::finding_counts(db, codes)))
    }

    fn minorities(&self) -> Reply<'_, Vec<Minority>> {
        self.look((), |db, ()| Box::pin(attention::minorities(db)))
    }

    fn put_standing(&self, hour: StandingHour) -> Reply<'_, ()> {
        self.change((hour,), |tx, (hour,)| Box::pin(standing::put(tx, hour)))
    }

    fn standing_hours(&self, since_ms: i64) -> Reply<'_, Vec<StandingHour>> {
        self.look((since_ms,), |db, (since_ms,)| Box::pin(standing::since(db, *since_ms)))
    }

    fn note_for_audit(&self, note: AuditNote, by: By) -> Reply<'_, ()> {
        self.change((note, by), |tx, (note, by)| Box::pin(operation::note(tx, note, by)))
    }
}
