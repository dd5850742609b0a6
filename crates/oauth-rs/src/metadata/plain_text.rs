//! Text that strangers claim and people read.

/// The longest name, in characters.
pub const MAX_NAME_CHARS: usize = 200;

/// Whether text can be shown to people: of bounded length, and unable to reorder or hide what stands around it.
pub(super) fn is_plain(text: &str) -> bool {
    is_short(text) && !text.chars().any(is_odd)
}

pub(super) fn is_short(text: &str) -> bool {
    text.chars().count() <= MAX_NAME_CHARS
}

/// A control character, a direction override or an invisible character.
pub(super) fn is_odd(c: char) -> bool {
    c.is_control() || steers(c) || is_invisible(c)
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
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e00ff}' | '\u{e01f0}'..='\u{e0fff}'
    )
}

/// Whether nobody sees anything of a text, though none of its characters is refused by itself: white
/// space, the joiners and variation selectors, and the empty cell of Braille.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| {
        c.is_whitespace()
            || matches!(
                c,
                '\u{200c}' | '\u{200d}' | '\u{2800}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}'
            )
    })
}
