//! Text that strangers claim and people read.

use super::{InvalidClientMetadata, MAX_NAME_CHARS, bad};

/// Text that is shown to people: bounded, and unable to reorder or hide what stands around it.
pub(super) fn text(field: &'static str, text: String) -> Result<String, InvalidClientMetadata> {
    if text.chars().count() > MAX_NAME_CHARS {
        return Err(bad(field, "is too long"));
    }
    if text
        .chars()
        .any(|c| c.is_control() || steers(c) || is_invisible(c))
    {
        return Err(bad(
            field,
            "holds a control character, a direction override or an invisible character",
        ));
    }
    Ok(text)
}

// Unicode Standard Annex 9: characters that change the direction of the text around them; and the
// separators that break a line.
fn steers(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

// Unicode Standard Annex 44, Default_Ignorable_Code_Point: two names that differ in these only look
// the same, and a name of nothing else looks like none.
// The joiners U+200C and U+200D and the variation selectors stay, since scripts and emoji need them.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e00ff}'
    )
}
