//! Two boots of a host beside each other, in words: what is another measurement in the later one.

use std::sync::Arc;

use api::boot_diff::{BootChange, BootDiff, BootDiffQuery, ComparedBoot};
use appraise::boot;
use references::{Baseline, Change, Rules};
use store::{AppraisalRow, Host, HostId};
use tpm_wire::PcrSet;
use verify::UnixTime;

use super::{
    App, AppError, RefusalKind,
    attest::{Judgeable, claims, reset_count},
    evidence_parts::from_parts,
    identity::LoadedIdentity,
};

/// Judgements of the past among which boots are found: as many as the history shows.
const LOOKED_AT: u32 = 50;

/// PCRs of a TPM for PCs. [PC-Client-PTP §4.6]
const N_PCRS: u32 = 24;

/// A judgement with what was judged.
struct Kept {
    row: AppraisalRow,
    evidence: Judgeable,
}

fn not_there(title: String) -> AppError {
    let hint =
        "`bootproof host history HOST` shows the judgements that are kept, with their numbers";
    AppError::refused(RefusalKind::NotFound, "judgement-not-found", title, hint)
}

fn not_proved(row: &AppraisalRow) -> AppError {
    let title = format!(
        "judgement {} has no log under a quote that a key of this host signed: nothing proves what booted",
        row.id.0
    );
    let hint = "compare judgements whose quotes were verified: `bootproof host history HOST`";
    AppError::refused(RefusalKind::Conflict, "boot-not-proved", title, hint)
}

impl App {
    /// What is another measurement in the boot of one judgement than in that of another. Without numbers: the last
    /// one beside the last of another boot.
    pub async fn boot_diff(
        self: &Arc<Self>,
        id: &str,
        query: BootDiffQuery,
    ) -> Result<BootDiff, AppError> {
        let host = self.find(&HostId::from(id)).await?;
        let rows = self.store.appraisals(&host.id, LOOKED_AT).await?;
        let of = |number: i64| {
            let found = rows.iter().find(|row| row.id.0 == number);
            found.ok_or_else(|| not_there(format!("this host has no judgement {number}")))
        };
        let to = match query.to {
            Some(number) => of(number)?,
            None => {
                rows.first().ok_or_else(|| not_there("this host was never judged".to_owned()))?
            }
        };
        let from = match query.from {
            Some(number) => of(number)?,
            None => {
                let other = rows.iter().find(|row| row.id < to.id && boot_of(row) != boot_of(to));
                other.ok_or_else(|| not_there("no other boot of this host is kept".to_owned()))?
            }
        };
        let (from, to) = (self.kept(from).await?, self.kept(to).await?);
        let now_ms = self.store.now_ms().await?;
        let identities = self.identities_of(&host, now_ms).await?;
        let app = Arc::clone(self);
        let comparing = tokio::task::spawn_blocking(move || {
            app.compared(&host, &from, &to, &identities, UnixTime(now_ms.div_euclid(1000)))
        });
        comparing.await.map_err(|err| AppError::Bug(err.into()))?
    }

    async fn kept(&self, row: &AppraisalRow) -> Result<Kept, AppError> {
        let parts = self.store.evidence(row.id).await?;
        if parts.is_empty() {
            return Err(not_there(format!("the evidence of judgement {} is not kept", row.id.0)));
        }
        Ok(Kept { row: row.clone(), evidence: Judgeable::of_stored(from_parts(parts)?)? })
    }

    fn compared(
        &self,
        host: &Host,
        from: &Kept,
        to: &Kept,
        identities: &[Arc<LoadedIdentity>],
        now: UnixTime,
    ) -> Result<BootDiff, AppError> {
        let policy = Arc::clone(&self.rules().policy);
        let proved = |kept: &'_ Kept| {
            let signed = |identity: &&Arc<LoadedIdentity>| {
                let claims = claims(&policy, &kept.evidence, Some(identity), now);
                claims.quote.verified().is_some()
            };
            identities.iter().find(signed).cloned()
        };
        let by_from = proved(from).ok_or_else(|| not_proved(&from.row))?;
        let by_to = proved(to).ok_or_else(|| not_proved(&to.row))?;
        let from_claims = claims(&policy, &from.evidence, Some(&by_from), now);
        let to_claims = claims(&policy, &to.evidence, Some(&by_to), now);
        let from_boot = boot(&from_claims).ok_or_else(|| not_proved(&from.row))?;
        let to_boot = boot(&to_claims).ok_or_else(|| not_proved(&to.row))?;
        let baseline = Baseline::learn(&from_boot).map_err(|err| {
            let title =
                format!("the boot of judgement {} cannot be compared: {err}", from.row.id.0);
            AppError::plain(RefusalKind::Conflict, "boot-not-proved", title)
        })?;
        // Nothing is set aside: a person asks what is different. What varies on sound machines comes last.
        let comparison = baseline.compare(&to_boot, &Rules::default(), now);
        let all: PcrSet = (0..N_PCRS).collect();
        let equal = baseline.agrees(&to_boot, all).equal;
        let compared = |kept: &Kept, reset_count: Option<u32>| ComparedBoot {
            id: kept.row.id.0,
            at_ms: kept.row.at_ms,
            verdict: kept.row.verdict.clone(),
            reset_count,
        };
        let changes = comparison.changes.iter().chain(&comparison.varied);
        Ok(BootDiff {
            host: host.name.clone(),
            from: compared(from, reset_count(&from_claims)),
            to: compared(to, reset_count(&to_claims)),
            equal_pcrs: equal.to_string(),
            changes: changes.map(change).collect(),
            n_more: u32::try_from(comparison.n_more).unwrap_or(u32::MAX),
        })
    }
}

fn change(change: &Change) -> BootChange {
    BootChange {
        kind: change.kind.as_str().to_owned(),
        pcrs: change.pcrs.to_string(),
        event: change.event,
        words: change.words.clone(),
    }
}

/// The TPM's resets when the judgement was made: one for each boot.
fn boot_of(row: &AppraisalRow) -> Option<u64> {
    let document: serde_json::Value = serde_json::from_str(&row.document_json).ok()?;
    document.pointer("/facts/quote/reset_count")?.as_u64()
}
