//! Blocks on pages.

use std::num::NonZeroU16;

use api::fleet_report::Report;
use krilla::tagging::{TableHeaderScope, Tag};

use super::{
    face::Weight,
    lines::lines,
    pages::{BOTTOM, INNER, Ink, LEFT, Line, Pages, TOP},
    tags::Group,
};
use crate::{
    html::shares,
    section::{Block, Level, Table, Tone, tell},
};

/// Characters of a paragraph or value, and of a cell: a row must fit on a page, also in a narrow column.
/// The JSON has all of it.
const TEXT_CHARS_MAX: usize = 1_200;
const CELL_CHARS_MAX: usize = 400;

const BODY: f32 = 9.0;
const SMALL: f32 = 7.6;
/// Between base lines, in sizes.
const LEADING: f32 = 1.38;
const PAD: f32 = 3.5;
const LABEL_WIDTH: f32 = 112.0;

/// A part, and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Begin {
    pub(super) level: Level,
    pub(super) title: String,
    pub(super) page: usize,
    pub(super) y: f32,
}

/// Puts blocks on pages, and notes where parts begin.
pub(super) struct Layout<'a, 'c> {
    pages: Pages<'a>,
    begins: Vec<Begin>,
    /// What the first pass found; empty in that one.
    contents: &'c [Begin],
    /// How many parts there will be, so that the table of contents takes its room in the first pass, too.
    n_parts: usize,
}

/// How a text is set.
#[derive(Clone, Copy)]
struct Set {
    x: f32,
    width: f32,
    size: f32,
    weight: Weight,
    ink: Ink,
}

impl<'a, 'c> Layout<'a, 'c> {
    pub(super) const fn new(pages: Pages<'a>, contents: &'c [Begin], n_parts: usize) -> Self {
        Self { pages, begins: Vec::new(), contents, n_parts }
    }

    /// Puts the whole report on pages.
    pub(super) fn lay_out(mut self, report: &Report, json_sha256: &str) -> (Pages<'a>, Vec<Begin>) {
        tell(report, json_sha256, &mut |block| self.put(block));
        self.pages.draw();
        (self.pages, self.begins)
    }

    fn put(&mut self, block: Block) {
        match block {
            Block::Title(title, below) => self.title(&title, &below),
            Block::Contents => self.table_of_contents(),
            Block::Heading(level, text) => self.heading(level, &text),
            Block::Paragraph(tone, text) => self.paragraph(tone, &text),
            Block::Facts(facts) => self.facts(&facts),
            Block::Bar(parts) => self.bar(&parts),
            Block::Table(table) => self.table(&table),
        }
    }

    /// Sets lines one below the other, over pages where there are many. Returns nothing: the place is `y`.
    fn text(&mut self, group: Group, text: &str, set: Set) {
        let face = self.pages.faces.of(set.weight);
        let text = face.printable(text, TEXT_CHARS_MAX);
        let lines = lines(face, &text, set.size, set.width);
        let step = set.size * LEADING;
        let mut leaf = None;
        for line in lines {
            let before = self.pages.number;
            self.pages.need(step);
            if leaf.is_none() || before != self.pages.number {
                leaf = Some(self.pages.leaf(group));
            }
            self.pages.y += step;
            let y = self.pages.y - set.size * (LEADING - 1.0);
            self.line(set, y, line, leaf.flatten());
        }
    }

    fn line(&mut self, set: Set, y: f32, text: String, leaf: Option<super::tags::Leaf>) {
        let Set { x, size, weight, ink, .. } = set;
        self.pages.line(Line { x, y, size, weight, ink, text, leaf });
    }

    fn title(&mut self, title: &str, below: &str) {
        let set = Set { x: LEFT, width: INNER, size: 9.5, weight: Weight::Bold, ink: Ink::Accent };
        let group = self.pages.tags.root(Tag::P);
        self.text(group, below, set);
        let level = NonZeroU16::MIN;
        let group = self.pages.tags.root(Tag::Hn(level, Some(title.to_owned())));
        let set = Set { size: 22.0, ink: Ink::Tone(Tone::Strong), ..set };
        self.text(group, title, set);
        self.pages.y += 5.0;
        self.pages.area(LEFT, self.pages.y, INNER, 2.5, Ink::Accent);
        self.pages.y += 12.0;
    }

