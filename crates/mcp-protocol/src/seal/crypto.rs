//! What sealing needs of the crypto library, behind our own names.

use ring::{aead, digest, hkdf};

/// The length of a key, and of a digest.
pub(super) const KEY_BYTES: usize = 32;

/// How many random bytes each sealed text has for itself.
pub const SALT_BYTES: usize = 24;

/// A text that was too long for the cipher, or did not open.
#[derive(Debug)]
pub(super) struct Failed;

/// SHA-256 over parts, each with its length before it, so that no two lists of parts look the same.
pub(super) struct Hasher(digest::Context);

impl Hasher {
    pub(super) fn new(label: &str) -> Self {
        let mut hasher = Hasher(digest::Context::new(&digest::SHA256));
        hasher.part(label.as_bytes());
        hasher
    }

    pub(super) fn part(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
    }

    pub(super) fn number(&mut self, number: u64) {
        self.0.update(&number.to_be_bytes());
    }

    pub(super) fn tag(&mut self, tag: u8) {
        self.0.update(&[tag]);
    }

    pub(super) fn finish(self) -> [u8; KEY_BYTES] {
        let digest = self.0.finish();
        // 32 bytes by definition of the algorithm.
        digest.as_ref().try_into().unwrap_or_default()
    }
}

/// Encrypts in place and appends the tag.
pub(super) fn seal(
    master: &[u8; KEY_BYTES],
    salt: &[u8; SALT_BYTES],
    info: &[&[u8]],
    associated: &[u8],
    text: &mut Vec<u8>,
) -> Result<(), Failed> {
    let key = one_time_key(master, salt, info)?;
    key.seal_in_place_append_tag(the_nonce(), aead::Aad::from(associated), text)
        .map_err(|_| Failed)
}

/// Checks the tag and decrypts in place.
pub(super) fn open<'a>(
    master: &[u8; KEY_BYTES],
    salt: &[u8; SALT_BYTES],
    info: &[&[u8]],
    associated: &[u8],
    text: &'a mut [u8],
) -> Result<&'a [u8], Failed> {
    let key = one_time_key(master, salt, info)?;
    key.open_in_place(the_nonce(), aead::Aad::from(associated), text)
        .map(|text| &*text)
        .map_err(|_| Failed)
}

/// RFC 5869: a key that only this salt has.
fn one_time_key(
    master: &[u8; KEY_BYTES],
    salt: &[u8; SALT_BYTES],
    info: &[&[u8]],
) -> Result<aead::LessSafeKey, Failed> {
    let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(master);
    let key = secret
        .expand(info, &aead::AES_256_GCM)
        .map_err(|_| Failed)?;
    Ok(aead::LessSafeKey::new(key.into()))
}

/// Each key seals one text, so there is one nonce.
fn the_nonce() -> aead::Nonce {
    aead::Nonce::assume_unique_for_key([0; aead::NONCE_LEN])
}
