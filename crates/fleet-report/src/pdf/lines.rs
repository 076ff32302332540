//! Text broken into lines of a width.

use super::face::Face;

/// Breaks `text` at spaces; a word that is wider than a line is broken behind a sign that joins words, else
/// anywhere, so that nothing ever stands beside its column.
pub(super) fn lines(face: &Face, text: &str, size: f32, width: f32) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0.0;
    for word in text.split_inclusive(' ') {
        let wide = face.width(word.trim_end_matches(' '), size);
        if used + wide > width && !line.is_empty() {
            lines.push(std::mem::take(&mut line));
            used = 0.0;
        }
        if wide <= width {
            line.push_str(word);
            used += face.width(word, size);
            continue;
        }
        for piece in pieces(face, word, size, width) {
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            used = face.width(&piece, size);
            line = piece;
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// A word in pieces that each fit.
fn pieces(face: &Face, word: &str, size: f32, width: f32) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let mut used = 0.0;
    let mut joint = 0;
    for c in word.chars() {
        let wide = face.width_of(c) * size;
        if used + wide > width && !piece.is_empty() {
            // A joint near the beginning would leave the line empty.
            let at = if joint > piece.len() / 3 { joint } else { piece.len() };
            let rest = piece.split_off(at);
            pieces.push(std::mem::replace(&mut piece, rest));
            used = face.width(&piece, size);
            joint = 0;
        }
        piece.push(c);
        used += wide;
        if matches!(c, '-' | '/' | '\\' | '.' | ':' | '_' | ',' | '=' | '}') {
            joint = piece.len();
        }
    }
    pieces.push(piece);
    pieces
}

#[cfg(test)]
mod tests {
    use super::{
        super::face::{Faces, Weight},
        *,
    };

    #[test]
    fn no_line_is_wider_than_its_column_and_nothing_is_lost() {
        let faces = Faces::new().unwrap();
        let face = faces.of(Weight::Regular);
        for text in [
            "",
            " ",
            "a short one",
            "several words that need more than one line of this width",
            &"W".repeat(300),
            &"ab/cd-".repeat(60),
            "word ".repeat(9).as_str(),
        ] {
            for width in [12.0, 40.0, 200.0] {
                let lines = lines(face, text, 8.0, width);
                assert_eq!(lines.concat(), *text);
                for line in &lines {
                    let wide = face.width(line.trim_end(), 8.0);
                    assert!(wide <= width + 0.01, "{line:?} has {wide} of {width}");
                }
            }
        }
    }
}
