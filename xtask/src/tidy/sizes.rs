//! How long the source files are: a note to read, not a rule.

use crate::tidy::files::TextFile;

/// A file longer than this is named.
const LONG: usize = 600;

/// The median, and the files that may want to be two.
pub(crate) fn note(files: &[TextFile]) -> String {
    let mut lengths: Vec<(usize, &str)> = files
        .iter()
        .filter(|file| file.is_rust())
        .map(|file| (file.text.lines().count(), file.path.as_str()))
        .collect();
    lengths.sort_unstable();
    let median = lengths
        .get(lengths.len() / 2)
        .map_or(0, |(lines, _)| *lines);
    let mut text = format!("note: {} Rust files, median {median} lines", lengths.len());
    for (lines, path) in lengths.iter().rev().take_while(|(lines, _)| *lines > LONG) {
        text.push_str(&format!("\nnote: {path} has {lines} lines"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::files::file;

    #[test]
    fn the_median_and_the_long_files_are_named() {
        let files = [
            file("a.rs", "1\n"),
            file("b.rs", "1\n2\n"),
            file("c.rs", &"line\n".repeat(601)),
            file("d.md", &"line\n".repeat(900)),
        ];
        assert_eq!(
            note(&files),
            "note: 3 Rust files, median 2 lines\nnote: c.rs has 601 lines"
        );
        assert_eq!(note(&[]), "note: 0 Rust files, median 0 lines");
    }
}
