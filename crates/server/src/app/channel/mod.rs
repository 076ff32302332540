//! Channels: made and looked after by people. What is told through them is in [`work`].

mod message;
mod outlet;
mod seal;
mod work;

pub(super) use outlet::send_mail;

use std::sync::Arc;

use api::channel::{
    Channel, ChannelChange, ChannelFilter, ChannelRequest, ChannelSettings, ChannelStep,
    ChannelTest, DeadLetter, DeadLetterPage, DeadLetterQuery, NewChannel, RedeliverRequest,
    Redelivered,
};
use store::{By, ChannelActivity, DeadLetterId, DeadLetters, HISTORY_PAGE_MAX, Kind, StoreError};
use zeroize::Zeroizing;

use super::{
    App, AppError, RefusalKind, cursor,
    paging::{cut, one_more},
};
use crate::deliver;

pub(super) use seal::Seal;

/// Characters of a name: it is typed, and stands in lists.
const NAME_CHARS_MAX: usize = 64;

/// Bytes of settings, most of them certificates of authorities: a chain has below ten KiB.
const SETTINGS_BYTES_MAX: usize = 64 * 1024;

/// Bytes of a secret.
const SECRET_BYTES_MAX: usize = 4 * 1024;

/// Dead letters of one request.
const IDS_MAX: usize = 1_000;

/// Dead letters on a page, where the client does not say.
const PAGE_LEN: u32 = 100;

impl App {
    /// All channels by name.
    pub async fn channels(&self) -> Result<Vec<Channel>, AppError> {
        let now_ms = self.store.now_ms().await?;
        let channels = self.store.channels().await?;
        channels.into_iter().map(|channel| view(channel, now_ms)).collect()
    }

    /// One channel.
    pub async fn channel(&self, name: &str) -> Result<Channel, AppError> {
        let now_ms = self.store.now_ms().await?;
        view(self.stored_channel(name).await?, now_ms)
    }

    async fn stored_channel(&self, name: &str) -> Result<store::Channel, AppError> {
        let found = self.store.channel(name).await?;
        found.ok_or_else(|| StoreError::NotFound(Kind::Channel).into())
    }

    /// Adds a channel.
    pub async fn add_channel(
        &self,
        request: ChannelRequest,
        by: By,
    ) -> Result<NewChannel, AppError> {
        let ChannelRequest { name, settings, secret, filter } = request;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.is_empty() || name.len() > NAME_CHARS_MAX || !name.chars().all(is_plain) {
            let title =
                format!("a name has letters, digits, `.`, `_`, `-`, {NAME_CHARS_MAX} at most");
            return Err(invalid(title));
        }
        let made = match (&settings, &secret) {
            (ChannelSettings::Webhook { .. }, None) => {
                Some(deliver::new_secret().ok_or_else(|| AppError::Bug("no randomness".into()))?)
            }
            _ => None,
        };
        let secret = match &made {
            Some(made) => Some(made.clone()),
            None => secret.map(Zeroizing::new),
        };
        let new = self.checked(&name, &settings, secret, &filter, by.at_ms)?;
        self.store.add_channel(new, by).await?;
        tracing::info!(channel = name, kind = kind_of(&settings), "channel added");
        Ok(NewChannel { name, secret: made.map(|made| made.to_string()) })
    }

    /// Gives a channel other settings, another secret or filter.
    pub async fn change_channel(
        &self,
        name: &str,
        change: ChannelChange,
        by: By,
    ) -> Result<Channel, AppError> {
        let known = self.stored_channel(name).await?;
        let ChannelChange { settings, secret, filter } = change;
        let settings = match settings {
            Some(settings) if kind_of(&settings) != known.kind => {
                return Err(invalid("a channel keeps its kind: add another one".to_owned()));
            }
            Some(settings) => settings,
            None => settings_of(&known)?,
        };
        let filter = match filter {
            Some(filter) => filter,
            None => filter_of(&known)?,
        };
        let secret = match secret {
            Some(secret) => Some(Zeroizing::new(secret)),
            None => self.seal.open(name, &known.sealed)?,
        };
        let new = self.checked(name, &settings, secret, &filter, by.at_ms)?;
        self.store.change_channel(new, by).await?;
        tracing::info!(channel = name, "channel changed");
        self.channel(name).await
    }

