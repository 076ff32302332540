//! The first page: how the fleet stands, and what is wrong by cause.

use api::{alarm::AlarmGroup, attention::Attention, standing::StandingHour};
use askama::Template;

use crate::{
    audit::Change,
    frame::Frame,
    plot::Plot,
    text::in_address,
    words::{self, Badge},
};

/// How many hosts stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// All hosts.
    pub n_hosts: u64,
    /// Whose boot is as it should be.
    pub n_accepted: u64,
    /// Whose is not.
    pub n_not_accepted: u64,
    /// Of which nothing counts now.
    pub n_not_appraised: u64,
    /// Which should speak and do not, whatever their verdict.
    pub n_not_responding: u64,
}

impl Standing {
    fn bar(&self) -> [(&'static str, u64, u64); 3] {
        // In thousandths, so that one host of 900 is still seen where it is wrong.
        let width = |n: u64| n.saturating_mul(1000).checked_div(self.n_hosts).unwrap_or(0);
        let at_least = |n: u64| if n > 0 { width(n).max(8) } else { 0 };
        let bad = at_least(self.n_not_accepted);
        let hold = at_least(self.n_not_appraised);
        let good =
            if self.n_accepted > 0 { 1000_u64.saturating_sub(bad).saturating_sub(hold) } else { 0 };
        [("good", 0, good), ("hold", good, hold), ("bad", good.saturating_add(hold), bad)]
    }
}

/// What a new server still lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstSteps {
    /// Trust anchors that it has.
    pub n_anchors: usize,
    /// Hosts that joined.
    pub n_hosts: u64,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "overview.html")]
pub struct Overview {
    /// What stands around it.
    pub frame: Frame,
    /// How hosts stand.
    pub standing: Standing,
    /// What stands against them, the worst first.
    pub alarms: Vec<AlarmGroup>,
    /// How hosts stood hour by hour, oldest first.
    pub hours: Vec<StandingHour>,
    /// What wants a look and fails nobody yet.
    pub attention: Attention,
    /// What is still to be done on a new server; `None`: it is in use.
    pub first_steps: Option<FirstSteps>,
    /// What people and the server did lately, newest first.
    pub changes: Vec<Change>,
}

impl Overview {
    /// Findings that some host has.
    fn ahead(&self) -> Vec<&api::attention::FindingCount> {
        self.attention.findings.iter().filter(|count| count.n_hosts > 0).collect()
    }

    fn plot(&self) -> Option<Plot> {
        Plot::of(&self.hours, self.frame.now_ms)
    }
}

pub(crate) fn severity(group: &AlarmGroup) -> Badge {
    words::severity(&group.severity)
}

pub(crate) fn address(group: &AlarmGroup) -> String {
    format!("/alarms/{}", in_address(&group.code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_host_among_many_is_seen_in_the_bar() {
        let standing = Standing {
            n_hosts: 100_000,
            n_accepted: 99_999,
            n_not_accepted: 1,
            ..Standing::default()
        };
        assert_eq!(standing.bar(), [("good", 0, 992), ("hold", 992, 0), ("bad", 992, 8)]);
    }

    #[test]
    fn a_fleet_of_nothing_has_an_empty_bar() {
        assert!(Standing::default().bar().iter().all(|(_, _, width)| *width == 0));
    }
}
