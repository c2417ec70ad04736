//! Checks the hexadecimal examples of `docs/wire.md` against the code.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::*;

const PAGE: &str = include_str!("../../../docs/wire.md");

/// The examples of the page: blocks of the kind `hex NAME`.
fn examples() -> BTreeMap<String, Vec<u8>> {
    let mut examples = BTreeMap::new();
    let mut open: Option<(String, Vec<u8>)> = None;
    for line in PAGE.lines() {
        if let Some(name) = line.strip_prefix("```hex ") {
            open = Some((name.to_owned(), Vec::new()));
        } else if line == "```" {
            examples.extend(open.take());
        } else if let Some((_, bytes)) = &mut open {
            let digits = line.split('#').next().unwrap_or_default();
            bytes.extend(digits.split_whitespace().map(|hex| u8::from_str_radix(hex, 16).unwrap()));
        }
    }
    examples
}

fn messages() -> Vec<(&'static str, Message)> {
    let answer = |finding, detect_ns| Message::Answer(Answer { id: 258, finding, detect_ns });
    let estimate = Estimate { x: 281.5, y: 60.25, radius: 20.0, score: 0.75, covariance: None };
    let second = Estimate { covariance: Some([0.25, 0.0, -0.5, 0.25, 0.0, 1.0]), ..estimate };
    vec![
        (
            "hello-server",
            Message::Hello(Hello::new(
                "plumbline 0.1.0",
                Side::Server(SceneInfo {
                    width: 640,
                    height: 480,
                    format: 1,
                    fps: 60.0,
                    seed: 7,
                    frames: 300,
                }),
            )),
        ),
        (
            "hello-client",
            Message::Hello(
                Hello::new(
                    "py 1",
                    Side::Client(ClientInfo {
                        detector: "hough".into(),
                        policy: Policy::Latest,
                        max_in_flight: 4,
                        max_frame_bytes: 201326592,
                        formats: vec![1, 2],
                        codecs: vec![0],
                    }),
                )
                .with_features(&["x"]),
            ),
        ),
        (
            "frame",
            Message::Frame(
                FrameHeader {
                    id: 258,
                    captured_ns: 1_000_000_000,
                    width: 3,
                    height: 2,
                    format: 1,
                    codec: CODEC_RAW,
                    payload_len: 6,
                },
                Bytes::from_static(&[1, 2, 3, 4]),
            ),
        ),
        (
            "fragment",
            Message::Fragment(FragmentHeader { id: 258, offset: 4 }, Bytes::from_static(&[5, 6])),
        ),
        ("answer-found", answer(Finding::Found(vec![estimate, second]), 1_500_000)),
        ("answer-nothing", answer(Finding::Nothing, 1_500_000)),
        ("answer-dropped", answer(Finding::Dropped, 0)),
        ("answer-failed", answer(Finding::Failed("no".into()), 0)),
        ("bye-completed", Message::Bye(Bye::Completed)),
        ("bye-violation", Message::Bye(Bye::Violation("é".into()))),
    ]
}

#[test]
fn the_examples_of_the_page_are_what_the_code_says() {
    let mut examples = examples();
    for (name, message) in messages() {
        let bytes = examples.remove(name).unwrap_or_else(|| panic!("no example {name}"));
        assert_eq!(encode(&message, 1 << 16).unwrap(), bytes, "{name}");
        assert_eq!(decode(&bytes.into()).unwrap(), message, "{name}");
    }
    assert!(examples.is_empty(), "nothing checks {:?}", examples.keys());
}

#[test]
fn the_limits_of_the_page_are_those_of_the_code() {
    let software = Name::new(&"x".repeat(1000)).len();
    let reason = Reason::new(&"x".repeat(9000)).len();
    for (what, value) in [
        ("control message, bytes", MAX_CONTROL),
        ("width and height, pixels", MAX_SIDE as usize),
        ("estimates in an answer", MAX_ESTIMATES),
        ("features in a hello", MAX_FEATURES),
        ("formats, codecs in a hello", MAX_FORMATS),
        ("name, bytes of UTF-8", software),
        ("reason, bytes of UTF-8", reason),
        ("smallest usable message limit, bytes", MIN_MESSAGE),
        ("centre coordinate and radius, pixels", MAX_COORDINATE as usize),
    ] {
        assert!(PAGE.contains(&format!("| {what} | {value} |")), "| {what} | {value} |");
    }
}