    /// What is to be stored, where it can be used.
    fn checked(
        &self,
        name: &str,
        settings: &ChannelSettings,
        secret: Option<Zeroizing<String>>,
        filter: &ChannelFilter,
        now_ms: i64,
    ) -> Result<store::NewChannel, AppError> {
        work::ChannelEvents::of(filter, settings)?;
        if secret.as_ref().is_some_and(|secret| secret.len() > SECRET_BYTES_MAX) {
            return Err(invalid(format!("a secret has {SECRET_BYTES_MAX} bytes at most")));
        }
        outlet::Outlet::of(settings, secret.as_ref(), self.reach(), &self.channel_source())
            .map_err(|said| invalid(said.to_owned()))?;
        let to_json = |err: serde_json::Error| AppError::Bug(err.into());
        let settings_json = serde_json::to_string(settings).map_err(to_json)?;
        if settings_json.len() > SETTINGS_BYTES_MAX {
            return Err(invalid(format!("settings have {SETTINGS_BYTES_MAX} bytes at most")));
        }
        let renews = matches!(settings, ChannelSettings::Alertmanager { .. });
        Ok(store::NewChannel {
            name: name.to_owned(),
            kind: kind_of(settings).to_owned(),
            settings_json,
            sealed: self.seal.close(name, secret.as_ref())?,
            filter_json: serde_json::to_string(filter).map_err(to_json)?,
            renew_at_ms: renews.then_some(now_ms),
        })
    }

    /// Removes a channel with its dead letters.
    pub async fn remove_channel(&self, name: &str, by: By) -> Result<(), AppError> {
        self.store.remove_channel(name, by).await?;
        tracing::info!(channel = name, "channel removed");
        Ok(())
    }

    /// Pauses a channel: what comes waits for as long as events are kept.
    pub async fn pause_channel(&self, name: &str, by: By) -> Result<Channel, AppError> {
        self.store.set_channel_activity(name, ChannelActivity::Paused, by).await?;
        self.channel(name).await
    }

    /// Lets a channel go on where it was.
    pub async fn resume_channel(&self, name: &str, by: By) -> Result<Channel, AppError> {
        self.store.set_channel_activity(name, ChannelActivity::Active, by).await?;
        self.channel(name).await
    }

    /// Sends a message that says it is a test, now, past all that waits.
    pub async fn test_channel(&self, name: &str) -> Result<ChannelTest, AppError> {
        let known = self.stored_channel(name).await?;
        let mut steps = deliver::Steps::default();
        let outcome = match self.outlet(&known)? {
            Ok(outlet) => {
                let now_ms = self.store.now_ms().await?;
                let event = message::test_event(name, &self.channel_source(), now_ms);
                outlet.tell(std::slice::from_ref(&event), now_ms, &mut steps).await
            }
            Err(said) => {
                steps.failed("settings", said);
                Err(deliver::Undelivered::Refused(said.to_owned()))
            }
        };
        if let Err(err) = &outcome {
            // A step that ended by the time for all says nothing by itself.
            if steps.0.last().is_none_or(|step| step.is_well) {
                steps.failed("answered", err.to_string());
            }
        }
        Ok(ChannelTest { delivered: outcome.is_ok(), steps: told(steps) })
    }

    /// Dead letters of a channel.
    pub async fn dead_letters(
        &self,
        name: &str,
        query: DeadLetterQuery,
    ) -> Result<DeadLetterPage, AppError> {
        let limit = query.limit.unwrap_or(PAGE_LEN).clamp(1, HISTORY_PAGE_MAX);
        let after = DeadLetterId(cursor::number(query.cursor.as_deref())?.unwrap_or(0));
        let letters = self.store.dead_letters(name, after, one_more(limit)).await?;
        let (letters, follows) = cut(letters, limit, HISTORY_PAGE_MAX);
        let next_cursor = letters.last().filter(|_| follows).map(|last| cursor::to_text(last.id.0));
        let view = |letter: store::DeadLetter| DeadLetter {
            id: letter.id.0,
            event: serde_json::from_str(&letter.event_json).unwrap_or_default(),
            error: letter.error,
            died_at_ms: letter.died_at_ms,
            due: letter.is_due,
        };
        Ok(DeadLetterPage { dead_letters: letters.into_iter().map(view).collect(), next_cursor })
    }

