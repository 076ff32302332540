//! A report as PDF: PDF/A-3a with its structure, an outline, and the signed JSON attached.
//!
//! The same report, JSON and signature make the same bytes, so that whoever has the attachments can make
//! the pages anew and see that they are those of the signed report.

mod face;
mod layout;
mod lines;
mod pages;
mod tags;

use api::fleet_report::Report;
use jiff::{Timestamp, tz::TimeZone};
use krilla::{
    Document, SerializeSettings,
    configure::{Accessibility, Archival, ConfigurationBuilder},
    destination::XyzDestination,
    embed::{AssociationKind, EmbeddedFile, MimeType},
    geom::Point,
    metadata::{DateTime, Metadata},
    outline::{Outline, OutlineNode},
};

use self::{
    face::Faces,
    layout::{Begin, Layout},
    pages::{Pages, Paper},
};
use crate::section::{Block, Level, tell, title};

/// Why there is no PDF.
#[derive(Debug, thiserror::Error)]
pub enum PdfError {
    /// The font that is shipped cannot be read: a bug of ours.
    #[error("the font of reports cannot be read")]
    Font,
    /// What was drawn is no PDF/A: a bug of ours.
    #[error("the document could not be written: {0}")]
    Unwritten(String),
}

/// What is attached to the PDF, and named by it.
#[derive(Clone, Copy, Debug)]
pub struct Attached<'a> {
    /// The JSON of the report.
    pub json: &'a [u8],
    /// The detached signature over it.
    pub jws: &'a str,
}

/// The report as PDF.
pub fn pdf(report: &Report, attached: Attached<'_>) -> Result<Vec<u8>, PdfError> {
    let json_sha256 = crate::sha256(attached.json);
    let faces = Faces::new()?;
    let mut n_parts = 0;
    tell(report, &json_sha256, &mut |block| {
        n_parts += usize::from(matches!(block, Block::Heading(Level::Part, _)));
    });
    let foot = format!("{} · report SHA-256 {}", title(report.kind), json_sha256);
    let pages = |paper: Paper, n_pages: usize| Pages::new(&faces, paper, foot.clone(), n_pages);
    let counting = Layout::new(pages(Paper::Counted, 0), &[], n_parts);
    let (counted, contents) = counting.lay_out(report, &json_sha256);
    let n_pages = counted.number.saturating_add(1);

    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A3_A)
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|err| PdfError::Unwritten(format!("{err:?}")))?;
    let settings = SerializeSettings { configuration, ..SerializeSettings::default() };
    let document = Box::new(Document::new_with(settings));
    let drawing = Layout::new(pages(Paper::Drawn(document), n_pages), &contents, n_parts);
    let (pages, begins) = drawing.lay_out(report, &json_sha256);
    let Pages { paper: Paper::Drawn(mut document), tags, .. } = pages else {
        return Err(PdfError::Unwritten("nothing was drawn".to_owned()));
    };
    document.set_tag_tree(tags.into_tree());
    document.set_outline(outline(&begins));
    let at = date(report.made.at_ms);
    document.set_metadata(
        Metadata::new()
            .title(format!("{} · Bootproof", title(report.kind)))
            .language("en".to_owned())
            .creator(format!("Bootproof {}", report.made.version))
            .description(format!("Report with the SHA-256 {json_sha256}"))
            .creation_date(at)
            .document_id(json_sha256),
    );
    let files = [
        ("report.json", "application/json", "The report, which is signed", attached.json.to_vec()),
        (
            "report.jws",
            "application/jose",
            "The detached signature over report.json",
            attached.jws.as_bytes().to_vec(),
        ),
    ];
    for (path, mime_type, description, data) in files {
        let association_kind = AssociationKind::Source;
        document.embed_file(EmbeddedFile {
            path: path.to_owned(),
            mime_type: MimeType::new(mime_type),
            description: Some(description.to_owned()),
            association_kind,
            data: data.into(),
            modification_date: Some(at),
            compress: Some(true),
            location: None,
        });
    }
    document.finish().map_err(|err| PdfError::Unwritten(err.to_string()))
}

fn date(at_ms: i64) -> DateTime {
    let at =
        Timestamp::from_millisecond(at_ms).unwrap_or_default().to_zoned_datetime(TimeZone::UTC);
    let small = |n: i8| u8::try_from(n).unwrap_or(0);
    DateTime::new(u16::try_from(at.year()).unwrap_or(1970))
        .month(small(at.month()))
        .day(small(at.day()))
        .hour(small(at.hour()))
        .minute(small(at.minute()))
        .second(small(at.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

/// The bookmarks: parts, and what stands below them.
fn outline(begins: &[Begin]) -> Outline {
    let node = |begin: &Begin| {
        let at = XyzDestination::new(begin.page, Point::from_xy(0.0, begin.y));
        OutlineNode::new(begin.title.clone(), at).with_open(false)
    };
    let mut outline = Outline::new();
    for part in begins.chunk_by(|_, next| next.level != Level::Part) {
        let Some((first, below)) = part.split_first() else { continue };
        let mut first = node(first);
        below.iter().for_each(|begin| first.push_child(node(begin)));
        outline.push_child(first);
    }
    outline
}
