//! Join tokens: what lets a host into the inventory.

use std::sync::Arc;

use api::admin::{Approval, NewToken, Token, TokenRequest};
use store::{ApprovalRule, By, Conflict, JoinToken, NewJoinToken, StoreError};
use uuid::Uuid;

use super::{
    App, AppError, RefusalKind,
    ek_list::listed_on,
    labels::check_labels,
    secret::{JOIN_PREFIX, new_token, token_sha256},
};

/// Seconds for which a join token is good at most: a year. It is a key to the inventory.
const EXPIRES_S_MAX: u64 = 366 * 24 * 3600;

/// Characters of a note: a line of text.
const NOTE_CHARS_MAX: usize = 200;

impl App {
    /// Makes a join token.
    pub async fn create_token(
        self: &Arc<Self>,
        request: TokenRequest,
        by: By,
    ) -> Result<NewToken, AppError> {
        self.create_token_called(Uuid::new_v4(), request, by).await
    }

    /// Makes a join token of this identifier. A form that says one makes one token, however often it is sent.
    pub async fn create_token_called(
        self: &Arc<Self>,
        id: Uuid,
        request: TokenRequest,
        by: By,
    ) -> Result<NewToken, AppError> {
        let invalid = |title: String| AppError::plain(RefusalKind::Invalid, "token-invalid", title);
        if !(1..=EXPIRES_S_MAX).contains(&request.expires_in_s) {
            return Err(invalid(format!("a token is good for 1 to {EXPIRES_S_MAX} seconds")));
        }
        if request.uses_max == Some(0) {
            return Err(invalid("a token must be good for one use at least".to_owned()));
        }
        if request.note.chars().count() > NOTE_CHARS_MAX {
            return Err(invalid(format!("a note has {NOTE_CHARS_MAX} characters at most")));
        }
        check_labels(&request.labels)?;
        let token = new_token(JOIN_PREFIX)?;
        let id = id.to_string();
        let now_ms = self.store.now_ms().await?;
        let lasts_ms = i64::try_from(request.expires_in_s).unwrap_or(0).saturating_mul(1000);
        let expires_at_ms = now_ms.saturating_add(lasts_ms);
        let new = NewJoinToken {
            id: id.as_str().into(),
            secret_sha256: token_sha256(&token),
            expires_at_ms,
            n_uses_max: request.uses_max.map(i64::from),
            approval: match request.approval {
                Approval::NotRequired => ApprovalRule::NotRequired,
                Approval::Required => ApprovalRule::Required,
            },
            labels: request.labels,
            admitted: self.admitted_eks(request.listed_on).await?,
            note: request.note,
        };
        match self.store.add_join_token(new, by).await {
            Err(StoreError::Conflict(Conflict::IdTaken)) => {
                return Err(AppError::refused(
                    RefusalKind::Conflict,
                    "token-made-before",
                    "this form was sent before, and made its token then",
                    "the page Join lists it; where nobody noted its secret, take it back and make another",
                ));
            }
            other => other?,
        }
        let ca_sha256 = self.authority.pin();
        let server = self.address.clone();
        Ok(NewToken { token: token.to_string(), id, expires_at_ms, ca_sha256, server })
    }

    /// All join tokens, without their secrets.
    pub async fn tokens(&self) -> Result<Vec<Token>, AppError> {
        Ok(self.store.join_tokens().await?.into_iter().map(view).collect())
    }

    /// Ends a join token. Hosts that joined with it stay.
    pub async fn revoke_token(&self, id: &str, by: By) -> Result<(), AppError> {
        Ok(self.store.revoke_join_token(&id.into(), by).await?)
    }
}

fn view(token: JoinToken) -> Token {
    Token {
        id: token.id.to_string(),
        expires_at_ms: token.expires_at_ms,
        uses: u32::try_from(token.n_uses).unwrap_or(u32::MAX),
        uses_max: token.n_uses_max.map(|max| u32::try_from(max).unwrap_or(u32::MAX)),
        approval: match token.approval {
            ApprovalRule::NotRequired => Approval::NotRequired,
            ApprovalRule::Required => Approval::Required,
        },
        labels: token.labels,
        listed_on: listed_on(token.admitted),
        note: token.note,
        revoked: token.revoked_at_ms.is_some(),
    }
}
