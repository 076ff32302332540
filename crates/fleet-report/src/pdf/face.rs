//! The fonts of the PDF: one family, shipped with the program, so that a report looks alike everywhere.
//!
//! Text is not shaped: a character is a glyph. So only scripts that need no shaping have glyphs here (Latin,
//! Greek, Cyrillic, signs); any other character is shown by its number, which says less than a wrong shape
//! would seem to, and is what was sent.

use std::{borrow::Cow, collections::HashMap};

use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::{
    FontRef, MetadataProvider as _,
    instance::{LocationRef, Size},
};

use super::PdfError;

static REGULAR: &[u8] = include_bytes!("../../fonts/NotoSans-Regular.ttf");
static BOLD: &[u8] = include_bytes!("../../fonts/NotoSans-Bold.ttf");

/// Which font of the family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

/// A font: what each character of it looks like, and how wide it is.
pub(super) struct Face {
    font: Font,
    /// Glyph, and width in parts of the size.
    glyphs: HashMap<char, (u32, f32)>,
}

impl Face {
    fn new(bytes: &'static [u8]) -> Result<Self, PdfError> {
        let font = Font::new(bytes.into(), 0).ok_or(PdfError::Font)?;
        let read = FontRef::new(bytes).map_err(|_| PdfError::Font)?;
        let metrics = read.glyph_metrics(Size::unscaled(), LocationRef::default());
        let em = font.units_per_em();
        let mut glyphs = HashMap::new();
        for (number, glyph) in read.charmap().mappings() {
            if let (Some(c), Some(width)) = (char::from_u32(number), metrics.advance_width(glyph)) {
                glyphs.insert(c, (glyph.to_u32(), width / em));
            }
        }
        Ok(Self { font, glyphs })
    }

    pub(super) fn font(&self) -> Font {
        self.font.clone()
    }

    /// How wide `text` is at this size, in points.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|c| self.width_of(c)).sum::<f32>() * size
    }

    pub(super) fn width_of(&self, c: char) -> f32 {
        self.glyphs.get(&c).map_or(0.0, |(_, width)| *width)
    }

    pub(super) fn glyphs(&self, text: &str) -> Vec<KrillaGlyph> {
        let known = text.char_indices().filter_map(|(at, c)| {
            let (glyph, width) = *self.glyphs.get(&c)?;
            Some(KrillaGlyph {
                glyph_id: GlyphId::new(glyph),
                text_range: at..at.saturating_add(c.len_utf8()),
                x_advance: width,
                x_offset: 0.0,
                y_offset: 0.0,
                y_advance: 0.0,
                location: None,
            })
        });
        known.collect()
    }

    /// `text` by the rules for untrusted text, cut after `chars_max` characters, with characters that the
    /// font has not by their numbers.
    pub(super) fn printable<'a>(&self, text: &'a str, chars_max: usize) -> Cow<'a, str> {
        let is_plain = |text: &str| text.chars().all(|c| self.glyphs.contains_key(&c));
        if text.len() <= chars_max && is_plain(text) && !text.contains(pages::text::is_hidden) {
            return Cow::Borrowed(text);
        }
        let shown = pages::text::plain(text, chars_max);
        if is_plain(&shown) {
            return Cow::Owned(shown);
        }
        let mut printable = String::with_capacity(shown.len());
        for c in shown.chars() {
            match self.glyphs.contains_key(&c) {
                true => printable.push(c),
                false => printable.push_str(&pages::text::numbered(c)),
            }
        }
        Cow::Owned(printable)
    }
}

/// The family.
pub(super) struct Faces {
    regular: Face,
    bold: Face,
}

impl Faces {
    pub(super) fn new() -> Result<Self, PdfError> {
        Ok(Self { regular: Face::new(REGULAR)?, bold: Face::new(BOLD)? })
    }

    pub(super) const fn of(&self, weight: Weight) -> &Face {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_font_has_not_is_shown_by_its_number() {
        let faces = Faces::new().unwrap();
        let face = faces.of(Weight::Regular);
        assert_eq!(face.printable("München «a» … ΑΒγ Привет", 99), "München «a» … ΑΒγ Привет");
        assert_eq!(face.printable("主", 99), "\\u{4e3b}");
        assert_eq!(face.printable("a\u{202e}b\u{0}\n", 99), "a\\u{202e}b\\u{0} ");
        assert_eq!(face.printable("שלום", 2), "\\u{5e9}\\u{5dc}… (2 more characters)");
    }
}
