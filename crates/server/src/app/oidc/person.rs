//! Who a checked token says that somebody is, what its groups may do here, and the words for who may nothing.

use api::{inventory::Labels, people::Role as RoleView};
use store::Voucher;

use crate::{
    app::{AppError, RefusalKind},
    oidc::{Claims, NoPerson, OidcError, Provider},
};

/// A person who may come in.
pub(super) struct Person {
    pub(super) actor: String,
    pub(super) role: RoleView,
    pub(super) hosts: Labels,
    pub(super) voucher: Voucher,
}

impl Person {
    /// Who the claims of `at_ms` say it is, and what the first entry allows that fits.
    pub(super) fn of(claims: &Claims, provider: &Provider, at_ms: i64) -> Result<Self, AppError> {
        let settings = provider.settings();
        let name = claims.name(&settings.name_claim).map_err(|err| told_of_person(&err))?;
        let groups = claims.groups(&settings.role_claim).map_err(|err| told_of_person(&err))?;
        let fits = settings
            .role
            .iter()
            .find(|rule| rule.groups.iter().any(|group| groups.contains(&group.as_str())));
        let Some(rule) = fits else {
            return Err(no_entry(
                format!("{name} has none of the groups that may do something here"),
                "an administrator adds one of them to [[oidc.role]] in the server's configuration",
            ));
        };
        Ok(Self {
            actor: format!("oidc:{name}"),
            role: rule.role,
            hosts: rule.hosts.clone(),
            voucher: Voucher {
                issuer: settings.issuer.clone(),
                subject: claims.subject.clone(),
                sid: claims.sid().map(str::to_owned),
                at_ms,
            },
        })
    }
}

fn no_entry(title: String, hint: impl Into<String>) -> AppError {
    AppError::refused(RefusalKind::Forbidden, "login-refused", title, hint)
}

/// What a person reads of a provider's fault.
pub(super) fn told(err: &OidcError) -> AppError {
    let title = err.to_string();
    match err {
        OidcError::Away(_) => AppError::refused(
            RefusalKind::Upstream,
            "oidc-unavailable",
            title,
            "try again in a minute; accounts of this server work meanwhile, and its log says more",
        ),
        OidcError::Refused(_) => {
            no_entry(title, "begin anew; where it is told again, the provider's own log says why")
        }
        OidcError::Foreign(_) => no_entry(title, "begin anew on the page on which one signs in"),
        OidcError::Token(_) => no_entry(
            title,
            "begin anew; where it is told again, an administrator looks at [oidc] of the configuration",
        ),
    }
}

fn told_of_person(err: &NoPerson) -> AppError {
    let hint = match err {
        NoPerson::NoName(_) | NoPerson::Name(_) => {
            "an administrator names another claim: `name_claim` in [oidc] of the configuration"
        }
        NoPerson::EmailUnverified => {
            "verify it at the provider; or an administrator names another `name_claim`"
        }
        NoPerson::GroupsLeftOut => {
            "an administrator has the provider send only groups of this application, or its roles"
        }
        NoPerson::NoGroups(_) => {
            "an administrator has the provider put groups into ID tokens, or names another `role_claim`"
        }
    };
    no_entry(err.to_string(), hint)
}
