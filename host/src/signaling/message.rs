//! The messages of aiortc's `TcpSocketSignaling`: one JSON object a line.

use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Longest line in bytes, its newline included. Python's stream reader refuses
/// to go on at 65,536 bytes.
pub const MAX_LINE: usize = 65_535;

/// One message of the handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// The offering side's session description.
    Offer(String),
    /// The answering side's session description.
    Answer(String),
    /// A candidate that did not ride in a description.
    Candidate {
        /// `candidate:...`, RFC 8839 section 5.1.
        candidate: String,
        /// The media section's identification.
        mid: Option<String>,
        /// The media section's index.
        index: Option<u16>,
    },
    /// The end.
    Bye {
        /// Why, in words. An extension: aiortc ignores it.
        reason: Option<String>,
    },
}

/// Why a line is no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Not a JSON object.
    #[error("not a JSON object: {text}")]
    NotJson {
        /// The beginning of the line, made printable.
        text: String,
    },
    /// An object of an unknown type.
    #[error("`type` is {found}; known are offer, answer, candidate, bye")]
    UnknownType {
        /// What stands there.
        found: String,
    },
    /// A key that is missing or has the wrong type.
    #[error("{kind}: {problem}")]
    Malformed {
        /// The message's type.
        kind: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// A message that does not fit into a line.
    #[error("a message of {bytes} bytes is longer than the {MAX_LINE} that a line may have")]
    TooLong {
        /// Bytes of the line.
        bytes: usize,
    },
}

#[derive(Deserialize)]
struct Description {
    sdp: String,
}

#[derive(Deserialize)]
struct Candidate {
    #[serde(rename = "candidate")]
    text: String,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    label: Option<u16>,
}

impl Message {
    /// Reads one line, without its newline. Keys that are not known are ignored.
    ///
    /// # Errors
    ///
    /// [`MessageError`] with what is wrong.
    pub fn parse(line: &str) -> Result<Self, MessageError> {
        let not_json = || MessageError::NotJson { text: excerpt(line) };
        let object: Map<String, Value> = serde_json::from_str(line).map_err(|_| not_json())?;
        let kind = object.get("type").cloned().unwrap_or(Value::Null);
        let value = Value::Object(object);
        match kind.as_str() {
            Some("offer") => Ok(Self::Offer(read::<Description>("offer", value)?.sdp)),
            Some("answer") => Ok(Self::Answer(read::<Description>("answer", value)?.sdp)),
            Some("candidate") => {
                let Candidate { text: candidate, id: mid, label: index } =
                    read("candidate", value)?;
                if !candidate.starts_with("candidate:") {
                    let problem =
                        format!("`{}` does not begin with `candidate:`", excerpt(&candidate));
                    return Err(MessageError::Malformed { kind: "candidate", problem });
                }
                Ok(Self::Candidate { candidate, mid, index })
            }
            Some("bye") => {
                let reason = value.get("reason").and_then(Value::as_str).map(excerpt);
                Ok(Self::Bye { reason })
            }
            _ => Err(MessageError::UnknownType { found: excerpt(&kind.to_string()) }),
        }
    }

    /// The line for this message, without its newline, in the exact form that
    /// aiortc reads: a description has the keys `sdp` and `type` and no other.
    ///
    /// # Errors
    ///
    /// [`MessageError::TooLong`].
    pub fn line(&self) -> Result<String, MessageError> {
        let object = match self {
            Self::Offer(sdp) => json!({"sdp": sdp, "type": "offer"}),
            Self::Answer(sdp) => json!({"sdp": sdp, "type": "answer"}),
            Self::Candidate { candidate, mid, index } => {
                json!({"candidate": candidate, "id": mid, "label": index, "type": "candidate"})
            }
            Self::Bye { reason: None } => json!({"type": "bye"}),
            Self::Bye { reason: Some(reason) } => json!({"reason": reason, "type": "bye"}),
        };
        let line = object.to_string();
        let bytes = line.len() + 1;
        if bytes > MAX_LINE { Err(MessageError::TooLong { bytes }) } else { Ok(line) }
    }

    /// A goodbye that says why.
    pub fn bye(reason: impl Into<String>) -> Self {
        Self::Bye { reason: Some(reason.into()) }
    }

