//! Channels: who is told of alarms, and how far each is.

use crate::{By, EventCursor, Reply};

/// A channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its name.
    pub name: String,
    /// What it is: a word of the server's.
    pub kind: String,
    /// Where and how (JSON), without what is secret.
    pub settings_json: String,
    /// What is secret, sealed by the server.
    pub sealed: Vec<u8>,
    /// Which events it tells (JSON).
    pub filter_json: String,
    /// Nothing is delivered; what comes waits.
    pub is_paused: bool,
    /// When it was made.
    pub created_at_ms: i64,
    /// What comes up to here is delivered, or does not concern it, or is a dead letter.
    pub cursor: EventCursor,
    /// Not before this time.
    pub due_at_ms: i64,
    /// When what stands is to be told again, where it is of such a kind.
    pub renew_at_ms: Option<i64>,
    /// Tries since the last that was well.
    pub n_failed: u32,
    /// Why the last try failed.
    pub last_error: Option<String>,
    /// When something was delivered last.
    pub delivered_at_ms: Option<i64>,
    /// Dead letters that are kept.
    pub n_dead: u64,
}

/// A channel to add. It begins with what happens from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChannel {
    /// Its name.
    pub name: String,
    /// See [`Channel::kind`].
    pub kind: String,
    /// See [`Channel::settings_json`].
    pub settings_json: String,
    /// See [`Channel::sealed`].
    pub sealed: Vec<u8>,
    /// See [`Channel::filter_json`].
    pub filter_json: String,
    /// When what stands is to be told first.
    pub renew_at_ms: Option<i64>,
}

/// What a channel is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelActivity {
    /// Deliver.
    Active,
    /// Wait.
    Paused,
}

/// Who delivers a channel, and until when nobody else may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelLease {
    /// The server's own word for itself.
    pub holder: String,
    /// Until then.
    pub until_ms: i64,
}

/// How far a channel is, as its holder says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// See [`Channel::cursor`].
    pub cursor: EventCursor,
    /// See [`Channel::due_at_ms`].
    pub due_at_ms: i64,
    /// See [`Channel::renew_at_ms`].
    pub renew_at_ms: Option<i64>,
    /// See [`Channel::n_failed`].
    pub n_failed: u32,
    /// Why the last try failed; `None`: it did not.
    pub last_error: Option<String>,
    /// Something was delivered then.
    pub delivered_at_ms: Option<i64>,
    /// What could not be delivered.
    pub dead: Vec<NewDeadLetter>,
}

/// What could not be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDeadLetter {
    /// The event, as it would have been told (JSON).
    pub event_json: String,
    /// Why.
    pub error: String,
    /// When it was given up.
    pub died_at_ms: i64,
}

/// A dead letter's number: grows with time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeadLetterId(pub i64);

/// What could not be delivered, and is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its number.
    pub id: DeadLetterId,
    /// The event.
    pub event_json: String,
    /// Why.
    pub error: String,
    /// When it was given up.
    pub died_at_ms: i64,
    /// A person wants it delivered; it was not tried since.
    pub is_due: bool,
}

/// Which dead letters are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeadLetters {
    /// All of the channel.
    All,
    /// These.
    Ids(Vec<DeadLetterId>),
}

/// What a store does with channels, which tell of events elsewhere: a part of
/// [`crate::Store`].
pub trait Channels {
    /// Adds a channel, which tells of what comes behind the last event. [`Conflict::NameTaken`](crate::Conflict::NameTaken) if its
    /// name is in use; [`StoreError::Limit`](crate::StoreError::Limit) ([`CHANNELS_MAX`](crate::CHANNELS_MAX)).
    fn add_channel(&self, channel: NewChannel, by: By) -> Reply<'_, ()>;
    /// All channels by name.
    fn channels(&self) -> Reply<'_, Vec<Channel>>;
    /// One channel.
    fn channel(&self, name: &str) -> Reply<'_, Option<Channel>>;
    /// Gives the channel of this name other settings; its kind, cursor and dead letters stay. What failed
    /// is tried anew at once.
    fn change_channel(&self, channel: NewChannel, by: By) -> Reply<'_, ()>;
    /// Pauses a channel, or lets it go on where it was.
    fn set_channel_activity(&self, name: &str, activity: ChannelActivity, by: By) -> Reply<'_, ()>;
    /// Removes a channel with its dead letters.
    fn remove_channel(&self, name: &str, by: By) -> Reply<'_, ()>;
    /// Takes a channel that is due at `now_ms` and that nobody holds. One is due that is not paused,
    /// whose time has come, and that has events behind its cursor, dead letters to deliver, or something
    /// to renew. The lease of a server that died ends by time; where the store is one server's, at once.
    fn claim_channel(&self, lease: ChannelLease, now_ms: i64) -> Reply<'_, Option<Channel>>;
    /// Notes how far a channel is, and that the lease goes on; `false` where it is not the holder's any
    /// more, and nothing was noted. Of dead letters the newest [`DEAD_LETTERS_MAX`](crate::DEAD_LETTERS_MAX) are kept.
    fn note_progress(&self, name: &str, progress: Progress, lease: ChannelLease)
    -> Reply<'_, bool>;
    /// Gives a channel back.
    fn release_channel(&self, name: &str, holder: &str) -> Reply<'_, ()>;
    /// Dead letters of a channel with numbers above `after`, oldest first; at most `n_max` and
    /// [`HISTORY_PAGE_MAX`](crate::HISTORY_PAGE_MAX).
    fn dead_letters(
        &self,
        channel: &str,
        after: DeadLetterId,
        n_max: u32,
    ) -> Reply<'_, Vec<DeadLetter>>;
    /// Wants dead letters delivered; returns how many.
    fn redeliver(&self, channel: &str, which: DeadLetters, by: By) -> Reply<'_, u32>;
    /// The oldest dead letter that is to be delivered.
    fn due_dead_letter(&self, channel: &str) -> Reply<'_, Option<DeadLetter>>;
    /// Notes that a dead letter was delivered (`None`), so that it goes, or why not.
    fn note_redelivery(&self, id: DeadLetterId, error: Option<String>) -> Reply<'_, ()>;
}
