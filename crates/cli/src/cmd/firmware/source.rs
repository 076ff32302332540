//! Where what BMCs say comes from.

use firmware::{System, Tree, TreeError, read};

use crate::args::FirmwareSource;

/// The hosts of one source, or why there are none.
pub(super) struct Source {
    /// What people called it.
    pub(super) name: String,
    /// The hosts.
    pub(super) systems: Result<Vec<System>, SourceError>,
}

/// Why nothing is known of a source.
#[derive(Debug, thiserror::Error)]
pub(super) enum SourceError {
    #[error(transparent)]
    Tree(#[from] TreeError),
    #[error("its service root cannot be read: {0}")]
    NoRoot(firmware::Unread),
    #[error("it lists no host: no system with settings, Secure Boot or a trusted module")]
    NoHost,
}

/// Reads each source that was named. One that fails hides no other.
pub(super) fn read_all(named: &FirmwareSource) -> Vec<Source> {
    let trees = named.tree.iter().map(|path| Source {
        name: path.display().to_string(),
        systems: Tree::open(path).map_err(SourceError::from).and_then(|tree| of_tree(&tree)),
    });
    trees.collect()
}

fn of_tree(tree: &Tree) -> Result<Vec<System>, SourceError> {
    let snapshot = tree.snapshot();
    let root = firmware::ResourcePath::service_root();
    if let Some(why) = snapshot.why_unread(&root) {
        return Err(SourceError::NoRoot(why.clone()));
    }
    let systems = read(&snapshot);
    if systems.is_empty() { Err(SourceError::NoHost) } else { Ok(systems) }
}
