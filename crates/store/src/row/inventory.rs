//! How people order hosts: labels, maintenance, and which hosts a list is to show.

use std::collections::BTreeMap;

use crate::{HostOrder, Stood};

/// Labels of a host: a value to each key. `site=muc`, `cluster=a`, `rack=7`.
pub type Labels = BTreeMap<String, String>;

/// A change of a host's labels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelsChange {
    /// Labels to put on, or to give another value.
    pub set: Labels,
    /// Keys of labels to take off; those that are not there change nothing.
    pub remove: Vec<String>,
}

/// That somebody works on a host: its alarms are expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maintenance {
    /// When it began.
    pub since_ms: i64,
    /// When it ends by itself; `None`: a person ends it.
    pub until_ms: Option<i64>,
    /// Why, in a person's words.
    pub reason: String,
    /// Who began it.
    pub by: String,
}

/// A host that has this label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelFilter {
    /// Its key.
    pub key: String,
    /// Its value; `None` is any.
    pub value: Option<String>,
}

/// The verdict that a list is to show. What counts now of a host also its age decides, and the store does not work it
/// out: it lets those through that [`Stood`] so when somebody last looked, and those that somebody has to look at since,
/// because a change or their age may have made it so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MayStand {
    /// How it stood.
    pub stood: Stood,
    /// Hosts are let through that are to be looked at by then.
    pub due_by_ms: i64,
}

/// So many hosts that a list is to choose from are read, and put in its order. Of more than these, one in a hundred of the
/// largest fleet, a page is full soon when all hosts are gone through in the list's order.
pub(crate) const FEW_HOSTS: u32 = 1_000;

/// Which hosts a list is to show: those that fit all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostFilter {
    /// A part of the name; ASCII letters fit their capitals.
    pub name_contains: Option<String>,
    /// Labels.
    pub labels: Vec<LabelFilter>,
    /// A verdict that it may have.
    pub may_stand: Option<MayStand>,
    /// Hosts in whose last judgement, or last enrolment, there is a finding of this code.
    pub has_code: Option<String>,
    /// In which order the list shows them.
    pub order: HostOrder,
}

/// How many hosts have a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelCount {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
    /// The hosts.
    pub n_hosts: u64,
}
