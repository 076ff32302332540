//! Files of the pages. Their address has their digest, so that browsers keep them for ever and never
//! show an old one beside a new page.

use std::sync::LazyLock;

use aws_lc_rs::digest;

/// A file that pages name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Its media type.
    pub media_type: &'static str,
    /// Its bytes.
    pub bytes: &'static [u8],
}

const STYLE: Asset =
    Asset { media_type: "text/css; charset=utf-8", bytes: include_bytes!("../assets/style.css") };
const SCRIPT: Asset = Asset {
    media_type: "text/javascript; charset=utf-8",
    bytes: include_bytes!("../assets/page.js"),
};
const ICON: Asset =
    Asset { media_type: "image/svg+xml", bytes: include_bytes!("../assets/icon.svg") };

fn name(asset: Asset, ending: &str) -> String {
    let digest = hex::encode(digest::digest(&digest::SHA256, asset.bytes));
    format!("{}.{ending}", digest.get(..16).unwrap_or_default())
}

static STYLE_NAME: LazyLock<String> = LazyLock::new(|| name(STYLE, "css"));
static SCRIPT_NAME: LazyLock<String> = LazyLock::new(|| name(SCRIPT, "js"));
static ICON_NAME: LazyLock<String> = LazyLock::new(|| name(ICON, "svg"));

pub(crate) fn style() -> String {
    format!("/assets/{}", *STYLE_NAME)
}

pub(crate) fn script() -> String {
    format!("/assets/{}", *SCRIPT_NAME)
}

pub(crate) fn icon() -> String {
    format!("/assets/{}", *ICON_NAME)
}

/// The file of this name under `/assets/`.
pub fn asset(name: &str) -> Option<Asset> {
    match name {
        name if name == *STYLE_NAME => Some(STYLE),
        name if name == *SCRIPT_NAME => Some(SCRIPT),
        name if name == *ICON_NAME => Some(ICON),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_names_is_there() {
        for address in [style(), script(), icon()] {
            let name = address.strip_prefix("/assets/").unwrap();
            assert!(asset(name).is_some(), "{name}");
        }
        assert_eq!(asset("style.css"), None);
        assert_eq!(asset("../Cargo.toml"), None);
    }

    #[test]
    fn the_first_page_is_small() {
        let n_bytes: usize = [STYLE, SCRIPT, ICON].iter().map(|asset| asset.bytes.len()).sum();
        assert!(n_bytes < 60 * 1024, "{n_bytes} bytes; the first page has 100 KiB with its HTML");
    }
}