    fn heading(&mut self, level: Level, text: &str) {
        let (size, above, number) = match level {
            Level::Part => (14.0, 20.0, 2),
            Level::Sub => (10.0, 9.0, 3),
        };
        // Not alone at the end of a page.
        self.pages.need(above + size * 2.0 + 46.0);
        if self.pages.y > TOP {
            self.pages.y += above;
        }
        let face = self.pages.faces.of(Weight::Bold);
        let title = face.printable(text, 120).into_owned();
        let (page, y) = (self.pages.number, self.pages.y);
        let level_number = NonZeroU16::new(number).unwrap_or(NonZeroU16::MIN);
        let group = self.pages.tags.root(Tag::Hn(level_number, Some(title.clone())));
        let ink = Ink::Tone(Tone::Strong);
        let set = Set { x: LEFT, width: INNER, size, weight: Weight::Bold, ink };
        self.text(group, &title, set);
        self.pages.y += 3.0;
        self.begins.push(Begin { level, title, page, y });
    }

    fn paragraph(&mut self, tone: Tone, text: &str) {
        let (size, weight) = match tone {
            Tone::Good | Tone::Bad | Tone::Unsure => (11.5, Weight::Bold),
            Tone::Strong => (BODY, Weight::Bold),
            Tone::Quiet => (SMALL, Weight::Regular),
            Tone::Plain => (BODY, Weight::Regular),
        };
        let group = self.pages.tags.root(Tag::P);
        let set = Set { x: LEFT, width: INNER, size, weight, ink: Ink::Tone(tone) };
        self.text(group, text, set);
        self.pages.y += 4.0;
    }

