//! Trees of real machines: over HTTPS they say what they say out of their folder.

use std::collections::BTreeSet;

use bmc_emulator::{Options, Tree};

use crate::support::{block_on, client, rack};

#[test]
fn a_real_tree_says_the_same_over_https_as_out_of_its_folder() {
    let Some(folder) = testkit::corpus::folder("redfish") else { return };
    let rack = rack();
    for name in ["dell", "hpe", "supermicro", "nvidia_gb200"] {
        let path = folder.join(name);
        let emulated = rack.plug(Tree::read(&path).unwrap().into(), Options::default()).unwrap();
        let served = block_on(client(&rack, &emulated).gather()).unwrap();
        let saved = firmware::Tree::open(&path).unwrap().snapshot();
        let paths = |snapshot: &firmware::Snapshot| {
            snapshot.resources().map(|(path, _)| path.clone()).collect::<BTreeSet<_>>()
        };
        let (served, saved) = (paths(&served), paths(&saved));
        let differ: Vec<_> = served.symmetric_difference(&saved).collect();
        assert!(differ.is_empty(), "{name}: {differ:?}");
        assert!(served.len() > 10, "{name}");
    }
}
