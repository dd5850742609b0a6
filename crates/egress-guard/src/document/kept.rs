//! What is kept of answers: copies, counted in documents and in bytes, the longest unused given up first.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{
    AGE, CACHE_CONTROL, CONNECTION, DATE, ETAG, EXPIRES, HeaderName, HeaderValue,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, TRAILER, TRANSFER_ENCODING, UPGRADE, VARY,
};
use http::{HeaderMap, Response};

use super::freshness::Freshness;
use super::{DocumentLimits, Key};

/// A `200` that may be used again.
#[derive(Debug)]
pub(crate) struct Kept {
    headers: HeaderMap,
    body: Bytes,
    received: SystemTime,
    freshness: Freshness,
}

impl Kept {
    /// A copy: what arrived shares its memory with the buffers that it was read into.
    pub(crate) fn new(
        response: &Response<Bytes>,
        received: SystemTime,
        freshness: Freshness,
    ) -> Self {
        Self {
            headers: copied(response.headers()),
            body: Bytes::copy_from_slice(response.body()),
            received,
            freshness,
        }
    }

    /// The same document with what a `304` says of it now.
    pub(crate) fn confirmed(
        &self,
        headers: HeaderMap,
        received: SystemTime,
        freshness: Freshness,
    ) -> Self {
        Self {
            headers: copied(&headers),
            body: self.body.clone(),
            received,
            freshness,
        }
    }

    /// The header fields after a `304` that has these.
    // RFC 9111 section 3.2: fields of the 304 replace those that are kept. Only what caching needs is taken; what the
    // 304 says about a body it does not have is not.
    pub(crate) fn updated(&self, by: &HeaderMap) -> HeaderMap {
        let mut headers = self.headers.clone();
        // Both are about the answer they came with.
        headers.remove(AGE);
        headers.remove(DATE);
        for name in [AGE, CACHE_CONTROL, DATE, ETAG, EXPIRES, LAST_MODIFIED, VARY] {
            let mut values = by.get_all(&name).into_iter();
            if let Some(first) = values.next() {
                headers.insert(&name, first.clone());
            }
            for more in values {
                headers.append(&name, more.clone());
            }
        }
        headers
    }

    /// Whether it may be used without asking. A clock that was set back to before its arrival makes it stale for that long.
    pub(crate) fn is_fresh(&self, now: SystemTime) -> bool {
        now.duration_since(self.received)
            .is_ok_and(|kept| kept < self.freshness.fresh)
    }

    /// The validators to ask with: name and value of a request's header field.
    pub(crate) fn validators(&self) -> impl Iterator<Item = (HeaderName, &HeaderValue)> {
        let tag = self.headers.get(ETAG).filter(|tag| is_entity_tag(tag));
        let modified = self.headers.get(LAST_MODIFIED).filter(|date| {
            date.to_str()
                .is_ok_and(|date| httpdate::parse_http_date(date).is_ok())
        });
        // RFC 9110 section 13.1.3: the date is not looked at beside a tag, but for a server that knows no tags.
        let tag = tag.map(|tag| (IF_NONE_MATCH, tag));
        tag.into_iter()
            .chain(modified.map(|date| (IF_MODIFIED_SINCE, date)))
    }

    /// Whether keeping it can ever save anything.
    pub(crate) fn is_useful(&self) -> bool {
        !self.freshness.fresh.is_zero() || self.validators().next().is_some()
    }

    /// Whether a `304` with these header fields is about this document.
    // RFC 9111 section 4.3.4: a 304 with another tag is about something that we do not have.
    pub(crate) fn is_meant_by(&self, not_modified: &HeaderMap) -> bool {
        if let Some(theirs) = not_modified.get(ETAG) {
            // RFC 9110 section 8.8.3.2: the weak comparison is the one for reading.
            let ours = self.headers.get(ETAG);
            return ours.is_some_and(|ours| opaque(ours) == opaque(theirs));
        }
        let modified = self.headers.get(LAST_MODIFIED);
        not_modified
            .get(LAST_MODIFIED)
            .is_none_or(|theirs| modified == Some(theirs))
    }

    /// The answer as it is given out.
    pub(crate) fn response(&self, now: SystemTime) -> Response<Bytes> {
        let mut response = Response::new(self.body.clone());
        *response.headers_mut() = self.headers.clone();
        // RFC 9111 section 5.1: an answer from a cache says how old it is.
        let resident = now.duration_since(self.received).unwrap_or_default();
        let age = self.freshness.age.saturating_add(resident).as_secs();
        response.headers_mut().insert(AGE, HeaderValue::from(age));
        response
    }

