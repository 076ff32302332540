//! A channel's receiver, made of its settings.

use std::sync::Arc;

use api::{
    channel::{ChannelSettings, SmtpSecurity},
    event::CloudEvent,
};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::message;
use crate::deliver::{
    Address, Alert, Alertmanager, DELIVERY_MAX, Mail, Mailer, Reach, Security, Steps, Syslog,
    Target, Undelivered, Webhook, is_address, secret_bytes,
};

/// Receivers of one mail: a team, or better a list.
const RECEIVERS_MAX: usize = 20;

/// Seconds for which a mail gathers, where the settings do not say, and at most.
const GATHER_S: u32 = 30;
const GATHER_S_MAX: u32 = 3_600;

/// Events that go together, where they do.
const TOGETHER: usize = 100;

/// What can be told through a channel.
pub(super) enum Outlet {
    Webhook(Webhook),
    Alertmanager { to: Alertmanager, source: Arc<str> },
    Mail { by: Mailer, gather_ms: i64 },
    Syslog(Syslog),
}

impl Outlet {
    /// The receiver that settings say; an error is for who wrote them.
    pub(super) fn of(
        settings: &ChannelSettings,
        secret: Option<&Zeroizing<String>>,
        reach: Reach,
        source: &Arc<str>,
    ) -> Result<Self, &'static str> {
        match settings {
            ChannelSettings::Webhook { url, ca_pem } => {
                let (target, path) = address(url, ca_pem.as_ref(), reach)?;
                let secret = secret.and_then(|secret| secret_bytes(secret)).ok_or(
                    "the secret of a webhook is `whsec_` and 24 to 64 bytes in base64; without \
                     one the server makes it",
                )?;
                Ok(Self::Webhook(Webhook { target, path, secret }))
            }
            ChannelSettings::Alertmanager { url, ca_pem } => {
                let (target, path) = address(url, ca_pem.as_ref(), reach)?;
                let token = secret.cloned();
                if token.as_ref().is_some_and(|token| !token.bytes().all(|b| b.is_ascii_graphic()))
                {
                    return Err("a bearer token has letters, digits and signs only");
                }
                let source = Arc::clone(source);
                Ok(Self::Alertmanager { to: Alertmanager { target, path, token }, source })
            }
            ChannelSettings::Smtp { server, security, from, to, username, gather_s, ca_pem } => {
                if !is_address(from) || to.iter().any(|to| !is_address(to)) {
                    return Err("an address of mail is NAME@DOMAIN");
                }
                if to.is_empty() || to.len() > RECEIVERS_MAX {
                    return Err("a mail has one receiver at least and twenty at most");
                }
                let login = match (username, secret) {
                    (None, None) => None,
                    (Some(name), Some(password)) if !name.contains('\0') => {
                        Some((name.clone(), password.clone()))
                    }
                    _ => return Err("name and password go together"),
                };
                let gather_s = gather_s.unwrap_or(GATHER_S);
                if gather_s > GATHER_S_MAX {
                    return Err("mails gather for an hour at most");
                }
                let by = Mailer {
                    target: server_of(server, ca_pem.as_ref(), reach)?,
                    security: match security {
                        SmtpSecurity::Tls => Security::Tls,
                        SmtpSecurity::Starttls => Security::StartTls,
                    },
                    from: from.clone(),
                    to: to.clone(),
                    login,
                    hello: this_machine(),
                };
                Ok(Self::Mail { by, gather_ms: i64::from(gather_s) * 1000 })
            }
            ChannelSettings::Syslog { server, ca_pem } => {
                if secret.is_some() {
                    return Err("syslog has no secret");
                }
                let target = server_of(server, ca_pem.as_ref(), reach)?;
                Ok(Self::Syslog(Syslog { target, from: this_machine() }))
            }
        }
    }

    /// How many events go together, and for how long they are gathered first.
    pub(super) const fn together(&self) -> (usize, i64) {
        match self {
            Self::Webhook(_) => (1, 0),
            Self::Alertmanager { .. } | Self::Syslog(_) => (TOGETHER, 0),
            Self::Mail { gather_ms, .. } => (usize::MAX, *gather_ms),
        }
    }

    /// Tells events, within the time that a delivery may take.
    pub(super) async fn tell(
        &self,
        events: &[CloudEvent],
        now_ms: i64,
        steps: &mut Steps,
    ) -> Result<(), Undelivered> {
        let told = async {
            match self {
                Self::Webhook(to) => {
                    for event in events {
                        let json = serde_json::to_string(event)
                            .map_err(|err| Undelivered::Refused(err.to_string()))?;
                        to.send(&event.id, &json, now_ms.div_euclid(1000), steps).await?;
                    }
                    Ok(())
                }
                Self::Alertmanager { to, source } => {
                    let alerts: Vec<_> = events
                        .iter()
                        .filter_map(|event| message::alert(event, source, now_ms))
                        .collect();
                    if alerts.is_empty() { Ok(()) } else { to.send(&alerts, steps).await }
                }
                Self::Mail { by, .. } => by.send(&message::mails(events), steps).await,
                Self::Syslog(to) => {
                    let records: Vec<_> = events.iter().map(message::record).collect();
                    to.send(&records, steps).await
                }
            }
        };
        limited(told).await
    }

    /// Tells alerts that stand; of other receivers than Alertmanager nothing.
    pub(super) async fn renew(&self, alerts: &[Alert]) -> Result<(), Undelivered> {
        match self {
            Self::Alertmanager { to, .. } => limited(to.send(alerts, &mut Steps::default())).await,
            Self::Webhook(_) | Self::Mail { .. } | Self::Syslog(_) => Ok(()),
        }
    }
}

/// Brings one mail to its relay, within the time that a delivery may take.
pub(in crate::app) async fn send_mail(
    mailer: &Mailer,
    mail: &Mail,
    steps: &mut Steps,
) -> Result<(), Undelivered> {
    limited(mailer.send(std::slice::from_ref(mail), steps)).await
}

async fn limited(work: impl Future<Output = Result<(), Undelivered>>) -> Result<(), Undelivered> {
    timeout(DELIVERY_MAX, work).await.unwrap_or_else(|_| {
        Err(Undelivered::Later(format!("no answer within {} s", DELIVERY_MAX.as_secs())))
    })
}

fn address(
    url: &str,
    ca_pem: Option<&String>,
    reach: Reach,
) -> Result<(Target, String), &'static str> {
    let Address { host, port, path } =
        Address::parse(url).ok_or("an address is https://HOST[:PORT]/PATH, without a password")?;
    Ok((Target { host, port, ca_pem: ca_pem.cloned(), reach }, path))
}

fn server_of(server: &str, ca_pem: Option<&String>, reach: Reach) -> Result<Target, &'static str> {
    const WRONG: &str = "a server is HOST:PORT";
    let (host, port) = server.rsplit_once(':').ok_or(WRONG)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_');
    if host.is_empty() || !host.chars().all(is_plain) {
        return Err(WRONG);
    }
    let port = port.parse().map_err(|_| WRONG)?;
    Ok(Target { host: host.to_owned(), port, ca_pem: ca_pem.cloned(), reach })
}

fn this_machine() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
