//! What is read from the other side's session description.

use super::TransportError;

/// Largest description that is looked at, in bytes; real ones have one to three
/// thousand.
const MAX_SDP: usize = 65_535;

/// What RFC 8841 section 6.1 takes where a description names no limit.
const DEFAULT_MAX_MESSAGE: usize = 65_536;

/// The facts of a description that the transport relies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Remote {
    /// Bytes of a message that the peer accepts; `None` when it sets no limit.
    max_message: Option<usize>,
}

impl Remote {
    /// Reads `sdp`.
    ///
    /// # Errors
    ///
    /// [`TransportError::Handshake`] when it has no data channel, or when what
    /// encryption needs is missing.
    pub(super) fn parse(sdp: &str) -> Result<Self, TransportError> {
        let wrong = |what: &str| TransportError::Handshake(format!("the peer's SDP {what}"));
        if sdp.len() > MAX_SDP {
            return Err(wrong(&format!("has {} bytes, at most {MAX_SDP} are read", sdp.len())));
        }
        if !sdp.starts_with("v=0") {
            return Err(wrong("does not begin with `v=0`"));
        }
        let mut lines = sdp.lines().map(str::trim_end);
        let data = |line: &str| {
            let Some(media) = line.strip_prefix("m=application ") else { return false };
            media.contains("webrtc-datachannel") || media.contains("DTLS/SCTP")
        };
        if !lines.by_ref().any(data) {
            return Err(wrong("has no data channel (no `m=application` section)"));
        }
        for needed in ["a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:sha-256 "] {
            if !sdp.lines().any(|line| line.starts_with(needed)) {
                return Err(wrong(&format!("lacks `{needed}`")));
            }
        }
        let limit = lines
            .take_while(|line| !line.starts_with("m="))
            .find_map(|line| line.strip_prefix("a=max-message-size:"));
        let max_message = match limit.map(|value| (value, value.trim().parse::<u64>())) {
            None => Some(DEFAULT_MAX_MESSAGE),
            Some((_, Ok(0))) => None,
            Some((_, Ok(bytes))) => Some(usize::try_from(bytes).unwrap_or(usize::MAX)),
            Some((value, Err(_))) => {
                return Err(wrong(&format!("has no number in `a=max-message-size:{value}`")));
            }
        };
        Ok(Self { max_message })
    }

    /// The largest message, in bytes, when `ours` is our own limit.
    pub(super) fn max_message(self, ours: usize) -> usize {
        self.max_message.map_or(ours, |theirs| theirs.min(ours))
    }
}

/// Our own description as it is sent: without the candidates for component 2,
/// which the library adds for RTCP and which no data channel uses.
pub(super) fn without_rtcp_candidates(sdp: &str) -> String {
    let rtcp = |line: &str| {
        let fields = line.strip_prefix("a=candidate:");
        fields.and_then(|fields| fields.split(' ').nth(1)) == Some("2")
    };
    sdp.split_inclusive('\n').filter(|line| !rtcp(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDP: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n\
        m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n\
        a=ice-ufrag:x\r\na=ice-pwd:y\r\na=fingerprint:sha-256 00\r\n";

    fn limit(line: &str) -> usize {
        Remote::parse(&format!("{SDP}{line}")).unwrap().max_message(262_144)
    }

    #[test]
    fn the_limit_is_the_smaller_one() {
        assert_eq!(limit("a=max-message-size:1000\r\n"), 1000);
        assert_eq!(limit("a=max-message-size:65536\r\n"), 65_536);
        assert_eq!(limit("a=max-message-size:1073741823\r\n"), 262_144);
        assert_eq!(limit("a=max-message-size:99999999999999999\r\n"), 262_144);
    }

    #[test]
    fn zero_is_no_limit_and_silence_is_65536() {
        assert_eq!(limit("a=max-message-size:0\r\n"), 262_144);
        assert_eq!(limit(""), 65_536);
        assert_eq!(limit("m=audio 9 X\r\na=max-message-size:7\r\n"), 65_536);
    }

    #[test]
    fn only_component_1_is_sent() {
        let ours = "v=0\r\na=candidate:7 1 udp 1 127.0.0.1 9 typ host\r\n\
            a=candidate:7 2 udp 1 127.0.0.1 9 typ host\r\na=end-of-candidates\r\n";
        let sent = "v=0\r\na=candidate:7 1 udp 1 127.0.0.1 9 typ host\r\na=end-of-candidates\r\n";
        assert_eq!(without_rtcp_candidates(ours), sent);
    }

    #[test]
    fn a_description_that_cannot_work_says_why() {
        let refused = |sdp: &str| Remote::parse(sdp).unwrap_err().to_string();
        assert!(refused("hello").contains("v=0"));
        assert!(refused("v=0\r\n").contains("no data channel"));
        assert!(refused(&SDP.replace("a=ice-pwd:y\r\n", "")).contains("a=ice-pwd:"));
        assert!(refused(&format!("{SDP}a=max-message-size:many\r\n")).contains("many"));
        assert!(refused(&format!("v=0{}", "x".repeat(70_000))).contains("70003 bytes"));
    }
}
