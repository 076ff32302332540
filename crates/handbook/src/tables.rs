//! Tables, whose cells stand one under the other on a narrow window, each with the name of its column.

use pulldown_cmark::{CowStr, Event, Tag, TagEnd};

/// Tables as the pages show them; all else as it is.
pub(crate) fn with_names(events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    let mut shown = Vec::with_capacity(events.len());
    let mut names: Vec<String> = Vec::new();
    let (mut is_head, mut n_cell) = (false, 0_usize);
    for event in events {
        let html: CowStr<'_> = match &event {
            Event::Start(Tag::Table(_)) => {
                names.clear();
                "<table class=\"stack\">".into()
            }
            Event::End(TagEnd::Table) => "</tbody></table>\n".into(),
            Event::Start(Tag::TableHead) => {
                is_head = true;
                "<thead><tr>".into()
            }
            Event::End(TagEnd::TableHead) => {
                is_head = false;
                "</tr></thead><tbody>\n".into()
            }
            Event::Start(Tag::TableRow) => {
                n_cell = 0;
                "<tr>".into()
            }
            Event::End(TagEnd::TableRow) => "</tr>\n".into(),
            Event::Start(Tag::TableCell) if is_head => {
                names.push(String::new());
                "<th>".into()
            }
            Event::End(TagEnd::TableCell) if is_head => "</th>".into(),
            Event::Start(Tag::TableCell) => {
                n_cell += 1;
                match names.get(n_cell - 1) {
                    // The first says what the row is about.
                    Some(name) if n_cell > 1 && !name.is_empty() => {
                        format!("<td data-name=\"{}\">", in_attribute(name)).into()
                    }
                    _ => "<td>".into(),
                }
            }
            Event::End(TagEnd::TableCell) => "</td>".into(),
            _ => {
                if let (true, Event::Text(words) | Event::Code(words), Some(name)) =
                    (is_head, &event, names.last_mut())
                {
                    name.push_str(words);
                }
                shown.push(event);
                continue;
            }
        };
        shown.push(Event::Html(html));
    }
    shown
}

fn in_attribute(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use crate::markdown::read;

    #[test]
    fn each_cell_but_the_first_names_its_column() {
        let html = read("| key | `a` \"<b\" | |\n| --- | --- | --- |\n| k | v | w |\n").html;
        assert_eq!(
            html,
            "<table class=\"stack\"><thead><tr><th>key</th><th><code>a</code> \"&lt;b\"</th><td></td></tr>\
             </thead><tbody>\n<tr><td>k</td><td data-name=\"a &quot;&lt;b&quot;\">v</td><td>w</td></tr>\n\
             </tbody></table>\n"
        );
    }

    #[test]
    fn a_second_table_has_names_of_its_own() {
        let html = read("| a | b |\n|-|-|\n| 1 | 2 |\n\n| c | d |\n|-|-|\n| 3 | 4 |\n").html;
        assert!(html.contains("data-name=\"b\">2") && html.contains("data-name=\"d\">4"), "{html}");
    }
}
