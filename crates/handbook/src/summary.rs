//! `SUMMARY.md`: parts and chapters, in the form that mdBook reads.

/// A chapter as the summary names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The file's name without its ending.
    pub name: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// The part in which it stands.
    pub part: &'static str,
    /// How deep it stands under others.
    pub depth: usize,
}

/// The chapters of a summary. A line that names none is a part's heading, or says nothing.
pub(crate) fn lines(text: &'static str) -> impl Iterator<Item = Line> {
    let mut part = "";
    text.lines().filter_map(move |line| {
        if let Some(heading) = line.strip_prefix("# ") {
            part = if heading == "Summary" { "" } else { heading };
            return None;
        }
        let indent = line.len() - line.trim_start().len();
        let rest = line.trim_start().trim_start_matches("- ");
        let (title, file) = rest.strip_prefix('[')?.split_once("](")?;
        let name = file.strip_suffix(')')?.strip_suffix(".md")?;
        Some(Line { name, title, part, depth: indent / 2 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chapters_stand_in_parts_and_under_others() {
        let text =
            "# Summary\n\n[Front](front.md)\n\n# Part\n\n- [One](one.md)\n  - [Two](two.md)\n";
        let line = |name, title, part, depth| Line { name, title, part, depth };
        assert_eq!(
            lines(text).collect::<Vec<_>>(),
            [
                line("front", "Front", "", 0),
                line("one", "One", "Part", 0),
                line("two", "Two", "Part", 1)
            ]
        );
    }
}
