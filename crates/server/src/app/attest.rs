//! Attestation: evidence comes in, is judged, and is on disk before the verdict goes out.

use std::{sync::Arc, time::Instant};

use api::agent::{Evidence, EvidenceReply, VENDOR_STRING_BYTES_MAX};
use appraise::{
    Challenge, Claims, ClockState, Context, EkEvidence, HashedLog, Known, LogMemo, Policy,
    QuoteEvidence, QuoteStatus, Unchanged, Verdict, appraise, appraise_unchanged, examine,
};
use report::BootSection;
use store::{
    Approval, By, Conflict, Connection, EvidencePart, Host, HostId, JudgedBy, NewAppraisal,
    QuoteClock, QuotedValues, StoreError,
};
use tpm_wire::{BANKS_MAX, PcrBank, PcrSet, TpmAlgId};
use tracing::Instrument as _;
use userspace_log::LaterLog;
use verify::{CheckedSignature, IssuedAt, Name, Nonce, NonceError, UnixTime};

use super::{
    App, AppError, RefusalKind,
    document::{self, Document, Found},
    evidence_parts::{LOG_PART, Parts, from_parts, log_part, parts},
    identity::{LoadedIdentity, asked_after},
    memo::Memo,
    policy::clock_state,
    reference::HeldTo,
    schedule::Timing,
    secret::random,
    standing,
};
use crate::{
    metrics::{Stage, Stages},
    traces,
};

/// Evidence that is read, judged and written at one time: enough for many processors while some wait for a disk. The
/// largest has 6 MiB, most 60 KiB, and each may have a thread.
pub(super) const TURNS_MAX: usize = 64;

/// Bytes of a log that is judged where it is, if one of its host was judged before: to hash it and to check a
/// signature takes a tenth of a millisecond, as much as to hand it to another thread costs; where it is another
/// log after all, a millisecond. Longer ones, and those of which nothing is known, go to a thread of their own.
const SHORT_LOG_BYTES: usize = 128 << 10;

/// Characters of the text that an agent sends where its TPM gave no quote.
const TPM_ERROR_CHARS_MAX: usize = 500;

/// Evidence that can be judged: its challenge is ours, and its lists have bounds.
pub(super) struct Judgeable {
    evidence: Evidence,
    nonce: Nonce,
    /// The digest that stands in place of the log, while that was not looked up.
    named_log: Option<[u8; 32]>,
    pcrs: Vec<PcrBank>,
    active_banks: Option<Vec<TpmAlgId>>,
    later: Option<LaterLog>,
}

impl Judgeable {
    /// Evidence with the challenge that it answers, where its lists have bounds.
    fn new(evidence: Evidence, nonce: Nonce) -> Result<Self, AppError> {
        let invalid = |title: String| {
            AppError::refused(RefusalKind::Invalid, "evidence-invalid", title, "update the agent")
        };
        let pcrs = evidence.pcrs.to_banks().map_err(|err| invalid(err.to_string()))?;
        if evidence.active_banks.len() > BANKS_MAX {
            return Err(invalid(format!("more than {BANKS_MAX} active banks")));
        }
        let banks = evidence.active_banks.iter().map(|name| TpmAlgId::from_hash_name(name));
        let active_banks = match banks.collect::<Option<Vec<_>>>() {
            Some(banks) if banks.is_empty() => None,
            Some(banks) => Some(banks),
            None => return Err(invalid("an active bank is no hash that we know".to_owned())),
        };
        let error = evidence.tpm_error.as_deref().unwrap_or_default();
        if error.chars().count() > TPM_ERROR_CHARS_MAX {
            return Err(invalid(format!("tpm_error is over {TPM_ERROR_CHARS_MAX} characters")));
        }
        if evidence.machine.as_ref().is_some_and(|machine| !machine.is_bounded()) {
            return Err(invalid("a text of machine is empty, too long or not plain".to_owned()));
        }
        if let Some(tpm) = &evidence.tpm {
            let parent_len = tpm.ak_parent.as_ref().map_or(0, |name| name.len());
            if tpm.vendor_string.len() > VENDOR_STRING_BYTES_MAX || parent_len > Name::LEN_MAX {
                return Err(invalid("what the TPM says of itself is longer than it can be".into()));
            }
        }
        let named_log = match (&evidence.event_log, evidence.event_log_sha256.as_deref()) {
            (_, None) => None,
            (Some(_), Some(_)) => return Err(invalid("a log and a digest in place of it".into())),
            (None, Some(digest)) => Some(
                digest
                    .try_into()
                    .map_err(|_| invalid("event_log_sha256 is not of 32 bytes".to_owned()))?,
            ),
        };
        let later = evidence.userspace_log.as_deref().map(userspace_log::parse);
        Ok(Self { evidence, nonce, named_log, pcrs, active_banks, later })
    }

