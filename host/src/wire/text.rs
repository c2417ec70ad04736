//! Short texts from and for the peer.

use std::{fmt, ops::Deref};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A text of at most `N` bytes without control characters, so that a peer can
/// neither fill a log nor drive the terminal that shows it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Text<const N: usize>(String);

/// A name: software, detector, feature.
pub type Name = Text<128>;
/// Why something failed, for people.
pub type Reason = Text<1024>;

impl<const N: usize> Text<N> {
    /// The text with control characters replaced by spaces, cut at `N` bytes.
    pub fn new(text: &str) -> Self {
        let mut kept = String::with_capacity(text.len().min(N));
        for c in text.chars() {
            if kept.len() + c.len_utf8() > N {
                break;
            }
            kept.push(if c.is_control() { ' ' } else { c });
        }
        Self(kept)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const N: usize> Deref for Text<N> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const N: usize> From<&str> for Text<N> {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl<const N: usize> From<String> for Text<N> {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<const N: usize> Serialize for Text<N> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Text<N> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        if text.len() > N {
            return Err(de::Error::custom(format!(
                "a text of {} bytes; at most {N} are allowed",
                text.len()
            )));
        }
        Ok(Self::new(&text))
    }
}

/// Reads a list of at most `N` entries and takes memory for no more than that.
pub(super) fn at_most<'de, const N: usize, T, D>(from: D) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    struct Entries<T, const N: usize>(std::marker::PhantomData<T>);

    impl<'de, T: Deserialize<'de>, const N: usize> de::Visitor<'de> for Entries<T, N> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "at most {N} entries")
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
            let announced = list.size_hint().unwrap_or(0);
            if announced > N {
                return Err(de::Error::invalid_length(announced, &self));
            }
            let mut entries = Vec::with_capacity(announced);
            while let Some(entry) = list.next_element()? {
                if entries.len() == N {
                    return Err(de::Error::invalid_length(N + 1, &self));
                }
                entries.push(entry);
            }
            Ok(entries)
        }
    }

    from.deserialize_seq(Entries::<T, N>(std::marker::PhantomData))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(Text::<4>::new("aéé").as_str(), "aé");
        assert_eq!(Text::<5>::new("aéé").as_str(), "aéé");
    }

    #[test]
    fn a_text_cannot_drive_a_terminal() {
        assert_eq!(Reason::new("\x1b[2J\r\nhi\u{9b}").as_str(), " [2J  hi ");
    }
}
