//! Messages to bytes and back.

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Answer, Bye, FragmentHeader, FrameHeader, Hello, WireError, hello::Prefix};

/// Bytes of a message without pixels at most.
pub const MAX_CONTROL: usize = 16 * 1024;

pub(super) const CONFIG: Configuration<LittleEndian, Fixint, Limit<MAX_CONTROL>> =
    bincode::config::standard()
        .with_little_endian()
        .with_fixed_int_encoding()
        .with_limit::<MAX_CONTROL>();

/// A message; pixels are borrowed from the message that they came in.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// The first message each way.
    Hello(Hello),
    /// A frame begins; server to client.
    Frame(FrameHeader, Bytes),
    /// A frame goes on; server to client.
    Fragment(FragmentHeader, Bytes),
    /// What became of a frame; client to server.
    Answer(Answer),
    /// The last message each way.
    Bye(Bye),
}

/// What bincode sees: the order of the variants is their number on the wire.
#[derive(Serialize, Deserialize)]
pub(super) enum Packet {
    Hello(Hello),
    Frame(FrameHeader),
    Fragment(FragmentHeader),
    Answer(Answer),
    Bye(Bye),
}

const NAMES: [&str; 5] = ["hello", "frame", "fragment", "answer", "goodbye"];

/// The bytes of a message, which must not be more than `max_message`. An answer
/// that is too long is sent with as many of its best estimates as fit. Frames
/// are better encoded by [`super::FrameMessages`], which cuts them into pieces.
///
/// # Errors
///
/// [`WireError::TooLarge`], or what [`decode`] would say about it at the peer.
pub fn encode(message: &Message, max_message: usize) -> Result<Bytes, WireError> {
    let (packet, pixels) = match message {
        Message::Hello(hello) => {
            hello.check()?;
            (Packet::Hello(hello.clone()), None)
        }
        Message::Frame(header, pixels) => {
            header.check()?;
            (Packet::Frame(*header), Some(pixels))
        }
        Message::Fragment(header, pixels) => (Packet::Fragment(*header), Some(pixels)),
        Message::Answer(answer) => {
            answer.check()?;
            (Packet::Answer(answer.clone()), None)
        }
        Message::Bye(bye) => (Packet::Bye(bye.clone()), None),
    };
    let name = message.name();
    let mut bytes = Vec::with_capacity(128 + pixels.map_or(0, Bytes::len));
    write(&packet, &mut bytes);
    bytes.extend_from_slice(pixels.map_or(&[], |pixels| pixels));
    let limit = if pixels.is_some() { max_message } else { max_message.min(MAX_CONTROL) };
    if bytes.len() <= limit {
        return Ok(bytes.into());
    }
    if let Packet::Answer(mut answer) = packet
        && let super::Finding::Found(estimates) = &mut answer.finding
        && estimates.len() > 1
    {
        estimates.pop();
        return encode(&Message::Answer(answer), max_message);
    }
    Err(WireError::TooLarge { message: name, size: bytes.len(), limit })
}

/// Appends the bytes of `packet`.
pub(super) fn write(packet: &Packet, to: &mut Vec<u8>) {
    bincode::serde::encode_into_std_write(packet, to, CONFIG)
        .expect("writing numbers, texts and lists to a Vec cannot fail");
}

/// Reads one message. Its pixels, if it has any, stay where they are.
///
/// # Errors
///
/// Everything that is against the protocol; see [`WireError`].
pub fn decode(bytes: &Bytes) -> Result<Message, WireError> {
    let number = bytes.first_chunk().ok_or(WireError::Short(bytes.len()))?;
    let number = u32::from_le_bytes(*number);
    let message = *NAMES.get(number as usize).ok_or(WireError::UnknownMessage(number))?;
    let has_pixels = matches!(number, 1 | 2);
    if !has_pixels && bytes.len() > MAX_CONTROL {
        return Err(WireError::TooLarge { message, size: bytes.len(), limit: MAX_CONTROL });
    }
    if number == 0 {
        read::<Prefix>(&bytes[4..], message)?.0.check()?;
    }
    let (packet, used) = read::<Packet>(bytes, message)?;
    // A later minor version may append fields to the hello, and to it alone.
    if !has_pixels && number != 0 && used < bytes.len() {
        return Err(WireError::Trailing { message, count: bytes.len() - used });
    }
    Ok(match packet {
        Packet::Hello(hello) => Message::Hello(hello),
        Packet::Frame(header) => {
            header.check()?;
            Message::Frame(header, bytes.slice(used..))
        }
        Packet::Fragment(header) => Message::Fragment(header, bytes.slice(used..)),
        Packet::Answer(answer) => {
            answer.check()?;
            Message::Answer(answer)
        }
        Packet::Bye(bye) => Message::Bye(bye),
    })
}

fn read<T: DeserializeOwned>(bytes: &[u8], message: &'static str) -> Result<(T, usize), WireError> {
    bincode::serde::decode_from_slice(bytes, CONFIG)
        .map_err(|error| WireError::Malformed { message, cause: error.to_string() })
}