    /// Evidence that was judged before: its challenge was ours and young then. What could be read
    /// when it came can be read now, so an error is a damaged row.
    pub(super) fn of_stored(evidence: Evidence) -> Result<Self, AppError> {
        let nonce = Nonce::new(&evidence.nonce)
            .ok_or_else(|| AppError::Bug("stored evidence names no challenge".into()))?;
        Self::new(evidence, nonce).map_err(|err| AppError::Bug(err.into()))
    }
}

impl Judgeable {
    /// Whether it tells of a boot only, and not of what runs since: those lists grow.
    const fn is_boot_alone(&self) -> bool {
        self.evidence.ima_list.is_none() && self.evidence.userspace_log.is_none()
    }

    /// With a log that was left out while it was not needed.
    pub(super) fn with_log(&mut self, bytes: Vec<u8>) {
        self.evidence.event_log = Some(bytes.into());
        self.named_log = None;
    }

    /// How its log came, for the server's own log.
    const fn log_came(&self) -> &'static str {
        match (&self.evidence.event_log, self.named_log) {
            (Some(_), _) => "sent",
            (None, Some(_)) => "named",
            (None, None) => "none",
        }
    }

    /// The key of the cohort that the host names.
    pub(super) fn cohort(&self) -> Option<String> {
        Some(self.evidence.machine.as_ref()?.cohort()?.key())
    }
}

/// What a judgement needs, together: it may go to another thread.
struct Case {
    policy: Arc<Policy>,
    judgeable: Judgeable,
    identity: Option<Arc<LoadedIdentity>>,
    memo: Option<Arc<Memo>>,
    previous: Option<ClockState>,
    held_to: HeldTo,
    now: UnixTime,
}

impl Case {
    /// `None` where the log is needed, and only its digest is there.
    fn judge(&self) -> Result<Option<Judged>, AppError> {
        let Self { policy, judgeable, identity, memo, previous, held_to, now } = self;
        let (identity, previous) = (identity.as_deref(), previous.as_ref());
        let last_time = LastTime::of(judgeable, memo.as_deref());
        if judgeable.named_log.is_some() {
            let inputs = Inputs::new(judgeable, identity);
            let (policy, now) = (&**policy, *now);
            return Ok(judge_unchanged(
                &inputs, policy, judgeable, last_time, previous, held_to, now,
            ));
        }
        judge(policy, judgeable, identity, last_time, previous, held_to, *now).map(Some)
    }
}

/// A judgement, and what is kept beside it.
pub(super) struct Judged {
    /// Without what tells of the boot.
    pub(super) appraisal: api::appraisal::Appraisal,
    /// That.
    pub(super) boot: BootSection,
    /// The digest of the log, where it was made.
    log_sha256: Option<[u8; 32]>,
    quote_clock: Option<QuoteClock>,
    /// The PCRs that the log names, where there is a log.
    named: Option<PcrSet>,
    /// The quoted values that hosts of a model share, where the quote verified.
    quoted: Option<QuotedValues>,
    /// What it was judged by.
    pub(super) judged_by: JudgedBy,
    /// What to keep of the log, where it is another than last time.
    memo: Option<Memo>,
    /// The signature of the quote, where that is verified.
    signature: Option<CheckedSignature>,
}

impl App {
    /// Judges the evidence of `host`. In this order: the challenge (ours, for this host, young,
    /// newer than the last), the shape, the identity key, and then the evidence, cheap checks
    /// before dear ones. What fails before the judgement is refused, and nothing is stored.
    pub async fn attest(
        self: &Arc<Self>,
        host: Host,
        evidence: Evidence,
    ) -> Result<EvidenceReply, AppError> {
        let span = tracing::info_span!("attest", host = %host.id, name = host.name);
        self.attest_in_span(host, evidence).instrument(span).await
    }

