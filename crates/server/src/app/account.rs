//! Accounts of people, and the first of them.

use std::net::IpAddr;
use std::time::Instant;

use api::people::{
    GivenPasswordRequest, Role as RoleView, SetupRequest, User as UserView, UserChangeRequest,
    UserRequest,
};
use store::{
    AccountState, By, NewUser, PasswordState, SessionOf, StoredPassword, User, UserChange,
};
use zeroize::Zeroizing;

use super::{
    App, AppError, RefusalKind,
    api_token::{role_of, role_view},
    secret::{SETUP_PREFIX, random, token_sha256},
    session::{Begun, NewLogin, SETUP_TRIES, new_session_id},
};

fn check_role(role: RoleView) -> Result<(), AppError> {
    if role == RoleView::RelyingParty {
        let title = "a relying party is a program: it has a token";
        return Err(AppError::plain(RefusalKind::Invalid, "role-invalid", title));
    }
    Ok(())
}

impl App {
    /// A code by which the first account can be made, which replaces the one before; `None` where there is
    /// an account.
    pub async fn new_setup_code(&self) -> Result<Option<Zeroizing<String>>, AppError> {
        // 96 bits: it is typed by a person, once, and tries of it are few.
        let bytes = Zeroizing::new(random::<12>()?);
        let code = Zeroizing::new(format!("{SETUP_PREFIX}{}", hex::encode(*bytes)));
        let now_ms = self.store.now_ms().await?;
        let is_kept = self.store.keep_setup_code(token_sha256(&code), now_ms).await?;
        Ok(is_kept.then_some(code))
    }

    /// Makes the first account, an administrator's, and logs its person in.
    pub async fn set_up(&self, request: SetupRequest, address: IpAddr) -> Result<Begun, AppError> {
        let SetupRequest { code, name, password, shown_as } = request;
        let (code, password) = (Zeroizing::new(code), Zeroizing::new(password));
        self.login_rate.begin(SETUP_TRIES, address, Instant::now())?;
        Self::check_account_name(&name)?;
        if !self.store.is_setup_open().await? {
            return Err(store::Conflict::SetupCode.into());
        }
        let phc = self.choose_password(&name, password).await?;
        let by = By::new(format!("user:{name}"), self.store.now_ms().await?);
        let state = PasswordState::Chosen;
        let role = store::Role::Admin;
        let password = StoredPassword { phc: phc.clone(), state };
        let user = NewUser { name: name.clone(), role, password };
        let set_up = self.store.set_up(token_sha256(code.trim()), user, by.clone()).await;
        if let Err(err) = set_up {
            self.note_login_failure(None, address, by.at_ms).await?;
            return Err(err.into());
        }
        self.login_rate.was_right(SETUP_TRIES, address, Instant::now());
        tracing::info!(name, %address, "the first account is made");
        let of = SessionOf::Account { name, phc };
        let login = NewLogin { id: new_session_id(), of, role, password: state, address };
        Ok(self.begin_session(login, by).await?.shown_as(shown_as))
    }

    /// All accounts.
    pub async fn users(&self) -> Result<Vec<UserView>, AppError> {
        Ok(self.store.users().await?.into_iter().map(view).collect())
    }

    /// Adds an account, whose person must choose another password.
    pub async fn add_user(&self, request: UserRequest, by: By) -> Result<UserView, AppError> {
        let UserRequest { name, role, password } = request;
        let password = Zeroizing::new(password);
        Self::check_account_name(&name)?;
        check_role(role)?;
        let phc = self.choose_password(&name, password).await?;
        let password = StoredPassword { phc, state: PasswordState::Given };
        let user = NewUser { name: name.clone(), role: role_of(role), password };
        self.store.add_user(user, by).await?;
        tracing::info!(name, role = role.as_str(), "account added");
        self.find_user(&name).await
    }

    async fn find_user(&self, name: &str) -> Result<UserView, AppError> {
        let user = self.store.user(name).await?;
        user.map(view).ok_or_else(|| store::StoreError::NotFound(store::Kind::User).into())
    }

    /// Changes an account. A change ends its sessions.
    pub async fn change_user(
        &self,
        name: &str,
        request: UserChangeRequest,
        by: By,
    ) -> Result<UserView, AppError> {
        if let Some(role) = request.role {
            check_role(role)?;
        }
        let state = |disabled| match disabled {
            true => AccountState::Disabled,
            false => AccountState::Enabled,
        };
        let change =
            UserChange { role: request.role.map(role_of), state: request.disabled.map(state) };
        self.store.change_user(name, change, by).await?;
        tracing::info!(name, ?change, "account changed");
        self.find_user(name).await
    }

    /// Gives an account another password, which its person must change.
    pub async fn give_password(
        &self,
        name: &str,
        request: GivenPasswordRequest,
        by: By,
    ) -> Result<(), AppError> {
        let password = Zeroizing::new(request.password);
        let phc = self.choose_password(name, password).await?;
        let password = StoredPassword { phc, state: PasswordState::Given };
        self.store.set_password(name, password, by).await?;
        tracing::info!(name, "account was given another password");
        Ok(())
    }

    /// Removes an account with its sessions.
    pub async fn remove_user(&self, name: &str, by: By) -> Result<(), AppError> {
        self.store.remove_user(name, by).await?;
        tracing::info!(name, "account removed");
        Ok(())
    }
}

fn view(user: User) -> UserView {
    UserView {
        name: user.name,
        role: role_view(user.role),
        disabled: user.state.is_disabled(),
        must_change_password: user.password.state.must_change(),
        created_at_ms: user.created_at_ms,
        created_by: user.created_by,
        password_at_ms: user.password_at_ms,
    }
}
