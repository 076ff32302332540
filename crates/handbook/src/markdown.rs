//! CommonMark to HTML: anchors at headings, links to where the server shows what they name.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

use crate::{ADDRESS, FILES, tables};

/// What stands in a chapter.
#[derive(Debug)]
pub struct Text {
    /// As HTML, its headings with anchors.
    pub html: String,
    /// From heading to heading.
    pub sections: Vec<Section>,
    /// What it leads to, as it is written.
    pub links: Vec<Link>,
    /// Whether it has HTML that is left out, but for comments.
    pub has_html: bool,
    /// Blocks of code, as they are written.
    pub code_blocks: Vec<String>,
    /// Code within sentences.
    pub code_spans: Vec<String>,
}

/// What stands under one heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// 1 is the chapter's own heading.
    pub level: u8,
    /// Its anchor.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// Its words, without marks.
    pub text: String,
}

/// A link as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Whether it is a picture.
    pub is_image: bool,
    /// Where to.
    pub to: String,
}

/// Reads a text in CommonMark, with tables.
pub fn read(source: &str) -> Text {
    let mut text = Text {
        html: String::new(),
        sections: Vec::new(),
        links: Vec::new(),
        has_html: false,
        code_blocks: Vec::new(),
        code_spans: Vec::new(),
    };
    let mut events: Vec<Event<'_>> = Parser::new_ext(source, Options::ENABLE_TABLES).collect();
    name_headings(&mut events, &mut text.sections);
    let mut section = 0_usize;
    let mut is_code_block = false;
    let mut shown = Vec::with_capacity(events.len());
    for event in events {
        match &event {
            Event::Start(Tag::Heading { .. }) => section += 1,
            Event::Start(Tag::CodeBlock(_)) => {
                is_code_block = true;
                text.code_blocks.push(String::new());
            }
            Event::End(TagEnd::CodeBlock) => is_code_block = false,
            Event::Text(words) if is_code_block => {
                if let Some(block) = text.code_blocks.last_mut() {
                    block.push_str(words);
                }
            }
            Event::Code(words) => text.code_spans.push(words.to_string()),
            Event::Start(Tag::Link { dest_url, .. }) => {
                text.links.push(Link { is_image: false, to: dest_url.to_string() });
            }
            Event::Start(Tag::Image { dest_url, .. }) => {
                text.links.push(Link { is_image: true, to: dest_url.to_string() });
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                text.has_html |= !is_comment(html);
            }
            _ => {}
        }
        if let Some(section) = section.checked_sub(1).and_then(|n| text.sections.get_mut(n)) {
            note_words(&event, section);
        }
        shown.extend(as_shown(event));
    }
    html::push_html(&mut text.html, tables::with_names(shown).into_iter());
    // A cell without words is no heading.
    text.html = text.html.replace("<th></th>", "<td></td>");
    text
}

/// Gives each heading its anchor, and notes it.
fn name_headings(events: &mut [Event<'_>], sections: &mut Vec<Section>) {
    let mut at = 0;
    while let Some(event) = events.get(at) {
        at += 1;
        let Event::Start(Tag::Heading { level, .. }) = event else { continue };
        let level = *level;
        let words = events
            .iter()
            .skip(at)
            .take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))));
        let title: String = words
            .filter_map(|event| match event {
                Event::Text(words) | Event::Code(words) => Some(words.to_string()),
                _ => None,
            })
            .collect();
        let bare = anchor(&title);
        let taken = |id: &str| sections.iter().any(|section| section.id == id);
        let mut id = bare.clone();
        let mut n = 1_u32;
        while taken(&id) {
            id = format!("{bare}-{n}");
            n += 1;
        }
        if let Some(Event::Start(Tag::Heading { id: place, .. })) = events.get_mut(at - 1) {
            *place = Some(CowStr::from(id.clone()));
        }
        let level = match level {
            pulldown_cmark::HeadingLevel::H1 => 1,
            pulldown_cmark::HeadingLevel::H2 => 2,
            pulldown_cmark::HeadingLevel::H3 => 3,
            _ => 4,
        };
        sections.push(Section { level, id, title, text: String::new() });
    }
}

