//! A text that opens, each way to change it, and the exact reason.

use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_000;
const EXPIRES: u64 = 1_600;
const SALT: [u8; SALT_BYTES] = [9; SALT_BYTES];

fn keys(first: u8) -> Keys {
    Keys::new(Key::new([first; KEY_BYTES]))
}

fn binding(principal: &str, method: &str) -> Binding {
    Binding::to_principal(Some(principal)).and_operation(method, None)
}

fn ada() -> Binding {
    binding("ada", "tools/call")
}

fn sealed() -> String {
    keys(1)
        .seal(Purpose::RequestState, &ada(), EXPIRES, "payload", SALT)
        .unwrap()
}

fn open(text: &str) -> Result<Opened, Refused> {
    keys(1).open(Purpose::RequestState, &ada(), NOW, text)
}

#[test]
fn what_was_sealed_opens() {
    let opened = open(&sealed()).unwrap();
    assert_eq!((opened.payload(), opened.expires()), ("payload", EXPIRES));
    assert_eq!(opened.into_payload(), "payload");
}

#[test]
fn the_format_stays_as_it_is() {
    // Texts of one release open in the next. The value is that of another implementation, too.
    assert_eq!(
        sealed(),
        "AVapk9sJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk5Kb9q6h3EnHojUwVsHoy7I1tt8kRiTfojrnbvy-C9JVkiDU1cA_cvgZD_DS48f1mwITjf27vrA0nmbf3-qMmB-4zYuVa3dVGRi6PTdvWd-46YZVvN-MxX2mUZXeLxfw"
    );
}

