//! Images that are revoked, each with the release that revoked it.

use std::ops::Range;

use crate::date::Date;

/// The day of the newest entry of the table, and its source: dbx_info_msft_latest.json of
/// microsoft/secureboot_objects, 2026-07-15. To refresh: `cargo xtask dbx-table FILE`.
pub const DBX_DATE: Date = Date::new(2026, 4, 9);

// The statics of data/dbx.txt, by build.rs.
include!(concat!(env!("OUT_DIR"), "/dbx.rs"));

/// An image of the table, which is sorted by digest.
struct Image {
    sha256: [u8; 32],
    /// Where its release stands in [`RELEASES`].
    release: u8,
    /// Where its product stands in [`PRODUCTS`].
    product: u16,
}

/// What an image runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// x86-64.
    X64,
    /// 32-bit x86.
    Ia32,
    /// 64-bit Arm.
    Aarch64,
    /// 32-bit Arm.
    Arm,
}

impl Architecture {
    /// Each.
    pub const ALL: [Self; 4] = [Self::X64, Self::Ia32, Self::Aarch64, Self::Arm];

    /// The name in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::X64 => "x64",
            Self::Ia32 => "ia32",
            Self::Aarch64 => "aarch64",
            Self::Arm => "arm",
        }
    }

    pub(crate) const fn index(self) -> usize {
        match self {
            Self::X64 => 0,
            Self::Ia32 => 1,
            Self::Aarch64 => 2,
            Self::Arm => 3,
        }
    }
}

/// An image that is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// Its Authenticode digest, SHA-256.
    pub sha256: [u8; 32],
    /// What it runs on.
    pub architecture: Architecture,
    /// The release that revoked it.
    pub date: Date,
    /// Whose it is and what it is called, as far as that was published.
    pub product: &'static str,
}

/// A release of dbx, for one architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    /// Its day.
    pub date: Date,
    /// How many images it added.
    pub n_added: usize,
}

/// How many images there are in the table.
pub(crate) fn n_images() -> usize {
    IMAGES.len()
}

/// The image that stands there in the table.
pub(crate) fn image(at: usize) -> Option<Revoked> {
    let image = IMAGES.get(at)?;
    let release = release_of(at)?;
    let is_of = |architecture: &Architecture| range(*architecture).contains(&release);
    Some(Revoked {
        sha256: image.sha256,
        architecture: Architecture::ALL.into_iter().find(is_of)?,
        date: RELEASES.get(release)?.date,
        product: PRODUCTS.get(usize::from(image.product))?,
    })
}

/// The images for one architecture that are revoked.
pub fn published(architecture: Architecture) -> impl Iterator<Item = Revoked> {
    let images = (0..n_images()).filter_map(image);
    images.filter(move |image| image.architecture == architecture)
}

/// The releases for one architecture, oldest first.
pub fn releases(architecture: Architecture) -> &'static [Release] {
    releases_in(&RELEASES, architecture)
}

/// Of something that there is of each release of [`n_releases`], that of one architecture.
pub(crate) fn releases_in<T>(of_releases: &[T], architecture: Architecture) -> &[T] {
    of_releases.get(range(architecture)).unwrap_or_default()
}

/// Those of one architecture stand behind those of the other.
fn range(architecture: Architecture) -> Range<usize> {
    let at = architecture.index();
    let bounds = || Some(*FIRST_RELEASE.get(at)?..*FIRST_RELEASE.get(at.checked_add(1)?)?);
    bounds().unwrap_or_default()
}

/// How many releases there are for all architectures.
pub(crate) fn n_releases() -> usize {
    RELEASES.len()
}

/// Among those, the one that added the image that stands there in the table.
pub(crate) fn release_of(at: usize) -> Option<usize> {
    IMAGES.get(at).map(|image| usize::from(image.release))
}

/// Where in the table a digest stands. Digests are as good as random, so the first byte says nearly
/// where.
pub(crate) fn position(sha256: &[u8]) -> Option<usize> {
    let sha256: &[u8; 32] = sha256.try_into().ok()?;
    let first = usize::from(*sha256.first()?);
    let from = *BY_FIRST_BYTE.get(first)?;
    let to = *BY_FIRST_BYTE.get(first.checked_add(1)?)?;
    let at = IMAGES.get(from..to)?.iter().position(|image| image.sha256 == *sha256)?;
    from.checked_add(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images() -> impl Iterator<Item = Revoked> {
        (0..n_images()).map(|at| image(at).unwrap())
    }

    #[test]
    fn each_line_of_the_table_is_read() {
        let table = include_str!("../data/dbx.txt");
        let line = |image: Revoked| {
            let (architecture, digest) = (image.architecture.as_str(), hex::encode(image.sha256));
            format!("{architecture} {} {digest} {}", image.date, image.product)
        };
        let mut lines: Vec<String> = images().map(line).collect();
        lines.sort_unstable();
        assert_eq!(lines, table.lines().collect::<Vec<_>>(), "cargo xtask dbx-table sorts");
        assert!(images().zip(images().skip(1)).all(|(image, next)| image.sha256 < next.sha256));
        assert_eq!(images().map(|image| image.date).max(), Some(DBX_DATE));
        assert!(images().all(|image| !image.product.is_empty()));
    }

    #[test]
    fn each_image_is_found_where_it_stands() {
        for (n, image) in images().enumerate() {
            assert_eq!(position(&image.sha256), Some(n));
            assert_eq!(position(&image.sha256[..31]), None);
        }
        assert_eq!(position(&[0; 32]), None);
        assert_eq!(position(&[0xff; 32]), None);
        assert_eq!(position(&[]), None);
    }

    #[test]
    fn releases_are_in_order_and_count_what_they_added() {
        for architecture in Architecture::ALL {
            let releases = releases(architecture);
            assert!(releases.windows(2).all(|pair| pair[0].date < pair[1].date));
            let n: usize = releases.iter().map(|release| release.n_added).sum();
            assert_eq!(n, published(architecture).count(), "{}", architecture.as_str());
        }
        assert!(releases(Architecture::X64).len() > 10);
    }
}
