//! How people order hosts: labels, maintenance, and which hosts a list is to show.

use std::collections::BTreeMap;

use crate::HostOrder;

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

/// The verdicts of which a list is to show one. A list shows what counts now, which also age, approval
/// and presence of the TPM decide: the store lets all hosts through that may have it, and others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MayStand {
    /// Accepted.
    Accepted,
    /// Not accepted.
    NotAccepted,
    /// Not appraised.
    NotAppraised {
        /// Judgements from before are too old to count.
        good_since_ms: i64,
    },
}

/// Which hosts a list is to show: those that fit all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostFilter {
    /// A part of the name; ASCII letters fit their capitals.
    pub name_contains: Option<String>,
    /// Labels.
    pub labels: Vec<LabelFilter>,
    /// A verdict that it may have.
    pub may_stand: Option<MayStand>,
    /// Hosts in whose last judgement, or last enrolment, there may be a finding of this code: those that name the
    /// word at all.
    pub may_have_code: Option<String>,
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