impl Message {
    /// The kind of message, for logs.
    pub fn name(&self) -> &'static str {
        NAMES[match self {
            Self::Hello(_) => 0,
            Self::Frame(..) => 1,
            Self::Fragment(..) => 2,
            Self::Answer(_) => 3,
            Self::Bye(_) => 4,
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::{super::*, *};
    use proptest::prelude::*;

    fn client() -> Hello {
        Hello::new(
            "test 1",
            Side::Client(ClientInfo {
                detector: "hough-rust".into(),
                policy: Policy::Latest,
                max_in_flight: 4,
                max_frame_bytes: 1 << 20,
                formats: vec![1, 2],
                codecs: vec![0],
            }),
        )
    }

    fn answer(estimates: usize) -> Message {
        let estimate =
            Estimate { x: 1.5, y: -2.0, radius: 3.0, score: 0.5, covariance: Some([1.0; 6]) };
        Message::Answer(Answer {
            id: 7,
            finding: Finding::Found(vec![estimate; estimates]),
            detect_ns: 5,
        })
    }

    #[test]
    fn messages_come_back_as_they_were() {
        for message in [
            Message::Hello(client().with_features(&["a", "b"])),
            answer(64),
            Message::Answer(Answer { id: 1, finding: Finding::Dropped, detect_ns: 0 }),
            Message::Bye(Bye::Failed("disk full".into())),
            Message::Fragment(FragmentHeader { id: 1, offset: 2 }, Bytes::from_static(b"xyz")),
        ] {
            assert_eq!(decode(&encode(&message, 1 << 16).unwrap()), Ok(message));
        }
    }

    #[test]
    fn pixels_are_not_copied_when_read() {
        let bytes = encode(
            &Message::Fragment(FragmentHeader { id: 1, offset: 2 }, Bytes::from_static(b"xyz")),
            100,
        )
        .unwrap();
        let Ok(Message::Fragment(_, pixels)) = decode(&bytes) else { panic!() };
        assert_eq!(pixels.as_ptr(), bytes[FRAGMENT_HEADER..].as_ptr());
    }

    #[test]
    fn an_answer_is_cut_to_what_the_peer_accepts() {
        let bytes = encode(&answer(64), MIN_MESSAGE).unwrap();
        assert!(bytes.len() <= MIN_MESSAGE);
        let Ok(Message::Answer(Answer { finding: Finding::Found(kept), .. })) = decode(&bytes)
        else {
            panic!()
        };
        assert_eq!(kept.len(), (MIN_MESSAGE - 32) / 81);
    }

    #[test]
    fn another_major_version_is_named_even_when_its_hello_looks_different() {
        let bytes = [&[0, 0, 0, 0][..], b"PLMB", &[9, 0, 3, 0]].concat();
        let error = decode(&bytes.into()).unwrap_err();
        assert_eq!(error, WireError::Version { theirs: Version { major: 9, minor: 3 } });
        let text = error.to_string();
        assert!(text.contains("9.3") && text.contains("1.0"), "{text}");
        let bytes = [&[0, 0, 0, 0][..], b"HTTP", &[1, 0, 0, 0]].concat();
        assert_eq!(decode(&bytes.into()), Err(WireError::Magic(*b"HTTP")));
    }

    #[test]
    fn a_later_minor_version_may_append_to_the_hello_only() {
        let longer = |message| {
            let mut bytes = encode(&message, 1 << 16).unwrap().to_vec();
            bytes.push(1);
            decode(&bytes.into())
        };
        assert_eq!(longer(Message::Hello(client())), Ok(Message::Hello(client())));
        assert_eq!(
            longer(Message::Bye(Bye::Completed)),
            Err(WireError::Trailing { message: "goodbye", count: 1 })
        );
    }

    #[test]
    fn lists_and_texts_have_limits() {
        let many = client().with_features(&["f"; MAX_FEATURES + 1]);
        assert!(matches!(
            encode(&Message::Hello(many), 1 << 16),
            Err(WireError::TooMany { count: 33, limit: 32, .. })
        ));
        // A list that announces u64::MAX entries, a text that announces 2 KiB.
        let list = [&3u32.to_le_bytes()[..], &[0; 8], &[0; 4], &[0xff; 8]].concat();
        assert!(matches!(decode(&list.into()), Err(WireError::Malformed { .. })));
        let text =
            [&4u32.to_le_bytes()[..], &[4, 0, 0, 0], &2000u64.to_le_bytes(), &[65; 2000]].concat();
        let error = decode(&text.into()).unwrap_err().to_string();
        assert!(error.contains("2000") && error.contains("1024"), "{error}");
    }

    #[test]
    fn numbers_that_cannot_be_a_place_are_refused() {
        let message = answer(1);
        let good = encode(&message, 1 << 16).unwrap();
        for (at, value) in [(24, f64::NAN), (32, 2e6), (40, -1.0), (48, f64::INFINITY)] {
            let mut bytes = good.to_vec();
            bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
            let error = decode(&bytes.into()).unwrap_err();
            assert!(matches!(error, WireError::Estimate { index: 0, .. }), "{at}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            number in 0u32..6,
            head in proptest::sample::select(vec![&b"PLMB\x01\0\0\0"[..], b"", b"\0\0\0\0"]),
            tail in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let bytes = [&number.to_le_bytes()[..], head, &tail].concat();
            if let Ok(message) = decode(&bytes.into()) {
                prop_assert!(encode(&message, 1 << 16).is_ok());
            }
        }

        #[test]
        fn a_damaged_message_is_an_error_or_a_message(
            at in any::<proptest::sample::Index>(), value in any::<u8>(), cut in 0usize..40,
        ) {
            for message in [Message::Hello(client()), answer(2), Message::Bye(Bye::Failed("x".into()))] {
                let mut bytes = encode(&message, 1 << 16).unwrap().to_vec();
                let at = at.index(bytes.len());
                bytes[at] = value;
                bytes.truncate(bytes.len().saturating_sub(cut));
                let _ = decode(&bytes.into());
            }
        }
    }
}
