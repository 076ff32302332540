//! Alarms: what stands against hosts.

use crate::{By, Host, HostId, Labels, Reply, Stood};

/// An alarm's number: grows with time over all hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlarmId(pub i64);

/// A host at which somebody must look: what counts of it may have changed.
#[derive(Debug, Clone, PartialEq)]
pub struct DueLook {
    /// The host.
    pub host: Host,
    /// Which change it is; another one in the meantime has another number.
    pub change: i64,
}

/// What stands against a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmCause {
    /// The finding's code.
    pub code: String,
    /// The finding's severity.
    pub severity: String,
    /// What was found, in a sentence.
    pub cause: String,
}

/// What a look at a host found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The host.
    pub host: HostId,
    /// [`DueLook::change`].
    pub change: i64,
    /// All that stands against it; each code once.
    pub causes: Vec<AlarmCause>,
    /// When age alone may change it; `None`: never.
    pub look_again_at_ms: Option<i64>,
    /// What counts of it.
    pub stands: Stood,
    /// When it was looked at.
    pub at_ms: i64,
}

/// What a settlement changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlarmEdges {
    /// Alarms that were not there before.
    pub raised: Vec<Alarm>,
    /// Alarms whose cause is gone.
    pub cleared: Vec<Alarm>,
}

/// An alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Its number.
    pub id: AlarmId,
    /// The host.
    pub host: HostId,
    /// The host's name.
    pub host_name: String,
    /// The finding's code.
    pub code: String,
    /// The finding's severity.
    pub severity: String,
    /// What was found, in a sentence: as it is now.
    pub cause: String,
    /// When it was raised.
    pub raised_at_ms: i64,
    /// When its cause was gone; `None`: it stands.
    pub cleared_at_ms: Option<i64>,
    /// That a person knows of it, ended or not: see [`Alarm::acknowledged_at`].
    pub acknowledgement: Option<Acknowledgement>,
    /// Whether it was told to people. What is raised while somebody works on the host is told when
    /// nobody does any more, if it still stands.
    pub is_told: bool,
    /// Until when somebody works on the host; `Some(None)`: until a person ends it.
    pub host_maintenance_until_ms: Option<Option<i64>>,
    /// The host's labels.
    pub host_labels: Labels,
}

impl Alarm {
    /// That a person knows of it at `now_ms`.
    #[must_use]
    pub fn acknowledged_at(&self, now_ms: i64) -> Option<&Acknowledgement> {
        let lasts = |ack: &&Acknowledgement| ack.until_ms.is_none_or(|until_ms| now_ms < until_ms);
        self.acknowledgement.as_ref().filter(lasts)
    }

    /// Whether somebody works on the host at `now_ms`, so that it is expected.
    #[must_use]
    pub fn is_muted_at(&self, now_ms: i64) -> bool {
        self.host_maintenance_until_ms
            .is_some_and(|until_ms| until_ms.is_none_or(|until_ms| now_ms < until_ms))
    }
}

/// That a person knows of an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// When it was said.
    pub at_ms: i64,
    /// Who said it.
    pub by: String,
    /// Why nothing else is to be done now.
    pub reason: String,
    /// When it ends by itself; `None`: with the alarm.
    pub until_ms: Option<i64>,
}

/// Which alarms a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlarmFilter {
    /// Of this code.
    pub code: Option<String>,
    /// Of this host.
    pub host: Option<HostId>,
    /// Those whose cause is gone, too.
    pub with_cleared: bool,
}

/// Which alarms are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlarmSelection {
    /// These.
    Ids(Vec<AlarmId>),
    /// All that stand for this cause.
    Code(String),
}

/// All alarms of one cause that stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmGroup {
    /// The finding's code.
    pub code: String,
    /// The finding's severity: that of the latest.
    pub severity: String,
    /// What was found at the latest of them.
    pub cause: String,
    /// Hosts that have it.
    pub n_hosts: u64,
    /// Those of which a person knows.
    pub n_acknowledged: u64,
    /// Those on which somebody works, and of which no person knows.
    pub n_muted: u64,
    /// When the first that stands was raised.
    pub since_ms: i64,
    /// When the latest was.
    pub latest_ms: i64,
}

/// What a store does with alarms: a part of
/// [`crate::Store`].
pub trait Alarms {
    /// Hosts at which to look at `now_ms`, the longest due first; at most `n_max` and
    /// [`HOSTS_PAGE_MAX`](crate::HOSTS_PAGE_MAX). A host is due after each change of what counts of it, and when age alone
    /// changes that.
    ///
    /// Where several servers share the store each host is given to one of them, up to `lease_until_ms`
    /// or until it is settled: who is killed meanwhile is not missed for longer.
    fn claim_looks(&self, now_ms: i64, lease_until_ms: i64, n_max: u32) -> Reply<'_, Vec<DueLook>>;
    /// Makes all hosts due: what counts of them may be worked out by other rules now.
    fn look_at_all(&self) -> Reply<'_, ()>;
    /// Raises and clears alarms, so that those stand whose causes do. Changes nothing where the host
    /// changed since the look, or is gone: it is due again then.
    fn settle_alarms(&self, settlement: Settlement) -> Reply<'_, AlarmEdges>;
    /// Alarms that fit `filter`, newest first, with numbers below `before`; at most `n_max` and
    /// [`HISTORY_PAGE_MAX`](crate::HISTORY_PAGE_MAX).
    fn alarms(
        &self,
        filter: AlarmFilter,
        before: Option<AlarmId>,
        n_max: u32,
    ) -> Reply<'_, Vec<Alarm>>;
    /// All alarms that stand, by cause, as they are at `now_ms`.
    fn alarm_groups(&self, now_ms: i64) -> Reply<'_, Vec<AlarmGroup>>;
    /// Records that a person knows of alarms that stand, until `until_ms` or until they are cleared;
    /// returns how many.
    fn acknowledge_alarms(
        &self,
        selection: AlarmSelection,
        reason: &str,
        until_ms: Option<i64>,
        by: By,
    ) -> Reply<'_, u32>;
    /// Takes acknowledgements back; returns how many.
    fn withdraw_acknowledgements(&self, selection: AlarmSelection, by: By) -> Reply<'_, u32>;
}