/// The anchor of a heading, as mdBook and forges make it.
pub fn anchor(title: &str) -> String {
    let mut anchor = String::with_capacity(title.len());
    for c in title.trim().chars() {
        match c {
            c if c.is_alphanumeric() || c == '_' || c == '-' => anchor.extend(c.to_lowercase()),
            c if c.is_whitespace() => anchor.push('-'),
            _ => {}
        }
    }
    anchor
}

fn note_words(event: &Event<'_>, section: &mut Section) {
    match event {
        Event::Text(words) | Event::Code(words) => section.text.push_str(words),
        Event::SoftBreak | Event::HardBreak | Event::End(_)
            if !section.text.ends_with(' ') && ends_words(event) =>
        {
            section.text.push(' ');
        }
        _ => {}
    }
}

/// Whether words before and behind it do not belong together.
fn ends_words(event: &Event<'_>) -> bool {
    !matches!(event, Event::End(TagEnd::Emphasis | TagEnd::Strong | TagEnd::Link | TagEnd::Image))
}

fn is_comment(html: &str) -> bool {
    let html = html.trim();
    // A comment comes line by line.
    html.starts_with("<!--") || html.ends_with("-->") || !html.contains('<')
}

/// An event as it is written into a page that has no style of its own and loads nothing.
fn as_shown(event: Event<'_>) -> Option<Event<'_>> {
    Some(match event {
        Event::Html(_) | Event::InlineHtml(_) => return None,
        Event::Start(Tag::HtmlBlock) | Event::End(TagEnd::HtmlBlock) => return None,
        // What may be wider than the page is reached by keys, too.
        Event::Start(Tag::CodeBlock(_)) => Event::Html("<pre tabindex=\"0\"><code>".into()),
        Event::End(TagEnd::CodeBlock) => Event::Html("</code></pre>\n".into()),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let dest_url = CowStr::from(address(&dest_url));
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        // Its words are shown in its place.
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => return None,
        other => other,
    })
}

/// Where the server shows what a chapter names.
fn address(to: &str) -> String {
    let (file, anchor) = to.split_once('#').unwrap_or((to, ""));
    let anchor = if anchor.is_empty() { String::new() } else { format!("#{anchor}") };
    match file.strip_suffix(".md") {
        Some(name) if FILES.iter().any(|(known, _)| *known == name) => {
            format!("{ADDRESS}{name}{anchor}")
        }
        _ if file == "openapi-v1.json" => "/v1/openapi.json".to_owned(),
        _ => to.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_have_anchors_and_links_lead_to_them() {
        let text = read(
            "# A *b* `c`\n\none\n\n## Twice\n\ntwo\n\n## Twice\n\n[x](policy.md#keys) [y](#twice-1)\n",
        );
        let ids: Vec<_> = text.sections.iter().map(|section| section.id.as_str()).collect();
        assert_eq!(ids, ["a-b-c", "twice", "twice-1"]);
        assert!(text.html.contains("<h2 id=\"twice-1\">Twice</h2>"), "{}", text.html);
        assert!(text.html.contains("href=\"/help/book/policy#keys\""), "{}", text.html);
        assert!(text.html.contains("href=\"#twice-1\""), "{}", text.html);
        assert_eq!(text.sections[1].text.trim(), "Twice two");
    }

    #[test]
    fn nothing_of_a_chapter_is_style_script_or_html_of_its_own() {
        let source = "<script>x</script>\n\n<!-- a\nnote -->\n\n| a | |\n| --: | --- |\n| <b>c</b> | d |\n\n```sh\na < b\n```\n\n![words](p.png)\n";
        let text = read(source);
        assert!(text.has_html);
        for no in ["<script", "<b>", "style=", "<img", "note"] {
            assert!(!text.html.contains(no), "{no}: {}", text.html);
        }
        assert!(
            text.html.contains("<pre tabindex=\"0\"><code>a &lt; b\n</code></pre>"),
            "{}",
            text.html
        );
        assert!(text.html.contains("<td></td>") && text.html.contains("words"), "{}", text.html);
        assert!(!read("<!-- Written by\nsomebody -->\n\ntext\n").has_html);
        assert_eq!(text.code_blocks, ["a < b\n"]);
    }

    #[test]
    fn an_anchor_is_what_forges_make_of_a_heading() {
        assert_eq!(anchor("Where it stops, and what then"), "where-it-stops-and-what-then");
        assert_eq!(anchor("`GET /v1/events`"), "get-v1events");
        assert_eq!(anchor("crtm-version_x"), "crtm-version_x");
    }
}