    async fn attest_in_span(
        self: &Arc<Self>,
        host: Host,
        evidence: Evidence,
    ) -> Result<EvidenceReply, AppError> {
        let mut stages = self.metrics.stages();
        let now_ms = self.store.now_ms().await?;
        require_admitted(&host)?;
        let (judgeable, issued) = self.check_challenge(&host, evidence, now_ms)?;
        let log = judgeable.log_came();
        match host.last.as_ref().map(|last| last.verdict.as_str()) {
            // One line tells of a host that goes on as it was.
            Some("accepted") => tracing::debug!(log, "attestation started"),
            _ => tracing::info!(log, "attestation started"),
        }
        let previous = host.last_quote_clock.map(clock_state);
        let cohort = judgeable.cohort();
        // Together: a database is asked once for both.
        let (identity, held_to) = tokio::try_join!(
            self.identity(&host, now_ms),
            self.held_to(&host.id, cohort.as_deref()),
        )?;
        let has_key = identity.is_some();

        let rules = self.rules();
        let case = Case {
            policy: Arc::clone(&rules.policy),
            memo: self.memos.find(&host.id),
            now: UnixTime(now_ms.div_euclid(1000)),
            judgeable,
            identity,
            previous,
            held_to,
        };
        stages.end(Stage::Read);
        let judging = self.judged(&host, case, &mut stages);
        let (case, judged) = traces::step("judge", judging).await?;
        let judgeable = case.judgeable;
        stages.end(Stage::Judge);
        let judged_log = judged.log_sha256;
        let Judged {
            mut appraisal,
            boot,
            quote_clock,
            named,
            quoted,
            judged_by,
            memo,
            signature,
            ..
        } = judged;
        if has_key && is_anothers(&appraisal) && self.counts(&host, now_ms) {
            tracing::warn!("evidence that the enrolled key did not sign: not recorded");
            return Err(AppError::refused(
                RefusalKind::Conflict,
                "ak-not-enrolled",
                "the enrolled key did not sign this evidence; what the host proved before stands",
                "enrol the new key first: an agent does so by itself, if its TPM is the host's",
            ));
        }
        if let Some(memo) = memo {
            self.memos.keep(&host.id, memo);
        }
        if let Some(signature) = signature {
            self.memos.note_signature(&host.id, signature);
        }
        if let Some(named) = named {
            self.identities.note_log(&host.id, named);
        }

        let timing = Timing::of(&host.labels, &rules.config);
        let chance = u16::from_be_bytes(random::<2>()?);
        let next_due_at_ms = timing.next_due_ms(&host, now_ms, chance);
        let decisive = appraisal.findings.iter().find(|finding| finding.severity == "fail");
        match decisive {
            None => tracing::info!(verdict = appraisal.verdict, log, "attestation finished"),
            Some(finding) => tracing::warn!(
                verdict = appraisal.verdict,
                code = finding.code,
                "attestation finished: {}",
                finding.cause
            ),
        }
        let to_json = |err: serde_json::Error| AppError::Bug(err.into());
        let named_log = judgeable.named_log;
        let Parts { answer, others: mut evidence } = parts(judgeable.evidence, judged_log)?;
        let findings_json = serde_json::to_string(&appraisal.findings).map_err(to_json)?;
        let found = match &host.last {
            Some(last) if last.findings_json == findings_json => Found::TheSame,
            _ => Found::SomethingElse,
        };
        let Document { row_json, parts } =
            Document::of(&mut appraisal, &findings_json, &boot, found)?;
        evidence.extend(parts);
        let new = NewAppraisal {
            host: host.id.clone(),
            identity_version: host.identity_version,
            nonce_at_ms: i64::try_from(issued.0).unwrap_or(i64::MAX),
            at_ms: now_ms,
            verdict: appraisal.verdict.clone(),
            findings_json,
            document_json: row_json,
            deciding: document::deciding(&appraisal.findings),
            kept: named_log.map(log_part).into_iter().collect(),
            answer: Some(answer),
            evidence,
            quote_clock,
            next_due_at_ms,
            look_again_at_ms: now_ms.saturating_add(timing.good_for_ms).saturating_add(1),
            cohort,
            quoted,
            judged_by,
        };
        let by = By::new(format!("host:{}", host.id), now_ms);
        traces::note("bootproof.host", host.id.to_string());
        traces::note("bootproof.verdict", appraisal.verdict.clone());
        match traces::step("commit", self.store.record_appraisal(new, by)).await {
            Ok(_) => {}
            Err(err) => {
                if matches!(err, StoreError::Conflict(Conflict::EvidenceGone)) {
                    // The next challenge names no log.
                    self.memos.forget(&host.id);
                }
                return Err(err.into());
            }
        }
        if host.last.as_ref().is_none_or(|last| last.verdict != appraisal.verdict) {
            self.hub.news();
        }
        stages.end(Stage::Store);
        self.metrics.attested(&appraisal.verdict, &appraisal.findings);
        // A person may wait for it, at whichever server; else it is this server's host alone.
        match host.attest_requested_at_ms {
            Some(_) => self.hub.wake(&host.id),
            None => self.hub.wake_here(&host.id),
        }
        Ok(EvidenceReply {
            verdict: appraisal.verdict,
            findings: appraisal.findings,
            next_due_s: u64::try_from((next_due_at_ms - now_ms) / 1000).unwrap_or(0),
        })
    }