    fn facts(&mut self, facts: &[(&'static str, String)]) {
        for (name, value) in facts {
            let face = self.pages.faces.of(Weight::Regular);
            let text = face.printable(value, TEXT_CHARS_MAX);
            let width = INNER - LABEL_WIDTH;
            let lines = lines(face, &text, SMALL, width);
            let step = SMALL * LEADING;
            self.pages.need(step + PAD);
            // A paragraph, not a list of names and values: a third of the structure for the same words.
            let group = self.pages.tags.root(Tag::P);
            let y = self.pages.y + SMALL;
            let ink = Ink::Tone(Tone::Quiet);
            let set =
                Set { x: LEFT, width: LABEL_WIDTH, size: SMALL, weight: Weight::Regular, ink };
            let mut leaf = self.pages.leaf(group);
            self.line(set, y, (*name).to_owned(), leaf);
            let set = Set { x: LEFT + LABEL_WIDTH, width, ink: Ink::Tone(Tone::Plain), ..set };
            for line in lines {
                let before = self.pages.number;
                self.pages.need(step);
                if before != self.pages.number {
                    leaf = self.pages.leaf(group);
                }
                let y = self.pages.y + SMALL;
                self.line(set, y, line, leaf);
                self.pages.y += step;
            }
            self.pages.y += 1.2;
        }
        self.pages.y += 4.0;
    }

    fn bar(&mut self, parts: &[(Tone, usize)]) {
        self.pages.need(20.0);
        self.pages.y += 3.0;
        for (tone, x, width) in shares(parts) {
            let share = |n: usize| f32::from(u16::try_from(n).unwrap_or(1000)) / 1000.0 * INNER;
            if width > 0 {
                let (x, width) = (LEFT + share(x), share(width));
                self.pages.area(x, self.pages.y, width, 9.0, Ink::Tone(tone));
            }
        }
        self.pages.y += 14.0;
    }

    /// Where parts begin. It takes the same room in both passes.
    fn table_of_contents(&mut self) {
        let step = BODY * LEADING + 1.0;
        self.pages.y += 10.0;
        let title = self.pages.tags.root(Tag::P);
        let ink = Ink::Tone(Tone::Strong);
        let set = Set { x: LEFT, width: INNER, size: 10.0, weight: Weight::Bold, ink };
        self.text(title, "Contents", set);
        let parts: Vec<_> =
            self.contents.iter().filter(|begin| begin.level == Level::Part).cloned().collect();
        let list = self.pages.tags.root(Tag::TOC);
        for n in 0..self.n_parts {
            self.pages.need(step);
            let y = self.pages.y + BODY;
            self.pages.y += step;
            let Some(part) = parts.get(n) else { continue };
            let item = self.pages.tags.group(list, Tag::TOCI);
            let leaf = self.pages.leaf(item);
            let face = self.pages.faces.of(Weight::Regular);
            let number = part.page.saturating_add(1).to_string();
            let number_x = LEFT + INNER - face.width(&number, BODY);
            // One line each, or the room would not be known before.
            let fits = lines(face, &part.title, BODY, INNER - 40.0);
            let title = fits.into_iter().next().unwrap_or_default();
            let end = LEFT + face.width(&title, BODY) + 6.0;
            let set = Set { size: BODY, weight: Weight::Regular, ..set };
            self.line(set, y, title, leaf);
            self.line(Set { x: number_x, ..set }, y, number, leaf);
            self.pages.area(end, y - 0.4, (number_x - 6.0 - end).max(1.0), 0.4, Ink::Rule);
        }
        self.pages.y += 6.0;
    }

    fn table(&mut self, table: &Table) {
        let tag = Tag::Table.with_summary(Some(table.about.clone()));
        let whole = self.pages.tags.root(tag);
        let head = self.pages.tags.group(whole, Tag::THead);
        let body = self.pages.tags.group(whole, Tag::TBody);
        let all: f32 = table.columns.iter().map(|(_, share)| share).sum();
        let mut x = LEFT;
        let places: Vec<(f32, f32)> = table
            .columns
            .iter()
            .map(|(_, share)| {
                let width = share / all * INNER;
                let place = (x, width);
                x += width;
                place
            })
            .collect();
        let titles: Vec<_> = table.columns.iter().map(|(title, _)| *title).collect();
        let titles = self.cells(&titles, &places, |_| Weight::Bold);
        let head_height = height(&titles);
        self.pages.y += 2.0;
        self.pages.need(head_height + 40.0);
        self.head(&titles, &places, Some(head));
        for row in &table.rows {
            let texts: Vec<_> = row.iter().map(|cell| cell.text.as_str()).collect();
            let weight = |n: usize| match row.get(n).map(|cell| cell.tone) {
                Some(Tone::Plain | Tone::Quiet) | None => Weight::Regular,
                Some(_) => Weight::Bold,
            };
            let cells = self.cells(&texts, &places, weight);
            let height = height(&cells);
            if self.pages.y + height > BOTTOM {
                self.pages.turn();
                self.head(&titles, &places, None);
            }
            let group = self.pages.tags.group(body, Tag::TR);
            for (n, (lines, (x, width))) in cells.into_iter().zip(&places).enumerate() {
                let cell = self.pages.tags.group(group, Tag::TD);
                let leaf = self.pages.leaf(cell);
                let tone = row.get(n).map_or(Tone::Plain, |cell| cell.tone);
                let set = Set {
                    x: x + PAD,
                    width: *width,
                    size: SMALL,
                    weight: weight(n),
                    ink: Ink::Tone(tone),
                };
                self.column(set, lines, leaf);
            }
            self.pages.y += height;
            self.pages.area(LEFT, self.pages.y, INNER, 0.5, Ink::Rule);
        }
        self.pages.y += 7.0;
    }

    fn cells(
        &self,
        texts: &[&str],
        places: &[(f32, f32)],
        weight: impl Fn(usize) -> Weight,
    ) -> Vec<Vec<String>> {
        let broken = texts.iter().zip(places).enumerate().map(|(n, (text, (_, width)))| {
            let face = self.pages.faces.of(weight(n));
            lines(face, &face.printable(text, CELL_CHARS_MAX), SMALL, width - 2.0 * PAD)
        });
        broken.collect()
    }

    fn column(&mut self, set: Set, lines: Vec<String>, leaf: Option<super::tags::Leaf>) {
        let mut y = self.pages.y + PAD + SMALL;
        for line in lines {
            self.line(set, y, line, leaf);
            y += SMALL * LEADING;
        }
    }

    /// The head of a table: in the structure once, on each page.
    fn head(&mut self, titles: &[Vec<String>], places: &[(f32, f32)], group: Option<Group>) {
        let height = height(titles);
        self.pages.area(LEFT, self.pages.y, INNER, height, Ink::Head);
        let row = group.map(|group| self.pages.tags.group(group, Tag::TR));
        for (lines, (x, width)) in titles.iter().zip(places) {
            let leaf = row.and_then(|row| {
                let cell = self.pages.tags.group(row, Tag::TH(TableHeaderScope::Column));
                self.pages.leaf(cell)
            });
            let ink = Ink::Tone(Tone::Strong);
            let set = Set { x: x + PAD, width: *width, size: SMALL, weight: Weight::Bold, ink };
            self.column(set, lines.clone(), leaf);
        }
        self.pages.y += height;
    }
}

fn height(cells: &[Vec<String>]) -> f32 {
    let n = cells.iter().map(Vec::len).max().unwrap_or(1).max(1);
    let n = f32::from(u16::try_from(n).unwrap_or(u16::MAX));
    (n * SMALL).mul_add(LEADING, 2.0 * PAD)
}
