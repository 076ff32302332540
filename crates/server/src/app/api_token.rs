//! API tokens: what programs show, and people who have no account.

use std::sync::Arc;

use api::people::{
    API_TOKEN_S_MAX, ApiToken, ApiTokenRequest, NewApiToken, Role as RoleView, name_fault,
};
use store::{By, Role};

use super::{
    App, AppError, RefusalKind,
    labels::check_labels,
    secret::{ADMIN_PREFIX, new_token, token_sha256},
};

impl App {
    /// Makes an API token.
    pub async fn create_api_token(
        self: &Arc<Self>,
        request: ApiTokenRequest,
        by: By,
    ) -> Result<NewApiToken, AppError> {
        let ApiTokenRequest { name, role, hosts, expires_in_s } = request;
        let invalid = |title: String| AppError::plain(RefusalKind::Invalid, "token-invalid", title);
        if let Some(fault) = name_fault(&name) {
            return Err(invalid(fault.to_owned()));
        }
        if !(1..=API_TOKEN_S_MAX).contains(&expires_in_s) {
            return Err(invalid(format!("a token is good for 1 to {API_TOKEN_S_MAX} seconds")));
        }
        // Who may make tokens may make one without the limit.
        if role == RoleView::Admin && !hosts.is_empty() {
            return Err(invalid("an administrator's token cannot be limited to hosts".to_owned()));
        }
        check_labels(&hosts)?;
        let token = new_token(ADMIN_PREFIX)?;
        let lasts_ms = i64::try_from(expires_in_s).unwrap_or(0).saturating_mul(1000);
        let expires_at_ms = by.at_ms.saturating_add(lasts_ms);
        let new = store::NewApiToken {
            name: name.clone(),
            secret_sha256: token_sha256(&token),
            role: role_of(role),
            hosts,
            expires_at_ms: Some(expires_at_ms),
        };
        self.store.add_api_token(new, by).await?;
        self.guess_rate.was_right(token_sha256(&token));
        tracing::info!(name, role = role.as_str(), "API token made");
        Ok(NewApiToken { token: token.to_string(), name, expires_at_ms })
    }

    /// All API tokens, without their secrets.
    pub async fn api_tokens(&self) -> Result<Vec<ApiToken>, AppError> {
        Ok(self.store.api_tokens().await?.into_iter().map(view).collect())
    }

    /// Ends an API token at once.
    pub async fn revoke_api_token(&self, name: &str, by: By) -> Result<(), AppError> {
        self.store.remove_api_token(name, by).await?;
        tracing::info!(name, "API token revoked");
        Ok(())
    }
}

fn view(token: store::ApiToken) -> ApiToken {
    ApiToken {
        name: token.name,
        role: role_view(token.role),
        hosts: token.hosts,
        created_at_ms: token.created_at_ms,
        created_by: token.created_by,
        last_used_at_ms: token.last_used_at_ms,
        expires_at_ms: token.expires_at_ms,
    }
}

pub(super) const fn role_view(role: Role) -> RoleView {
    match role {
        Role::RelyingParty => RoleView::RelyingParty,
        Role::Viewer => RoleView::Viewer,
        Role::Operator => RoleView::Operator,
        Role::Admin => RoleView::Admin,
    }
}

pub(super) const fn role_of(role: RoleView) -> Role {
    match role {
        RoleView::RelyingParty => Role::RelyingParty,
        RoleView::Viewer => Role::Viewer,
        RoleView::Operator => Role::Operator,
        RoleView::Admin => Role::Admin,
    }
}