    /// Judges `case`, which is evidence of `host`; a log that it only names is looked up where what
    /// was found in it before does not suffice.
    async fn judged(
        &self,
        host: &Host,
        case: Case,
        stages: &mut Stages<'_>,
    ) -> Result<(Case, Judged), AppError> {
        let n_bytes = case.judgeable.evidence.event_log.as_ref().map_or(0, |log| log.len());
        let is_boot_alone = case.judgeable.is_boot_alone();
        let is_short = case.memo.is_some() && n_bytes <= SHORT_LOG_BYTES && is_boot_alone;
        let waiting = self.metrics.waits_for_thread();
        let judging = move || {
            let begun = Instant::now();
            drop(waiting);
            let judged = case.judge();
            (case, judged, begun)
        };
        let (mut case, judged, begun) = match is_short {
            true => judging(),
            // Off the threads that serve sockets: a large log costs milliseconds.
            false => tokio::task::spawn_blocking(judging)
                .await
                .map_err(|err| AppError::Bug(err.into()))?,
        };
        stages.end_at(Stage::Wait, begun);
        let named = match (judged?, case.judgeable.named_log) {
            (Some(judged), _) => return Ok((case, judged)),
            (None, Some(named)) => named,
            (None, None) => return Err(AppError::Bug("a log that is there was wanted".into())),
        };
        case.judgeable.with_log(self.stored_log(host, &named).await?);
        let judging = move || {
            let judged = case.judge();
            (case, judged)
        };
        let (case, judged) =
            tokio::task::spawn_blocking(judging).await.map_err(|err| AppError::Bug(err.into()))?;
        let judged = judged?.ok_or_else(|| AppError::Bug("no judgement with a log".into()))?;
        Ok((case, judged))
    }

    /// The log with this digest, where it is the one of the host's last evidence: of another host's it
    /// could not say that it knows them.
    async fn stored_log(&self, host: &Host, sha256: &[u8; 32]) -> Result<Vec<u8>, AppError> {
        let parts = match &host.last {
            Some(last) => self.store.evidence(last.id).await?,
            None => Vec::new(),
        };
        let is_it = |part: &EvidencePart| part.name == LOG_PART && part.sha256 == *sha256;
        parts.into_iter().find(is_it).map(|part| part.bytes).ok_or_else(|| {
            self.memos.forget(&host.id);
            StoreError::from(Conflict::EvidenceGone).into()
        })
    }

    /// Whether the host's last verdict accepts it and counts.
    fn counts(&self, host: &Host, now_ms: i64) -> bool {
        let accepts = host.last.as_ref().is_some_and(|last| last.verdict == "accepted");
        accepts && standing::held(host, &self.rules().config, now_ms).is_none()
    }

