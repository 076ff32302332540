//! Pages: what stands on the one that is being filled, and how it is drawn.

use krilla::{
    Document,
    color::rgb,
    geom::{PathBuilder, Point, Rect},
    num::NormalizedF32,
    page::PageSettings,
    paint::Fill,
    tagging::{Artifact, ArtifactType, ContentTag, SpanTag},
};

use super::{
    face::{Faces, Weight},
    tags::{Leaf, Tags},
};
use crate::section::Tone;

/// A4, in points.
pub(super) const WIDTH: f32 = 595.28;
const HEIGHT: f32 = 841.89;
pub(super) const LEFT: f32 = 48.0;
pub(super) const INNER: f32 = WIDTH - 2.0 * LEFT;
pub(super) const TOP: f32 = 52.0;
pub(super) const BOTTOM: f32 = HEIGHT - 60.0;
const FOOT: f32 = HEIGHT - 34.0;

/// What colour something has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    Tone(Tone),
    Accent,
    Rule,
    Head,
}

impl Ink {
    fn colour(self) -> rgb::Color {
        let (r, g, b) = match self {
            Self::Tone(Tone::Plain | Tone::Strong) => (27, 31, 36),
            Self::Tone(Tone::Quiet) => (87, 96, 106),
            Self::Tone(Tone::Good) => (26, 127, 55),
            Self::Tone(Tone::Bad) => (180, 35, 24),
            Self::Tone(Tone::Unsure) => (138, 90, 0),
            Self::Accent => (11, 83, 148),
            Self::Rule => (208, 215, 222),
            Self::Head => (243, 245, 247),
        };
        rgb::Color::new(r, g, b)
    }

    fn fill(self) -> Fill {
        Fill { paint: self.colour().into(), opacity: NormalizedF32::ONE, ..Fill::default() }
    }
}

/// One line of text at its place.
pub(super) struct Line {
    pub(super) x: f32,
    /// Of the base line.
    pub(super) y: f32,
    pub(super) size: f32,
    pub(super) weight: Weight,
    pub(super) ink: Ink,
    pub(super) text: String,
    /// The piece of the structure that it belongs to; none: it repeats what stands elsewhere.
    pub(super) leaf: Option<Leaf>,
}

struct Area {
    x: f32,
    y: f32,
    width: f32,
    height: f32,
    ink: Ink,
}

/// Whether pages are drawn, or only counted: how many there are, and where parts begin, stands on the
/// first ones.
pub(super) enum Paper {
    Counted,
    Drawn(Box<Document>),
}

/// The pages so far.
pub(super) struct Pages<'a> {
    pub(super) faces: &'a Faces,
    pub(super) paper: Paper,
    pub(super) tags: Tags,
    /// Where the next line may stand.
    pub(super) y: f32,
    /// The page that is being filled, from 0.
    pub(super) number: usize,
    /// What stands at the foot, and how many pages there are.
    pub(super) foot: String,
    pub(super) n_pages: usize,
    lines: Vec<Line>,
    areas: Vec<Area>,
}

impl<'a> Pages<'a> {
    pub(super) fn new(faces: &'a Faces, paper: Paper, foot: String, n_pages: usize) -> Self {
        Self {
            faces,
            paper,
            tags: Tags::default(),
            y: TOP,
            number: 0,
            foot,
            n_pages,
            lines: Vec::new(),
            areas: Vec::new(),
        }
    }

    /// Whether the first pass counts pages.
    pub(super) const fn is_counted(&self) -> bool {
        matches!(self.paper, Paper::Counted)
    }

    /// Begins a page where less than `height` is left on this one.
    pub(super) fn need(&mut self, height: f32) {
        if self.y + height > BOTTOM && self.y > TOP {
            self.turn();
        }
    }

    /// Begins a page.
    pub(super) fn turn(&mut self) {
        self.draw();
        self.number = self.number.saturating_add(1);
        self.y = TOP;
    }

    pub(super) fn line(&mut self, line: Line) {
        if !self.is_counted() {
            self.lines.push(line);
        }
    }

    /// A piece of text; none where nothing is drawn.
    pub(super) fn leaf(&mut self, group: super::tags::Group) -> Option<Leaf> {
        (!self.is_counted()).then(|| self.tags.leaf(group))
    }

    /// A coloured area below the text.
    pub(super) fn area(&mut self, x: f32, y: f32, width: f32, height: f32, ink: Ink) {
        if !self.is_counted() {
            self.areas.push(Area { x, y, width, height, ink });
        }
    }

    /// Draws what stands on the page.
    pub(super) fn draw(&mut self) {
        let (lines, areas) = (std::mem::take(&mut self.lines), std::mem::take(&mut self.areas));
        let Paper::Drawn(document) = &mut self.paper else { return };
        let Some(settings) = PageSettings::from_wh(WIDTH, HEIGHT) else { return };
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout)));
        for area in areas {
            let Some(rect) = Rect::from_xywh(area.x, area.y, area.width, area.height) else {
                continue;
            };
            let mut path = PathBuilder::new();
            path.push_rect(rect);
            let Some(path) = path.finish() else { continue };
            surface.set_fill(Some(area.ink.fill()));
            surface.draw_path(&path);
        }
        surface.end_tagged();
        let draw = |surface: &mut krilla::surface::Surface<'_>, line: &Line| {
            let face = self.faces.of(line.weight);
            surface.set_fill(Some(line.ink.fill()));
            let glyphs = face.glyphs(&line.text);
            let at = Point::from_xy(line.x, line.y);
            surface.draw_glyphs(at, &glyphs, face.font(), &line.text, line.size, false);
        };
        for same in lines.chunk_by(|one, next| one.leaf == next.leaf) {
            let tag = match same.first().and_then(|line| line.leaf) {
                Some(_) => ContentTag::Span(SpanTag::empty()),
                None => ContentTag::Artifact(Artifact::with_kind(ArtifactType::PaginationOther)),
            };
            let identifier = surface.start_tagged(tag);
            same.iter().for_each(|line| draw(&mut surface, line));
            surface.end_tagged();
            if let Some(leaf) = same.first().and_then(|line| line.leaf) {
                self.tags.name(leaf, identifier);
            }
        }
        surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Footer)));
        let number = format!("Page {} of {}", self.number.saturating_add(1), self.n_pages);
        let wide = self.faces.of(Weight::Regular).width(&number, 7.5);
        for (x, text) in [(LEFT, self.foot.clone()), (WIDTH - LEFT - wide, number)] {
            let ink = Ink::Tone(Tone::Quiet);
            let weight = Weight::Regular;
            draw(&mut surface, &Line { x, y: FOOT, size: 7.5, weight, ink, text, leaf: None });
        }
        surface.end_tagged();
        surface.finish();
        page.finish();
    }
}
