//! Images that are revoked, each with the release that revoked it.

use std::ops::Range;
use std::sync::LazyLock;

use crate::date::Date;

/// The day of the newest entry of the table, and its source: dbx_info_msft_latest.json of
/// microsoft/secureboot_objects, 2026-07-15. To refresh: `cargo xtask dbx-table FILE`.
pub const DBX_DATE: Date = Date::new(2026, 4, 9);

/// One line per image: architecture, day, digest, product; in order.
const TABLE: &str = include_str!("../data/dbx.txt");

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

static REVOKED: LazyLock<Vec<Revoked>> = LazyLock::new(|| {
    // A line has 100 bytes or more.
    let mut revoked = Vec::with_capacity(TABLE.len().div_ceil(100));
    revoked.extend(TABLE.lines().filter_map(line));
    revoked.sort_unstable_by_key(|image| image.sha256);
    revoked
});

/// Digests are as good as random, so the first byte says nearly where one stands. One entry per first
/// byte: how many digests begin with a smaller one.
static BY_FIRST_BYTE: LazyLock<[usize; 257]> = LazyLock::new(|| {
    core::array::from_fn(|first| {
        revoked()
            .partition_point(|image| image.sha256.first().is_some_and(|b| usize::from(*b) < first))
    })
});

/// The releases of all architectures, and of each image the one that added it.
struct Releases {
    /// Those of one architecture behind those of the other, each oldest first.
    all: Vec<Release>,
    /// Where in `all` those of each architecture stand.
    of: [Range<usize>; 4],
    /// Of each image of the table, where in `all` its release stands.
    of_image: Vec<usize>,
}

static RELEASES: LazyLock<Releases> = LazyLock::new(|| {
    let key = |image: &Revoked| (image.architecture.index(), image.date);
    let mut keys: Vec<(usize, Date)> = revoked().iter().map(key).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut all: Vec<Release> =
        keys.iter().map(|(_, date)| Release { date: *date, n_added: 0 }).collect();
    let of_image = revoked().iter().map(|image| {
        let at = keys.partition_point(|known| *known < key(image));
        if let Some(release) = all.get_mut(at) {
            release.n_added = release.n_added.saturating_add(1);
        }
        at
    });
    let of_image = of_image.collect();
    let start = |index: usize| keys.partition_point(|(of, _)| *of < index);
    let of = Architecture::ALL.map(|architecture| {
        let index = architecture.index();
        start(index)..start(index.saturating_add(1))
    });
    Releases { all, of, of_image }
});

/// The table, sorted by digest.
pub(crate) fn revoked() -> &'static [Revoked] {
    &REVOKED
}

/// The images for one architecture that are revoked.
pub fn published(architecture: Architecture) -> impl Iterator<Item = &'static Revoked> {
    revoked().iter().filter(move |image| image.architecture == architecture)
}

/// The releases for one architecture, oldest first.
pub fn releases(architecture: Architecture) -> &'static [Release] {
    releases_in(&RELEASES.all, architecture)
}

/// Of something that there is of each release of [`n_releases`], that of one architecture.
pub(crate) fn releases_in<T>(of_releases: &[T], architecture: Architecture) -> &[T] {
    let range = RELEASES.of.get(architecture.index()).cloned();
    range.and_then(|range| of_releases.get(range)).unwrap_or_default()
}

/// How many releases there are for all architectures.
pub(crate) fn n_releases() -> usize {
    RELEASES.all.len()
}

/// Among those, the one that added the image that stands there in the table.
pub(crate) fn release_of(at: usize) -> Option<usize> {
    RELEASES.of_image.get(at).copied()
}

/// Where in the table a digest stands.
pub(crate) fn position(sha256: &[u8]) -> Option<usize> {
    let sha256: &[u8; 32] = sha256.try_into().ok()?;
    let first = usize::from(*sha256.first()?);
    let from = *BY_FIRST_BYTE.get(first)?;
    let to = *BY_FIRST_BYTE.get(first.checked_add(1)?)?;
    let at = revoked().get(from..to)?.iter().position(|image| image.sha256 == *sha256)?;
    from.checked_add(at)
}

fn line(line: &'static str) -> Option<Revoked> {
    let (name, rest) = line.split_once(' ')?;
    let (date, rest) = rest.split_once(' ')?;
    let (digest, product) = rest.split_once(' ')?;
    let architecture = Architecture::ALL.into_iter().find(|known| known.as_str() == name)?;
    let date = Date::parse(date)?;
    let mut sha256 = [0; 32];
    hex::decode_to_slice(digest, &mut sha256).ok()?;
    Some(Revoked { sha256, architecture, date, product })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_of_the_table_is_read() {
        assert_eq!(revoked().len(), TABLE.lines().count());
        assert!(TABLE.lines().is_sorted(), "cargo xtask dbx-table sorts");
        assert!(revoked().windows(2).all(|pair| pair[0].sha256 < pair[1].sha256));
        assert_eq!(revoked().iter().map(|image| image.date).max(), Some(DBX_DATE));
        assert!(revoked().iter().all(|image| !image.product.is_empty()));
    }

    #[test]
    fn each_image_is_found_where_it_stands() {
        for (n, image) in revoked().iter().enumerate() {
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
            let images = revoked().iter().filter(|image| image.architecture == architecture);
            assert_eq!(n, images.count(), "{}", architecture.as_str());
        }
        assert!(releases(Architecture::X64).len() > 10);
    }
}
