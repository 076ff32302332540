//! Generations of an image, by which whole series of it are revoked.

use crate::Image;

/// Rows of one SBAT section: real ones have below ten.
pub const SBAT_ROWS_MAX: usize = 64;

/// One component of an image and its generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SbatRow<'a> {
    /// Name of the component.
    pub component: &'a str,
    /// It goes up where a fault is mended that revokes all before.
    pub generation: u32,
    /// Vendor, package, version and address, as they are.
    pub rest: &'a str,
}

impl<'a> Image<'a> {
    /// The rows of the SBAT section; `None` where there is no such section, or it is not such rows.
    pub fn sbat(&self) -> Option<Vec<SbatRow<'a>>> {
        let mut sections = self.named(b".sbat");
        let section = sections.next().filter(|_| sections.next().is_none())?;
        sbat_rows(section.content().unwrap_or(section.raw))
    }
}

/// The rows of `bytes`: a line each, commas between fields, NULs behind the last.
pub fn sbat_rows(bytes: &[u8]) -> Option<Vec<SbatRow<'_>>> {
    let len = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let text = core::str::from_utf8(bytes.get(..len)?).ok()?;
    let lines = text.lines().filter(|line| !line.is_empty());
    let rows = lines.take(SBAT_ROWS_MAX + 1).map(|line| {
        let (component, line) = line.split_once(',')?;
        let (generation, rest) = line.split_once(',').unwrap_or((line, ""));
        Some(SbatRow { component, generation: generation.trim().parse().ok()?, rest })
    });
    let rows: Vec<_> = rows.collect::<Option<_>>()?;
    (rows.len() <= SBAT_ROWS_MAX).then_some(rows)
}
