//! How a host's boot compares with that of its cohort: the fleet's majority, for people to look at.

use api::{
    fleet::{PeerPcr, Peers},
    machine::Cohort,
};
use store::HostId;

use super::{App, AppError, RefusalKind};

impl App {
    /// How the host's last verified quote compares with those of its cohort.
    pub async fn peers(&self, id: &str) -> Result<Peers, AppError> {
        let id = HostId::from(id);
        self.find(&id).await?;
        self.peers_of(&id).await?.ok_or_else(|| {
            AppError::refused(
                RefusalKind::NotFound,
                "no-peers",
                "this host has no verified quote yet, or its agent does not say what machine it is",
                "`bootproof host attest HOST`, and see that its agent is up to date",
            )
        })
    }

    /// The same; `None` where there is nothing to compare.
    pub(super) async fn peers_of(&self, id: &HostId) -> Result<Option<Peers>, AppError> {
        let Some(peers) = self.store.peers(id).await? else { return Ok(None) };
        let Some(cohort) = Cohort::from_key(&peers.cohort) else {
            return Err(AppError::Bug("a stored cohort cannot be read".into()));
        };
        let pcr = |pcr: &store::PeerPcr| PeerPcr {
            pcr: u32::from(pcr.pcr_index),
            value: hex::encode(&pcr.value),
            n_same: pcr.n_same,
            n_hosts: pcr.n_hosts,
            most_common: hex::encode(&pcr.most_common),
            n_most_common: pcr.n_most_common,
        };
        let pcrs = peers.pcrs.iter().map(pcr).collect();
        Ok(Some(Peers { cohort, bank: peers.bank, pcrs }))
    }
}