#[test]
fn each_byte_counts() {
    let whole = URL_SAFE_NO_PAD.decode(sealed()).unwrap();
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut changed = whole.clone();
            changed[at] ^= 1 << bit;
            let reason = match at {
                0 => Refused::Malformed,
                1..=4 => Refused::UnknownKey,
                _ => Refused::Tampered,
            };
            let text = URL_SAFE_NO_PAD.encode(changed);
            assert_eq!(open(&text), Err(reason), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn each_character_counts() {
    // In the last character some bits stand for nothing; they must be zero.
    let whole = sealed();
    for at in 0..whole.len() {
        for other in "AQgw_-.= \n".chars() {
            let mut text = whole.clone();
            text.replace_range(at..=at, &other.to_string());
            if text != whole {
                assert!(open(&text).is_err(), "{at} {other:?}");
            }
        }
    }
}

#[test]
fn a_part_is_not_the_whole_and_more_is_too_much() {
    let whole = URL_SAFE_NO_PAD.decode(sealed()).unwrap();
    for length in 0..whole.len() {
        let reason = if length < HEADER_BYTES + PREFIX_BYTES + TAG_BYTES {
            Refused::Malformed
        } else {
            Refused::Tampered
        };
        let text = URL_SAFE_NO_PAD.encode(&whole[..length]);
        assert_eq!(open(&text), Err(reason), "{length} bytes");
    }
    for more in [&[0_u8][..], &[0; 16], &whole] {
        let text = URL_SAFE_NO_PAD.encode([&whole, more].concat());
        assert_eq!(open(&text), Err(Refused::Tampered), "{} more", more.len());
    }
    for text in ["", "=", "====", "é", "not base64url!", "AAAA", "\0"] {
        assert_eq!(open(text), Err(Refused::Malformed), "{text:?}");
    }
    assert_eq!(open(&format!("{}=", sealed())), Err(Refused::Malformed));
}

#[test]
fn purpose_principal_operation_and_time_count() {
    let text = sealed();
    let open = |purpose, binding: &Binding, now| keys(1).open(purpose, binding, now, &text);
    for (reason, purpose, binding, now) in [
        (Refused::Tampered, Purpose::Session, ada(), NOW),
        (
            Refused::OtherPrincipal,
            Purpose::RequestState,
            binding("eve", "tools/call"),
            NOW,
        ),
        (
            Refused::OtherPrincipal,
            Purpose::RequestState,
            Binding::to_principal(None).and_operation("tools/call", None),
            NOW,
        ),
        (
            Refused::OtherOperation,
            Purpose::RequestState,
            binding("ada", "prompts/get"),
            NOW,
        ),
        (
            Refused::OtherOperation,
            Purpose::RequestState,
            Binding::to_principal(Some("ada")),
            NOW,
        ),
        (Refused::Expired, Purpose::RequestState, ada(), EXPIRES),
        (Refused::Expired, Purpose::RequestState, ada(), u64::MAX),
        // Whose it is comes before when it ends.
        (
            Refused::OtherPrincipal,
            Purpose::RequestState,
            binding("eve", "prompts/get"),
            EXPIRES,
        ),
    ] {
        assert_eq!(open(purpose, &binding, now), Err(reason), "{binding:?}");
    }
    assert!(open(Purpose::RequestState, &ada(), EXPIRES - 1).is_ok());
    // A clock that was set back cannot be told from one that is right.
    assert!(open(Purpose::RequestState, &ada(), 0).is_ok());
}

#[test]
fn a_rotated_key_opens_and_a_removed_one_does_not() {
    let old = sealed();
    let rotated = keys(2).with_previous(Key::new([1; KEY_BYTES])).unwrap();
    let open = |keys: &Keys, text: &str| keys.open(Purpose::RequestState, &ada(), NOW, text);
    assert!(open(&rotated, &old).is_ok());
    let new = rotated
        .seal(Purpose::RequestState, &ada(), EXPIRES, "payload", SALT)
        .unwrap();
    assert!(open(&keys(2), &new).is_ok(), "the current key seals");
    assert_eq!(open(&keys(1), &new), Err(Refused::UnknownKey));
    assert_eq!(open(&keys(2), &old), Err(Refused::UnknownKey));
}

#[test]
fn the_id_of_another_listed_key_does_not_help() {
    let both = keys(1).with_previous(Key::new([2; KEY_BYTES])).unwrap();
    let mut bytes = URL_SAFE_NO_PAD.decode(sealed()).unwrap();
    bytes[1..5].copy_from_slice(&Key::new([2; KEY_BYTES]).id);
    let text = URL_SAFE_NO_PAD.encode(bytes);
    let opened = both.open(Purpose::RequestState, &ada(), NOW, &text);
    assert_eq!(opened, Err(Refused::Tampered));
}

#[test]
fn keys_are_few_and_different() {
    let eight = || {
        (1..8).fold(keys(0), |keys, number| {
            keys.with_previous(Key::new([number; KEY_BYTES])).unwrap()
        })
    };
    for known in [0, 7] {
        let again = Key::new([known; KEY_BYTES]);
        assert_eq!(eight().with_previous(again).unwrap_err(), BadKeys::Twice);
    }
    let ninth = Key::new([8; KEY_BYTES]);
    assert_eq!(eight().with_previous(ninth).unwrap_err(), BadKeys::TooMany);
}

#[test]
fn nothing_of_a_key_or_a_payload_is_printed() {
    let keys = keys(1).with_previous(Key::new([2; KEY_BYTES])).unwrap();
    assert_eq!(
        format!("{keys:?}"),
        "Keys { current: Key(..), previous: [Key(..)] }"
    );
    let opened = open(&sealed()).unwrap();
    assert_eq!(format!("{opened:?}"), "Opened { expires: 1600, .. }");
    assert!(!format!("{:?}", ada()).contains("ada"));
}

#[test]
fn lengths_are_bounded_on_both_sides() {
    for purpose in [Purpose::RequestState, Purpose::Session] {
        let limit = purpose.max_payload_bytes();
        let seal = |length| keys(1).seal(purpose, &ada(), EXPIRES, &"x".repeat(length), SALT);
        let longest = seal(limit).unwrap();
        assert_eq!(longest.len(), purpose.max_bytes());
        assert!(keys(1).open(purpose, &ada(), NOW, &longest).is_ok());
        assert_eq!(seal(limit + 1), Err(TooLong { limit }));
        // Not even decoded: it would not be malformed otherwise.
        let longer = format!("{longest}A");
        let opened = keys(1).open(purpose, &ada(), NOW, &longer);
        assert_eq!(opened, Err(Refused::TooLong));
    }
}

#[test]
fn what_the_peer_hears() {
    let plain = "requestState was not given for this call: call again without it";
    for (reason, code, message) in [
        (Refused::TooLong, -32602, plain),
        (Refused::Malformed, -32602, plain),
        (Refused::UnknownKey, -32602, plain),
        (Refused::Tampered, -32602, plain),
        (Refused::OtherPrincipal, -32602, plain),
        (Refused::OtherOperation, -32602, plain),
        (
            Refused::Expired,
            -32602,
            "requestState has expired: call again without it",
        ),
        (
            Refused::Replayed,
            -32602,
            "requestState was used already: call again without it",
        ),
        (
            Refused::TooManySpent,
            -32603,
            "too many calls are waiting for answers: call again later",
        ),
    ] {
        let error = reason.error();
        assert_eq!((error.code, error.message.as_str()), (code, message));
    }
}

proptest! {
    #[test]
    fn any_payload_comes_back(
        payload in ".*",
        principal in proptest::option::of(".*"),
        key: [u8; KEY_BYTES],
        salt: [u8; SALT_BYTES],
        expires in 1_u64..,
    ) {
        let keys = Keys::new(Key::new(key));
        let binding = Binding::to_principal(principal.as_deref()).and_operation("tools/call", None);
        let text = keys.seal(Purpose::RequestState, &binding, expires, &payload, salt).unwrap();
        let opened = keys.open(Purpose::RequestState, &binding, expires - 1, &text).unwrap();
        prop_assert_eq!(opened.payload(), payload);
        prop_assert_eq!(
            keys.open(Purpose::RequestState, &binding, expires, &text),
            Err(Refused::Expired)
        );
    }

    #[test]
    fn any_text_is_opened_or_refused(text in ".*") {
        prop_assert!(open(&text).is_err());
    }

    #[test]
    fn any_bytes_are_opened_or_refused(bytes: Vec<u8>, known_key: bool) {
        let mut whole = vec![VERSION];
        if known_key {
            whole.extend_from_slice(&Key::new([1; KEY_BYTES]).id);
        }
        whole.extend_from_slice(&bytes);
        prop_assert!(open(&URL_SAFE_NO_PAD.encode(whole)).is_err());
    }
}
