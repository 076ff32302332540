//! Where what BMCs say comes from.

use firmware::{Snapshot, System, Tree, TreeError, read};
use redfish::{Pace, RedfishError};

use super::live;
use crate::{args::FirmwareSource, error::CliError, output::Output};

/// What was made of the hosts of one source, or why there are none.
pub(super) struct Source<T> {
    /// What people called it.
    pub(super) name: String,
    /// What was made of each host.
    pub(super) hosts: Result<Vec<T>, SourceError>,
}

/// Why nothing is known of a source.
#[derive(Debug, thiserror::Error)]
pub(super) enum SourceError {
    #[error(transparent)]
    Tree(#[from] TreeError),
    #[error(transparent)]
    Bmc(#[from] RedfishError),
    #[error("its service root cannot be read: {0}")]
    NoRoot(firmware::Unread),
    #[error("it lists no host: no system with settings, Secure Boot or a trusted module")]
    NoHost,
}

impl SourceError {
    /// What to do about it.
    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::Bmc(err) => err.hint(),
            Self::Tree(_) | Self::NoRoot(_) | Self::NoHost => {
                "name a folder with the resources of one BMC, as the DMTF's mockup tools save them"
            }
        }
    }
}

/// What `make` makes of each host of each source that was named, on the spot: what a thousand BMCs
/// say would not fit. One source that fails hides no other.
pub(super) fn read_all<T: Send + 'static>(
    named: &FirmwareSource,
    output: &Output,
    make: impl Fn(&System) -> T + Send + Sync + 'static,
) -> Result<Vec<Source<T>>, CliError> {
    if named.tree.is_empty() {
        let targets = live::targets(&named.bmcs, Pace::default())?;
        let of_bmc = move |gathered: Result<Snapshot, RedfishError>| of_snapshot(&gathered?, &make);
        let hosts = live::look(&targets, named.bmcs.at_once, output, of_bmc)?;
        let sources = targets.into_iter().zip(hosts);
        return Ok(sources.map(|(target, hosts)| Source { name: target.name, hosts }).collect());
    }
    let trees = named.tree.iter().map(|path| Source {
        name: path.display().to_string(),
        hosts: Tree::open(path)
            .map_err(SourceError::from)
            .and_then(|tree| of_snapshot(&tree.snapshot(), &make)),
    });
    Ok(trees.collect())
}

fn of_snapshot<T>(snapshot: &Snapshot, make: impl Fn(&System) -> T) -> Result<Vec<T>, SourceError> {
    let root = firmware::ResourcePath::service_root();
    if let Some(why) = snapshot.why_unread(&root) {
        return Err(SourceError::NoRoot(why.clone()));
    }
    let systems = read(snapshot);
    if systems.is_empty() {
        Err(SourceError::NoHost)
    } else {
        Ok(systems.iter().map(make).collect())
    }
}
