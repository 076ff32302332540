//! People who are logged out at the provider, which says so itself. [OpenID Connect Back-Channel Logout 1.0]

use std::{net::IpAddr, time::Instant};

use store::{By, VouchedSessions};

use super::person::told;
use crate::{
    app::{App, AppError, RefusalKind, join_rate::network},
    oidc::{LoggedOut, OidcError},
};

/// Bytes of a logout token: those of large providers have below 2 KiB.
const TOKEN_BYTES_MAX: usize = 16 * 1024;

impl App {
    /// Ends the sessions of whom the provider's logout token names, on all servers of the store. How many: none where
    /// the person had none here, which is no fault.
    pub(crate) async fn end_by_provider(
        &self,
        token: &str,
        address: IpAddr,
    ) -> Result<u32, AppError> {
        let provider = self.provider()?;
        // Anybody may send one, and each costs a signature: who sends wrong ones waits.
        let tries = format!(":logout {}", network(address));
        self.login_rate.begin(&tries, address, Instant::now())?;
        let now_ms = self.store.now_ms().await?;
        let logged_out = match token.len() <= TOKEN_BYTES_MAX {
            true => provider.logged_out(token, now_ms.div_euclid(1000)).await,
            false => Err(OidcError::Foreign("it is too long for a logout token")),
        };
        if matches!(logged_out, Ok(_) | Err(OidcError::Away(_))) {
            self.login_rate.was_right(&tries, address, Instant::now());
        }
        let LoggedOut { subject, sid } = logged_out.map_err(|err| match err {
            OidcError::Away(_) => told(&err),
            err => AppError::refused(
                RefusalKind::Invalid,
                "logout-token-invalid",
                err.to_string(),
                "the provider sends logout tokens by itself; its log and this server's clock tell more",
            ),
        })?;
        let issuer = provider.settings().issuer.clone();
        let which = VouchedSessions { issuer, subject, sid };
        let by = By::new("server:oidc-logout", now_ms);
        let n = self.store.end_vouched_sessions(which, by).await?;
        tracing::info!(n, %address, "the identity provider logged somebody out");
        Ok(n)
    }
}
