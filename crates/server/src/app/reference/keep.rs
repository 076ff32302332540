//! References in the inventory: brought, listed, moved on in their life.

use std::sync::Arc;

use api::{
    fleet::{
        BeginsAs, ImportReference, KeptReference, ReferenceDetail, ReferencePage,
        ReferenceScope as ApiScope, ReferenceState as ApiState, ReferenceStateRequest,
        ReferenceStep, ReferenceUses as ApiUses,
    },
    machine::Cohort,
};
use store::{
    By, HostId, NewReference, Reference, ReferenceId, ReferenceOrigin, ReferenceScope,
    ReferenceState, ReferenceUses,
};

use crate::app::{
    App, AppError, RefusalKind, cursor,
    paging::{cut, one_more},
    secret::random,
    words::{REASON_CHARS_MAX, is_line},
};

/// References on a page, where the client does not say.
const PAGE_LEN: u32 = 100;

/// Characters of a reference's name.
const NAME_CHARS_MAX: usize = 128;

impl App {
    /// Keeps a document that a person brings.
    pub async fn import_reference(
        self: &Arc<Self>,
        request: ImportReference,
        by: By,
    ) -> Result<KeptReference, AppError> {
        let baseline = report::reference::read(&request.document).map_err(|err| {
            let mut title = format!("this is no reference: {err}");
            let mut source = std::error::Error::source(&err);
            while let Some(err) = source {
                title.push_str(&format!(": {err}"));
                source = err.source();
            }
            let hint = "`bootproof reference show FILE` says what is wrong with it";
            AppError::refused(RefusalKind::Invalid, "reference-invalid", title, hint)
        })?;
        let manifest = baseline.content().manifest.as_deref();
        let origin = match manifest {
            Some(_) => ReferenceOrigin::Vendor,
            None => ReferenceOrigin::Imported,
        };
        // A vendor speaks for machines of one model; a host that is another later is not held to it.
        let meant = manifest.map(|manifest| report::reference::cohort(&manifest.model));
        if let Some(meant) = meant
            && request.scope != ApiScope::Cohort(meant.clone())
        {
            return Err(invalid(&format!("this manifest of a vendor is for {meant} alone")));
        }
        let scope = match request.scope {
            ApiScope::Host(id) => ReferenceScope::Host(self.find(&HostId::from(id)).await?.id),
            ApiScope::Cohort(cohort) if cohort.is_bounded() => ReferenceScope::Cohort(cohort.key()),
            ApiScope::Cohort(_) => {
                return Err(invalid("a part of the cohort is empty, too long or not plain"));
            }
        };
        let new = NewReference {
            id: new_id()?,
            scope,
            name: request.name,
            origin,
            state: begins(request.state),
            uses: ReferenceUses::Any,
            until_ms: request.until_ms,
            document: request.document.0,
            reason: request.reason,
        };
        self.keep_reference(new, by).await
    }

    /// Checks what a person wrote, keeps the reference, and judges anew whom it is for.
    pub(super) async fn keep_reference(
        self: &Arc<Self>,
        new: NewReference,
        by: By,
    ) -> Result<KeptReference, AppError> {
        check_text("the name", &new.name, NAME_CHARS_MAX)?;
        check_text("the reason", &new.reason, REASON_CHARS_MAX)?;
        if new.until_ms.is_some_and(|until_ms| until_ms <= by.at_ms) {
            return Err(invalid("the time until which it counts is over"));
        }
        let (id, scope, state) = (new.id.clone(), new.scope.clone(), new.state);
        self.store.add_reference(new, by.clone()).await?;
        tracing::info!(reference = %id, %state, "reference added");
        if state == ReferenceState::Active {
            self.judge_scope_anew(scope, by).await?;
        }
        shown(self.find_reference(&id).await?)
    }

