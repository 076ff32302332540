//! Finding the TPM of this machine.

use std::path::Path;

use crate::address::Address;

/// The TPM of this machine: `/dev/tpmrm0`, else `/dev/tpm0`, else none. Whether it can be opened
/// is not tried: a node that exists and cannot be opened is a TPM, and the reason is worth telling.
pub fn discover() -> Option<Address> {
    discover_in(Path::new("/dev"))
}

fn discover_in(dev: &Path) -> Option<Address> {
    ["tpmrm0", "tpm0"]
        .map(|node| dev.join(node))
        .into_iter()
        .find(|path| path.exists())
        .map(Address::Device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resource_manager_comes_first() {
        let dev = tempfile::tempdir().unwrap();
        assert_eq!(discover_in(dev.path()), None);
        std::fs::write(dev.path().join("tpm0"), []).unwrap();
        assert_eq!(discover_in(dev.path()), Some(Address::Device(dev.path().join("tpm0"))));
        std::fs::write(dev.path().join("tpmrm0"), []).unwrap();
        assert_eq!(discover_in(dev.path()), Some(Address::Device(dev.path().join("tpmrm0"))));
    }
}