    fn check_challenge(
        &self,
        host: &Host,
        evidence: Evidence,
        now_ms: i64,
    ) -> Result<(Judgeable, IssuedAt), AppError> {
        let refused = |kind, code, title: String| {
            AppError::refused(kind, code, title, "ask for a new challenge and answer that one")
        };
        let nonce = Nonce::new(&evidence.nonce).ok_or_else(|| {
            let title = "the evidence names no challenge".to_owned();
            refused(RefusalKind::Invalid, "nonce-invalid", title)
        })?;
        let id = host.id.as_str().as_bytes();
        let good_for_ms = self.rules().config.challenge_good_for_s * 1000;
        let now = u64::try_from(now_ms).unwrap_or(0);
        let issued = self.nonce_key.check(id, &nonce, now, good_for_ms).map_err(|err| {
            let (kind, code) = match err {
                NonceError::Stale { .. } => (RefusalKind::Conflict, "nonce-stale"),
                _ => (RefusalKind::Forbidden, "nonce-foreign"),
            };
            refused(kind, code, err.to_string())
        })?;
        let used = i64::try_from(issued.0).unwrap_or(0);
        if host.last_nonce_at_ms.is_some_and(|last| used <= last) {
            return Err(StoreError::from(Conflict::NonceUsed).into());
        }
        Ok((Judgeable::new(evidence, nonce)?, issued))
    }

    /// The evidence of a host's last judgement, as it was sent.
    pub async fn evidence(&self, id: &str) -> Result<Evidence, AppError> {
        let host = self.find(&HostId::from(id)).await?;
        let Some(last) = host.last else {
            return Err(AppError::refused(
                RefusalKind::NotFound,
                "no-evidence",
                "no evidence of this host was judged yet",
                "`bootproof host attest HOST`",
            ));
        };
        from_parts(self.store.evidence(last.id).await?)
    }
}

/// An error where a person has disconnected `host`, or has not let it in.
pub(super) fn require_admitted(host: &Host) -> Result<(), AppError> {
    if host.connection == Connection::Disconnected {
        let host = host.id.clone();
        return Err(StoreError::from(Conflict::HostDisconnected { host }).into());
    }
    if matches!(host.approval, Approval::Waiting | Approval::Refused) {
        return Err(AppError::refused(
            RefusalKind::Conflict,
            "awaiting-approval",
            "a person must approve this host first",
            "`bootproof host approve HOST`",
        ));
    }
    Ok(())
}

/// Whether another key than the enrolled one signed. Then it proves nothing of the host, neither good
/// nor bad: whoever has the host's token could send it.
fn is_anothers(appraisal: &api::appraisal::Appraisal) -> bool {
    let codes = [findings::Code::AkNotEnrolled, findings::Code::QuoteSignature];
    appraisal.findings.iter().any(|found| codes.iter().any(|code| code.as_str() == found.code))
}

/// What goes into a judgement of a host.
pub(super) struct Inputs<'a> {
    pub(super) evidence: appraise::Evidence<'a>,
    known: Known<'a>,
    ek: EkEvidence<'a>,
    challenge: Challenge<'a>,
}

impl<'a> Inputs<'a> {
    pub(super) fn new(judgeable: &'a Judgeable, identity: Option<&'a LoadedIdentity>) -> Self {
        let sent = &judgeable.evidence;
        let quote = sent.quote.as_ref();
        Self {
            evidence: appraise::Evidence {
                quote: quote.map(|quote| QuoteEvidence {
                    attest: &quote.attest,
                    signature: &quote.signature,
                }),
                tpm_error: sent.tpm_error.as_deref(),
                pcrs: &judgeable.pcrs,
                event_log: sent.event_log.as_deref(),
                later: judgeable.later.as_ref(),
                ima_list: sent.ima_list.as_deref(),
                ak_public: sent.ak_public.as_deref(),
                acpi_tpm2: sent.acpi_tpm2.as_deref(),
                active_banks: judgeable.active_banks.as_deref(),
                tpm: sent.tpm.as_ref().map(report::tpm_said),
                machine: sent.machine.as_ref().map(report::machine_said),
            },
            known: identity.map_or(Known::Nothing, |identity| Known::Key(&identity.bound)),
            ek: match identity.map(|identity| &identity.ek) {
                None => EkEvidence::NotAsked,
                Some(None) => EkEvidence::NoCertificate,
                Some(Some(judged)) => EkEvidence::Judged(judged),
            },
            challenge: Challenge::Nonce(&judgeable.nonce),
        }
    }