    fn size(&self, key: &Key) -> usize {
        let fields: usize = self
            .headers
            .iter()
            .map(|(name, value)| FIELD + name.as_str().len() + value.len())
            .sum();
        DOCUMENT + key.size() + fields + self.body.len()
    }
}

/// Bytes that a document takes beside its text: the entry of the table, the map of its header fields.
const DOCUMENT: usize = 512;

/// Bytes that a header field takes beside its text.
const FIELD: usize = 96;

/// Whether this is a tag that may be sent back.
// RFC 9110 section 8.8.3: an opaque tag in quotes, with or without `W/`.
fn is_entity_tag(value: &HeaderValue) -> bool {
    let inner = opaque(value).strip_prefix(b"\"");
    let inner = inner.and_then(|tag| tag.strip_suffix(b"\""));
    inner.is_some_and(|tag| !tag.contains(&b'"'))
}

/// A tag without the mark of a weak one.
fn opaque(tag: &HeaderValue) -> &[u8] {
    let tag = tag.as_bytes();
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

/// A deep copy: a value that was read from a connection keeps the whole buffer alive.
///
/// What is about the connection stays behind.
// RFC 9111 section 3.1; RFC 9110 section 7.6.1.
fn copied(headers: &HeaderMap) -> HeaderMap {
    let copy = |(name, value): (&HeaderName, &HeaderValue)| {
        if [CONNECTION, TRANSFER_ENCODING, TRAILER, UPGRADE].contains(name) {
            return None;
        }
        let name = HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
        let value = HeaderValue::from_bytes(value.as_bytes()).ok()?;
        Some((name, value))
    };
    let mut copied = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers.iter().filter_map(copy) {
        copied.append(name, value);
    }
    copied
}

/// The documents that are kept.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    kept: HashMap<Key, Entry>,
    bytes: usize,
    /// Counts uses, so that the smallest is the one longest unused.
    uses: u64,
}

#[derive(Debug)]
struct Entry {
    document: Arc<Kept>,
    size: usize,
    used: u64,
}

impl Shelf {
    pub(crate) fn get(&mut self, key: &Key) -> Option<Arc<Kept>> {
        let entry = self.kept.get_mut(key)?;
        self.uses += 1;
        entry.used = self.uses;
        Some(Arc::clone(&entry.document))
    }

    pub(crate) fn remove(&mut self, key: &Key) {
        if let Some(entry) = self.kept.remove(key) {
            self.bytes -= entry.size;
        }
    }