    /// Tells dead letters again.
    pub async fn redeliver(
        &self,
        name: &str,
        request: RedeliverRequest,
        by: By,
    ) -> Result<Redelivered, AppError> {
        let which = match request.ids {
            None => DeadLetters::All,
            Some(ids) if ids.len() > IDS_MAX => {
                return Err(invalid(format!("one request names {IDS_MAX} dead letters at most")));
            }
            Some(ids) => DeadLetters::Ids(ids.into_iter().map(DeadLetterId).collect()),
        };
        Ok(Redelivered { n: self.store.redeliver(name, which, by).await? })
    }

    /// What can be told through a channel; the inner error is for a person.
    fn outlet(
        &self,
        channel: &store::Channel,
    ) -> Result<Result<outlet::Outlet, &'static str>, AppError> {
        let settings = settings_of(channel)?;
        let Ok(secret) = self.seal.open(&channel.name, &channel.sealed) else {
            return Ok(Err(
                "its secret was sealed by another authority's key: `bootproof channel change` sets it anew",
            ));
        };
        let source = self.channel_source();
        Ok(outlet::Outlet::of(&settings, secret.as_ref(), self.reach(), &source))
    }

    /// The relay of a channel of mail, for what is no event.
    pub(super) async fn mailer(&self, name: &str) -> Result<deliver::Mailer, AppError> {
        let channel = self.stored_channel(name).await?;
        if channel.is_paused {
            return Err(invalid(format!("the channel {name} is paused: nothing goes through it")));
        }
        match self.outlet(&channel)? {
            Ok(outlet::Outlet::Mail { by, .. }) => Ok(by),
            Ok(_) => Err(invalid(format!("the channel {name} is none of mail"))),
            Err(said) => Err(invalid(format!("the channel {name}: {said}"))),
        }
    }

    fn reach(&self) -> deliver::Reach {
        match self.rules().config.channels_reach_link_local {
            true => deliver::Reach::Anywhere,
            false => deliver::Reach::NotLinkLocal,
        }
    }

    /// The servers of this store, as events and alerts name them.
    fn channel_source(&self) -> Arc<str> {
        format!("urn:bootproof:{}", self.authority.pin()).into()
    }
}

/// What was done, for a person.
pub(super) fn told(steps: deliver::Steps) -> Vec<ChannelStep> {
    let step = |step: deliver::Step| ChannelStep {
        step: step.name.to_owned(),
        well: step.is_well,
        said: step.said,
    };
    steps.0.into_iter().map(step).collect()
}

fn invalid(title: String) -> AppError {
    AppError::plain(RefusalKind::Invalid, "channel-invalid", title)
}

const fn kind_of(settings: &ChannelSettings) -> &'static str {
    match settings {
        ChannelSettings::Webhook { .. } => "webhook",
        ChannelSettings::Alertmanager { .. } => "alertmanager",
        ChannelSettings::Smtp { .. } => "smtp",
        ChannelSettings::Syslog { .. } => "syslog",
    }
}

fn settings_of(channel: &store::Channel) -> Result<ChannelSettings, AppError> {
    serde_json::from_str(&channel.settings_json).map_err(|err| AppError::Bug(err.into()))
}

fn filter_of(channel: &store::Channel) -> Result<ChannelFilter, AppError> {
    serde_json::from_str(&channel.filter_json).map_err(|err| AppError::Bug(err.into()))
}

fn view(channel: store::Channel, now_ms: i64) -> Result<Channel, AppError> {
    let (settings, filter) = (settings_of(&channel)?, filter_of(&channel)?);
    let state = match (channel.is_paused, channel.n_failed) {
        (true, _) => "paused",
        (false, 0) => "active",
        (false, _) => "failing",
    };
    Ok(Channel {
        settings,
        filter,
        state: state.to_owned(),
        created_at_ms: channel.created_at_ms,
        cursor: channel.cursor.to_string(),
        delivered_at_ms: channel.delivered_at_ms,
        n_failed: channel.n_failed,
        last_error: channel.last_error,
        next_try_at_ms: Some(channel.due_at_ms).filter(|due| channel.n_failed > 0 && *due > now_ms),
        n_dead: channel.n_dead,
        name: channel.name,
    })
}