    pub(super) fn claims(&self, policy: &Policy, now: UnixTime) -> Claims<'a> {
        examine(&self.evidence, &self.known, &self.ek, &self.challenge, policy, now)
    }

    /// What is checked anew where `memo` is of the same `log` and all else that it rests on. A
    /// signature that was `checked` before is not checked again.
    pub(super) fn unchanged<'m>(
        &'a self,
        memo: &'m LogMemo,
        log: &HashedLog<'_>,
        checked: Option<CheckedSignature>,
        context: &Context<'_>,
        policy: &'m Policy,
        now: UnixTime,
    ) -> Option<Unchanged<'m, 'a>> {
        let same = memo.fits(log, &self.evidence, context, policy)?.with_signature(checked);
        same.examine(&self.known, &self.ek, &self.challenge, now)
    }
}

/// What evidence of a host whose identity key is `identity` proves at `now`.
pub(super) fn claims<'a>(
    policy: &Policy,
    judgeable: &'a Judgeable,
    identity: Option<&'a LoadedIdentity>,
    now: UnixTime,
) -> Claims<'a> {
    Inputs::new(judgeable, identity).claims(policy, now)
}

/// The TPM's resets, one for each boot, where a verified quote tells them.
pub(super) fn reset_count(claims: &Claims<'_>) -> Option<u32> {
    claims.quote.verified().map(|quote| quote.clock_info().reset_count)
}

/// A log that was hashed, and what was found in it last time, where that is kept.
#[derive(Clone, Copy, Default)]
pub(super) struct LastTime<'a> {
    log: Option<HashedLog<'a>>,
    memo: Option<&'a Memo>,
}

impl<'a> LastTime<'a> {
    fn of(judgeable: &'a Judgeable, memo: Option<&'a Memo>) -> Self {
        let named = || judgeable.named_log.map(|sha256| HashedLog::stored(sha256, None));
        let log = judgeable.evidence.event_log.as_deref().map(HashedLog::new).or_else(named);
        Self { log, memo }
    }
}

/// Judges evidence of a host whose identity key is `identity`, by what it is held to: in full, or
/// where the log and all that its judgement rests on are those of last time only what is new.
pub(super) fn judge(
    policy: &Arc<Policy>,
    judgeable: &Judgeable,
    identity: Option<&LoadedIdentity>,
    last_time: LastTime<'_>,
    previous: Option<&ClockState>,
    held_to: &HeldTo,
    now: UnixTime,
) -> Result<Judged, AppError> {
    let inputs = Inputs::new(judgeable, identity);
    let unchanged = judge_unchanged(&inputs, policy, judgeable, last_time, previous, held_to, now);
    if let Some(judged) = unchanged {
        return Ok(judged);
    }
    let claims = inputs.claims(policy, now);
    let reset_count = reset_count(&claims);
    let references = held_to.applied(reset_count);
    let context = Context { previous, references: &references };
    let appraisal = appraise(&claims, &context, policy, now);
    let one_boot = match appraisal.verdict {
        Verdict::Accepted => held_to.one_boot(appraisal.reference.as_ref(), reset_count),
        Verdict::NotAccepted | Verdict::NotAppraised => None,
    };
    let named = claims.named_pcrs();
    let mut head = with_machine(report::appraisal(&claims, &appraisal), judgeable);
    let boot = BootSection::take(&mut head).map_err(|err| AppError::Bug(err.into()))?;
    let memo = last_time.log.and_then(|log| {
        let log = LogMemo::of(&log, &inputs.evidence, &claims, &context, policy, now)?;
        Some(Memo { log, boot: boot.clone() })
    });
    Ok(Judged {
        appraisal: head,
        boot,
        log_sha256: last_time.log.map(|log| *log.sha256()),
        quote_clock: quote_clock(&claims.quote, &appraisal),
        named,
        quoted: comparable(claims.quoted(), named),
        judged_by: JudgedBy { reference_generation: Some(held_to.generation), one_boot },
        memo,
        signature: claims.quote.verified().map(|quote| *quote.signature()),
    })
}