    /// Puts a document in the place of the one before, and gives up the longest unused until the bounds are kept.
    pub(crate) fn put(&mut self, key: Key, document: Kept, limits: &DocumentLimits) {
        self.remove(&key);
        let size = document.size(&key);
        // One that would drive out everything else and still not fit stays out.
        if size > limits.bytes || limits.documents == 0 || !document.is_useful() {
            return;
        }
        while self.kept.len() >= limits.documents || self.bytes > limits.bytes - size {
            let oldest = self.kept.iter().min_by_key(|(_, entry)| entry.used);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else {
                break;
            };
            self.remove(&oldest);
        }
        self.uses += 1;
        self.bytes += size;
        let entry = Entry {
            document: Arc::new(document),
            size,
            used: self.uses,
        };
        self.kept.insert(key, entry);
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use proptest::prelude::*;

    use super::*;

    fn key(n: usize) -> Key {
        let uri = format!("https://a.example/{n:04}").parse().unwrap();
        Key::new(&uri, None)
    }

    fn document(length: usize) -> Kept {
        let freshness = Freshness {
            age: Duration::ZERO,
            fresh: Duration::from_secs(60),
        };
        Kept::new(
            &Response::new(vec![b'x'; length].into()),
            UNIX_EPOCH,
            freshness,
        )
    }

    fn limits(documents: usize, bytes: usize) -> DocumentLimits {
        DocumentLimits {
            documents,
            bytes,
            ..DocumentLimits::default()
        }
    }

    fn is_consistent(shelf: &Shelf) -> bool {
        let sum: usize = shelf.kept.iter().map(|(k, e)| e.document.size(k)).sum();
        sum == shelf.bytes
    }

    #[test]
    fn the_longest_unused_is_given_up() {
        let limits = limits(2, usize::MAX);
        let mut shelf = Shelf::default();
        shelf.put(key(0), document(1), &limits);
        shelf.put(key(1), document(1), &limits);
        shelf.get(&key(0)).unwrap();
        shelf.put(key(2), document(1), &limits);
        assert!(shelf.get(&key(1)).is_none());
        assert!(shelf.get(&key(0)).is_some() && shelf.get(&key(2)).is_some());
        // In its own place a document drives out nobody.
        shelf.put(key(2), document(9), &limits);
        assert!(shelf.get(&key(0)).is_some() && is_consistent(&shelf));
    }

    #[test]
    fn bytes_are_counted_and_bounded() {
        let one = document(1000).size(&key(0));
        let limits = limits(usize::MAX, 3 * one);
        let mut shelf = Shelf::default();
        for n in 0..10 {
            shelf.put(key(n), document(1000), &limits);
            assert!(shelf.bytes <= limits.bytes && is_consistent(&shelf));
        }
        assert_eq!(shelf.kept.len(), 3);
        // One that takes the place of two.
        shelf.put(key(10), document(1000 + one), &limits);
        assert_eq!(shelf.kept.len(), 2);
        // One that fits by itself alone, and one that does not fit at all.
        shelf.put(key(11), document(1000 + 2 * one), &limits);
        assert_eq!((shelf.kept.len(), shelf.bytes), (1, limits.bytes));
        shelf.put(key(12), document(1001 + 2 * one), &limits);
        assert!(shelf.get(&key(12)).is_none() && shelf.get(&key(11)).is_some());
        shelf.remove(&key(11));
        assert_eq!((shelf.kept.len(), shelf.bytes), (0, 0));
    }

    #[test]
    fn header_fields_count_too() {
        let mut response = Response::new(Bytes::new());
        let plain = Kept::new(&response, UNIX_EPOCH, document(0).freshness).size(&key(0));
        let value = "v".repeat(5000).parse().unwrap();
        response.headers_mut().insert("x-large", value);
        let large = Kept::new(&response, UNIX_EPOCH, document(0).freshness).size(&key(0));
        assert!(large > plain + 5000);
    }

    #[test]
    fn nothing_is_kept_where_nothing_may_be() {
        let mut shelf = Shelf::default();
        shelf.put(key(0), document(1), &limits(0, usize::MAX));
        shelf.put(key(0), document(1), &limits(9, 0));
        assert_eq!(shelf.kept.len(), 0);
    }

    #[test]
    fn a_copy_shares_no_memory_with_the_answer() {
        let body = Bytes::from(vec![b'x'; 100]).slice(10..20);
        let kept = Kept::new(
            &Response::new(body.clone()),
            UNIX_EPOCH,
            document(0).freshness,
        );
        assert_eq!(kept.body, body);
        assert_ne!(kept.body.as_ptr(), body.as_ptr());
    }

    #[test]
    fn only_what_is_a_validator_is_sent_back() {
        for (name, value, sent) in [
            (ETAG, "\"a\"", true),
            (ETAG, "W/\"a\"", true),
            (ETAG, "\"\"", true),
            (ETAG, "a", false),
            (ETAG, "\"a", false),
            (ETAG, "\"", false),
            (ETAG, "w/\"a\"", false),
            (ETAG, "\"a\", \"b\"", false),
            (ETAG, "*", false),
            (LAST_MODIFIED, "Sun, 06 Nov 1994 08:49:37 GMT", true),
            (LAST_MODIFIED, "yesterday", false),
        ] {
            let mut response = Response::new(Bytes::new());
            response.headers_mut().insert(name, value.parse().unwrap());
            let kept = Kept::new(&response, UNIX_EPOCH, document(0).freshness);
            let values: Vec<_> = kept.validators().map(|(_, value)| value).collect();
            assert_eq!(values == [value], sent, "{value}");
        }
    }

    proptest! {
        /// Whatever is put, taken and given up: the bounds hold and the sum is right.
        #[test]
        fn the_bounds_hold(
            documents in 0_usize..6,
            bytes in 0_usize..6000,
            steps in proptest::collection::vec((0_usize..8, 0_usize..3000, 0_u8..4), 0..60),
        ) {
            let limits = limits(documents, bytes);
            let mut shelf = Shelf::default();
            for (n, length, step) in steps {
                match step {
                    0 => drop(shelf.get(&key(n))),
                    1 => shelf.remove(&key(n)),
                    _ => shelf.put(key(n), document(length), &limits),
                }
                prop_assert!(shelf.kept.len() <= documents && shelf.bytes <= bytes);
                prop_assert!(is_consistent(&shelf));
            }
        }
    }
}
