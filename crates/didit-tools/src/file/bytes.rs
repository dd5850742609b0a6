//! Bytes as base64, alone or in a data URL.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::RefusedFile;

/// The longest head of a data URL, in bytes: a media type with a parameter or two.
const MAX_HEAD: usize = 128;

/// Reads base64 (RFC 4648 section 4, with its padding) or a data URL of it (RFC 2397).
///
/// The media type of a data URL does not count: the leading bytes say what it is.
pub(super) fn decode(text: &str, most: usize) -> Result<Vec<u8>, RefusedFile> {
    let text = text.trim();
    let data = match head(text) {
        Some((head, data)) => {
            if head.len() > MAX_HEAD {
                return Err(RefusedFile::Base64("the head of the data URL is too long"));
            }
            // RFC 2397 section 2: without the word, the data is percent-encoded text.
            if !head.to_ascii_lowercase().ends_with(";base64") {
                return Err(RefusedFile::Base64("the data URL does not say ;base64"));
            }
            data
        }
        None => text,
    };
    // Three bytes are four letters; told before anything is decoded.
    if data.len() > most.div_ceil(3) * 4 {
        return Err(RefusedFile::TooLarge { most });
    }
    let content = STANDARD.decode(data).map_err(|_| why(data))?;
    if content.len() > most {
        return Err(RefusedFile::TooLarge { most });
    }
    Ok(content)
}

/// What stands between `data:` and the first comma, and what follows it.
fn head(text: &str) -> Option<(&str, &str)> {
    let scheme = text.get(..5)?;
    if !scheme.eq_ignore_ascii_case("data:") {
        return None;
    }
    // Without a comma it is no data URL, and not base64 either.
    text.get(5..)?.split_once(',')
}

fn why(data: &str) -> RefusedFile {
    let foreign = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '='));
    RefusedFile::Base64(match data.chars().find(|c| foreign(*c)) {
        Some(c) if c.is_whitespace() => "it has spaces or line breaks in it",
        Some('-' | '_') => "it uses the alphabet for addresses; + and / are expected",
        Some(_) => "it has characters that base64 does not have",
        None => "its length or its end is wrong, as if a part were missing",
    })
}