    /// One page of references, oldest first.
    pub async fn references(
        &self,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<ReferencePage, AppError> {
        let after = cursor::number(cursor)?.unwrap_or(0);
        let limit = limit.unwrap_or(PAGE_LEN).clamp(1, store::HISTORY_PAGE_MAX);
        let rows = self.store.references(after, one_more(limit)).await?;
        let (rows, follows) = cut(rows, limit, store::HISTORY_PAGE_MAX);
        let next_cursor = rows.last().filter(|_| follows).map(|last| cursor::to_text(last.seq));
        let references = rows.into_iter().map(shown).collect::<Result<_, _>>()?;
        Ok(ReferencePage { references, next_cursor })
    }

    /// All about one reference.
    pub async fn reference(&self, id: &str) -> Result<ReferenceDetail, AppError> {
        let id = ReferenceId::from(id);
        let row = self.find_reference(&id).await?;
        let changes = self.store.reference_changes(&id).await?;
        let document = self.store.reference_document(row.document_sha256).await?;
        let life = changes.into_iter().map(|change| ReferenceStep {
            at_ms: change.at_ms,
            by: change.actor,
            state: shown_state(change.state),
            reason: change.reason,
        });
        Ok(ReferenceDetail {
            reference: shown(row)?,
            life: life.collect(),
            document: document.ok_or_else(|| gone(&id))?.into(),
        })
    }

    async fn find_reference(&self, id: &ReferenceId) -> Result<Reference, AppError> {
        self.store.reference(id).await?.ok_or_else(|| gone(id))
    }

    /// Moves a reference on in its life, and judges anew whom it is for.
    pub async fn set_reference_state(
        self: &Arc<Self>,
        id: &str,
        request: ReferenceStateRequest,
        by: By,
    ) -> Result<KeptReference, AppError> {
        check_text("the reason", &request.reason, REASON_CHARS_MAX)?;
        let id = ReferenceId::from(id);
        let state = match request.state {
            ApiState::Pending => ReferenceState::Pending,
            ApiState::Active => ReferenceState::Active,
            ApiState::Obsolete => ReferenceState::Obsolete,
            ApiState::Retired => ReferenceState::Retired,
            ApiState::Revoked => ReferenceState::Revoked,
        };
        self.store.set_reference_state(&id, state, &request.reason, by.clone()).await?;
        tracing::info!(reference = %id, %state, "reference changed its state");
        let row = self.find_reference(&id).await?;
        self.judge_scope_anew(row.scope.clone(), by).await?;
        shown(row)
    }
}

/// A new identifier: short enough to type, and the store refuses one that is taken.
pub(super) fn new_id() -> Result<ReferenceId, AppError> {
    Ok(ReferenceId::from(format!("ref-{}", hex::encode(random::<6>()?))))
}

pub(super) fn begins(state: BeginsAs) -> ReferenceState {
    match state {
        BeginsAs::Pending => ReferenceState::Pending,
        BeginsAs::Active => ReferenceState::Active,
    }
}

pub(super) fn uses(uses: ApiUses) -> ReferenceUses {
    match uses {
        ApiUses::Any => ReferenceUses::Any,
        ApiUses::OneBoot => ReferenceUses::OneBoot,
    }
}

fn gone(id: &ReferenceId) -> AppError {
    AppError::refused(
        RefusalKind::NotFound,
        "reference-not-found",
        format!("there is no reference {id}"),
        "`bootproof reference list` shows them",
    )
}

fn invalid(title: &str) -> AppError {
    AppError::plain(RefusalKind::Invalid, "reference-invalid", title)
}

fn check_text(what: &str, text: &str, chars_max: usize) -> Result<(), AppError> {
    if is_line(text, chars_max) {
        return Ok(());
    }
    Err(invalid(&format!("{what} must have 1 to {chars_max} characters, on one line")))
}

fn shown(row: Reference) -> Result<KeptReference, AppError> {
    let scope = match row.scope {
        ReferenceScope::Host(id) => ApiScope::Host(id.to_string()),
        ReferenceScope::Cohort(key) => ApiScope::Cohort(
            Cohort::from_key(&key)
                .ok_or_else(|| AppError::Bug("a stored cohort cannot be read".into()))?,
        ),
    };
    Ok(KeptReference {
        id: row.id.to_string(),
        name: row.name,
        scope,
        origin: row.origin.as_str().to_owned(),
        state: shown_state(row.state),
        uses: match row.uses {
            ReferenceUses::Any => ApiUses::Any,
            ReferenceUses::OneBoot => ApiUses::OneBoot,
        },
        until_ms: row.until_ms,
        sha256: hex::encode(row.document_sha256),
        created_at_ms: row.created_at_ms,
        created_by: row.created_by,
        reason: row.reason,
    })
}

fn shown_state(state: ReferenceState) -> ApiState {
    match state {
        ReferenceState::Pending => ApiState::Pending,
        ReferenceState::Active => ApiState::Active,
        ReferenceState::Obsolete => ApiState::Obsolete,
        ReferenceState::Retired => ApiState::Retired,
        ReferenceState::Revoked => ApiState::Revoked,
    }
}