    /// The message's type.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Offer(_) => "offer",
            Self::Answer(_) => "answer",
            Self::Candidate { .. } => "candidate",
            Self::Bye { .. } => "bye",
        }
    }
}

fn read<T: for<'de> Deserialize<'de>>(kind: &'static str, value: Value) -> Result<T, MessageError> {
    serde_json::from_value(value)
        .map_err(|error| MessageError::Malformed { kind, problem: error.to_string() })
}

/// The beginning of `text`, safe to be shown in a terminal and a log.
fn excerpt(text: &str) -> String {
    const SHOWN: usize = 80;
    let mut shown = String::new();
    for character in text.chars().take(SHOWN) {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    if text.chars().nth(SHOWN).is_some() {
        shown.push_str("...");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(message: &Message) -> String {
        let line = message.line().unwrap();
        assert_eq!(&Message::parse(&line).unwrap(), message);
        line
    }

    #[test]
    fn descriptions_have_exactly_two_keys() {
        let line = round_trip(&Message::Offer("v=0\r\n".into()));
        assert_eq!(line, r#"{"sdp":"v=0\r\n","type":"offer"}"#);
        let line = round_trip(&Message::Answer("v=0\r\n".into()));
        assert_eq!(line, r#"{"sdp":"v=0\r\n","type":"answer"}"#);
    }

    #[test]
    fn a_candidate_has_its_prefix_and_both_keys() {
        let line = round_trip(&Message::Candidate {
            candidate: "candidate:1 1 udp 1 127.0.0.1 9 typ host".into(),
            mid: Some("0".into()),
            index: Some(0),
        });
        assert!(line.contains(r#""id":"0","label":0"#), "{line}");
        for wrong in [
            r#"{"candidate": "", "id": "0", "label": 0, "type": "candidate"}"#,
            r#"{"candidate": "1 1 udp", "id": "0", "label": 0, "type": "candidate"}"#,
            r#"{"id": "0", "label": 0, "type": "candidate"}"#,
            r#"{"candidate": "candidate:1", "id": 0, "label": 0, "type": "candidate"}"#,
        ] {
            assert!(Message::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_goodbye_may_say_why() {
        assert_eq!(round_trip(&Message::Bye { reason: None }), r#"{"type":"bye"}"#);
        round_trip(&Message::bye("busy"));
    }

    #[test]
    fn what_python_writes_is_read() {
        let line = r#"{"sdp": "v=0\r\no=- 3 3 IN IP4 0.0.0.0\r\n", "type": "answer"}"#;
        let Message::Answer(sdp) = Message::parse(line).unwrap() else { panic!() };
        assert!(sdp.ends_with("0.0.0.0\r\n"));
    }

    #[test]
    fn garbage_is_named_and_cannot_paint_the_terminal() {
        for line in ["", "GET / HTTP/1.1", "[]", "17", "{", "{\"type\": \"offer\"", "\u{1b}[31m"] {
            let error = Message::parse(line).unwrap_err();
            assert!(matches!(error, MessageError::NotJson { .. }), "{line}: {error}");
            assert!(!error.to_string().contains('\u{1b}'));
        }
        for line in ["{}", r#"{"type": 7}"#, r#"{"type": "hello"}"#, r#"{"sdp": "x"}"#] {
            let error = Message::parse(line).unwrap_err();
            assert!(matches!(error, MessageError::UnknownType { .. }), "{line}: {error}");
        }
        for line in [r#"{"type": "offer"}"#, r#"{"type": "answer", "sdp": 3}"#] {
            let error = Message::parse(line).unwrap_err();
            assert!(matches!(error, MessageError::Malformed { .. }), "{line}: {error}");
        }
    }

    #[test]
    fn a_message_that_does_not_fit_is_refused() {
        let error = Message::Offer("x".repeat(MAX_LINE)).line().unwrap_err();
        assert!(matches!(error, MessageError::TooLong { bytes } if bytes > MAX_LINE));
        let fits = Message::Offer("x".repeat(MAX_LINE - 27)).line();
        assert!(fits.is_ok_and(|line| line.len() < MAX_LINE));
    }
}
