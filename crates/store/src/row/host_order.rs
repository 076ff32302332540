//! In which order lists show hosts, and where a page of such a list goes on.

use super::word_enum;
use crate::{Connection, Host, HostId};

/// What counted of a host when somebody last looked at it: lists by verdict are in this order, what needs a
/// person first. What counts *now* also age decides; a look follows each change within moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stood {
    /// Not accepted.
    NotAccepted,
    /// Not appraised, or nobody looked at it yet.
    NotAppraised,
    /// Accepted.
    Accepted,
}

impl Stood {
    /// The place of a verdict's word. One that is not known is never accepted.
    #[must_use]
    pub fn of_verdict(word: &str) -> Self {
        match word {
            "accepted" => Self::Accepted,
            "not accepted" => Self::NotAccepted,
            _ => Self::NotAppraised,
        }
    }

    /// Its number in columns, which are ordered by it.
    pub(crate) const fn rank(self) -> i64 {
        match self {
            Self::NotAccepted => 0,
            Self::NotAppraised => 1,
            Self::Accepted => 2,
        }
    }

    /// The one with this number.
    pub(crate) const fn of_rank(rank: i64) -> Self {
        match rank {
            0 => Self::NotAccepted,
            2 => Self::Accepted,
            _ => Self::NotAppraised,
        }
    }
}

/// What a list of hosts is ordered by. Hosts that are equal in it follow by name or identifier.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HostSort {
    /// The name.
    #[default]
    Name,
    /// How it [`Stood`].
    Verdict,
    /// Maker, model and firmware, by the host's own word; those that say nothing first.
    Model,
    /// The hour in which it was judged last; those that never were first.
    Judged,
    /// The hour in which it was last heard of; those that a person disconnected last.
    Seen,
    /// When it joined.
    Joined,
}
word_enum!(HostSort {
    Name = "name",
    Verdict = "verdict",
    Model = "model",
    Judged = "judged",
    Seen = "seen",
    Joined = "joined",
});

/// Which end comes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Direction {
    /// The smallest, the oldest.
    #[default]
    Ascending,
    /// The largest, the latest.
    Descending,
}

/// An order of hosts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HostOrder {
    /// By what.
    pub by: HostSort,
    /// From which end.
    pub direction: Direction,
}

impl HostSort {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Name, Self::Verdict, Self::Model, Self::Judged, Self::Seen, Self::Joined];
}

/// Hours of which lists know, in milliseconds. That of each attestation would be new in an index each time.
const HOUR_MS: i64 = 3_600_000;

/// Added to the hour in which a host was seen where a person disconnected it, so that those come behind all others: in
/// hours since 1970 it is the year 491,936.
const DISCONNECTED_HOUR: i64 = 1 << 32;

impl HostSort {
    /// What is compared, in turn. For each there is an index of exactly these expressions; the last is unique.
    pub(crate) const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Name => &["name", "id"],
            Self::Verdict => &["stood_rank", "name", "id"],
            Self::Model => &["coalesce(cohort, '')", "name", "id"],
            Self::Judged => &["judged_hour", "name", "id"],
            Self::Seen => &[
                "(CASE connection WHEN 'disconnected' THEN 4294967296 ELSE 0 END + seen_hour)",
                "name",
                "id",
            ],
            Self::Joined => &["created_at_ms", "id"],
        }
    }
}

impl HostOrder {
    /// `ORDER BY …`, without these two words.
    pub(crate) fn clause(self) -> String {
        let direction = match self.direction {
            Direction::Ascending => "",
            Direction::Descending => " DESC",
        };
        let columns: Vec<_> =
            self.by.columns().iter().map(|column| format!("{column}{direction}")).collect();
        columns.join(", ")
    }

    /// The condition for what comes after values at these `places` of a statement. What is compared first is said
    /// twice: SQLite begins in the middle of an index by a row of values only where their first is a column.
    pub(crate) fn after(self, places: &[String]) -> String {
        let beyond = match self.direction {
            Direction::Ascending => ">",
            Direction::Descending => "<",
        };
        let columns = self.by.columns();
        let (first, place) = (columns.first().copied(), places.first().map(String::as_str));
        format!(
            "{} {beyond}= {} AND ({}) {beyond} ({})",
            first.unwrap_or_default(),
            place.unwrap_or_default(),
            columns.join(", "),
            places.join(", ")
        )
    }
}

/// A value by which hosts are ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderValue {
    /// A time, or a place.
    Number(i64),
    /// A name, or a model.
    Text(String),
}

/// The place after which a page of hosts goes on: what the last host was ordered by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostCursor {
    /// The order of the list that it is of.
    pub order: HostOrder,
    /// What was compared of the last host seen, up to its identifier.
    pub values: Vec<OrderValue>,
    /// Its identifier.
    pub id: HostId,
}

impl HostCursor {
    /// Whether each value is of the kind that its order compares: one that a client made up is not passed to
    /// a database.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        use OrderValue::{Number, Text};
        matches!(
            (self.order.by, self.values.as_slice()),
            (HostSort::Name, [Text(_)])
                | (HostSort::Verdict | HostSort::Judged | HostSort::Seen, [Number(_), Text(_)])
                | (HostSort::Model, [Text(_), Text(_)])
                | (HostSort::Joined, [Number(_)])
        )
    }

    /// All that is compared.
    pub(crate) fn compared(&self) -> Vec<OrderValue> {
        let id = OrderValue::Text(self.id.as_str().to_owned());
        self.values.iter().cloned().chain([id]).collect()
    }
}

/// The hour of a time, as the columns have it.
fn hour(at_ms: Option<i64>) -> i64 {
    // As the databases divide; no time is before 1970.
    at_ms.unwrap_or(0) / HOUR_MS
}

impl Host {
    /// The cursor that goes on after this host in a list of this order.
    #[must_use]
    pub fn cursor(&self, order: HostOrder) -> HostCursor {
        use OrderValue::{Number, Text};
        let name = || Text(self.name.clone());
        let values = match order.by {
            HostSort::Name => vec![name()],
            HostSort::Verdict => vec![Number(self.stood.rank()), name()],
            HostSort::Model => vec![Text(self.cohort.clone().unwrap_or_default()), name()],
            HostSort::Judged => {
                vec![Number(hour(self.last.as_ref().map(|last| last.at_ms))), name()]
            }
            HostSort::Seen => {
                let behind = match self.connection {
                    Connection::Disconnected => DISCONNECTED_HOUR,
                    Connection::Connected => 0,
                };
                vec![Number(hour(self.last_seen_at_ms).saturating_add(behind)), name()]
            }
            HostSort::Joined => vec![Number(self.created_at_ms)],
        };
        HostCursor { order, values, id: self.id.clone() }
    }
}
