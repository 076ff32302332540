//! Channels: who is told of alarms, and how far each is.

use crate::EventCursor;

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