/// The judgement of evidence of which all that rests on the log is as last time.
fn judge_unchanged(
    inputs: &Inputs<'_>,
    policy: &Policy,
    judgeable: &Judgeable,
    last_time: LastTime<'_>,
    previous: Option<&ClockState>,
    held_to: &HeldTo,
    now: UnixTime,
) -> Option<Judged> {
    let (unchanged, memo) = unchanged(inputs, policy, last_time, held_to, now)?;
    let context = Context { previous, references: &[] };
    let appraisal = appraise_unchanged(&unchanged, &context, now);
    Some(Judged {
        appraisal: with_machine(report::unchanged(&unchanged, &appraisal), judgeable),
        boot: memo.boot.clone(),
        log_sha256: last_time.log.map(|log| *log.sha256()),
        quote_clock: quote_clock(unchanged.quote(), &appraisal),
        named: Some(unchanged.named_pcrs()),
        quoted: unchanged
            .quote()
            .verified()
            .and_then(|quote| comparable(quote.values(), Some(unchanged.named_pcrs()))),
        judged_by: JudgedBy { reference_generation: Some(held_to.generation), one_boot: None },
        memo: None,
        signature: unchanged.quote().verified().map(|quote| *quote.signature()),
    })
}

/// What was checked anew, where the rest is as last time; a host without references only.
fn unchanged<'m, 'e>(
    inputs: &'e Inputs<'e>,
    policy: &'m Policy,
    last_time: LastTime<'m>,
    held_to: &HeldTo,
    now: UnixTime,
) -> Option<(Unchanged<'m, 'e>, &'m Memo)> {
    let LastTime { log: Some(log), memo: Some(memo) } = last_time else { return None };
    let references = held_to.applied(None);
    let context = Context { previous: None, references: &references };
    Some((inputs.unchanged(&memo.log, &log, None, &context, policy, now)?, memo))
}

fn with_machine(
    mut document: api::appraisal::Appraisal,
    judgeable: &Judgeable,
) -> api::appraisal::Appraisal {
    document.facts.untrusted_machine = judgeable.evidence.machine.clone();
    document
}

/// PCRs whose values tell nothing of how a machine booted: 10 grows while it runs, 16 is for
/// debugging, 23 belongs to applications. [PFP-1.06 §3.3.4]
const NOT_OF_A_BOOT: [u32; 3] = [10, 16, 23];

/// The values of one bank that can be compared between hosts: SHA-256 where it was quoted, which
/// nearly every machine has, else the first of the strong banks. Of the PCRs that the log names, which are those that the
/// next challenge asks for: a server that does not know a host yet asks for more of them, and other values would be
/// written for each host after each of its starts.
fn comparable(quoted: &[PcrBank], named: Option<PcrSet>) -> Option<QuotedValues> {
    let asked = asked_after(named);
    let strong = || quoted.iter().filter(|bank| bank.alg().is_strong_hash());
    let bank = strong().find(|bank| bank.alg() == TpmAlgId::SHA256).or_else(|| strong().next())?;
    let of_a_boot =
        bank.iter().filter(|(index, _)| !NOT_OF_A_BOOT.contains(index) && asked.contains(*index));
    let values = of_a_boot
        .filter_map(|(index, value)| Some((u8::try_from(index).ok()?, value.as_bytes().to_vec())));
    Some(QuotedValues { bank: bank.alg().to_string(), values: values.collect() })
}

/// The counters to keep. Those that went back are not taken over: the finding must not heal itself.
fn quote_clock(quote: &QuoteStatus, appraisal: &appraise::Appraisal) -> Option<QuoteClock> {
    if appraisal.has(findings::Code::ClockWentBack) {
        return None;
    }
    let quote = quote.verified()?;
    let clock = quote.clock_info();
    Some(QuoteClock {
        clock_ms: clock.clock_ms,
        reset_count: clock.reset_count,
        restart_count: clock.restart_count,
        safe: clock.safe == 1,
        firmware_version: quote.firmware_version(),
    })
}
